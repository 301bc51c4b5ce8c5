/**
 * Whether a text names somebody as `@name`: as a whole word, in any case. `@Ann` is not in
 * `@Annabel`, nor in an address like `x@ann.example`.
 */
export function mentions(body: string, name: string): boolean {
  const wanted = name.trim().toLowerCase();
  if (wanted === '') return false;
  const text = body.toLowerCase();
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    if (!text.startsWith(wanted, at + 1)) continue;
    const before = [...text.slice(Math.max(0, at - 2), at)].at(-1);
    const after = [...text.slice(at + 1 + wanted.length, at + 3 + wanted.length)][0];
    // "x@ann." is an address, "@ann." is the end of a sentence.
    if (!isWord(before) && !isWord(after)) return true;
  }
  return false;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}\p{M}_]/u.test(character);
}
