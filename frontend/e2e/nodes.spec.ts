import type { Page } from '@playwright/test';
import { Cluster } from './cluster';
import { expect, test as base } from './fixture';
import { Person } from './person';
import { Whereabouts } from './whereabouts';

/** What we promise ourselves: how long a person may see that their node has died. */
const BANNER_MS = 5000;

const test = base.extend<{ cluster: Cluster }>({
  cluster: [
    async ({}, use) => {
      const cluster = new Cluster();
      await cluster.start(2);
      await use(cluster);
      await cluster.stop();
    },
    { timeout: 60_000 },
  ],
  // Through nginx.
  baseURL: async ({ cluster }, use) => use(cluster.url),
});

/** How long the banner was there, by the page's own clock. */
async function watchBanner(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const seen = { since: 0, longest: 0 };
    Object.assign(window, { seen });
    const look = () => {
      const text = [...document.querySelectorAll('[role=status]')].map((e) => e.textContent).join();
      const now = performance.now();
      if (!/lost|offline|restarting|busy|pause/.test(text)) seen.since = 0;
      else seen.longest = Math.max(seen.longest, now - (seen.since ||= now));
      setTimeout(look, 10);
    };
    look();
  });
  return () =>
    page.evaluate(() => (window as unknown as { seen: { longest: number } }).seen.longest);
}

test('two people on two nodes talk on while one of the nodes dies', async ({ cluster, person }) => {
  const ada = await person('Ada', { baseURL: cluster.url });
  const whereIsAda = new Whereabouts(ada.page);
  await ada.enter();
  await ada.create('Two nodes');

  // Any node takes anybody: ask until it is the other one.
  let bob: Person;
  let whereIsBob: Whereabouts;
  do {
    bob = await person('Bob', { baseURL: cluster.url });
    whereIsBob = new Whereabouts(bob.page);
    await bob.enter();
  } while (whereIsBob.node === whereIsAda.node);
  await bob.join('Two nodes');

  const said: string[] = [];
  const say = async (who: Person) => {
    said.push(`${who.name} says ${said.length + 1}`);
    await who.say(said[said.length - 1]!);
  };
  for (let n = 0; n < 3; n++) {
    await say(ada);
    await bob.reads(...said);
    await say(bob);
    await ada.reads(...said);
  }

  const bannerOfBob = await watchBanner(bob.page);
  const bannerOfAda = await watchBanner(ada.page);
  const dead = whereIsBob.node;
  await cluster.kill(dead);
  // In mid-conversation: what both write meanwhile comes, once and in one order. Each waits for nobody, so the order is
  // the timeline's, not ours.
  const meanwhile = ['Ada goes on', 'Bob, unaware', 'Ada once more', 'Bob once more'];
  await ada.say(meanwhile[0]!);
  await bob.say(meanwhile[1]!);
  await ada.say(meanwhile[2]!);
  await bob.say(meanwhile[3]!);

  await expect(bob.bodies).toHaveCount(said.length + meanwhile.length);
  const order = await bob.bodies.allInnerTexts();
  await bob.reads(...order);
  await ada.reads(...order);
  expect(order.slice(0, said.length)).toEqual(said);
  expect(order.slice(said.length).toSorted()).toEqual(meanwhile.toSorted());
  expect(whereIsBob.node).not.toBe(dead);
  await expect(bob.banner).toBeHidden();
  const shown = await bannerOfBob();
  test.info().annotations.push({ type: 'banner', description: `${Math.round(shown)} ms` });
  expect(shown).toBeGreaterThan(0);
  expect(shown).toBeLessThanOrEqual(BANNER_MS);
  // Whose node lives sees nothing of it.
  expect(await bannerOfAda()).toBe(0);
  await expect(ada.page.getByText('Bob left')).toHaveCount(0);
  await ada.say('all there');
  await bob.reads(...order, 'all there');
});
