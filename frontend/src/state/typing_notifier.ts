import type { Clock } from '../net/clock';

/** Below the 5 s after which others forget, and above the 2 s at which the server refills. */
const EVERY_MS = 3_000;

/** Says that somebody types as rarely as will do. */
export class TypingNotifier {
  #saidAt: number | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly say: (typing: boolean) => void,
  ) {}

  /** The text in the composer changed. */
  changed(isEmpty: boolean): void {
    if (isEmpty) return this.stopped();
    const now = this.clock.now();
    if (this.#saidAt !== null && now - this.#saidAt < EVERY_MS) return;
    this.#saidAt = now;
    this.say(true);
  }

  /** Emptied, or sent: a sent message says by itself that its author stopped. */
  stopped(bySending = false): void {
    if (this.#saidAt === null) return;
    this.#saidAt = null;
    if (!bySending) this.say(false);
  }
}
