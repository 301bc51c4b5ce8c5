import { describe, expect, it } from 'vitest';
import type { Shelf } from './memory';
import { DEFAULTS, KEY, SettingsStore } from './settings';

function shelf(start?: unknown): Shelf {
  const held = new Map(start === undefined ? [] : [[KEY, JSON.stringify(start)]]);
  return {
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
  };
}

describe('settings', () => {
  it('outlive the page', () => {
    const store = shelf();
    new SettingsStore(store).change({ theme: 'dark', quiet: { from: 1320, to: 420 }, hue: 12 });
    expect(new SettingsStore(store).now).toEqual({
      ...DEFAULTS,
      theme: 'dark',
      quiet: { from: 1320, to: 420 },
      hue: 12,
    });
  });

  it('take nothing that is none of theirs', () => {
    const wrong = {
      theme: 'pink',
      contrast: 1,
      motion: null,
      sound: 'yes',
      notify: 'sometimes',
      quiet: { from: -1, to: 0.5 },
      hue: 360,
      locale: 7,
      more: true,
    };
    expect(new SettingsStore(shelf(wrong)).now).toEqual(DEFAULTS);
    expect(new SettingsStore(shelf([])).now).toEqual(DEFAULTS);
  });

  it('are told of when another tab changes them', () => {
    const store = shelf();
    const [here, there] = [new SettingsStore(store), new SettingsStore(store)];
    const seen: string[] = [];
    here.subscribe(({ theme }) => seen.push(theme));
    there.change({ theme: 'light' });
    here.reread();
    expect(seen).toEqual(['system', 'light']);
  });

  it('know when storage does not keep them', () => {
    const refuse = () => {
      throw new Error('no');
    };
    for (const store of [
      { getItem: refuse, setItem: refuse, removeItem: refuse },
      { getItem: () => null, setItem: () => {}, removeItem: () => {} },
    ]) {
      const settings = new SettingsStore(store);
      settings.change({ theme: 'dark' });
      expect(settings.now.theme).toBe('dark');
      expect(settings.kept).toBe(false);
    }
    const settings = new SettingsStore(shelf());
    settings.change({ theme: 'dark' });
    expect(settings.kept).toBe(true);
  });
});
