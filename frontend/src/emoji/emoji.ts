import lines from 'virtual:emoji';

export interface Emoji {
  glyph: string;
  /** What is written between colons, the usual one first. */
  codes: readonly string[];
  words: readonly string[];
}

/** In the order of Unicode: smileys, people, animals, food, travel, activities, objects, symbols, flags. */
export const categories: readonly (readonly Emoji[])[] = lines
  .split(/^=\n/m)
  .slice(1)
  .map((part) =>
    part
      .trim()
      .split('\n')
      .map((line) => {
        const [glyph = '', codes = '', words = ''] = line.split('|');
        return { glyph, codes: codes.split(' '), words: words.split(' ') };
      }),
  );

const all = categories.flat();
const codes = new Map(all.flatMap(({ glyph, codes }) => codes.map((code) => [code, glyph])));

/** `smile` is 😄. */
export function byCode(code: string): string | undefined {
  return codes.get(code.toLowerCase());
}

/** The best first: what is called that, then what begins with it, then what has to do with it. */
export function search(query: string, limit: number): Emoji[] {
  const words = query
    .toLowerCase()
    .split(/[\s_-]+/)
    .filter(Boolean);
  if (words.length === 0) return [];
  const wanted = words.join('_');
  return all
    .map((emoji) => {
      const each = Math.max(...words.map((word) => rank(emoji, word)));
      return { emoji, rank: Math.min(each, rank(emoji, wanted)) };
    })
    .filter(({ rank }) => rank < NO_MATCH)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ emoji }) => emoji);
}

const NO_MATCH = 5;

function rank({ glyph, codes, words }: Emoji, wanted: string): number {
  if (glyph === wanted || codes.includes(wanted)) return 0;
  if (codes.some((code) => code.startsWith(wanted))) return 1;
  if (codes.some((code) => code.includes(`_${wanted}`))) return 2;
  if (words.some((word) => word.startsWith(wanted))) return 3;
  return wanted.length > 1 && codes.some((code) => code.includes(wanted)) ? 4 : NO_MATCH;
}

/** The text with each `:name:` as its emoji; not where it is code. */
export function withEmoji(text: string): string {
  return text.replaceAll(
    /(`+)[^`]*(?:\1|$)|(?<![\w:]):([\w+-]{2,40}):/g,
    (found, _, code?: string) => (code && byCode(code)) ?? found,
  );
}
