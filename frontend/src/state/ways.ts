import type { Way } from './model';

/** Of so many messages, the newest that something happened to. */
const KEPT = 2_000;

type Times = Partial<Omit<Way, 'numbered'>>;

/** When this page saw what of a message; only of messages that passed by while it was open. */
export class Ways {
  #life = '';
  readonly #times = new Map<number, Times>();

  /** Positions of another life of a timeline say nothing. */
  in(roomId: number, epoch: string): void {
    const life = `${roomId} ${epoch}`;
    if (life === this.#life) return;
    this.#life = life;
    this.#times.clear();
  }

  note(seq: number, times: Times): void {
    // What was noted first stays: an answer that is repeated is no later arrival.
    this.#times.set(seq, { ...times, ...this.#times.get(seq) });
    if (this.#times.size <= KEPT) return;
    for (const oldest of this.#times.keys()) {
      this.#times.delete(oldest);
      break;
    }
  }

  of(seq: number): Times {
    return this.#times.get(seq) ?? {};
  }
}
