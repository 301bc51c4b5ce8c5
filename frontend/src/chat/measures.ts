import { locale } from '../i18n';

type Unit = 'millisecond' | 'second' | 'minute' | 'hour';

/** "12 ms", "1.2 s", "3 min": two digits are all that anybody reads of a wait. */
export function duration(ms: number): string {
  const [value, unit]: [number, Unit] =
    ms < 1_000
      ? [Math.round(ms), 'millisecond']
      : ms < 60_000
        ? [ms / 1_000, 'second']
        : ms < 3_600_000
          ? [ms / 60_000, 'minute']
          : [ms / 3_600_000, 'hour'];
  const style = { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(locale.tag, style).format(value);
}

/** The time of day to the millisecond. */
export function exactTime(at: number): string {
  const style = {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  };
  return new Intl.DateTimeFormat(locale.tag, style as Intl.DateTimeFormatOptions).format(at);
}

export function whole(number: number): string {
  return new Intl.NumberFormat(locale.tag).format(number);
}
