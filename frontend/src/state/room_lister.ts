import type { Cancel, Clock } from '../net/clock';
import type { ServerEvent } from '../protocol/generated';
import type { RoomList, RoomSummary } from './model';

/** Counts change all the time and matter little; each page that looks costs the server a read. */
const EVERY_MS = 15_000;
/** In the lobby the list is all there is to see, and a friend's new room is waited for. */
const LOBBY_MS = 5_000;
/** More pages cost more, so they are read less often; but a list that is looked at is no older than this. */
const SELDOM_MS = 60_000;
/** So many rooms are more than anybody looks through: who searches for one among them has its number or its link. */
const MAX_PAGES = 20;
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
  #watchers = 0;
  #at = -Infinity;

  constructor(private readonly deps: Deps) {}

  /** Something changed, or the connection is there. */
  refresh(): void {
    this.#connected = true;
    this.#in(SOON_MS);
  }

  /** Loads one page more than there are. False when that is as many as there may be. */
  more(): boolean {
    if (this.#pages >= MAX_PAGES) return false;
    this.#pages += 1;
    this.#in(0);
    return true;
  }

  /** Somebody begins or ends to look at the list. In the lobby there is nothing else to look at. */
  watched(is: boolean): void {
    this.#watchers = Math.max(0, this.#watchers + (is ? 1 : -1));
    if (!is || this.#watchers > 1 || this.#asking) return;
    const age = this.deps.clock.now() - this.#at;
    this.#in(Math.max(SOON_MS, this.#interval() - age));
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
      this.#at = this.deps.clock.now();
      if (this.deps.inLobby() || this.#watchers > 0) this.#in(this.#interval());
    }
  }

  #interval(): number {
    return Math.min(SELDOM_MS, (this.deps.inLobby() ? LOBBY_MS : EVERY_MS) * this.#pages);
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
