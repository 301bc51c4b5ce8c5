/** U+202E shows letters from right to left until U+202C. */
const mirror = (text: string): string => (text === '' ? '' : `\u202e${text}\u202c`);

/** What people wrote keeps its own direction: an isolate, as a translation would have around it. */
const isolate = (text: string): string => `\u202c\u2068${text}\u2069\u202e`;

/**
 * The catalogue as a language from right to left would be: the texts are English ones, shown
 * backwards, so that who reads no Arabic sees what is not from the catalogue and what does not turn.
 */
export function mirrored<Texts>(english: Texts): Texts {
  return turn(english) as Texts;
}

function turn(value: unknown): unknown {
  if (typeof value === 'string') return mirror(value);
  if (typeof value === 'function') return (...args: unknown[]) => result(value(...args), args);
  if (Array.isArray(value)) return value.map(turn);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, turn(inner)]));
}

function result(text: unknown, args: readonly unknown[]): unknown {
  if (typeof text !== 'string') return turn(text);
  const given = args.filter((arg): arg is string => typeof arg === 'string' && arg !== '');
  // One by one from the left: a value may be part of another one, or of the text after it.
  let rest = text;
  let shown = '';
  for (const value of given) {
    const at = rest.indexOf(value);
    if (at < 0) continue;
    shown += rest.slice(0, at) + isolate(value);
    rest = rest.slice(at + value.length);
  }
  return mirror(shown + rest);
}
