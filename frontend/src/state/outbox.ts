import type { Clock, Random } from '../net/clock';
import { t } from '../i18n';
import type { Event } from '../protocol/codec';
import type { ServerEvent } from '../protocol/generated';
import type { Room } from './model';
import { isTransient, problem, type Problem } from './problem';
import {
  arrived,
  condense,
  toCommand,
  type Draft,
  type MessageCommand,
  type Outgoing,
} from './queue';
import { Retry, SAFE_MS } from './retry';

export type { Act, Outgoing } from './queue';

interface Deps {
  clock: Clock;
  random: Random;
  /** False when it cannot be sent now; `flush` is called when it can. */
  transmit(command: MessageCommand): boolean;
  /** What it answers is over when the entries are kept, or cannot be; nothing is there at once. */
  changed(entries: readonly Outgoing[]): Promise<void> | void;
  /** The server's clock; null while it is not known. This page's clock when absent. */
  serverNow?(): number | null;
}

/** So many wait at most. */
const MOST = 500;
/** How far two readings of the server's clock may be apart. */
const CLOCK_MS = 60_000;

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
  /** What an earlier page left is still being read: it comes before all else. */
  #held = false;

  constructor(private readonly deps: Deps) {}

  get entries(): readonly Outgoing[] {
    return this.#entries;
  }

  /** False when there are too many already. */
  add(draft: Draft): boolean {
    const { entries, needed } = condense(this.#entries, draft);
    if (needed && entries.length >= MOST) return false;
    const at = this.deps.clock.now();
    if (needed) this.#set([...entries, { ...draft, at, state: 'pending' }]);
    else if (entries !== this.#entries) this.#set(entries);
    this.#next();
    return true;
  }

  /** Another text for a message that is not in the timeline yet. */
  revise(id: string, newId: string, body: string): void {
    const entry = this.#entries.find((one) => one.id === id);
    if (!entry || entry.act !== undefined) return;
    if (entry.sentBy === undefined) return this.#change(id, (one) => ({ ...one, body }));
    const target = entry.seq === undefined ? { ofId: id } : { of: entry.seq };
    this.add({ id: newId, roomId: entry.roomId, body, act: 'edit', ...target });
  }

  /** Transmits nothing until `restore`. */
  hold(): void {
    this.#held = true;
  }

  /**
   * Takes back what an earlier page left. What nobody transmitted and is old is not sent without
   * being asked; of what was, `#isStale` decides when its turn comes.
   */
  restore(entries: readonly Outgoing[]): void {
    this.#held = false;
    const oldest = this.deps.clock.now() - SAFE_MS;
    const known = new Set(this.#entries.map(({ id }) => id));
    const former = entries
      .filter(({ id }) => !known.has(id))
      .map(({ retryAt: _, ...entry }): Outgoing => {
        if (entry.state !== 'failed' && (entry.sentBy !== undefined || entry.at >= oldest)) {
          const { problem: __, ...young } = entry;
          return { ...young, state: 'pending' };
        }
        return { ...entry, state: 'failed', problem: entry.problem ?? problem('no_answer') };
      });
    if (former.length > 0) this.#set([...former, ...this.#entries].slice(-MOST));
    if (this.#me !== undefined) this.#identified(this.#me);
    this.#next();
  }

  /** The server's clock is known now. */
  timed(): void {
    this.#next();
  }

  has(id: string | undefined): boolean {
    return this.#entries.some((entry) => entry.id === id);
  }

  /**
   * The same id again: if the server has the message after all, it says so instead of posting. It
   * does not from somebody else; whoever was told so takes that on.
   */
  retry(id: string): void {
    this.#change(id, ({ problem: why, retryAt: _, ...entry }) => ({
      ...(why?.code === 'uncertain' ? unsent(entry) : entry),
      state: 'pending',
    }));
    this.#next();
  }

  discard(id: string): void {
    this.#remove((entry) => entry.id === id || entry.ofId === id);
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

  /** Lets go of what the timeline has. */
  settle(room: Room | null): void {
    if (!room || this.#entries.length === 0) return;
    const there = arrived(this.#entries, room, this.#me);
    if (there.size === 0) return;
    for (const [id, seq] of there) this.#aim(id, seq);
    this.#remove(({ id }) => there.has(id));
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
    if (seq !== undefined) this.#aim(id!, seq);
    this.#done(id!);
  }

  #refused(error: Event<'ERROR'>): void {
    const { id } = error;
    if (!this.#entries.some((entry) => entry.id === id && entry.state === 'pending')) return;
    const isChange = this.#entries.some((entry) => entry.id === id && entry.act !== undefined);
    const why: Problem =
      isChange && error.code === 'forbidden'
        ? { code: 'forbidden', text: t.trust.cannotChange }
        : problem(error.code);
    const flight = this.#inFlight;
    if (flight && flight.id === id && (isTransient(error) || error.code === 'not_connected')) {
      const retryAt = flight.retry.postponed(error.retryAfterMs);
      this.#change(id!, (entry) => ({ ...entry, problem: why, retryAt }));
      return;
    }
    // The server failed, not the message: the retry that is due anyway may succeed.
    if (error.code === 'internal') return;
    this.#change(id!, ({ retryAt: _, ...entry }) => ({
      ...unsent(entry),
      state: 'failed',
      problem: why,
    }));
    this.#done(id!);
  }

  #next(): void {
    if (this.#inFlight || this.#liveRoom === null || this.#held) return;
    const next = this.#entries.find(
      ({ state, roomId, ofId }) =>
        state === 'pending' && roomId === this.#liveRoom && ofId === undefined,
    );
    if (!next) return;
    const { id, sentBy, sentAt, at } = next;
    let age = 0;
    if (sentBy !== undefined) {
      const now = this.#serverNow();
      // `timed` comes here again.
      if (now === null) return;
      age = now - (sentAt ?? at);
      // Also when the clocks contradict each other.
      if (age > SAFE_MS || age < -CLOCK_MS) return this.#giveUp(id, problem('uncertain'));
    }
    const acts = {
      send: () => this.#transmit(id),
      giveUp: () => this.#giveUp(id, problem('no_answer')),
    };
    this.#inFlight = { id, retry: new Retry(this.deps, acts, age) };
    this.#transmit(id);
  }

  #giveUp(id: string, why: Problem): void {
    this.#change(id, (entry) => ({ ...afresh(entry), state: 'failed', problem: why }));
    if (this.#inFlight?.id === id) this.#done(id);
    else this.#next();
  }

  #serverNow(): number | null {
    return this.deps.serverNow ? this.deps.serverNow() : this.deps.clock.now();
  }

  #transmit(id: string): void {
    const entry = this.#entries.find((one) => one.id === id);
    const flight = this.#inFlight;
    if (!entry || flight?.id !== id) return;
    // Noted before it goes: the page may be closed, or the answer be there, right after.
    const { sentBy, sentAt = this.#serverNow() ?? this.deps.clock.now() } = entry;
    const me = this.#me;
    const noted = this.#update(id, (one) => {
      const plain = one.retryAt === undefined ? one : afresh(one);
      return me === undefined ? plain : { ...plain, sentBy: me, sentAt };
    });
    const go = () => {
      if (this.#inFlight !== flight) return;
      flight.retry.sent();
      if (this.deps.transmit(toCommand(entry))) return;
      if (sentBy === undefined) this.#change(id, unsent);
      this.suspend();
    };
    if (noted) void noted.then(go);
    else go();
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

  /** What waits for the position of this message. */
  #aim(id: string, seq: number): void {
    if (!this.#entries.some(({ ofId }) => ofId === id)) return;
    const aimed = ({ ofId: _, ...entry }: Outgoing): Outgoing => ({ ...entry, of: seq });
    this.#set(this.#entries.map((entry) => (entry.ofId === id ? aimed(entry) : entry)));
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
    void this.#update(id, change);
  }

  #update(id: string, change: (entry: Outgoing) => Outgoing): Promise<void> | void {
    return this.#set(this.#entries.map((entry) => (entry.id === id ? change(entry) : entry)));
  }

  #set(entries: readonly Outgoing[]): Promise<void> | void {
    this.#entries = entries;
    return this.deps.changed(entries);
  }
}

function afresh({ problem: _, retryAt: __, ...entry }: Outgoing): Outgoing {
  return entry;
}

function unsent({ sentBy: _, sentAt: __, ...entry }: Outgoing): Outgoing {
  return entry;
}
