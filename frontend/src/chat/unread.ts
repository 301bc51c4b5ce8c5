import { read, write, type Shelf } from '../state/memory';
import type { Room } from '../state/model';
import { since } from './arrivals';

/** Up to where a room was read. */
interface Mark {
  epoch: string;
  seq: number;
  /** When it was noted: the oldest give way. */
  at: number;
}

export const MARKS_KEY = 'roomful.read';
const ROOMS_KEPT = 100;

/** How far each room was read, in storage that all tabs share. */
export class Marks {
  constructor(
    private readonly shelf: Shelf,
    private readonly now: () => number,
  ) {}

  get(room: Pick<Room, 'roomId' | 'epoch'>): number | null {
    const mark = this.#all[room.roomId];
    return mark?.epoch === room.epoch && Number.isSafeInteger(mark.seq) ? mark.seq : null;
  }

  set({ roomId, epoch }: Pick<Room, 'roomId' | 'epoch'>, seq: number): void {
    const others = Object.entries(this.#all).filter(([id]) => Number(id) !== roomId);
    others.sort(([, a], [, b]) => b.at - a.at).splice(ROOMS_KEPT - 1);
    write(
      this.shelf,
      MARKS_KEY,
      Object.fromEntries([...others, [roomId, { epoch, seq, at: this.now() }]]),
    );
  }

  get #all(): Record<string, Mark> {
    const found = read<Record<string, Mark>>(this.shelf, MARKS_KEY);
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(
      Object.entries(found).filter(([, mark]) => typeof mark?.at === 'number'),
    );
  }
}

/**
 * What others said that nobody at this browser has read. Read is what was there while the page was
 * looked at, at its end; another tab may have done so.
 */
export class Unread {
  #timeline = '';
  #mark = 0;
  #saved = 0;
  #count = 0;
  #since: number | null = null;

  constructor(private readonly marks: Marks) {}

  /** How many messages. */
  get count(): number {
    return this.#count;
  }

  /** The position after which they began when the reader left off. It outlives the reading, so that one sees where. */
  get since(): number | null {
    return this.#since;
  }

  observe(room: Room | null, myId: number | undefined, attentive: boolean): void {
    const timeline = room ? `${room.roomId} ${room.epoch}` : '';
    if (!room) {
      this.#timeline = timeline;
      this.#count = 0;
      this.#since = null;
      return;
    }
    if (timeline !== this.#timeline) {
      this.#timeline = timeline;
      this.#count = 0;
      const kept = this.marks.get(room);
      // A room that was never here before has no place where one left off.
      this.#mark = this.#saved = Math.min(kept ?? room.seq, room.seq);
      this.#since = since(room, this.#mark, myId).length > 0 ? this.#mark : null;
      if (kept === null) this.#save(room);
    }
    const before = this.#count;
    if (attentive) {
      // Whoever answers has read what is above the answer.
      if (room.seq > this.#mark && said(room, this.#mark, myId) && before === 0) this.#since = null;
      this.#mark = room.seq;
    }
    this.#count = this.#mark < room.seq ? since(room, this.#mark, myId).length : 0;
    if (before === 0 && this.#count > 0) this.#since = this.#mark;
    if (attentive) this.#save(room);
  }

  /** Another tab has read on. */
  reread(room: Room | null, myId: number | undefined): void {
    const kept = room && this.marks.get(room);
    if (!room || kept === null || kept <= this.#mark) return;
    this.#mark = this.#saved = Math.min(kept, room.seq);
    this.#count = since(room, this.#mark, myId).length;
  }

  #save(room: Room): void {
    if (this.#mark === this.#saved && this.marks.get(room) !== null) return;
    this.#saved = this.#mark;
    // Another tab may be farther.
    if ((this.marks.get(room) ?? -1) < this.#mark) this.marks.set(room, this.#mark);
  }
}

function said({ messages }: Room, mark: number, myId: number | undefined): boolean {
  const last = messages.at(-1);
  return last !== undefined && last.seq > mark && last.sender.clientId === myId;
}
