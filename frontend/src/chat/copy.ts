/** Puts text on the clipboard. False when the browser refuses, as it does without HTTPS in some. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Copies what the field holds. Over plain http browsers have no clipboard, only the command of former days. */
export async function copyFrom(field: HTMLInputElement): Promise<boolean> {
  if (await copy(field.value)) return true;
  field.focus();
  field.select();
  return document.execCommand('copy');
}
