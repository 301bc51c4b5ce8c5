import { t } from '../i18n';
import type { Cancel, Clock } from '../net/clock';
import { mentions } from '../notify/mentions';
import type { Member, Message, Room } from '../state/model';
import { Arrivals } from './arrivals';
import { enumerate } from './grouping';

/** Long enough that a burst becomes one announcement. */
const BATCH_MS = 1_000;
/** More than these are counted instead of read. */
const READ_OUT = 2;
const SPOKEN_CHARS = 200;

/**
 * Decides what a screen reader is told: what others say, in batches, mentions first. Somebody who
 * reads further up is not talked over; only their name is worth that.
 */
export class Announcer {
  readonly #arrivals = new Arrivals();
  #waiting: Message[] = [];
  #me = '';
  #cancel: Cancel = () => {};
  #said = '';

  constructor(
    private readonly clock: Clock,
    private readonly speak: (text: string) => void,
  ) {}

  observe(room: Room | null, me: Member | null | undefined, readsBack = false): void {
    const fresh = this.#arrivals.look(room, me?.clientId);
    if (fresh === null) {
      this.#waiting = [];
      this.#cancel();
      return;
    }
    this.#me = me?.username ?? '';
    const worth = readsBack ? fresh.filter(({ body }) => mentions(body, this.#me)) : fresh;
    if (worth.length === 0) return;
    if (this.#waiting.length === 0) {
      this.#cancel = this.clock.after(BATCH_MS, () => this.#flush());
    }
    this.#waiting.push(...worth);
  }

  #flush(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    let text = phrase(messages, this.#me);
    // The same words again are no change of the page, and would not be heard.
    if (text === this.#said) text += '\u00a0';
    this.speak((this.#said = text));
  }
}

function phrase(messages: readonly Message[], me: string): string {
  const named = messages.filter(({ body }) => mentions(body, me));
  const others = messages.filter((message) => !named.includes(message));
  return [...read(named, t.reading.mentioned), ...read(others, t.reading.said)].join('\n');
}

function read(messages: readonly Message[], say: (who: string, body: string) => string): string[] {
  if (messages.length <= READ_OUT) {
    return messages.map(({ sender, body }) => say(sender.username, short(body)));
  }
  const names = [...new Set(messages.map(({ sender }) => sender.username))];
  return [t.reading.arrived(messages.length, enumerate(names))];
}

function short(body: string): string {
  const chars = [...body.slice(0, 3 * SPOKEN_CHARS)];
  return chars.length > SPOKEN_CHARS ? `${chars.slice(0, SPOKEN_CHARS).join('')}…` : body;
}
