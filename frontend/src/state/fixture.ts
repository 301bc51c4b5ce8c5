import { FakeServer, type FakeOptions } from '../net/fake_server';
import { FakeClock, FakeNetwork } from '../net/fake_socket';
import { Memory, type Shelf } from './memory';
import { ChatStore } from './store';

/** Storage that lasts as long as the test. */
export function shelf(): Shelf {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

/** A browser tab: what survives a reload, and the store that does not. */
export class Tab {
  readonly browser = shelf();
  readonly tab = shelf();
  network: FakeNetwork;
  store!: ChatStore;
  #ids = 0;

  constructor(
    private readonly world: { clock: FakeClock; server: FakeServer; latencyMs: number },
    readonly name: string,
  ) {
    this.network = this.#connect();
    this.open();
  }

  /** Loads the page; the one before is gone. */
  open(): void {
    // A page that is gone does not reconnect.
    this.network.refuse = true;
    this.network.cut();
    this.network = this.#connect();
    this.store = new ChatStore({
      url: 'ws://test/ws',
      WebSocket: this.network.WebSocket,
      clock: this.world.clock,
      random: () => 0.5,
      uuid: () => `${this.name}-${++this.#ids}`,
      memory: new Memory(this.browser, this.tab),
    });
    this.store.connect();
  }

  #connect(): FakeNetwork {
    const { clock, server, latencyMs } = this.world;
    if (latencyMs === 0) return new FakeNetwork(server);
    return new FakeNetwork(server, (arrive) => void clock.after(latencyMs, arrive));
  }

  get model() {
    return this.store.view.model;
  }

  get room() {
    return this.model.room;
  }

  get id(): number {
    return this.model.me!.clientId;
  }

  get bodies(): string[] {
    return this.room?.messages.map((message) => message.body) ?? [];
  }

  get outgoing(): string[] {
    return this.store.view.outgoing.map(({ body, state }) => `${body} ${state}`);
  }
}

export function world(options: Omit<FakeOptions, 'clock'> = {}, latencyMs = 0) {
  const clock = new FakeClock();
  const server = new FakeServer({ clock, ...options });
  return { clock, server, tab: (name: string) => new Tab({ clock, server, latencyMs }, name) };
}
