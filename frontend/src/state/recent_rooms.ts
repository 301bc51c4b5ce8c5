import { read, write, type Shelf } from './memory';

/** A room that this browser has been in. */
export interface RecentRoom {
  roomId: number;
  name: string;
}

/** Also the key that other tabs hear of when it changes. */
export const KEY = 'roomful.recent';
/** More than that nobody looks through. */
const KEPT = 8;
const NAME_CHARS = 64;

/** The rooms that were used last, newest first; all tabs of a browser share it. */
export class RecentRooms {
  readonly #subscribers = new Set<(rooms: readonly RecentRoom[]) => void>();
  #rooms: readonly RecentRoom[];

  constructor(private readonly shelf: Shelf) {
    this.#rooms = sound(read(shelf, KEY));
  }

  /** The contract of Svelte's stores. */
  subscribe(run: (rooms: readonly RecentRoom[]) => void): () => void {
    run(this.#rooms);
    this.#subscribers.add(run);
    return () => this.#subscribers.delete(run);
  }

  used({ roomId, name }: RecentRoom): void {
    const [first] = this.#rooms;
    if (first?.roomId === roomId && first.name === name) return;
    // Another tab may have written since.
    const others = sound(read(this.shelf, KEY)).filter((room) => room.roomId !== roomId);
    this.#set([{ roomId, name: name.slice(0, NAME_CHARS) }, ...others].slice(0, KEPT));
  }

  /** It has ended. Its number may be another room's one day. */
  ended(roomId: number): void {
    if (!this.#rooms.some((room) => room.roomId === roomId)) return;
    this.#set(sound(read(this.shelf, KEY)).filter((room) => room.roomId !== roomId));
  }

  /** Another tab has changed them. */
  reread(): void {
    this.#show(sound(read(this.shelf, KEY)));
  }

  #set(rooms: readonly RecentRoom[]): void {
    write(this.shelf, KEY, rooms);
    this.#show(rooms);
  }

  #show(rooms: readonly RecentRoom[]): void {
    this.#rooms = rooms;
    for (const run of this.#subscribers) run(rooms);
  }
}

/** Storage may hold anything. */
function sound(found: unknown): readonly RecentRoom[] {
  if (!Array.isArray(found)) return [];
  return found
    .filter((room) => Number.isSafeInteger(room?.roomId) && typeof room.name === 'string')
    .map(({ roomId, name }) => ({ roomId, name: name.slice(0, NAME_CHARS) }))
    .slice(0, KEPT);
}
