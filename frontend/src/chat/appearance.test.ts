import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../state/settings';
import { covered, dress } from './appearance';

function root() {
  const style = new Map<string, string | null>();
  return {
    dataset: {} as DOMStringMap,
    style: { setProperty: (name: string, value: string | null) => void style.set(name, value) },
    hue: () => style.get('--accent-hue'),
  };
}

describe('the appearance', () => {
  it('is the system’s unless chosen', () => {
    const page = root();
    dress(page, DEFAULTS, false);
    expect(page.dataset).toEqual({});
    dress(page, DEFAULTS, true);
    expect(page.dataset).toEqual({ contrast: 'more' });
  });

  it('is what was chosen, and no longer than that', () => {
    const page = root();
    dress(page, { ...DEFAULTS, theme: 'dark', contrast: 'more', motion: 'reduce', hue: 0 }, false);
    expect(page.dataset).toEqual({ theme: 'dark', contrast: 'more', motion: 'reduce', hue: 'own' });
    expect(page.hue()).toBe('0');
    dress(page, DEFAULTS, false);
    expect(page.dataset).toEqual({});
    expect(page.hue()).toBeNull();
  });
});

describe('an on-screen keyboard', () => {
  it('covers what it takes of the view', () => {
    expect(covered(800, { height: 480, scale: 1 })).toBe(320);
  });

  it('is not the bar of the browser, nor a page zoomed in', () => {
    expect(covered(800, { height: 740, scale: 1 })).toBe(0);
    expect(covered(800, { height: 400, scale: 2 })).toBe(0);
  });
});
