import type { Page } from '@playwright/test';
import { isAccessible } from './axe';
import { expect, test } from './fixture';
import { CY, Talk, list, scroll } from './reading_world';

/** All texts that the live region has had, in order. */
async function listen(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const region = document.querySelector('[data-testid=announcer]')!;
    const heard: string[] = [];
    Object.assign(window, { heard });
    new MutationObserver(() => heard.push(region.textContent!)).observe(region, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  return () => page.evaluate(() => (window as unknown as { heard: string[] }).heard);
}

test('a screen reader hears what is new, in batches, and nothing else', async ({
  fakePerson,
  fake,
}) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('Heard');
  const talk = new Talk(fake);
  talk.wrote(120);
  await bob.page.reload();
  await expect(bob.bodies).toHaveCount(50);
  const region = bob.page.getByTestId('announcer');
  await expect(region).toHaveAttribute('aria-live', 'polite');
  // The list itself must not speak, or all would be said twice.
  await expect(list(bob.page)).toHaveAttribute('aria-live', 'off');
  const heard = await listen(bob.page);

  talk.says('hello');
  talk.says('hi', CY);
  await expect(region).toHaveText('Ada: hello\nCy: hi', { useInnerText: false });

  talk.says('a');
  talk.says('b', CY);
  talk.says('c');
  talk.says('@bob, look', CY);
  await expect(region).toContainText('3 new messages from Ada and Cy');

  // One's own, and what is loaded by scrolling back, is no news.
  await bob.say('mine');
  await expect(bob.bodies.last()).toHaveText('mine');
  await scroll(bob.page, 0);
  await expect(bob.bodies.first()).toHaveText('message 21');
  talk.says('not now');
  await expect(bob.page.getByRole('button', { name: '1 new message' })).toBeVisible();
  talk.says('@Bob: now');
  await expect(region).toHaveText('Ada mentioned you: @Bob: now');

  await bob.page.getByRole('button', { name: '2 new messages', exact: true }).click();
  talk.says('on');
  await expect(region).toHaveText('Ada: on');
  expect(await heard()).toEqual([
    'Ada: hello\nCy: hi',
    'Cy mentioned you: @bob, look\n3 new messages from Ada and Cy',
    'Ada mentioned you: @Bob: now',
    'Ada: on',
  ]);
});

test('joining a room and coming back to it is silent', async ({ fakePerson, fake }) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('Silent');
  const talk = new Talk(fake);
  talk.wrote(20);
  await bob.page.reload();
  await expect(bob.bodies).toHaveCount(20);
  const heard = await listen(bob.page);
  talk.says('first');
  await expect(bob.page.getByTestId('announcer')).toHaveText('Ada: first');
  expect(await heard()).toEqual(['Ada: first']);
});

test('from another node, and after a connection was lost, only what is new is heard', async ({
  pair,
  ownWire,
}) => {
  test.slow();
  const [ada, bob] = await pair('Voices', ['Ada', 'Bob'], { baseURL: ownWire.url });
  await ada.say('before');
  await bob.reads('before');
  const region = bob.page.getByTestId('announcer');
  await expect(region).toHaveText('Ada: before');
  const heard = await listen(bob.page);
  await bob.say('mine');
  await ada.say('hello');
  await expect(region).toHaveText('Ada: hello');
  await isAccessible(bob.page);

  ownWire.cut();
  await expect(bob.banner).toBeVisible();
  for (const text of ['one', 'two', 'three']) await ada.say(text);
  await ada.reads('before', 'mine', 'hello', 'one', 'two', 'three');
  ownWire.mend();
  await expect(region).toHaveText('3 new messages from Ada', { timeout: 45_000 });
  expect((await heard()).filter((text) => /before|mine/.test(text))).toEqual([]);
  await bob.reads('before', 'mine', 'hello', 'one', 'two', 'three');
  await bob.page.reload();
  await bob.reads('before', 'mine', 'hello', 'one', 'two', 'three');
  const again = await listen(bob.page);
  await ada.say('last');
  await expect(region).toHaveText('Ada: last');
  expect(await again()).toEqual(['Ada: last']);
});
