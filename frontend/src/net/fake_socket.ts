import type { Cancel, Clock } from './clock';
import type { FakeServer, Port } from './fake_server';
import type { SocketLike, SocketMaker } from './link';

/** Time that passes only when a test says so. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  #timers: { at: number; act: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, act: () => void): Cancel {
    const timer = { at: this.#now + Math.max(0, ms), act };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** The machine sleeps, or its clock is set: time goes on and no timer acts before `pass`. */
  sleep(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass; each timer acts at its own moment, and promises settle in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.act();
      await settle();
    }
    this.#now = end;
  }
}

/** Promise chains of the page are a few links long; this is longer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}

/** The wire between the page and a fake server, which a test can cut. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = [];
  /** A refused connection is one that closes before it opens. */
  refuse = false;
  /** Frames vanish in both directions and nobody is told. */
  silent = false;
  readonly WebSocket: SocketMaker;

  /** `delay` is how long a frame travels; by default it is there at once. */
  constructor(
    readonly server: FakeServer,
    readonly delay: (arrive: () => void) => void = (arrive) => arrive(),
  ) {
    const network = this;
    this.WebSocket = class extends FakeSocket {
      constructor() {
        super(network);
      }
    };
  }

  get current(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('nothing has connected');
    return socket;
  }

  /** The cable is pulled: both ends notice. */
  cut(): void {
    for (const socket of this.sockets) socket.cut();
  }
}

export class FakeSocket implements SocketLike {
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  /** All that the page has sent, for tests to look at. */
  readonly sent: Record<string, unknown>[] = [];
  #port: Port | null = null;
  #open = true;

  /** Neither end has closed it. */
  get isOpen(): boolean {
    return this.#open;
  }

  constructor(private readonly network: FakeNetwork) {
    network.sockets.push(this);
    queueMicrotask(() => {
      if (!this.#open) return;
      if (network.refuse) return this.closed(1006);
      this.#port = network.server.accept({
        send: (data) => this.deliver(data),
        close: (code) => this.closed(code),
      });
      this.onopen?.({});
    });
  }

  send(data: string): void {
    if (!this.#open) return;
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
    if (this.network.silent) return;
    this.network.delay(() => this.#port?.receive(data));
  }

  close(): void {
    this.#open = false;
    this.#port?.lost();
    this.#port = null;
  }

  /** A frame from the server; whatever the test likes. */
  deliver(data: unknown): void {
    if (this.network.silent) return;
    // Whatever is on the way when the connection breaks is lost.
    this.network.delay(() => {
      if (this.#open) this.onmessage?.({ data });
    });
  }

  /** The server closes, or the connection breaks. */
  closed(code: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.onclose?.({ code });
  }

  cut(): void {
    this.#port?.lost();
    this.#port = null;
    this.closed(1006);
  }
}
