import { decode, encode, type Command, type Event } from '../protocol/codec';
import { SUBPROTOCOL, type ClientCommand, type ServerEvent } from '../protocol/generated';
import type { Cancel, Clock, Random } from './clock';
import { verdict, type Offer } from './close_codes';

/** What the page needs of a WebSocket; `fake_server.ts` has another one. */
export interface SocketLike {
  // The browser's handlers take its own event classes, of which these are the parts in use.
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

export type SocketMaker = new (url: string, protocols: string[]) => SocketLike;

export type Status =
  | { phase: 'connecting'; attempt: number }
  | { phase: 'ready' }
  | { phase: 'waiting'; attempt: number; code: number; retryAt: number; firm: boolean }
  | { phase: 'stopped'; code: number; offer: Offer };

export interface Listener {
  /** The first frame of each connection. */
  hello(): Omit<Command<'CONNECT'>, 'type' | 'id'>;
  event(event: ServerEvent): void;
  status(status: Status): void;
  /** The server answered CONNECT with an error; the next `hello` should differ. */
  refused(error: Event<'ERROR'>): void;
  /** The server does not accept the session any more. */
  forgetSession(): void;
}

/** From opening to the server's CONNECT. The server itself gives up on a silent client after 10 s. */
const HELLO_TIMEOUT_MS = 10_000;
/** How long an answer to PING may take before the connection counts as dead. */
const PROBE_TIMEOUT_MS = 5_000;
/** A connection that lived this long was a good one: the next loss starts from a short delay. */
const SETTLED_MS = 5_000;
/** After an ERROR to CONNECT the server may still say CONNECT, or nothing more. */
const REFUSED_GRACE_MS = 1_500;
/** What a close looks like when no close frame came. */
const LOST = 1006;

/**
 * One connection at a time, for as long as the page is open: opens it, says hello, notices when it
 * is dead and opens the next one, unless the close code forbids it.
 */
export class Connection {
  /** Frames that could not be understood; a server of a newer version causes the first kind. */
  readonly ignored = { unknown: 0, malformed: 0 };

  #socket: SocketLike | null = null;
  #status: Status = { phase: 'stopped', code: 1000, offer: 'reconnect' };
  #attempt = 0;
  #hellos = 0;
  #helloId = '';
  #heartbeatMs = 25_000;
  /** The one thing waited for: hello, the next attempt, silence or a PONG. */
  #cancelTimer: Cancel = () => {};
  #cancelSettled: Cancel = () => {};
  #cancelMove: Cancel = () => {};
  #probing = false;

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
    this.#wait(HELLO_TIMEOUT_MS, () => this.#lost(LOST));
    let socket: SocketLike;
    try {
      socket = new this.deps.WebSocket(this.deps.url, [SUBPROTOCOL]);
    } catch {
      this.#lost(LOST);
      return;
    }
    this.#socket = socket;
    socket.onopen = () => this.#sayHello();
    socket.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    socket.onclose = ({ code }: { code: number }) => this.#lost(code);
  }

  /** False when there is no connection that could take it. */
  send(command: ClientCommand): boolean {
    if (!this.ready) return false;
    return this.#write(command);
  }

  /**
   * Something suggests that the network changed or the page woke up: shortens a wait, and asks a
   * connection that looks fine whether it still is.
   */
  check(): void {
    const status = this.#status;
    if (status.phase === 'waiting' && !status.firm) this.connect();
    else if (status.phase === 'ready' && !this.#probing) this.#probe();
  }

  #sayHello(): void {
    this.#helloId = `connect-${++this.#hellos}`;
    this.#write({ type: 'CONNECT', id: this.#helloId, ...this.listener.hello() });
  }

  #receive(data: unknown): void {
    const decoded = decode(data);
    if (this.#status.phase === 'ready') this.#heard();
    if (decoded.kind !== 'event') {
      this.ignored[decoded.kind] += 1;
      return;
    }
    const { event } = decoded;
    if (event.type === 'CONNECT') this.#welcomed(event);
    if (event.type === 'ERROR' && event.id === this.#helloId) this.#refused(event);
    if (event.type === 'RECONNECT') this.#move(event.afterMs);
    this.listener.event(event);
  }

  #welcomed(event: Event<'CONNECT'>): void {
    this.#heartbeatMs = event.heartbeatMs;
    this.#cancelSettled = this.deps.clock.after(SETTLED_MS, () => (this.#attempt = 0));
    this.#setStatus({ phase: 'ready' });
    this.#heard();
  }

  #refused(error: Event<'ERROR'>): void {
    this.listener.refused(error);
    if (this.ready) return;
    this.#wait(Math.max(REFUSED_GRACE_MS, error.retryAfterMs ?? 0), () => this.#lost(LOST));
  }

  /** The browser answers the server's pings without telling the page, so silence is normal. */
  #heard(): void {
    this.#probing = false;
    this.#wait(2 * this.#heartbeatMs, () => this.#probe());
  }

  #probe(): void {
    this.#probing = true;
    this.#wait(PROBE_TIMEOUT_MS, () => this.#lost(LOST));
    this.#write({ type: 'PING', id: 'probe' });
  }

  /** The node is draining: it gave this client its moment, so that not all of them move at once. */
  #move(afterMs: number): void {
    this.#cancelMove();
    this.#cancelMove = this.deps.clock.after(afterMs, () => this.connect());
  }

  #lost(code: number): void {
    this.#drop();
    const next = verdict(code, this.#attempt, this.deps.random);
    if (!next.retry) {
      this.#setStatus({ phase: 'stopped', code, offer: next.offer });
      return;
    }
    if (next.forgetSession) this.listener.forgetSession();
    this.#attempt += 1;
    const retryAt = this.deps.clock.now() + next.delayMs;
    this.#wait(next.delayMs, () => this.connect());
    this.#setStatus({
      phase: 'waiting',
      attempt: this.#attempt,
      code,
      retryAt,
      firm: next.firm,
    });
  }

  /** Lets go of the socket. A dead one may take minutes to say that it closed: nobody listens. */
  #drop(): void {
    this.#cancelTimer();
    this.#cancelSettled();
    this.#cancelMove();
    this.#probing = false;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #write(command: ClientCommand): boolean {
    try {
      this.#socket?.send(encode(command));
      return this.#socket !== null;
    } catch {
      // A browser throws only while the socket is still connecting.
      return false;
    }
  }

  #wait(ms: number, act: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.deps.clock.after(ms, act);
  }

  #setStatus(status: Status): void {
    this.#status = status;
    this.listener.status(status);
  }
}
