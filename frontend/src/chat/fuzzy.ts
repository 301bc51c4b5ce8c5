/**
 * How well a text fits what was typed: higher is better, null is not at all. The letters must come in
 * their order; those that stand together, and at the beginning of a word, count more.
 */
export function fuzzy(typed: string, text: string): number | null {
  const wanted = [...fold(typed).replace(/\s+/g, '')];
  if (wanted.length === 0) return 0;
  const there = [...fold(text)];
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    // The beginning of a word is what people type, unless the next letter goes on where they are.
    let next = there[at + 1] === letter ? at + 1 : -1;
    for (let i = at + 1; next < 0 && i < there.length; i += 1) {
      if (there[i] === letter && isStart(there, i)) next = i;
    }
    if (next < 0) next = there.indexOf(letter, at + 1);
    if (next < 0) return subsequence(wanted, there);
    score += next === at + 1 ? 8 : isStart(there, next) ? 6 : 1;
    at = next;
  }
  return score - there.length / 100;
}

/** Looking for the beginnings of words may have passed a letter that was needed. */
function subsequence(wanted: readonly string[], there: readonly string[]): number | null {
  let at = -1;
  for (const letter of wanted) {
    at = there.indexOf(letter, at + 1);
    if (at < 0) return null;
  }
  return wanted.length - there.length / 100;
}

function isStart(letters: readonly string[], at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(letters[at - 1]!);
}

/** Accents and capitals are what people leave out. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** The best first; equal ones stay in their order. */
export function rank<T>(typed: string, items: readonly T[], text: (item: T) => string): T[] {
  return items
    .flatMap((item) => {
      const score = fuzzy(typed, text(item));
      return score === null ? [] : [{ item, score }];
    })
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item);
}
