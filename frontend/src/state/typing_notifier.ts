import type { Cancel, Clock } from '../net/clock';

/** Others forget a typist after 5 s. */
const AGAIN_MS = 3_000;
/** The server's limit: 2 at once, and one more each 2 s. A little less, since clocks differ. */
const BURST = 2;
const REFILL_MS = 2_100;

/** Says that somebody types as rarely as will do, and never more often than the server allows. */
export class TypingNotifier {
  #saidAt: number | null = null;
  #tokens = BURST;
  #countedAt = 0;
  #cancel: Cancel = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly say: (typing: boolean) => void,
  ) {}

  /** The text in the composer changed. */
  changed(isEmpty: boolean): void {
    if (isEmpty) return this.stopped();
    const now = this.clock.now();
    if (this.#saidAt !== null && now - this.#saidAt < AGAIN_MS) return;
    this.#cancel();
    if (this.#spend(now)) {
      this.#saidAt = now;
      this.say(true);
    } else {
      const wait = Math.ceil((1 - this.#tokens) * REFILL_MS);
      this.#cancel = this.clock.after(wait, () => this.changed(false));
    }
  }

  /** Emptied, or sent: a sent message says by itself that its author stopped. */
  stopped(bySending = false): void {
    this.#cancel();
    if (this.#saidAt === null) return;
    this.#saidAt = null;
    // Without a token it stays unsaid, and the others forget in time.
    if (!bySending && this.#spend(this.clock.now())) this.say(false);
  }

  #spend(now: number): boolean {
    this.#tokens = Math.min(BURST, this.#tokens + (now - this.#countedAt) / REFILL_MS);
    this.#countedAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
