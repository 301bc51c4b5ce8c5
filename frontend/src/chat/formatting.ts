/** A part of a text that is replaced, and what is selected after that. */
export interface Change {
  from: number;
  to: number;
  text: string;
  selected: [number, number];
}

/** By the letter that is pressed with Ctrl or ⌘; in capitals with Shift, too. */
const MARKS: Readonly<Record<string, string>> = { b: '**', i: '_', e: '`', X: '~~' };

export function markOf(
  event: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'altKey' | 'ctrlKey' | 'metaKey'>,
) {
  if (event.altKey || !(event.ctrlKey || event.metaKey)) return undefined;
  return MARKS[event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase()];
}

/** Puts marks around what is selected, or takes them away where they are. */
export function toggleMark(text: string, from: number, to: number, mark: string): Change {
  const inside = text.slice(from, to);
  const size = mark.length;
  if (text.slice(from - size, from) === mark && text.slice(to, to + size) === mark) {
    return { from: from - size, to: to + size, text: inside, selected: [from - size, to - size] };
  }
  if (inside.length >= 2 * size && inside.startsWith(mark) && inside.endsWith(mark)) {
    return { from, to, text: inside.slice(size, -size), selected: [from, to - 2 * size] };
  }
  // Marks beside a space would be text.
  const lead = inside.length - inside.trimStart().length;
  const trail = inside.trim() === '' ? 0 : inside.length - inside.trimEnd().length;
  const core = inside.slice(lead, inside.length - trail);
  return {
    from: from + lead,
    to: to - trail,
    text: `${mark}${core}${mark}`,
    selected: [from + lead + size, to - trail + size],
  };
}
