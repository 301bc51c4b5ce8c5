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

/** The close-code table of the wire contract. Whatever is not in it is a lost connection. */
export function verdict(code: number, attempt: number, random: Random): Verdict {
  const backoff = fullJitter(RECONNECT, attempt, random);
  switch (code) {
    case 1000:
    case 1008:
      return { retry: false, offer: 'reconnect' };
    case 4009:
      return { retry: false, offer: 'take_over' };
    case 4010:
      return { retry: false, offer: 'nothing' };
    case 4011:
      return { retry: false, offer: 'reconnect' };
    case 4003:
      return again(backoff, { forgetSession: true });
    case 4029:
      return again(FLOOD_PAUSE_MS, { firm: true });
    case 1012:
      // Only the first time: a node that stays away gets the ordinary back-off.
      return again(attempt === 0 ? Math.round(random() * SOON_MS) : backoff);
    default:
      return again(backoff);
  }
}

function again(delayMs: number, more: { firm?: boolean; forgetSession?: boolean } = {}): Verdict {
  return { retry: true, delayMs, firm: false, forgetSession: false, ...more };
}
