import type { Event } from '../protocol/codec';
import type { ServerEvent } from '../protocol/generated';
import { RECONNECT, fullJitter } from './backoff';
import type { Cancel, Clock, Random } from './clock';
import { verdict } from './close_codes';
import type { Link } from './link';

export interface MoveOwner {
  /** Something is under way that changes who or where we are: a CONNECT now could undo it. */
  busy(): boolean;
  /** A new connection is about to be opened (true), or did not come about and the old one goes on. */
  moving(is: boolean): void;
  newLink(): Link;
  /** Whether the old connection is still there. */
  hasOld(): boolean;
  refused(error: Event<'ERROR'>): void;
  /** The new connection has all that the old one had; these came on it so far. */
  moved(link: Link, early: readonly ServerEvent[]): void;
  /** The old connection is gone, and the new one is not there yet. */
  adopt(link: Link): void;
  /** There is no connection any more, or must be none. */
  failed(code: number): void;
}

/** How long the new connection waits for commands that a CONNECT could undo, and how often it looks. */
const PATIENCE_MS = 2_000;
const LOOK_MS = 50;
/** From CONNECT to ROOM_JOINED. After that we go without: whoever was superseded hears nothing more. */
const RESUME_TIMEOUT_MS = 5_000;

/**
 * The way from a connection to the next one without a break: the old one goes on until the new one
 * is where the old one was. What comes on the new one is held back until then.
 */
export class Move {
  /** CONNECT was said elsewhere: when the old connection is taken over now, it is by ourselves. */
  supersedes = false;
  #next: Link | null = null;
  #early: ServerEvent[] = [];
  #misses = 0;
  #cancel: Cancel = () => {};

  constructor(
    private readonly deps: { clock: Clock; random: Random },
    private readonly owner: MoveOwner,
  ) {}

  /** When to begin. The newest wish counts, but what has begun goes on. */
  begin(afterMs: number): void {
    if (!this.#next) this.#wait(afterMs, () => this.#open(PATIENCE_MS));
  }

  /** The old connection is gone. */
  orphaned(delayMs: number): void {
    if (this.#next) return;
    this.owner.moving(true);
    this.#wait(delayMs, () => this.#open(0));
  }

  /** An event of the new connection. */
  take(event: ServerEvent): void {
    const next = this.#next;
    if (!next) return;
    if (next.ready) {
      this.#early.push(event);
      if (next.resumed) this.finish();
      else if (event.type === 'CONNECT') this.#wait(RESUME_TIMEOUT_MS, () => void this.finish());
    } else if (event.type === 'ERROR') {
      this.owner.refused(event);
      const backoff = fullJitter(RECONNECT, this.#misses, this.deps.random);
      // Without an old one this is an ordinary connection that is refused.
      if (this.owner.hasOld()) this.#again((event.retryAfterMs ?? 0) + backoff);
      else this.owner.adopt(next);
    }
  }

  /** The new connection was lost. */
  missed(code: number): void {
    this.#next = null;
    const next = verdict(code, this.#misses, this.deps.random);
    // A proxy or a node may not like us; the application's own codes mean the person, wherever they connect.
    const isFinal = !next.retry && code >= 4000;
    if (isFinal || !this.owner.hasOld()) return this.owner.failed(code);
    this.#again(next.retry ? next.delayMs : fullJitter(RECONNECT, this.#misses, this.deps.random));
  }

  /** Nobody waits any longer: what there is has to do. False when there is nothing. */
  finish(): boolean {
    const next = this.#next;
    if (next?.ready) this.owner.moved(next, this.#early);
    else if (next) this.owner.adopt(next);
    return next !== null;
  }

  /** Gives up the next connection, if that is not `kept` by now. */
  stop(kept: Link | null = null): void {
    this.#cancel();
    if (this.#next !== kept) this.#next?.drop();
    this.#next = null;
  }

  #open(patienceMs: number): void {
    if (patienceMs > 0 && this.owner.busy()) {
      return this.#wait(LOOK_MS, () => this.#open(patienceMs - LOOK_MS));
    }
    this.owner.moving(true);
    this.#early = [];
    this.#next = this.owner.newLink();
    this.#next.open();
  }

  #again(delayMs: number): void {
    this.#next?.drop();
    this.#next = null;
    this.#misses += 1;
    this.owner.moving(false);
    this.#wait(delayMs, () => this.#open(PATIENCE_MS));
  }

  #wait(ms: number, act: () => void): void {
    this.#cancel();
    this.#cancel = this.deps.clock.after(ms, act);
  }
}
