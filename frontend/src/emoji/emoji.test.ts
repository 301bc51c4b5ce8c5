import { expect, it } from 'vitest';
import { isOnlyEmoji } from '../markdown/parse';
import { en } from '../i18n/en';
import { byCode, categories, search, withEmoji } from './emoji';

const all = categories.flat();

it('has what a person looks for', () => {
  expect(categories.length).toBe(en.writing.emojiCategories.length);
  expect(all.length).toBeGreaterThan(1500);
  expect(byCode('smile')).toBe('😄');
  expect(byCode('+1')).toBe('👍');
  expect(byCode('Tada')).toBe('🎉');
  expect(byCode('nothing_like_it')).toBeUndefined();
});

it('names each once, by codes that can be written', () => {
  const codes = all.flatMap((emoji) => emoji.codes);
  expect(codes.filter((code) => !/^[\w+-]{1,60}$/.test(code))).toEqual([]);
  expect(new Set(all.map(({ glyph }) => glyph)).size).toBe(all.length);
});

it('has only what is drawn as emoji', () => {
  expect(all.filter(({ glyph }) => !isOnlyEmoji(glyph)).map(({ glyph }) => glyph)).toEqual([]);
});

it('finds by code, beginning and meaning, the best first', () => {
  expect(search('tada', 5)[0]?.glyph).toBe('🎉');
  expect(search('heart', 50).map(({ glyph }) => glyph)).toContain('❤️');
  expect(search('crab', 1)[0]?.glyph).toBe('🦀');
  expect(search('thumbs up', 1)[0]?.glyph).toBe('👍');
  expect(search('🦀', 1)[0]?.codes).toContain('crab');
  expect(search('', 5)).toEqual([]);
  expect(search('qqqq', 5)).toEqual([]);
});

it('writes emoji for their names, but not in code', () => {
  expect(withEmoji('well :smile: :+1:!')).toBe('well 😄 👍!');
  expect(withEmoji('`:smile:` :smile:')).toBe('`:smile:` 😄');
  expect(withEmoji('```\n:smile:\n``` 10:30:15 a:smile: :nosuch:')).toBe(
    '```\n:smile:\n``` 10:30:15 a:smile: :nosuch:',
  );
});
