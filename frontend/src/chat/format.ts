import { locale, t } from '../i18n';

type Style = Intl.DateTimeFormatOptions;
const CLOCK: Style = { hour: '2-digit', minute: '2-digit' };
const DAY: Style = { weekday: 'long', day: 'numeric', month: 'long' };
const DAY_AND_YEAR: Style = { ...DAY, year: 'numeric' };
const FULL: Style = { dateStyle: 'full', timeStyle: 'medium' };
const DAY_MS = 86_400_000;

/** The page's language as it is written where the reader lives: `en-GB` has another clock than `en`. */
function tag(): string {
  const languages = globalThis.navigator?.languages ?? [];
  return languages.find((language) => language.split('-')[0] === locale.tag) ?? locale.tag;
}

/** To make a formatter takes far longer than to use it. */
function made<T>(make: (tag: string) => T): () => T {
  let madeFor = '';
  let formatter: T;
  return () => {
    if (madeFor !== locale.tag) formatter = make(tag());
    madeFor = locale.tag;
    return formatter;
  };
}
const dates = (style: Style) => made((tag) => new Intl.DateTimeFormat(tag, style));
const clock = dates(CLOCK);
const day = dates(DAY);
const dayAndYear = dates(DAY_AND_YEAR);
const full = dates(FULL);
const number = made((tag) => new Intl.NumberFormat(tag));

export const clockTime = (at: number): string => clock().format(at);
export const fullTime = (at: number): string => full().format(at);
export const count = (value: number): string => number().format(value);

export function dayName(at: number, now: number): string {
  const date = new Date(at).toDateString();
  if (date === new Date(now).toDateString()) return t.reading.today;
  if (date === new Date(now - DAY_MS).toDateString()) return t.reading.yesterday;
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? day() : dayAndYear()).format(at);
}

export function people(value: number): string {
  return t.reading.people(value);
}

/** "3 s", for a wait that ends at `until`. */
export function seconds(until: number, now: number): string {
  return `${Math.max(1, Math.ceil((until - now) / 1000))} s`;
}

/**
 * A colour for a person: an angle on the colour wheel. Ids come in sequence, so they are scattered
 * by the golden angle and neighbours look different.
 */
export function hue(clientId: number): number {
  return Math.round((clientId * 137.508) % 360);
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase();
}
