import type { Random } from './clock';

export interface Backoff {
  baseMs: number;
  maxMs: number;
}

/** Reconnecting: never gives up, so it must become slow. */
export const RECONNECT: Backoff = { baseMs: 500, maxMs: 30_000 };

/** An unacknowledged command. */
export const RETRY: Backoff = { baseMs: 5_000, maxMs: 80_000 };
export const RETRY_ATTEMPTS = 5;

/**
 * Anything from nothing to the whole step: after an outage thousands of pages come back, and only
 * full jitter spreads them evenly.
 */
export function fullJitter(backoff: Backoff, attempt: number, random: Random): number {
  return Math.round(random() * step(backoff, attempt));
}

/**
 * At least the whole step, and up to a quarter more. A retry must not come before the answer had
 * its time, so jitter only adds.
 */
export function addedJitter(backoff: Backoff, attempt: number, random: Random): number {
  return Math.round(step(backoff, attempt) * (1 + random() / 4));
}

/** `attempt` counts from 0. */
function step({ baseMs, maxMs }: Backoff, attempt: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
}
