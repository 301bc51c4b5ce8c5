/** Puts text in the place of a part of a field, as if it were typed: the field's own undo knows of it. */
export function replace(
  field: HTMLTextAreaElement,
  from: number,
  to: number,
  text: string,
  [start, end]: [number, number] = [from + text.length, from + text.length],
): void {
  field.focus();
  field.setSelectionRange(from, to);
  // Deprecated, and still the only way that keeps the history. Where it is gone, the text is what matters.
  if (!document.execCommand(text === '' ? 'delete' : 'insertText', false, text)) {
    field.setRangeText(text, from, to, 'end');
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }
  field.setSelectionRange(start, end);
}
