import type { Page } from '@playwright/test';
import { Cluster } from './cluster';
import { expect, test as base } from './fixture';
import type { Person } from './person';
import { Whereabouts } from './whereabouts';

const test = base.extend<{ cluster: Cluster }>({
  cluster: [
    async ({}, use) => {
      const cluster = new Cluster();
      await cluster.start(3, { DRAIN_WINDOW: '2s' });
      await use(cluster);
      await cluster.stop();
    },
    { timeout: 60_000 },
  ],
});

/** How much longer the server takes to hear of a new connection: nothing must depend on haste. */
const SLOW_MS = 300;

/**
 * From the page's first moment on: whatever is said in a status, an alert or a live region, which
 * dialog opens, and when the room's own button cannot be used, as without a connection. Not by
 * looking now and then: what is there for one frame counts.
 */
async function overhear(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript((slow) => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      if (!String(data).startsWith('{"type":"CONNECT"')) send.call(this, data);
      else setTimeout(() => send.call(this, data), slow);
    };
    const heard: string[] = [];
    Object.assign(window, { heard });
    // The messages are a log, of which the page speaks by itself: `off` is no live region.
    const loud = '[role=status], [role=alert], [aria-live]:not([aria-live=off]), dialog, .banner';
    const note = (node: Node | null) => {
      const element = node instanceof Element ? node : (node?.parentElement ?? null);
      const parts = [element?.closest(loud), ...(element?.querySelectorAll(loud) ?? [])];
      for (const part of parts) if (part?.textContent?.trim()) heard.push(part.textContent.trim());
    };
    new MutationObserver((changes) => {
      for (const { type, target, addedNodes } of changes) {
        if (type !== 'attributes') {
          note(target);
          addedNodes.forEach(note);
        } else if (target instanceof Element && target.matches('[aria-label="Leave the room"]')) {
          heard.push(`the room ${target.matches(':disabled') ? 'cannot' : 'can'} be left`);
        }
      }
    }).observe(document, {
      subtree: true,
      childList: true,
      characterData: true,
      attributeFilter: ['disabled'],
    });
  }, SLOW_MS);
  return () => page.evaluate(() => (window as unknown as { heard: string[] }).heard.splice(0));
}

/** Says one thing after another until told to stop. Whoever listens hears them in this order. */
function talk(who: Person): () => Promise<string[]> {
  const said: string[] = [];
  let isOver = false;
  const talking = (async () => {
    while (!isOver) {
      said.push(`${who.name} ${said.length + 1}`);
      await who.say(said.at(-1)!);
      await who.page.waitForTimeout(150);
    }
  })();
  return async () => {
    isOver = true;
    await talking;
    return said;
  };
}

test('a rolling deploy while two people talk is nothing to them', async ({ cluster, person }) => {
  test.slow();
  const people: Person[] = [];
  const where: Whereabouts[] = [];
  const heard: (() => Promise<string[]>)[] = [];
  for (const name of ['Ada', 'Bob']) {
    const somebody = await person(name, { baseURL: cluster.url });
    people.push(somebody);
    where.push(new Whereabouts(somebody.page));
    heard.push(await overhear(somebody.page));
    await somebody.enter();
  }
  const [ada, bob] = people as [Person, Person];
  await ada.create('Deploy');
  await bob.join('Deploy');
  const notices = (who: Person) => who.page.locator('li.line').allInnerTexts();
  const before = await Promise.all(people.map(notices));
  for (const listen of heard) await listen();

  const over = people.map(talk);
  for (const node of cluster.nodes) {
    const there = where.filter((one) => one.node === node);
    const connections = there.map((one) => one.connections);
    await cluster.replace(node);
    for (const [index, one] of there.entries()) {
      await expect.poll(() => one.connections).toBe(connections[index]! + 1);
    }
  }
  const [byAda, byBob] = (await Promise.all(over.map((end) => end()))) as [string[], string[]];
  // Each node has ended once, so nobody can have stayed.
  for (const one of where) expect(one.connections).toBeGreaterThan(1);

  // All of it, once, each one's in the order in which it was said, and the same order for both.
  await expect(ada.bodies).toHaveCount(byAda.length + byBob.length);
  const order = await ada.bodies.allInnerTexts();
  expect(order.filter((text) => text.startsWith('Ada'))).toEqual(byAda);
  expect(order.filter((text) => text.startsWith('Bob'))).toEqual(byBob);
  await ada.reads(...order);
  await bob.reads(...order);

  expect(await Promise.all(people.map(notices))).toEqual(before);
  // What a screen reader is told of are the other's messages, and nothing else.
  for (const [index, listen] of heard.entries()) {
    const other = people[1 - index]!.name;
    const all = await listen();
    expect(all.filter((text) => !ofMessages(text, other))).toEqual([]);
  }
});

function ofMessages(text: string, by: string): boolean {
  return text
    .split('\n')
    .every((line) => line.startsWith(`${by}: ${by} `) || line.endsWith(`new messages from ${by}`));
}
