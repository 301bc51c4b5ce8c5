const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const NUMBER = new Intl.NumberFormat();
const DAY_MS = 86_400_000;

export const clockTime = (at: number): string => CLOCK.format(at);
export const fullTime = (at: number): string => FULL.format(at);
export const count = (number: number): string => NUMBER.format(number);

export function dayName(at: number, now: number): string {
  const day = new Date(at).toDateString();
  if (day === new Date(now).toDateString()) return 'Today';
  if (day === new Date(now - DAY_MS).toDateString()) return 'Yesterday';
  return DAY.format(at);
}

export function people(number: number): string {
  return number === 1 ? '1 person' : `${count(number)} people`;
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
