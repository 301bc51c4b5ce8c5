const NUMBER = new Intl.NumberFormat();
const SHORT = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, notation: 'compact' });
const ONE_DIGIT = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const AT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const SHORT_AT = new Intl.DateTimeFormat(undefined, {
  day: '2-digit',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export const count = (number: number): string => NUMBER.format(number);
export const fullTime = (at: number): string => AT.format(at);
export const shortTime = (at: number): string => SHORT_AT.format(at);
export const clockTime = (at: number): string => CLOCK.format(at);

/** What cannot be known yet. */
export const NONE = '–';

/** `12,345`, and from a hundred thousand on `123.5K`. */
export const short = (number: number): string =>
  number >= 100_000 ? SHORT.format(number) : count(Math.round(number));

export function rate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined) return NONE;
  return perSecond >= 100 ? short(perSecond) : ONE_DIGIT.format(perSecond);
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

export function bytes(number: number | null | undefined): string {
  if (number === null || number === undefined) return NONE;
  let value = number;
  let unit = 0;
  while (value >= 1000 && unit < SIZES.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? count(Math.round(value)) : ONE_DIGIT.format(value)} ${SIZES[unit]}`;
}

export function ms(number: number | null | undefined): string {
  if (number === null || number === undefined) return NONE;
  if (number >= 10_000) return span(number);
  return `${number >= 100 ? count(Math.round(number)) : number >= 10 ? ONE_DIGIT.format(number) : number.toFixed(2)} ms`;
}

const PARTS: [number, string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** `2 d 3 h`, `4 min 5 s`, `12 s`: the two largest parts, or as many as wanted. */
export function span(milliseconds: number, parts = 2): string {
  const whole = Math.max(0, Math.floor(milliseconds / 1000) * 1000);
  const first = PARTS.findIndex(([size]) => whole >= size);
  if (first === -1) return '0 s';
  let rest = whole;
  const words: string[] = [];
  for (const [size, unit] of PARTS.slice(first, first + parts)) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) words.push(`${amount} ${unit}`);
  }
  return words.join(' ');
}

/** In one part: a list in which all seconds count is no calm sight. */
export function ago(at: number, now: number): string {
  return now - at < 1_000 ? 'now' : `${span(now - at, 1)} ago`;
}

export const plural = (number: number, one: string, many = `${one}s`): string =>
  `${count(number)} ${number === 1 ? one : many}`;

/** `client_remove` as words. */
export const words = (code: string): string => code.replaceAll('_', ' ');
