/** Time as an argument, so that no test waits for it. */
export interface Clock {
  now(): number;
  /** Runs `act` once after `ms`; the answer cancels it. */
  after(ms: number, act: () => void): Cancel;
}

export type Cancel = () => void;

/** A number in [0, 1), like Math.random. */
export type Random = () => number;

/** A browser takes a longer time for none. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, act) {
    const timer = setTimeout(act, Math.min(ms, LONGEST_MS));
    return () => clearTimeout(timer);
  },
};
