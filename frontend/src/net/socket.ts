import type { Event } from '../protocol/codec';
import type { ClientCommand, ServerEvent } from '../protocol/generated';
import type { Cancel, Clock, Random } from './clock';
import { verdict, type Offer } from './close_codes';
import { LOST, Link, answersHello, type Greeting, type SocketMaker } from './link';
import { Move } from './move';

export type Status =
  | { phase: 'connecting'; attempt: number }
  | { phase: 'ready' }
  | { phase: 'waiting'; attempt: number; code: number; retryAt: number; firm: boolean }
  | { phase: 'stopped'; code: number; offer: Offer };

export interface Listener {
  /** The first frame of each connection. */
  hello(): Greeting;
  event(event: ServerEvent): void;
  status(status: Status): void;
  /** The server answered CONNECT with an error; the next `hello` should differ. */
  refused(error: Event<'ERROR'>): void;
  /** The server does not accept the session any more. */
  forgetSession(): void;
  /** A command is under way that changes what `hello` says. */
  busy(): boolean;
  /** The connection is about to be exchanged for another (true), or is not after all. */
  moving(is: boolean): void;
  /** Another connection goes on where the one before was; this is what came on it so far. */
  moved(events: readonly ServerEvent[]): void;
  /** A PING was answered: when it was sent, and what the server's clock said. */
  measured(sentAt: number, at: number | undefined): void;
}

/** A connection that lived this long was a good one: the next loss starts from a short delay. */
const SETTLED_MS = 5_000;
/** How long a move may be without any connection before the person is told. */
const UNNOTICED_MS = 2_000;
const TAKEN_OVER = 4009;

/**
 * A connection for as long as the page is open: opens one, and the next one when it is lost, unless
 * the close code forbids it. When a node asks its clients to go elsewhere, the next one is there
 * before the old one is let go of, and the status stays `ready` all the while.
 */
export class Connection {
  /** Frames that could not be understood; a server of a newer version causes the first kind. */
  readonly ignored = { unknown: 0, malformed: 0 };

  #link: Link | null = null;
  #move: Move | null = null;
  #status: Status = { phase: 'stopped', code: 1000, offer: 'reconnect' };
  #attempt = 0;
  #cancelRetry: Cancel = () => {};
  #cancelSettled: Cancel = () => {};
  #cancelUnnoticed: Cancel = () => {};

  constructor(
    private readonly deps: { url: string; WebSocket: SocketMaker; clock: Clock; random: Random },
    private readonly listener: Listener,
  ) {}

  get status(): Status {
    return this.#status;
  }

  get ready(): boolean {
    return this.#status.phase === 'ready';
  }

  /** Opens a connection now, whatever was being waited for. */
  connect(): void {
    this.#drop();
    this.#setStatus({ phase: 'connecting', attempt: this.#attempt });
    this.#link = this.#newLink();
    this.#link.open();
  }

  /** False when there is no connection that could take it; in the middle of a move that may be. */
  send(command: ClientCommand): boolean {
    return this.ready && this.#link !== null && this.#link.send(command);
  }

  /**
   * Something suggests that the network changed or the page woke up: shortens a wait, and asks a
   * connection that looks fine whether it still is.
   */
  check(): void {
    const status = this.#status;
    if (status.phase === 'waiting' && !status.firm) this.connect();
    else if (status.phase === 'ready') this.#link?.probe(true);
  }

  /** Measures the connection that there is. */
  ping(): void {
    if (this.ready) this.#link?.probe();
  }

  #newLink(): Link {
    return new Link(this.deps, {
      hello: (link) => {
        if (this.#move && link !== this.#link) this.#move.supersedes = true;
        return this.listener.hello();
      },
      event: (link, event) => {
        if (link === this.#link) this.#take(event);
        else this.#move?.take(event);
      },
      measured: (link, sentAt, at) => {
        if (link === this.#link) this.listener.measured(sentAt, at);
      },
      ignored: (kind) => (this.ignored[kind] += 1),
      lost: (link, code) => {
        if (link === this.#link && link.overdue && !this.#move) this.connect();
        else if (link === this.#link) this.#lost(code);
        else this.#move?.missed(code);
      },
    });
  }

  #take(event: ServerEvent): void {
    if (event.type === 'CONNECT') {
      this.#settle();
      this.#setStatus({ phase: 'ready' });
    }
    this.#obey(event);
    this.listener.event(event);
  }

  #obey(event: ServerEvent): void {
    if (answersHello(event)) this.listener.refused(event);
    if (event.type === 'RECONNECT' && this.ready) this.#plan(event.afterMs);
  }

  #settle(): void {
    this.#cancelSettled();
    this.#cancelSettled = this.deps.clock.after(SETTLED_MS, () => (this.#attempt = 0));
  }

  /** The node is draining: it gave this client its moment, so that not all of them move at once. */
  #plan(afterMs: number): void {
    this.#move ??= new Move(this.deps, {
      busy: () => this.listener.busy(),
      moving: (is) => this.listener.moving(is),
      newLink: () => this.#newLink(),
      hasOld: () => this.#link !== null,
      refused: (error) => this.listener.refused(error),
      moved: (link, early) => this.#moved(link, early),
      adopt: (link) => this.#adopt(link),
      failed: (code) => this.#fail(code),
    });
    this.#move.begin(afterMs);
  }

  #moved(link: Link, early: readonly ServerEvent[]): void {
    this.#drop(link);
    this.#link = link;
    this.#settle();
    this.listener.moved(early);
    for (const event of early) this.#obey(event);
  }

  /** What was to be the next connection is now all we have, and not ready: no longer a secret. */
  #adopt(link: Link): void {
    this.#drop(link);
    this.#link = link;
    this.#attempt += 1;
    this.#setStatus({ phase: 'connecting', attempt: this.#attempt });
  }

  #lost(code: number): void {
    const move = this.#move;
    if (!move) return this.#fail(code);
    // The server lets go of the old one as soon as the new one has said who it is.
    const known = code === TAKEN_OVER && move.supersedes ? LOST : code;
    const next = verdict(known, this.#attempt, this.deps.random);
    if (!next.retry || next.firm || next.forgetSession) return this.#fail(known);
    this.#link = null;
    this.#cancelUnnoticed = this.deps.clock.after(UNNOTICED_MS, () => {
      if (!move.finish()) this.#fail(known);
    });
    move.orphaned(next.delayMs);
  }

  #fail(code: number): void {
    this.#drop();
    const next = verdict(code, this.#attempt, this.deps.random);
    if (!next.retry) {
      this.#setStatus({ phase: 'stopped', code, offer: next.offer });
      return;
    }
    if (next.forgetSession) this.listener.forgetSession();
    this.#attempt += 1;
    const retryAt = this.deps.clock.now() + next.delayMs;
    this.#cancelRetry = this.deps.clock.after(next.delayMs, () => this.connect());
    this.#setStatus({
      phase: 'waiting',
      attempt: this.#attempt,
      code,
      retryAt,
      firm: next.firm,
    });
  }

  /** Lets go of all that there is, but for what is `kept`. */
  #drop(kept: Link | null = null): void {
    this.#cancelRetry();
    this.#cancelSettled();
    this.#cancelUnnoticed();
    this.#move?.stop(kept);
    this.#move = null;
    this.#link?.drop();
    this.#link = null;
  }

  #setStatus(status: Status): void {
    this.#status = status;
    this.listener.status(status);
  }
}
