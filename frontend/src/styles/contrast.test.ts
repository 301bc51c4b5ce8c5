import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const CSS = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');

type Rgb = readonly [number, number, number];
type Tokens = Map<string, string>;

/** The colours that a rule gives, as they are written. */
function rule(selector: string): Tokens {
  const at = CSS.indexOf(`${selector} {`);
  if (at < 0) throw new Error(`no rule ${selector}`);
  const body = CSS.slice(at, CSS.indexOf('\n}', at));
  const found = body.matchAll(
    /(--[\w-]+):\s*light-dark\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\);/g,
  );
  return new Map([...found].map(([, name, pair]) => [name!, pair!]));
}

/** `#fff` or `oklch(47% 0.16 var(--accent-hue))`, in linear light. */
function linear(colour: string, hue: number): Rgb {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/.exec(colour)?.[1];
  if (hex !== undefined) {
    const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex;
    const part = (at: number) => {
      const value = parseInt(full.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    };
    return [part(0), part(2), part(4)];
  }
  const [, light, chroma] = /^oklch\(([\d.]+)% ([\d.]+) var\(--accent-hue\)\)$/.exec(colour)!;
  return oklch(Number(light) / 100, Number(chroma), hue);
}

function oklch(light: number, chroma: number, hue: number): Rgb {
  const angle = (hue * Math.PI) / 180;
  const [a, b] = [chroma * Math.cos(angle), chroma * Math.sin(angle)];
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  // Screens show the nearest that they can.
  const shown = (value: number) => Math.min(1, Math.max(0, value));
  return [
    shown(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    shown(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    shown(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

const luminance = ([red, green, blue]: Rgb) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

/** What stands on what, anywhere in the page. */
const TEXT: readonly [string, readonly string[]][] = [
  ['--text', ['--bg', '--surface', '--sunken', '--accent-soft', '--warn-soft', '--danger-soft']],
  ['--muted', ['--bg', '--surface', '--sunken', '--accent-soft']],
  ['--accent-text', ['--bg', '--surface', '--accent-soft']],
  ['--on-accent', ['--accent', '--accent-hover']],
  ['--danger', ['--bg', '--surface', '--danger-soft']],
  ['--warn', ['--bg', '--surface', '--warn-soft']],
];
/** The edges of what one presses or fills in, and signs. */
const PARTS: readonly [string, readonly string[]][] = [
  ['--line-strong', ['--surface']],
  ['--ok', ['--surface']],
  ['--accent-text', ['--surface', '--bg']],
];

const base = rule(':root');
const own = rule(':root[data-hue]');
const more = rule(":root[data-contrast='more']");
const moreOwn = rule(":root[data-contrast='more'][data-hue]");
const THEMES: [string, Tokens[], number][] = [
  ['as it is', [base], 4.5],
  ['in a colour of one’s own', [base, own], 4.5],
  ['in high contrast', [base, more], 7],
  ['in high contrast and a colour of one’s own', [base, own, more, moreOwn], 7],
];

describe.each(THEMES)('text %s', (_, rules, least) => {
  const tokens: Tokens = new Map(rules.flatMap((one) => [...one]));
  const hues = rules.includes(own) ? Array.from({ length: 360 }, (_, hue) => hue) : [0];

  it.each(['light', 'dark'])('can be read in the %s', (scheme) => {
    const colour = (name: string, hue: number) => {
      const [light, dark] = tokens.get(name)!.split(/,\s*(?![^(]*\))/);
      return linear((scheme === 'light' ? light! : dark!).trim(), hue);
    };
    /** The least of each pair over all hues, where it is too little. */
    const poor: string[] = [];
    const check = (pairs: typeof TEXT, wanted: number) => {
      for (const [front, backs] of pairs) {
        for (const back of backs) {
          const ratios = hues.map((hue) => contrast(colour(front, hue), colour(back, hue)));
          const worst = Math.min(...ratios);
          if (worst < wanted) poor.push(`${front} on ${back}: ${worst.toFixed(2)}`);
        }
      }
    };
    check(TEXT, least);
    check(PARTS, 3);
    expect(poor).toEqual([]);
  });
});

it('knows black from white', () => {
  expect(contrast(linear('#000', 0), linear('#fff', 0))).toBeCloseTo(21);
  expect(contrast(linear('#777', 0), linear('#fff', 0))).toBeCloseTo(4.48, 1);
});
