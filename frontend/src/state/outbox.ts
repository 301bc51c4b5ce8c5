import type { Clock, Random } from '../net/clock';
import type { Command, Event } from '../protocol/codec';
import type { ServerEvent } from '../protocol/generated';
import type { Room } from './model';
import { isTransient, problem, type Problem } from './problem';
import { Retry, SAFE_MS } from './retry';

/** What is done to an earlier message. */
export type Act = 'edit' | 'delete' | 'react' | 'unreact';

/** A message, or a change of one, of this client's that is not, or not yet, part of the timeline. */
export interface Outgoing {
  readonly id: string;
  readonly roomId: number;
  /** Of a reaction the emoji, of a deletion nothing. */
  readonly body: string;
  /** The position of the message that it answers. */
  readonly replyTo?: number;
  /** What it does to the message at `of`; absent when it is a message itself. */
  readonly act?: Act;
  readonly of?: number;
  readonly at: number;
  /** `sent`: acknowledged, and its own NEW_MESSAGE is still on the way. */
  readonly state: 'pending' | 'sent' | 'failed';
  readonly seq?: number;
  /** Who it was transmitted as, and the server may have it from; not set while it cannot have it. */
  readonly sentBy?: number;
  readonly problem?: Problem;
  /** The server asked to wait until then. */
  readonly retryAt?: number;
}

interface Deps {
  clock: Clock;
  random: Random;
  /** False when it cannot be sent now; `flush` is called when it can. */
  transmit(command: Command<'SEND_MESSAGE'>): boolean;
  changed(entries: readonly Outgoing[]): void;
}

/**
 * Keeps each message until the timeline has it. One at a time is on its way: if the first of two
 * is refused for a moment, the second must not overtake it.
 */
export class Outbox {
  #entries: readonly Outgoing[] = [];
  #inFlight: { id: string; retry: Retry } | null = null;
  /** The room that can take messages now. */
  #liveRoom: number | null = null;
  #me: number | undefined;

  constructor(private readonly deps: Deps) {}

  get entries(): readonly Outgoing[] {
    return this.#entries;
  }

  add(id: string, roomId: number, body: string): void {
    const at = this.deps.clock.now();
    this.#set([...this.#entries, { id, roomId, body, at, state: 'pending' }]);
    this.#next();
  }

  /**
   * Takes back what was saved before a reload. What is so old that the server may have forgotten
   * its id is not sent again without being asked: it might be there already.
   */
  restore(entries: readonly Outgoing[]): void {
    const oldest = this.deps.clock.now() - SAFE_MS;
    this.#set(
      entries.map(({ id, roomId, body, at, state, sentBy, problem: why }) => {
        const by = typeof sentBy === 'number' ? { sentBy } : {};
        return state === 'failed' || at < oldest
          ? { id, roomId, body, at, ...by, state: 'failed', problem: why ?? problem('no_answer') }
          : { id, roomId, body, at, ...by, state: 'pending' };
      }),
    );
  }

  /**
   * The same id again: if the server has the message after all, it says so instead of posting. It
   * does not from somebody else; whoever was told so takes that on.
   */
  retry(id: string): void {
    this.#change(id, ({ problem: why, retryAt: _, sentBy, ...entry }) => ({
      ...entry,
      ...(sentBy === undefined || why?.code === 'uncertain' ? {} : { sentBy }),
      state: 'pending',
    }));
    this.#next();
  }

  discard(id: string): void {
    this.#remove((entry) => entry.id === id);
  }

  /** The room can be talked in; everything unacknowledged goes out again. */
  flush(roomId: number): void {
    this.#release();
    this.#liveRoom = roomId;
    this.#next();
  }

  /** Nothing can be sent until `flush`. */
  suspend(): void {
    this.#release();
    this.#liveRoom = null;
  }

  /** The room is over for this client: what was meant for it cannot arrive any more. */
  fail(roomId: number, why: Problem): void {
    if (this.#liveRoom === roomId) this.suspend();
    this.#set(
      this.#entries.map((entry) =>
        entry.roomId === roomId && entry.state === 'pending'
          ? { ...entry, state: 'failed', problem: why }
          : entry,
      ),
    );
  }

  take(event: ServerEvent): void {
    if (event.type === 'CONNECT') this.#identified(event.clientId);
    if (event.type === 'ACK') this.#acknowledged(event);
    if (event.type === 'ERROR') this.#refused(event);
  }

  /** Lets go of what the timeline has, or has had: whichever of ACK and echo came first. */
  settle(room: Room | null): void {
    if (!room || this.#entries.length === 0) return;
    const there = new Set<string>();
    for (const { id, sender } of room.messages) there.add(`${sender.clientId} ${id}`);
    this.#remove(
      (entry) =>
        entry.roomId === room.roomId &&
        (there.has(`${entry.sentBy ?? this.#me} ${entry.id}`) ||
          (entry.state === 'sent' && isPast(room, entry.seq ?? 0))),
    );
  }

  /**
   * The server tells a message from its repetition by client and id. What went out under another
   * clientId would be posted a second time, if it had arrived: only the person can decide that.
   */
  #identified(clientId: number): void {
    this.#me = clientId;
    this.#set(
      this.#entries.map((entry) =>
        entry.state === 'sent' || entry.sentBy === undefined || entry.sentBy === clientId
          ? entry
          : { ...afresh(entry), state: 'failed', problem: problem('uncertain') },
      ),
    );
  }

  #acknowledged({ id, seq }: Event<'ACK'>): void {
    if (!this.#entries.some((entry) => entry.id === id)) return;
    this.#change(id!, ({ problem: _, retryAt: __, ...entry }) => ({
      ...entry,
      state: 'sent',
      ...(seq === undefined ? {} : { seq }),
    }));
    this.#done(id!);
  }

  #refused(error: Event<'ERROR'>): void {
    const { id } = error;
    if (!this.#entries.some((entry) => entry.id === id && entry.state === 'pending')) return;
    const why = problem(error.code);
    const flight = this.#inFlight;
    if (flight && flight.id === id && (isTransient(error) || error.code === 'not_connected')) {
      const retryAt = flight.retry.postponed(error.retryAfterMs);
      this.#change(id!, (entry) => ({ ...entry, problem: why, retryAt }));
      return;
    }
    // The server failed, not the message: the retry that is due anyway may succeed.
    if (error.code === 'internal') return;
    this.#change(id!, ({ retryAt: _, sentBy: __, ...entry }) => ({
      ...entry,
      state: 'failed',
      problem: why,
    }));
    this.#done(id!);
  }

  #next(): void {
    if (this.#inFlight || this.#liveRoom === null) return;
    const next = this.#entries.find(
      (entry) => entry.state === 'pending' && entry.roomId === this.#liveRoom,
    );
    if (!next) return;
    const { id } = next;
    const retry = new Retry(this.deps, {
      send: () => this.#transmit(id),
      giveUp: () => {
        const why = problem('no_answer');
        this.#change(id, ({ retryAt: _, ...entry }) => ({
          ...entry,
          state: 'failed',
          problem: why,
        }));
        this.#done(id);
      },
    });
    this.#inFlight = { id, retry };
    this.#transmit(id);
  }

  #transmit(id: string): void {
    const entry = this.#entries.find((one) => one.id === id);
    const flight = this.#inFlight;
    if (!entry || flight?.id !== id) return;
    // Noted before it goes: the page may be closed, or the answer be there, right after.
    this.#change(id, (one) => withSender(one.retryAt === undefined ? one : afresh(one), this.#me));
    const { roomId, body, sentBy } = entry;
    flight.retry.sent();
    if (this.deps.transmit({ type: 'SEND_MESSAGE', id, roomId, body })) return;
    this.#change(id, (one) => withSender(one, sentBy));
    this.suspend();
  }

  #done(id: string): void {
    if (this.#inFlight?.id !== id) return;
    this.#release();
    this.#next();
  }

  #release(): void {
    this.#inFlight?.retry.stop();
    this.#inFlight = null;
  }

  #remove(gone: (entry: Outgoing) => boolean): void {
    const kept = this.#entries.filter((entry) => !gone(entry));
    if (kept.length === this.#entries.length) return;
    this.#set(kept);
    if (this.#inFlight && !kept.some(({ id }) => id === this.#inFlight?.id)) {
      this.#done(this.#inFlight.id);
    }
  }

  #change(id: string, change: (entry: Outgoing) => Outgoing): void {
    this.#set(this.#entries.map((entry) => (entry.id === id ? change(entry) : entry)));
  }

  #set(entries: readonly Outgoing[]): void {
    this.#entries = entries;
    this.deps.changed(entries);
  }
}

function afresh({ problem: _, retryAt: __, ...entry }: Outgoing): Outgoing {
  return entry;
}

function withSender({ sentBy: _, ...entry }: Outgoing, clientId: number | undefined): Outgoing {
  return clientId === undefined ? entry : { ...entry, sentBy: clientId };
}

/** The timeline has gone past this position, and it is not merely late in a hole. */
function isPast(room: Room, seq: number): boolean {
  const missing = room.holes.some((hole) => !hole.lost && hole.from <= seq && seq <= hole.to);
  return seq <= room.seq && !missing;
}
