import { describe, expect, it } from 'vitest';
import { SHORTCUTS, shortcutOf, shownKeys } from './shortcuts';

const press = (key: string, more: Partial<Parameters<typeof shortcutOf>[0]> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});

describe('shortcuts', () => {
  it('have each key once', () => {
    const keys = SHORTCUTS.flatMap(({ keys }) => keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('open the palette with Ctrl and with ⌘, also while writing', () => {
    expect(shortcutOf(press('k', { ctrlKey: true }), 'anywhere')).toBe('palette');
    expect(shortcutOf(press('K', { metaKey: true }), 'everywhere')).toBe('palette');
    expect(shortcutOf(press('k'), 'everywhere')).toBeNull();
    expect(shortcutOf(press('k', { ctrlKey: true, shiftKey: true }), 'everywhere')).toBeNull();
  });

  it('of one key are for who does not write', () => {
    expect(shortcutOf(press('?', { shiftKey: true }), 'everywhere')).toBe('help');
    expect(shortcutOf(press('?'), 'everywhere')).toBe('help');
    expect(shortcutOf(press('?', { shiftKey: true }), 'anywhere')).toBeNull();
    expect(shortcutOf(press('c'), 'everywhere')).toBe('write');
    expect(shortcutOf(press('c'), 'anywhere')).toBeNull();
    expect(shortcutOf(press('c', { ctrlKey: true }), 'everywhere')).toBeNull();
  });

  it('of one key can be switched off', () => {
    expect(shortcutOf(press('c'), 'everywhere', false)).toBeNull();
    expect(shortcutOf(press('k', { ctrlKey: true }), 'everywhere', false)).toBe('palette');
  });

  it('leave input methods, held keys and Alt alone', () => {
    for (const more of [{ isComposing: true }, { repeat: true }, { altKey: true }]) {
      expect(shortcutOf(press('k', { ctrlKey: true, ...more }), 'everywhere')).toBeNull();
    }
  });

  it('know the keys of the field', () => {
    expect(shortcutOf(press('Enter'), 'writing')).toBe('send');
    expect(shortcutOf(press('Enter', { shiftKey: true }), 'writing')).toBe('line');
    expect(shortcutOf(press('ArrowUp'), 'writing')).toBe('editLast');
    expect(shortcutOf(press('Enter'), 'everywhere')).toBeNull();
  });

  it('are shown as they are printed on the keys', () => {
    expect(shownKeys('Mod+k', false)).toEqual(['Ctrl', 'K']);
    expect(shownKeys('Mod+k', true)).toEqual(['⌘', 'K']);
    expect(shownKeys('Shift+Enter', false)).toEqual(['Shift', 'Enter']);
  });
});
