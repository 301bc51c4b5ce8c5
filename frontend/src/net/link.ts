import { decode, encode, type Command, type Event } from '../protocol/codec';
import { SUBPROTOCOL, type ClientCommand, type ServerEvent } from '../protocol/generated';
import type { Cancel, Clock } from './clock';

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

/** The first frame of a connection, as far as it depends on who we are. */
export type Greeting = Omit<Command<'CONNECT'>, 'type' | 'id'>;

export interface LinkOwner {
  hello(link: Link): Greeting;
  event(link: Link, event: ServerEvent): void;
  /** A frame that could not be understood. */
  ignored(kind: 'unknown' | 'malformed'): void;
  /** An answer to a probe: when this was sent, and what the server's clock said. */
  measured(link: Link, sentAt: number, at: number | undefined): void;
  /** It is over. A link says this once, and nothing after it. */
  lost(link: Link, code: number): void;
}

/** From opening to the server's CONNECT. The server itself gives up on a silent client after 10 s. */
const HELLO_TIMEOUT_MS = 10_000;
/** How long an answer to PING may take before the connection counts as dead. */
const PROBE_TIMEOUT_MS = 5_000;
/** A page that wakes up has somebody before it, who waits. */
const WAKE_TIMEOUT_MS = 3_000;
const PROBE_ID = 'probe';
/** After an ERROR to CONNECT the server may still say CONNECT, or nothing more. */
const REFUSED_GRACE_MS = 1_500;
const HELLO_ID = 'connect';
/** What a close looks like when no close frame came. */
export const LOST = 1006;

/** An ERROR that answers CONNECT: who we say we are, or where we say we were, will not do. */
export function answersHello(event: ServerEvent): event is Event<'ERROR'> {
  return event.type === 'ERROR' && event.id === HELLO_ID;
}

/** One socket, from opening it to its end: says hello, and notices when it is dead. */
export class Link {
  #socket: SocketLike | null = null;
  #ready = false;
  #resuming = false;
  #heartbeatMs = 25_000;
  /** The one thing waited for: the answer to hello, silence or a PONG. */
  #cancelTimer: Cancel = () => {};
  /** Until when an answer to PING is waited for. */
  #deadline: number | null = null;
  #probedAt: number | null = null;
  /** It was lost to a probe that somebody waited for: nothing is gained by waiting more. */
  overdue = false;

  constructor(
    private readonly deps: { url: string; WebSocket: SocketMaker; clock: Clock },
    private readonly owner: LinkOwner,
  ) {}

  /** The server answered CONNECT. */
  get ready(): boolean {
    return this.#ready;
  }

  /** And has put us back where we said that we were, or said that it cannot. */
  get resumed(): boolean {
    return this.#ready && !this.#resuming;
  }

  open(): void {
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

  send(command: ClientCommand): boolean {
    try {
      this.#socket?.send(encode(command));
      return this.#socket !== null;
    } catch {
      // A browser throws only while the socket is still connecting.
      return false;
    }
  }

  /** Asks a connection that looks fine whether it still is. `waking`: somebody waits for that. */
  probe(waking = false): void {
    const { clock } = this.deps;
    const deadline = clock.now() + (waking ? WAKE_TIMEOUT_MS : PROBE_TIMEOUT_MS);
    const isUnderWay = this.#deadline !== null;
    if (this.#deadline !== null && this.#deadline <= deadline) return;
    this.#deadline = deadline;
    this.#wait(deadline - clock.now(), () => {
      this.overdue = waking;
      this.#lost(LOST);
    });
    if (isUnderWay) return;
    this.#probedAt = clock.now();
    this.send({ type: 'PING', id: PROBE_ID });
  }

  /** Lets go of the socket. A dead one may take minutes to say that it closed: nobody listens. */
  drop(): void {
    this.#cancelTimer();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #sayHello(): void {
    const greeting = this.owner.hello(this);
    this.#resuming = greeting.resume !== undefined;
    this.send({ type: 'CONNECT', id: HELLO_ID, ...greeting });
  }

  #receive(data: unknown): void {
    const decoded = decode(data);
    if (this.#ready) this.#heard();
    if (decoded.kind !== 'event') return this.owner.ignored(decoded.kind);
    const { event } = decoded;
    if (event.type === 'PONG' && event.id === PROBE_ID && this.#probedAt !== null) {
      this.owner.measured(this, this.#probedAt, event.at);
      this.#probedAt = null;
    }
    if (event.type === 'CONNECT') {
      this.#ready = true;
      this.#heartbeatMs = event.heartbeatMs;
      this.#heard();
    } else if (event.type === 'ROOM_JOINED') {
      this.#resuming = false;
    } else if (answersHello(event)) {
      this.#resuming = false;
      const pause = Math.max(REFUSED_GRACE_MS, event.retryAfterMs ?? 0);
      if (!this.#ready) this.#wait(pause, () => this.#lost(LOST));
    }
    this.owner.event(this, event);
  }

  /** The browser answers the server's pings without telling the page, so silence is normal. */
  #heard(): void {
    this.#deadline = null;
    this.#wait(2 * this.#heartbeatMs, () => this.probe());
  }

  #lost(code: number): void {
    this.drop();
    this.owner.lost(this, code);
  }

  #wait(ms: number, act: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.deps.clock.after(ms, act);
  }
}
