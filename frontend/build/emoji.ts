import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';

const MODULE = 'virtual:emoji';
/** The fonts of older systems have these. */
const NEWEST = 15.1;
/** Parts of others, like the tones of skin. */
const COMPONENT = 2;

interface Emoji {
  hexcode: string;
  label: string;
  emoji: string;
  tags?: string[];
  group?: number;
  order?: number;
  version: number;
}

/**
 * What the emoji picker knows, as a module that is loaded when somebody wants an emoji: one line for each, `glyph|codes
 * with spaces|other words`, and a line `=` before each category. Made from emojibase-data (MIT), and served from here.
 */
export function emoji(): Plugin {
  return {
    name: 'emoji',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : undefined),
    load: (id) => (id === `\0${MODULE}` ? `export default ${JSON.stringify(lines())};` : undefined),
  };
}

function lines(): string {
  const all = read<Emoji[]>('emojibase-data/en/data.json');
  const codes = read<Record<string, string | string[]>>(
    'emojibase-data/en/shortcodes/emojibase.json',
  );
  const github = read<Record<string, string | string[]>>(
    'emojibase-data/en/shortcodes/github.json',
  );
  const found: string[] = [];
  let group = -1;
  const wanted = all.filter((one) => one.group !== undefined && one.group !== COMPONENT);
  for (const one of wanted.sort((a, b) => (a.order ?? 0) - (b.order ?? 0))) {
    if (one.version > NEWEST) continue;
    if (one.group !== group) found.push('=');
    group = one.group!;
    const names = [...new Set([github[one.hexcode] ?? [], codes[one.hexcode] ?? []].flat())];
    if (names.length === 0) names.push(one.label.replaceAll(/[^\p{L}\p{N}]+/gu, '_'));
    const known = names.join('_');
    const more = [...one.label.split(' '), ...(one.tags ?? [])].filter(
      (word) => /^[\p{L}\p{N}]+$/u.test(word) && !known.includes(word.toLowerCase()),
    );
    const words = [...new Set(more.map((word) => word.toLowerCase()))];
    // As Unicode has it: no selector after what is an emoji anyway. Two of one kind would be two reactions.
    const glyph = one.emoji.replaceAll(/(\p{Emoji_Presentation})\uFE0F/gu, '$1');
    found.push(`${glyph}|${names.join(' ')}|${words.join(' ')}`);
  }
  return found.join('\n');
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(createRequire(import.meta.url).resolve(path), 'utf8')) as T;
}
