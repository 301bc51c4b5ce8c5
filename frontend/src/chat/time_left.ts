import { t } from '../i18n';

/** "3 s", for a wait that ends at `until`. */
export function secondsLeft(until: number, now: number): string {
  return t.common.seconds(Math.max(1, Math.ceil((until - now) / 1000)));
}
