import { describe, expect, it } from 'vitest';
import { fuzzy, rank } from './fuzzy';

const best = (typed: string, ...texts: string[]) => rank(typed, texts, (text) => text);

describe('a fuzzy search', () => {
  it('finds the beginnings of words first', () => {
    expect(best('dt', 'Settings and that', 'Dark theme')[0]).toBe('Dark theme');
    expect(best('set', 'Go to Sunset', 'Settings')[0]).toBe('Settings');
  });

  it('wants all letters, in their order', () => {
    expect(fuzzy('abc', 'a b c')).not.toBeNull();
    expect(fuzzy('acb', 'a b c')).toBeNull();
    expect(fuzzy('abcd', 'abc')).toBeNull();
  });

  it('finds what it passed when it looked for beginnings', () => {
    expect(fuzzy('oro', 'o_ro or')).not.toBeNull();
    expect(fuzzy('aab', 'a_ab ac')).not.toBeNull();
  });

  it('cares for neither capitals nor accents', () => {
    expect(fuzzy('cafe', 'Café')).not.toBeNull();
    expect(fuzzy('CAFÉ', 'cafe')).not.toBeNull();
  });

  it('keeps the order when nothing is typed', () => {
    expect(best('', 'b', 'a', 'c')).toEqual(['b', 'a', 'c']);
    expect(best('  ', 'b', 'a')).toEqual(['b', 'a']);
  });
});
