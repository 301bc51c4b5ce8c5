import type { Cancel, Clock } from '../net/clock';
import type { Message, Room } from '../state/model';
import { enumerate } from './grouping';

/** Long enough that a burst becomes one announcement. */
const BATCH_MS = 1_000;
/** More than these are counted instead of read. */
const READ_OUT = 2;
const SPOKEN_CHARS = 200;

/**
 * Decides what a screen reader is told. It watches positions, not the list on the screen: what is
 * loaded by scrolling back, by joining or by filling a hole lies below its mark and stays silent.
 */
export class Announcer {
  #timeline = '';
  #mark = 0;
  #waiting: Message[] = [];
  #cancel: Cancel = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly speak: (text: string) => void,
  ) {}

  observe(room: Room | null, myId: number | undefined): void {
    const timeline = room ? `${room.roomId} ${room.epoch}` : '';
    if (!room || timeline !== this.#timeline) {
      this.#timeline = timeline;
      this.#mark = room?.seq ?? 0;
      this.#waiting = [];
      this.#cancel();
      return;
    }
    if (room.seq <= this.#mark) return;
    // Newest first, and never the whole list: this runs on each message.
    const fresh: Message[] = [];
    for (let at = room.messages.length - 1; at >= 0; at -= 1) {
      const message = room.messages[at]!;
      if (message.seq <= this.#mark) break;
      if (message.sender.clientId !== myId) fresh.unshift(message);
    }
    this.#mark = room.seq;
    if (fresh.length === 0) return;
    if (this.#waiting.length === 0) {
      this.#cancel = this.clock.after(BATCH_MS, () => this.#flush());
    }
    this.#waiting.push(...fresh);
  }

  #flush(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    this.speak(phrase(messages));
  }
}

function phrase(messages: readonly Message[]): string {
  if (messages.length <= READ_OUT) {
    return messages.map(({ sender, body }) => `${sender.username}: ${short(body)}`).join('\n');
  }
  const names = [...new Set(messages.map(({ sender }) => sender.username))];
  return `${messages.length} new messages from ${enumerate(names)}`;
}

function short(body: string): string {
  const chars = [...body];
  return chars.length > SPOKEN_CHARS ? `${chars.slice(0, SPOKEN_CHARS).join('')}…` : body;
}
