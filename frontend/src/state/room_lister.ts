import type { Cancel, Clock } from '../net/clock';
import type { ServerEvent } from '../protocol/generated';
import type { RoomList, RoomSummary } from './model';

/** Counts change all the time and matter little; each page that looks costs the server a read. */
const EVERY_MS = 15_000;
/** In the lobby the list is all there is to see, and a friend's new room is waited for. */
const LOBBY_MS = 5_000;
/** Own changes come in twos (left here, joined there). */
const SOON_MS = 250;

interface Deps {
  clock: Clock;
  ask(page: { cursor?: string }): Promise<ServerEvent>;
  found(list: RoomList): void;
  /** The person is looking at the list only. */
  inLobby(): boolean;
}

/** Keeps the list of rooms fresh while somebody can see it. */
export class RoomLister {
  #cancel: Cancel = () => {};
  #visible = true;
  #connected = false;
  #asking = false;
  #pages = 1;

  constructor(private readonly deps: Deps) {}

  /** Something changed, or the connection is there. */
  refresh(): void {
    this.#connected = true;
    this.#in(SOON_MS);
  }

  more(): void {
    this.#pages += 1;
    this.#in(0);
  }

  pause(): void {
    this.#connected = false;
    this.#cancel();
  }

  visible(visible: boolean): void {
    this.#visible = visible;
    if (visible && this.#connected) this.#in(0);
    else this.#cancel();
  }

  #in(ms: number): void {
    this.#cancel();
    if (!this.#visible || !this.#connected) return;
    this.#cancel = this.deps.clock.after(ms, () => void this.#load());
  }

  async #load(): Promise<void> {
    if (this.#asking) return this.#in(SOON_MS);
    this.#asking = true;
    try {
      this.deps.found(await this.#collect());
    } catch {
      // The list that is there stays; the next round asks again.
    } finally {
      this.#asking = false;
      this.#in(this.deps.inLobby() ? LOBBY_MS : EVERY_MS);
    }
  }

  async #collect(): Promise<RoomList> {
    // By id: a room can slip from one page to the next between two reads.
    const rooms = new Map<number, RoomSummary>();
    let cursor: string | null = null;
    for (let page = 0; page < this.#pages; page += 1) {
      const reply: ServerEvent = await this.deps.ask(cursor === null ? {} : { cursor });
      if (reply.type !== 'ROOMS') break;
      for (const room of reply.rooms) rooms.set(room.roomId, room);
      cursor = reply.cursor ?? null;
      if (cursor === null) break;
    }
    return { rooms: [...rooms.values()], cursor, loaded: true };
  }
}
