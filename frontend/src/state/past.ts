import type { ServerEvent } from '../protocol/generated';
import { fold, indexOf } from './changes';
import { firstOpen } from './holes';
import type { Message, Room } from './model';
import { asEntry, isFull, mergeHistory, type Asked } from './timeline';

const PAGE = 50;
/** As many as the server gives at once, for a way that nobody looks at. */
const LONG_PAGE = 100;
/** So many of these are fetched for one jump. */
const PAGES = 50;
/** Messages that were only quoted. */
const QUOTED = 100;

interface Deps {
  ask(roomId: number, asked: Asked, limit: number): Promise<ServerEvent>;
  room(): Room | null;
  changed(room: Room): void;
  /** Counts connections, so that what one of them started does not act on the next. */
  life(): number;
}

/** Fetches what lies before, between and apart from the messages that are here. */
export class Past {
  #healing = false;
  #quotedOf = '';
  readonly #quoted = new Map<number, Promise<Message | null>>();

  constructor(private readonly deps: Deps) {}

  async older(limit = PAGE): Promise<void> {
    const room = this.deps.room();
    if (!room || room.fromStart || isFull(room)) return;
    await this.#fetch(room.roomId, { before: room.base }, limit);
  }

  /** Until the position is here. False when it cannot be had. */
  async backTo(seq: number): Promise<boolean> {
    const roomId = this.deps.room()?.roomId;
    for (let page = 0; page <= PAGES; page += 1) {
      const room = this.deps.room();
      if (!room || room.roomId !== roomId || seq < 1) return false;
      if (seq >= room.base) return indexOf(room.messages, seq) >= 0;
      if (room.fromStart || isFull(room)) return false;
      await this.older(LONG_PAGE);
      if (this.deps.room()?.base === room.base && !this.deps.room()?.fromStart) return false;
    }
    return false;
  }

  /** One message, without making it part of the timeline that is shown. */
  lookUp(seq: number): Promise<Message | null> {
    const room = this.deps.room();
    if (!room || !(seq >= 1)) return Promise.resolve(null);
    const at = indexOf(room.messages, seq);
    if (at >= 0) return Promise.resolve(room.messages[at]!);
    const life = `${room.roomId} ${room.epoch}`;
    if (life !== this.#quotedOf) this.#quoted.clear();
    this.#quotedOf = life;
    const known = this.#quoted.get(seq);
    if (known) return known.then((message) => message && this.#current(message));
    const found = this.#one(room, seq);
    this.#quoted.set(seq, found);
    // Whoever asks again may have more luck.
    const forget = () => {
      if (this.#quoted.get(seq) === found) this.#quoted.delete(seq);
    };
    found.then((message) => message ?? forget(), forget);
    for (const oldest of this.#quoted.keys()) {
      if (this.#quoted.size > QUOTED) this.#quoted.delete(oldest);
      else break;
    }
    return found.catch(() => null);
  }

  /** What was missed, hole by hole. */
  async heal(): Promise<void> {
    if (this.#healing) return;
    this.#healing = true;
    const life = this.deps.life();
    try {
      for (;;) {
        const room = this.deps.room();
        const hole = room?.live ? firstOpen(room.holes) : undefined;
        if (!room || !hole) break;
        await this.#fetch(room.roomId, { after: hole.from - 1 }, PAGE);
        if (life !== this.deps.life()) break;
      }
    } catch {
      // The hole stays on the screen, with a button that comes here again.
    } finally {
      this.#healing = false;
    }
  }

  async #one({ roomId, epoch }: Room, seq: number): Promise<Message | null> {
    const reply = await this.deps.ask(roomId, { before: seq + 1 }, 1);
    if (reply.type !== 'HISTORY' || reply.epoch !== epoch || reply.roomId !== roomId) return null;
    const entry = reply.messages.map(asEntry).find((one) => one.seq === seq);
    return entry && !('target' in entry) ? this.#current(entry) : null;
  }

  #current(message: Message): Message {
    return fold(message, this.deps.room()?.changes?.get(message.seq));
  }

  async #fetch(roomId: number, asked: Asked, limit: number): Promise<void> {
    const reply = await this.deps.ask(roomId, asked, limit);
    const room = this.deps.room();
    if (room?.roomId !== roomId || reply.type !== 'HISTORY') return;
    this.deps.changed(mergeHistory(room, asked, reply));
  }
}
