import type { Event } from '../protocol/codec';
import type { ServerEvent } from '../protocol/generated';
import type { Member, Room } from './model';

const PAGE = 500;
/** More than a page can hold and search with ease. */
const MOST = 20_000;

interface Deps {
  ask(roomId: number, page: { cursor?: string; limit: number }): Promise<ServerEvent>;
  room(): Room | null;
  found(members: readonly Member[], complete: boolean): void;
}

/**
 * Reads all members of a room, page by page. What is said meanwhile of who came and went is newer
 * than any page: it decides.
 */
export class MemberLister {
  #underWay: Promise<void> | null = null;
  /** The room whose members were asked for. */
  #wanted: number | null = null;
  readonly #came = new Map<number, Member>();
  readonly #gone = new Set<number>();

  constructor(private readonly deps: Deps) {}

  load(): Promise<void> {
    const room = this.deps.room();
    if (!room) return Promise.resolve();
    this.#wanted = room.roomId;
    if (room.membersComplete) return Promise.resolve();
    this.#underWay ??= this.#read(room.roomId).finally(() => (this.#underWay = null));
    return this.#underWay;
  }

  /** A connection is back in the room, and only the first members were said. */
  again(): void {
    if (this.deps.room()?.roomId === this.#wanted) this.load().catch(() => {});
  }

  take(event: Event<'USER_EVENT'>): void {
    if (!this.#underWay) return;
    for (const clientId of event.left ?? []) {
      this.#came.delete(clientId);
      this.#gone.add(clientId);
    }
    for (const person of [...(event.joined ?? []), ...(event.renamed ?? [])]) {
      this.#gone.delete(person.clientId);
      this.#came.set(person.clientId, person);
    }
  }

  async #read(roomId: number): Promise<void> {
    this.#came.clear();
    this.#gone.clear();
    const found = new Map<number, Member>();
    let cursor: string | null = null;
    do {
      const page: { cursor?: string; limit: number } =
        cursor === null ? { limit: PAGE } : { cursor, limit: PAGE };
      const reply: ServerEvent = await this.deps.ask(roomId, page);
      if (reply.type !== 'MEMBERS' || this.deps.room()?.roomId !== roomId) return;
      for (const member of reply.members) found.set(member.clientId, member);
      cursor = reply.cursor ?? null;
      const isLast = cursor === null || reply.members.length === 0;
      const all = new Map([...found, ...this.#came]);
      for (const clientId of this.#gone) all.delete(clientId);
      // Until all are here, those who were known before stay.
      if (!isLast) {
        for (const member of this.deps.room()!.members) {
          if (!all.has(member.clientId)) all.set(member.clientId, member);
        }
      }
      this.deps.found([...all.values()].slice(0, MOST), isLast);
      if (isLast) return;
    } while (found.size < MOST);
  }
}
