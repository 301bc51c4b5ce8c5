import type { Page } from '@playwright/test';
import { isAccessible } from './axe';
import { BrowserOfDisk } from './browser_of_disk';
import { expect, test } from './fixture';
import { Person } from './person';
import { Whereabouts } from './whereabouts';

const panelOf = (page: Page) => page.getByRole('dialog', { name: 'Connection' });

async function openPanel({ page }: Person) {
  await page.getByRole('button', { name: 'About the connection' }).click();
  return panelOf(page);
}

const fact = (page: Page, name: string) =>
  panelOf(page)
    .locator('dl > div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd');

/** Of the last such message. By the keyboard, which works on all screens: a finger has no button, but a long press. */
async function openWay(page: Page, actions: string): Promise<void> {
  await page.getByRole('button', { name: actions, exact: true }).last().press('Enter');
  await page.getByRole('menuitem', { name: 'Its way' }).click();
}

/** The number by which the server knows this tab. */
async function numberOf(somebody: Person): Promise<string> {
  await somebody.turnTo('People');
  const mark = somebody.page.getByText('you', { exact: true });
  const me = somebody.people.getByRole('button').filter({ has: mark });
  const title = (await me.getAttribute('title'))!;
  await somebody.turnBack();
  return title;
}

test('the panel proves that nothing is missing, and a message tells its way', async ({
  pair,
  ownWire,
  nodes,
}) => {
  test.slow();
  const [ada, bob] = await pair('Proof', ['Ada', 'Bob'], {
    baseURL: ownWire.url,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await ada.say('a secret');
  await bob.reads('a secret');

  const panel = await openPanel(bob);
  await expect(panel.getByText('Complete up to #1', { exact: true })).toBeVisible();
  await expect(panel.getByRole('status').first()).toHaveText('Connected');
  await expect(fact(bob.page, 'Round trip')).toHaveText(/^[\d.]+ (ms|sec)$/);
  await expect(fact(bob.page, 'This clock')).toHaveText('right');
  await expect(fact(bob.page, 'Connections so far')).toHaveText('1');
  await expect(fact(bob.page, 'Missed and fetched')).toHaveText('none');
  await openPanel(ada);
  const [here, there] = [fact(ada.page, 'Node'), fact(bob.page, 'Node')];
  if (nodes > 1) expect(await here.innerText()).not.toBe(await there.innerText());
  await isAccessible(ada.page);
  await ada.page.keyboard.press('Escape');
  await bob.page.keyboard.press('Escape');

  // What is missed and what waits is said, and what becomes of it.
  ownWire.cut();
  await expect(bob.banner).toBeVisible();
  for (const text of ['two', 'three']) await ada.say(text);
  await ada.reads('a secret', 'two', 'three');
  await bob.say('my own secret');
  await openPanel(bob);
  await expect(panel.getByRole('status').first()).not.toHaveText('Connected');
  await expect(panel.getByRole('listitem')).toHaveText([/Message.*on its way.*my own secret/]);
  await isAccessible(bob.page);
  await panel.getByRole('button', { name: 'Copy diagnosis' }).click();
  await expect(panel.getByText('Copied.')).toBeVisible();
  const copied = await bob.page.evaluate(() => navigator.clipboard.readText());
  const diagnosis = JSON.parse(copied) as { outbox: { characters: number }[]; nodeId: string };
  expect(diagnosis.outbox.map(({ characters }) => characters)).toEqual(['my own secret'.length]);
  expect(diagnosis.nodeId).toBe(await there.innerText());
  expect(copied).not.toMatch(/secret|Ada|Bob|Proof/);
  ownWire.mend();
  await expect(panel.getByText('Complete up to #4', { exact: true })).toBeVisible({
    timeout: 20_000,
  });
  await expect(fact(bob.page, 'Missed and fetched')).toHaveText('2 messages');
  await expect(panel.getByText('Nothing waits')).toBeVisible();
  await bob.page.keyboard.press('Escape');
  await bob.reads('a secret', 'two', 'three', 'my own secret');

  const stepsOf = async (actions: string) => {
    await openWay(bob.page, actions);
    const way = bob.page.getByRole('dialog', { name: 'The way of this message' });
    await expect(way).toBeVisible();
    await isAccessible(bob.page);
    const steps = await way.locator('.name').allInnerTexts();
    await bob.page.keyboard.press('Escape');
    return steps;
  };
  const own = await stepsOf('Actions for your message');
  expect(own.slice(0, 2)).toEqual(['Written', 'Got place #4']);
  expect(own.slice(2).toSorted()).toEqual(['Confirmed to you', 'Shown here']);
  await ada.say('five');
  await expect(bob.bodies).toHaveCount(5);
  expect(await stepsOf('Actions for the message of Ada')).toEqual(['Got place #5', 'Shown here']);
});

test('what was not sent outlives a crash of the browser, and is sent once', async ({
  person,
  nodes,
  ownWire,
  look,
}) => {
  test.slow();
  const browser = await BrowserOfDisk.make({ ...look, baseURL: ownWire.url });
  try {
    let page = await browser.start();
    const whereIsBob = new Whereabouts(page);
    let bob = new Person(page, page.context(), 'Bob');
    await bob.enter();
    await bob.create('Crash');
    let ada: Person;
    for (let tries = 0; ; tries += 1) {
      ada = await person('Ada');
      const whereIsAda = new Whereabouts(ada.page);
      await ada.enter();
      if (nodes < 2 || whereIsAda.node !== whereIsBob.node) break;
      await ada.context.close();
      expect(tries, 'everybody comes to the same node').toBeLessThan(20);
    }
    await ada.join('Crash');
    await bob.say('before');
    await ada.reads('before');

    ownWire.cut();
    await expect(bob.banner).toBeVisible();
    for (const text of ['one', 'two']) await bob.say(text);
    await expect(page.locator('.pending')).toHaveCount(2);
    await expect.poll(() => keptIn(page)).toBe(2);
    const session = await page.evaluate(
      () => (JSON.parse(localStorage['roomful.identity']) as { session: string }).session,
    );
    await expect.poll(() => browser.keeps(session), { timeout: 30_000 }).toBe(true);
    await browser.crash();

    ownWire.mend();
    page = await browser.start();
    bob = new Person(page, page.context(), 'Bob');
    await page.goto('/');
    await bob.isIn('Crash');
    await bob.reads('before', 'one', 'two');
    await ada.reads('before', 'one', 'two');
    await expect(page.locator('.message.own')).toHaveCount(3);
    await expect.poll(() => keptIn(page)).toBe(0);
    await page.reload();
    await bob.reads('before', 'one', 'two');
    await ada.reads('before', 'one', 'two');
  } finally {
    await browser.end();
  }
});

/** How many entries the browser's database has for pages to come. */
function keptIn(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const open = indexedDB.open('roomful', 1);
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const all = open.result.transaction('outbox').objectStore('outbox').getAll();
          all.onerror = () => reject(all.error);
          all.onsuccess = () => {
            open.result.close();
            resolve((all.result as { entries: [] }[]).flatMap(({ entries }) => entries).length);
          };
        };
      }),
  );
}

test('two tabs write while the server is away, and reload', async ({ pair, ownWire }) => {
  test.slow();
  const [ada, bob] = await pair('Tabs', ['Ada', 'Bob'], { baseURL: ownWire.url });
  const tab = await bob.context.newPage();
  const other = new Person(tab, bob.context, 'Bob');
  await tab.goto('/');
  await tab.getByRole('button', { name: /^Tabs .*2 people/ }).click();
  await other.isIn('Tabs');
  const tabs = [bob, other];
  const numbers = await Promise.all(tabs.map(numberOf));
  expect(new Set(numbers).size).toBe(2);

  ownWire.cut();
  for (const { banner } of tabs) await expect(banner).toBeVisible();
  await Promise.all(
    tabs.map(async (who, tab) => {
      for (let n = 1; n <= 3; n += 1) await who.say(`tab ${tab}, message ${n}`);
    }),
  );
  for (const { page } of tabs) await expect(page.locator('.pending')).toHaveCount(3);
  // The page can be had again, but nobody who talks to it.
  let isAway = true;
  await bob.context.routeWebSocket(/\/ws$/, (socket) => {
    if (isAway) void socket.close({ code: 1012 });
    else socket.connectToServer();
  });
  ownWire.mend();
  await Promise.all(tabs.map(({ page }) => page.reload()));
  await Promise.all(tabs.map(({ banner }) => expect(banner).toBeVisible()));
  isAway = false;

  await expect(ada.bodies).toHaveCount(6, { timeout: 30_000 });
  const all = await ada.bodies.allInnerTexts();
  for (const [at, who] of tabs.entries()) {
    const own = [1, 2, 3].map((n) => `tab ${at}, message ${n}`);
    expect(all.filter((text) => text.startsWith(`tab ${at}`))).toEqual(own);
    await who.reads(...all);
    await expect(who.page.locator('.message.own .bubble')).toHaveText(own);
  }
  expect(await Promise.all(tabs.map(numberOf))).toEqual(numbers);
  await isAccessible(tab);
});

test('a browser that stores nothing and a clock that is wrong do not stop a conversation', async ({
  pair,
}) => {
  test.slow();
  const [ada, bob] = await pair('Odd');
  const { page } = bob;
  await page.addInitScript((ahead) => {
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('The operation is insecure.', 'SecurityError');
        },
      });
    }
    const Real = Date;
    class Ahead extends Real {
      constructor(...args: []) {
        super(...((args.length > 0 ? args : [Real.now() + ahead]) as []));
      }
      static override now = () => Real.now() + ahead;
    }
    Object.assign(window, { Date: Ahead });
  }, 30 * 3_600_000);
  // Nobody that this browser knows: it cannot know anybody.
  await bob.enter();
  await bob.join('Odd');
  await ada.say('hello');
  await bob.say('hello to you');
  await bob.reads('hello', 'hello to you');
  await ada.reads('hello', 'hello to you');
  await expect(page.getByText('This browser cannot keep unsent messages')).toBeVisible();

  // Times are the server's, and the panel says whose clock is wrong.
  await expect(page.locator('.day')).toHaveText(['Today']);
  await openPanel(bob);
  await expect(fact(page, 'This clock')).toHaveText(/^30 hr ahead$/);
  await page.keyboard.press('Escape');
  await ada.composer.pressSequentially('typing');
  await expect(page.getByText('Ada is typing')).toBeVisible();
  await expect(page.getByText('is typing')).toBeHidden({ timeout: 15_000 });
  await openWay(page, 'Actions for your message');
  const way = page.getByRole('dialog', { name: 'The way of this message' });
  await expect(way.locator('.waited')).toHaveCount(3);
  const waits = await way.locator('.waited').allInnerTexts();
  for (const wait of waits) expect(wait).toMatch(/^after [\d.]+ (ms|sec)$/);
});

test('a page that wakes up connects at once', async ({ pair, ownWire }) => {
  test.slow();
  const [ada, bob] = await pair('Awake', ['Ada', 'Bob'], { baseURL: ownWire.url });
  const { page } = bob;
  // It waits as long as it ever does.
  await page.addInitScript(() => (Math.random = () => 0.999));
  await page.reload();
  await bob.isIn('Awake');
  let said = 0;
  for (const event of ['online', 'visibilitychange', 'pageshow']) {
    ownWire.cut();
    await expect(bob.banner).toHaveText(/Trying again in ([4-9]|\d\d) s/, { timeout: 30_000 });
    ownWire.mend();
    const took = await page.evaluate(async (event) => {
      const began = performance.now();
      if (event === 'pageshow') dispatchEvent(new PageTransitionEvent(event, { persisted: true }));
      else (event === 'online' ? window : document).dispatchEvent(new Event(event));
      while (/Trying again/.test(document.body.innerText)) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return performance.now() - began;
    }, event);
    expect(took, event).toBeLessThan(2_000);
    await expect(bob.banner).toBeHidden();
    await ada.say(`after ${event}`);
    await expect(bob.bodies).toHaveCount((said += 1));
  }
});
