import { CLOSE_CODES } from '../protocol/generated';
import { RECONNECT, fullJitter } from './backoff';
import type { Random } from './clock';

/** What the page does after a close. */
export type Verdict =
  | {
      retry: true;
      delayMs: number;
      /** The delay is the server's wish: coming back online does not cut it short. */
      firm: boolean;
      forgetSession: boolean;
    }
  | { retry: false; offer: Offer };

/** What the person is offered when the page must not reconnect by itself. */
export type Offer = 'nothing' | 'reconnect' | 'take_over';

const FLOOD_PAUSE_MS = 30_000;
/** "At once with jitter": enough to spread the clients of one node over a second. */
const SOON_MS = 1_000;

/** What the table of close codes asks for. Whatever is not in it is a lost connection. */
export function verdict(code: number, attempt: number, random: Random): Verdict {
  const backoff = fullJitter(RECONNECT, attempt, random);
  switch (CLOSE_CODES[code]?.reconnect ?? 'yes') {
    case 'no':
      return { retry: false, offer: OFFERS[code] ?? 'reconnect' };
    case 'when_asked':
      return { retry: false, offer: 'reconnect' };
    case 'without_session':
      return again(backoff, { forgetSession: true });
    case 'after_pause':
      return again(FLOOD_PAUSE_MS, { firm: true });
    case 'at_once':
      // Only the first time: a node that stays away gets the ordinary back-off.
      return again(attempt === 0 ? Math.round(random() * SOON_MS) : backoff);
    case 'yes':
      return again(backoff);
  }
}

/** For the others of the codes that forbid a retry, the person may still ask for one. */
const OFFERS: Partial<Record<number, Offer>> = { 4009: 'take_over', 4010: 'nothing' };

function again(delayMs: number, more: { firm?: boolean; forgetSession?: boolean } = {}): Verdict {
  return { retry: true, delayMs, firm: false, forgetSession: false, ...more };
}
