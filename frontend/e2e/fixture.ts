import { test as base, expect, type BrowserContextOptions, type Page } from '@playwright/test';
import { FakeServer } from '../src/net/fake_server';
import { Cluster } from './cluster';
import { Person } from './person';
import { Server, Wire } from './server';
import { Whereabouts } from './whereabouts';

export { expect };

/** What the projects of playwright.config.ts differ in. */
export interface Setting {
  /** Chat-nodes behind nginx, as processes of their own; 0: the product in one process. */
  nodes: number;
}

export interface Look {
  /** What everybody's browser is like, unless the test says otherwise. */
  look: BrowserContextOptions;
}

interface Each extends Look {
  /** What stands between the browsers of this test and the server. */
  wire: Wire & { url: string };
  /** Gives somebody a browser of their own. */
  person(name: string, options?: BrowserContextOptions): Promise<Person>;
  /** What can stand between one person of this test (as `baseURL`) and `wire`. */
  ownWire: Wire & { url: string };
  /**
   * Two people in a room that the first of them made: on two nodes where there are two. The options are for the
   * second one's browser.
   */
  pair(
    room: string,
    names?: [string, string],
    options?: BrowserContextOptions,
  ): Promise<[Person, Person]>;
  /** A server that does what the test says, for what a real one rarely does. */
  fake: FakeServer;
  /** Somebody who talks to `fake` while the page itself comes from the real server. */
  fakePerson(name: string): Promise<Person>;
}

/** All browsers of all tests come from one address. */
const NO_LIMITS = Object.fromEntries(
  ['CONNECT', 'HTTP', 'ROOM_CREATE'].flatMap((policy) => [
    [`LIMIT_${policy}_NODE`, 'off'],
    [`LIMIT_${policy}_CLUSTER`, 'off'],
  ]),
);

export const test = base.extend<Each, Setting & { site: Server | Cluster; server: Server }>({
  nodes: [0, { option: true, scope: 'worker' }],
  look: [{ viewport: { width: 1200, height: 760 } }, { option: true }],

  site: [
    async ({ nodes }, use) => {
      const site = nodes > 0 ? new Cluster() : new Server();
      if (site instanceof Cluster) await site.start(nodes, NO_LIMITS);
      else await site.start();
      await use(site);
      await site.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  server: [
    async ({ site }, use) => {
      if (!(site instanceof Server))
        throw new Error('this test is about the product in one process');
      await use(site);
    },
    { scope: 'worker' },
  ],

  wire: async ({ site }, use) => {
    const wire = new Wire(site);
    await use(Object.assign(wire, { url: await wire.open() }));
    await wire.close();
  },

  ownWire: async ({ wire }, use) => {
    const own = new Wire({ port: Number(new URL(wire.url).port) });
    await use(Object.assign(own, { url: await own.open() }));
    await own.close();
  },

  person: async ({ browser, wire, look }, use) => {
    const contexts: { close(): Promise<void> }[] = [];
    const complaints: string[] = [];
    await use(async (name, options = {}) => {
      const context = await browser.newContext({
        baseURL: wire.url,
        ...look,
        ...options,
      });
      contexts.push(context);
      const page = await context.newPage();
      watch(page, complaints);
      return new Person(page, context, name);
    });
    for (const context of contexts) await context.close();
    // In every test: no exception, and nothing that the content security policy had to stop.
    expect(complaints).toEqual([]);
  },

  pair: async ({ person, nodes }, use) => {
    await use(async (room, [first, second] = ['Ada', 'Bob'], options = {}) => {
      const ada = await person(first);
      const whereIsAda = new Whereabouts(ada.page);
      await ada.enter();
      await ada.create(room);
      // Any node takes anybody: ask until it is another one.
      for (let tries = 0; ; tries += 1) {
        const bob = await person(second, options);
        const whereIsBob = new Whereabouts(bob.page);
        await bob.enter();
        if (nodes < 2 || whereIsBob.node !== whereIsAda.node) {
          await bob.join(room);
          return [ada, bob];
        }
        await bob.context.close();
        expect(tries, 'everybody comes to the same node').toBeLessThan(20);
      }
    });
  },

  fake: async ({}, use) => {
    await use(new FakeServer({ clock: { now: () => Date.now() } }));
  },

  fakePerson: async ({ person, fake }, use) => {
    await use(async (name) => {
      const somebody = await person(name);
      await somebody.page.routeWebSocket(/\/ws$/, (socket) => {
        const port = fake.accept({
          send: (frame) => socket.send(frame),
          close: (code) => void socket.close({ code }),
        });
        socket.onMessage((frame) => port.receive(String(frame)));
        socket.onClose(() => port.lost());
      });
      return somebody;
    });
  },
});

function watch(page: Page, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (/Content Security Policy|Trusted ?Type/i.test(text)) complaints.push(text);
  });
}
