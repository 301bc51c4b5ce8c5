import { RETRY, RETRY_ATTEMPTS, addedJitter } from '../net/backoff';
import type { Cancel, Clock, Random } from '../net/clock';

/**
 * The server remembers the ids of the last 10 minutes: a command repeated within this time cannot
 * be carried out twice, so nothing is repeated by itself after it.
 */
export const SAFE_MS = 8 * 60_000;
/** For a refusal that does not say how long to wait. */
const PAUSE_MS = 2_000;

/** When one unacknowledged command is sent again, and when it is given up. */
export class Retry {
  #attempts = 0;
  #startedAt: number;
  #cancel: Cancel = () => {};

  constructor(
    private readonly deps: { clock: Clock; random: Random },
    private readonly act: { send(): void; giveUp(): void },
    /** How long ago it was sent for the first time. */
    age = 0,
  ) {
    this.#startedAt = deps.clock.now() - age;
  }

  /** It is on its way: wait for the answer, then send again. */
  sent(): void {
    const wait = addedJitter(RETRY, this.#attempts, this.deps.random);
    this.#attempts += 1;
    this.#again(wait, this.#attempts < RETRY_ATTEMPTS);
  }

  /**
   * The server said "not now". That is an answer, so it costs no attempt. The answer is when the
   * next one is made.
   */
  postponed(retryAfterMs = PAUSE_MS): number {
    this.#attempts = Math.max(0, this.#attempts - 1);
    this.#again(retryAfterMs, true);
    return this.deps.clock.now() + retryAfterMs;
  }

  stop(): void {
    this.#cancel();
  }

  #again(ms: number, attemptsLeft: boolean): void {
    this.#cancel();
    const age = this.deps.clock.now() + ms - this.#startedAt;
    // A clock that was set back says nothing about how long ago that was.
    const safe = age >= 0 && age < SAFE_MS;
    const next = attemptsLeft && safe ? this.act.send : this.act.giveUp;
    this.#cancel = this.deps.clock.after(ms, next);
  }
}
