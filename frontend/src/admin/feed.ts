import { fullJitter, RECONNECT } from '../net/backoff';
import type { Cancel, Clock, Random } from '../net/clock';
import type { SocketLike } from '../net/link';
import type { Live } from '../protocol/generated';
import { ApiError } from './api';

export type FeedStatus =
  | { phase: 'stopped' }
  | { phase: 'connecting' }
  | { phase: 'live' }
  /** Without the feed, by asking; slower, but true. */
  | { phase: 'polling' }
  /** Neither works. `since`: of when the newest figures are. */
  | { phase: 'offline'; since: number };

export interface FeedListener {
  frame(live: Live): void;
  status(status: FeedStatus): void;
  rejected(token: string): void;
}

interface Deps {
  url: string;
  WebSocket: new (url: string) => SocketLike;
  clock: Clock;
  random: Random;
  /** The same figures over HTTP. */
  poll(): Promise<Live>;
}

/** From opening to the first frame. */
const FIRST_FRAME_MS = 5_000;
/** A frame comes each second. */
const SILENCE_MS = 5_000;
export const POLL_EVERY_MS = 5_000;
/** What a close looks like when no close frame came. */
const LOST = 1006;
/** The token is bad or was given back. */
const POLICY = 1008;

/**
 * The live figures: over a WebSocket, which is opened again whenever it is lost, and meanwhile by
 * asking every five seconds. There is one socket at a time and one question at a time.
 */
export class Feed {
  #socket: SocketLike | null = null;
  #token = '';
  #running = false;
  #status: FeedStatus = { phase: 'stopped' };
  #attempt = 0;
  #newestAt: number;
  /** The one thing waited for of the socket: a frame, or the next attempt. */
  #cancelSocket: Cancel = () => {};
  #cancelPoll: Cancel = () => {};
  #polling = false;
  #asking = false;

  constructor(
    private readonly deps: Deps,
    private readonly listener: FeedListener,
  ) {
    this.#newestAt = deps.clock.now();
  }

  get status(): FeedStatus {
    return this.#status;
  }

  /** Also with another token, while it runs. */
  start(token: string): void {
    this.#token = token;
    this.#running = true;
    this.#attempt = 0;
    this.#newestAt = this.deps.clock.now();
    this.#open();
  }

  stop(): void {
    this.#running = false;
    this.#drop();
    this.#stopPolling();
    this.#set({ phase: 'stopped' });
  }

  /** The network is back, or the page woke up: no reason to wait any longer. */
  check(): void {
    if (this.#running && this.#socket === null) this.#open();
  }

  #open(): void {
    this.#drop();
    if (!this.#polling) this.#set({ phase: 'connecting' });
    this.#wait(FIRST_FRAME_MS, () => this.#lost(LOST));
    let socket: SocketLike;
    try {
      socket = new this.deps.WebSocket(this.deps.url);
    } catch {
      this.#lost(LOST);
      return;
    }
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ token: this.#token }));
    socket.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    socket.onclose = ({ code }: { code: number }) => this.#lost(code);
  }

  #receive(data: unknown): void {
    const live = decode(data);
    if (!live) return;
    this.#attempt = 0;
    this.#stopPolling();
    this.#wait(SILENCE_MS, () => this.#lost(LOST));
    this.#set({ phase: 'live' });
    this.#show(live);
  }

  #lost(code: number): void {
    this.#drop();
    if (code === POLICY) {
      this.stop();
      this.listener.rejected(this.#token);
      return;
    }
    const delay = fullJitter(RECONNECT, this.#attempt, this.deps.random);
    this.#attempt += 1;
    this.#wait(delay, () => this.#open());
    this.#startPolling();
  }

  #startPolling(): void {
    if (this.#polling) return;
    this.#polling = true;
    if (this.#status.phase === 'live') this.#set({ phase: 'connecting' });
    void this.#poll();
  }

  async #poll(): Promise<void> {
    // A question of an earlier loss may be on its way still.
    if (this.#asking) return;
    this.#asking = true;
    const token = this.#token;
    const current = () => this.#polling && token === this.#token;
    try {
      const live = await this.deps.poll();
      if (current()) {
        this.#set({ phase: 'polling' });
        this.#show(live);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (current()) this.#set({ phase: 'offline', since: this.#newestAt });
    } finally {
      this.#asking = false;
      this.#cancelPoll();
      if (this.#polling) {
        this.#cancelPoll = this.deps.clock.after(POLL_EVERY_MS, () => void this.#poll());
      }
    }
  }

  #stopPolling(): void {
    this.#polling = false;
    this.#cancelPoll();
  }

  #show(live: Live): void {
    this.#newestAt = this.deps.clock.now();
    this.listener.frame(live);
  }

  #drop(): void {
    this.#cancelSocket();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #wait(ms: number, act: () => void): void {
    this.#cancelSocket();
    this.#cancelSocket = this.deps.clock.after(ms, act);
  }

  #set(status: FeedStatus): void {
    const same = status.phase === this.#status.phase && status.phase !== 'offline';
    this.#status = status;
    if (!same) this.listener.status(status);
  }
}

/** A frame that this page cannot read is skipped: the next one comes in a second. */
export function decode(data: unknown): Live | null {
  if (typeof data !== 'string') return null;
  try {
    const live = JSON.parse(data) as Partial<Live> | null;
    const whole =
      typeof live?.at === 'number' && typeof live.now === 'object' && Array.isArray(live.servers);
    return whole ? (live as Live) : null;
  } catch {
    return null;
  }
}
