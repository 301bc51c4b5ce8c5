/**
 * The length that the server counts: Unicode scalar values without the white space around them.
 * `string.length` would count most emoji twice.
 */
export function length(text: string): number {
  let count = 0;
  for (const _ of text.trim()) count += 1;
  return count;
}

/** Lone surrogates cannot be sent as UTF-8, and control characters are refused by the server. */
export function cleanName(text: string): string {
  return text.toWellFormed().trim();
}

export function cleanBody(text: string): string {
  // A pasted form feed or escape must not cost the whole message.
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '')
    .trim();
}
