import { FakeServer, type FakeOptions } from '../net/fake_server';
import { FakeClock, FakeNetwork } from '../net/fake_socket';
import type { Vault } from './keeper';
import { Memory, type Shelf } from './memory';
import type { Outgoing } from './queue';
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

/** What a database keeps for one tab, with a write that a test can hold up. */
export class FakeVault implements Vault {
  kept: readonly Outgoing[] = [];
  /** Writes wait for this. */
  pause: Promise<void> = Promise.resolve();

  async load(): Promise<readonly Outgoing[]> {
    return this.kept;
  }

  async save(entries: readonly Outgoing[]): Promise<void> {
    await this.pause;
    this.kept = entries;
  }

  async adopt(): Promise<readonly Outgoing[]> {
    return [];
  }
}

/** A browser tab: what survives a reload, and the store that does not. */
export class Tab {
  readonly browser = shelf();
  tab = shelf();
  /** Of pages that are opened from now on. */
  vault: FakeVault | null = null;
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
      vault: this.vault,
    });
    this.store.connect();
  }

  /** The browser ends without notice: what only the tab had is gone. */
  crash(): void {
    const { place } = new Memory(this.browser, this.tab);
    this.tab = shelf();
    new Memory(this.browser, this.tab).place = place;
    this.open();
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
