/** What is being written at the caret and can be completed. */
export interface Trigger {
  kind: '@' | '#' | ':';
  query: string;
  /** Where the sign stands. */
  from: number;
}

/** Signs that begin something, after a space or an opening bracket; for an emoji with two letters, as `:D` is none. */
const BEGUN = /(?:^|[\s([{"'*_~>])(?:([@#])([\p{L}\p{N}\p{M}_.'-]{0,32})|(:)([\w+-]{2,32}))$/u;

export function trigger(text: string, caret: number): Trigger | null {
  // In front of something that is being changed, nothing is begun.
  if (/^[\p{L}\p{N}_]/u.test(text.slice(caret, caret + 2))) return null;
  const found = BEGUN.exec(text.slice(Math.max(0, caret - 40), caret));
  if (!found) return null;
  const query = found[2] ?? found[4] ?? '';
  return {
    kind: (found[1] ?? found[3]) as Trigger['kind'],
    query,
    from: caret - query.length - 1,
  };
}
