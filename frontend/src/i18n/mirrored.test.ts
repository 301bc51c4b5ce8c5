import { describe, expect, it } from 'vitest';
import { en } from './en';
import { tools } from './en/tools';
import { chooseLanguage, LANGUAGES, locale, speak, t } from './index';
import { mirrored } from './mirrored';

/** Calls each function of the catalogue with something that it takes. */
function texts(value: unknown, path: string): [string, unknown][] {
  if (typeof value === 'function') {
    const args = ['one', 'two', 'three'];
    return [[path, (value as (...args: unknown[]) => unknown)(...args)]];
  }
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => texts(inner, `${path}.${key}`));
}

describe('the mirrored catalogue', () => {
  it('has all texts, each of them turned', () => {
    const both = { en, tools };
    const english = texts(both, 'all');
    const turned = texts(mirrored(both), 'all');
    expect(turned.map(([path]) => path)).toEqual(english.map(([path]) => path));
    for (const [path, text] of turned) {
      if (typeof text === 'string' && text !== '')
        expect([path, text[0]]).toEqual([path, '\u202e']);
    }
  });

  it('leaves what people wrote as they wrote it', () => {
    const { hello } = mirrored({ hello: (name: string) => `Hello, ${name}!` });
    expect(hello('Ada')).toBe('\u202eHello, \u202c\u2068Ada\u2069\u202e!\u202c');
  });
});

describe('the language', () => {
  const root = () => ({ lang: '', dir: '' });

  it('is the first of the wanted ones that there is', async () => {
    const page = root();
    await chooseLanguage([null, 'tlh', 'ar-XB', 'en'], page);
    expect(page).toEqual({ lang: 'ar-XB', dir: 'rtl' });
    expect([locale.tag, t.common.cancel]).toEqual(['ar-XB', '\u202eCancel\u202c']);
    await chooseLanguage(['en'], page);
    expect(page).toEqual({ lang: 'en', dir: 'ltr' });
    expect(t).toBe(en);
  });

  it('is English for everybody else', async () => {
    const page = root();
    await chooseLanguage(['tlh', null], page);
    expect(page).toEqual({ lang: LANGUAGES[0]!.tag, dir: 'ltr' });
    speak(en, 'en', 'ltr');
  });
});
