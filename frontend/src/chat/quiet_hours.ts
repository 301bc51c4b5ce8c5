const DAY = 24 * 60;

/** "22:30" of a minute of the day, as a field for times has it. */
export function clockOf(minute: number): string {
  const two = (number: number) => `${number}`.padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** Null for what is no time, such as a field that was emptied. */
export function minuteOf(clock: string): number | null {
  const found = /^(\d{1,2}):(\d{2})/.exec(clock);
  if (!found) return null;
  const minute = Number(found[1]) * 60 + Number(found[2]);
  return minute < DAY && Number(found[2]) < 60 ? minute : null;
}
