import type { Clock } from '../net/clock';

/** A connection that somebody looks at is measured so often. */
const EVERY_MS = 25_000;
const TICK_MS = 5_000;
/** A timer that is so late was not late: the machine slept, or its clock was set. */
const ASLEEP_MS = 10_000;
/** The best of so many measurements counts: a short way there and back has little room for error. */
const SAMPLES = 8;

interface Sample {
  roundTripMs: number;
  skewMs: number | null;
}

/** Measures the connection now and then, and notices that the machine was asleep. */
export class Pulse {
  #visible = true;
  #connected = false;
  #askedAt = 0;
  #samples: Sample[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly act: { ping(): void; woke(): void },
  ) {
    this.#watch();
  }

  /** Of the last answer, in milliseconds. */
  get roundTripMs(): number | null {
    return this.#samples.at(-1)?.roundTripMs ?? null;
  }

  /** How far the clock of this page is ahead of the server's. */
  get skewMs(): number | null {
    const [best] = this.#samples.toSorted((a, b) => a.roundTripMs - b.roundTripMs);
    return best?.skewMs ?? null;
  }

  /** The server's clock; null before the first answer, and this page's if the server does not say. */
  now(): number | null {
    return this.#samples.length === 0 ? null : this.clock.now() - (this.skewMs ?? 0);
  }

  connected(is: boolean): void {
    this.#connected = is;
    if (is) this.#ask();
  }

  visible(is: boolean): void {
    this.#visible = is;
  }

  /** An answer: when it was asked for and when it came, by this clock, and when it was made. */
  answered(sentAt: number, at: number | undefined): void {
    const now = this.clock.now();
    const roundTripMs = Math.max(0, now - sentAt);
    const skewMs = typeof at === 'number' ? Math.round((sentAt + now) / 2 - at) : null;
    const former = this.skewMs;
    // One of the clocks was set: what was measured before says nothing.
    const jumped =
      former !== null && skewMs !== null && Math.abs(skewMs - former) > roundTripMs + 1_000;
    this.#samples = [...(jumped ? [] : this.#samples), { roundTripMs, skewMs }].slice(-SAMPLES);
  }

  #ask(): void {
    this.#askedAt = this.clock.now();
    this.act.ping();
  }

  #watch(): void {
    const expected = this.clock.now() + TICK_MS;
    this.clock.after(TICK_MS, () => {
      const late = Math.abs(this.clock.now() - expected);
      this.#watch();
      if (late > ASLEEP_MS) this.act.woke();
      else if (this.#visible && this.#connected && this.clock.now() - this.#askedAt >= EVERY_MS) {
        this.#ask();
      }
    });
  }
}
