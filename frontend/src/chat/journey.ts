import type { Exit, Room } from '../state/model';
import type { RecentRooms } from '../state/recent_rooms';
import type { ChatStore, Postponed } from '../state/store';
import { parsePlace, pathOf, type Place } from './route';

type Known = Pick<Room, 'roomId' | 'name'>;

/** Where one is by the address, which is not always the room that the server has one in. */
export interface Whereabouts {
  /** A room that the address names and that one is not in: one is asked before one is moved. */
  asked: Place | null;
  /** The address is that of the list, although one is in a room. */
  browsing: boolean;
  /** The message that the address points to; a new object each time that it is asked for. */
  target: { seq: number } | null;
  /** One has just been taken out of a room by joining another one. */
  moved: { from: Known; to: Known } | null;
}

interface Deps {
  store: Pick<ChatStore, 'view' | 'subscribe' | 'joinRoom' | 'createRoom'>;
  recent: Pick<RecentRooms, 'used'>;
  history: { push(path: string): void; replace(path: string): void };
  start: { pathname: string; hash: string };
}

/**
 * Keeps the address and the room together. Going back and forth, and links, only ask: nobody is taken
 * out of a room, which may end by it, without having said so.
 */
export class Journey {
  readonly #subscribers = new Set<(now: Whereabouts) => void>();
  #now: Whereabouts = { asked: null, browsing: false, target: null, moved: null };
  /** The room that the address was last made for. */
  #here: number | null = null;
  #path: string;
  /** The last one that was heard of. */
  #exit: Exit | null = null;
  /** A reload comes back to a room, which is no step that one could take back. */
  #returning: boolean;
  /** Between leaving the one room and being in the other there is nowhere to show. */
  #travelling = 0;

  constructor(private readonly deps: Deps) {
    this.#path = deps.start.pathname;
    this.#returning = deps.store.view.returning !== null;
    this.#now = { ...this.#now, asked: parsePlace(deps.start) };
    deps.store.subscribe(() => this.#observe());
  }

  /** The contract of Svelte's stores. */
  subscribe(run: (now: Whereabouts) => void): () => void {
    run(this.#now);
    this.#subscribers.add(run);
    return () => this.#subscribers.delete(run);
  }

  get now(): Whereabouts {
    return this.#now;
  }

  /** The person went back or forth. */
  went(address: { pathname: string; hash: string }): void {
    this.#path = address.pathname;
    const place = parsePlace(address);
    if (place?.roomId === this.#room?.roomId && place) this.#arrive(place.seq);
    else this.#show({ asked: place, browsing: place === null && this.#room !== null });
  }

  /** The person follows a link to a room, or to one of its messages. */
  open(place: Place): void {
    const hash = place.seq === null ? '' : `#${place.seq}`;
    this.#path = pathOf(place.roomId);
    this.deps.history.push(this.#path + hash);
    if (place.roomId === this.#room?.roomId) this.#arrive(place.seq);
    else this.#show({ asked: place, browsing: false });
  }

  async join(roomId: number, postponed?: Postponed): Promise<void> {
    if (roomId === this.#room?.roomId) return this.stay();
    await this.#travel(() => this.deps.store.joinRoom(roomId, postponed));
  }

  async create(name: string, postponed?: Postponed): Promise<void> {
    await this.#travel(() => this.deps.store.createRoom(name, postponed));
  }

  /** Back to the room that one is in, or to the list. */
  stay(): void {
    this.#show({ asked: null, browsing: false });
    this.#go(pathOf(this.#room?.roomId ?? null));
  }

  /** To the list, out of no room. */
  browse(): void {
    this.#show({ asked: null, browsing: this.#room !== null });
    this.#go('/');
  }

  dismiss(): void {
    this.#show({ moved: null });
  }

  get #room(): Room | null {
    return this.deps.store.view.model.room;
  }

  async #travel(act: () => Promise<void>): Promise<void> {
    const from = this.#room;
    const { asked } = this.#now;
    this.#travelling += 1;
    try {
      await act();
    } finally {
      this.#travelling -= 1;
      this.#observe();
    }
    const to = this.#room;
    if (!to) return;
    const moved = from && from.roomId !== to.roomId ? { from, to } : null;
    const seq = asked?.roomId === to.roomId ? asked.seq : null;
    this.#show({ asked: null, browsing: false, moved, target: seq === null ? null : { seq } });
    this.#go(pathOf(to.roomId), seq);
  }

  #observe(): void {
    const room = this.#room;
    if (room) this.deps.recent.used(room);
    const { exit } = this.deps.store.view.model;
    if (exit !== this.#exit) {
      this.#exit = exit;
      // A reload came back to a room that is none of one's own any more: what is said of it is enough.
      if (!room && exit && exit.roomId === this.#now.asked?.roomId) {
        this.#show({ asked: null });
        this.#go('/', null, true);
      }
    }
    if (this.#travelling > 0 || (room?.roomId ?? null) === this.#here) return;
    this.#here = room?.roomId ?? null;
    const returning = this.#returning;
    this.#returning = false;
    const { asked } = this.#now;
    if (!room) {
      this.#show({ browsing: false, moved: null, target: null });
      if (!asked) this.#go('/');
    } else if (asked?.roomId === room.roomId) {
      this.#arrive(asked.seq);
    } else if (!asked) {
      this.#show({ browsing: false });
      this.#go(pathOf(room.roomId), null, returning);
    }
  }

  #arrive(seq: number | null): void {
    this.#show({ asked: null, browsing: false, target: seq === null ? null : { seq } });
  }

  #go(path: string, seq: number | null = null, instead = false): void {
    if (path === this.#path) return;
    this.#path = path;
    const address = seq === null ? path : `${path}#${seq}`;
    if (instead) this.deps.history.replace(address);
    else this.deps.history.push(address);
  }

  #show(change: Partial<Whereabouts>): void {
    this.#now = { ...this.#now, ...change };
    for (const run of this.#subscribers) run(this.#now);
  }
}
