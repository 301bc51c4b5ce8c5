import type { Settings } from '../state/settings';

/** Whether it is the time of day at which nothing sounds or pops up. The hours may pass midnight. */
export function isQuiet(quiet: Settings['quiet'], at: Date): boolean {
  if (!quiet || quiet.from === quiet.to) return false;
  const now = at.getHours() * 60 + at.getMinutes();
  const { from, to } = quiet;
  return from < to ? from <= now && now < to : now >= from || now < to;
}
