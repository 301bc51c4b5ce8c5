import { test as base, expect, type BrowserContextOptions, type Page } from '@playwright/test';
import { FakeServer } from '../src/net/fake_server';
import { Person } from './person';
import { Server, Wire } from './server';

export { expect };

interface Each {
  /** What stands between the browsers of this test and the server. */
  wire: Wire & { url: string };
  /** Gives somebody a browser of their own. */
  person(name: string, options?: BrowserContextOptions): Promise<Person>;
  /** A server that does what the test says, for what a real one rarely does. */
  fake: FakeServer;
  /** Somebody who talks to `fake` while the page itself comes from the real server. */
  fakePerson(name: string): Promise<Person>;
}

export const test = base.extend<Each, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = new Server();
      await server.start();
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  wire: async ({ server }, use) => {
    const wire = new Wire(server);
    await use(Object.assign(wire, { url: await wire.open() }));
    await wire.close();
  },

  person: async ({ browser, wire }, use) => {
    const contexts: { close(): Promise<void> }[] = [];
    const complaints: string[] = [];
    await use(async (name, options = {}) => {
      const context = await browser.newContext({
        baseURL: wire.url,
        viewport: { width: 1200, height: 760 },
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
