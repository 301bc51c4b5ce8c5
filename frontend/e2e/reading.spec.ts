import { isAccessible } from './axe';
import { expect, test } from './fixture';
import { ADA, CY, Talk, focus, list, placeOf, recordNotes, scroll } from './reading_world';

const DAY = 86_400_000;

test('messages stand under their authors and days', async ({ fakePerson, fake }) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('Days');
  const talk = new Talk(fake);
  talk.wrote(2, { at: Date.now() - 400 * DAY });
  talk.wrote(3, { at: Date.now() - DAY });
  talk.wrote(2, { at: Date.now() });
  talk.wrote(1, { at: Date.now(), sender: CY });
  await bob.page.reload();
  await bob.say('mine');
  await expect(bob.bodies).toHaveCount(9);
  await expect(bob.page.locator('.day')).toHaveText([/\d{4}/, 'Yesterday', 'Today']);
  // A name for each run, and none for one's own.
  await expect(list(bob.page).locator('.name')).toHaveText(['Ada', 'Ada', 'Ada', 'Cy']);
  await expect(bob.page.locator('.message.own')).toHaveText(/mine/);
  await expect(list(bob.page).locator('time[datetime]')).toHaveCount(9);
});

test('a long timeline is scrolled with the place kept, in a bounded page', async ({
  fakePerson,
  fake,
}) => {
  test.slow();
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('Long');
  new Talk(fake).wrote(900);
  await bob.page.reload();
  await expect(bob.bodies.last()).toHaveText('message 900');
  await expect(bob.bodies.last()).toBeInViewport();
  const { page } = bob;

  // To the beginning: what is loaded above moves nothing.
  for (let oldest = 851; oldest > 1; oldest -= 50) {
    await scroll(page, 1);
    const next = `message ${Math.max(1, oldest - 50)}`;
    await expect(bob.bodies.getByText(next, { exact: true })).toBeAttached();
    expect(await placeOf(bob, `message ${oldest}`)).toBeLessThan(200);
    expect(await placeOf(bob, `message ${oldest}`)).toBeGreaterThan(0);
    expect(await bob.bodies.count()).toBeLessThanOrEqual(300);
  }
  await expect(page.getByText('This is where Long begins.')).toBeAttached();
  await scroll(page, 0);
  await expect(bob.bodies.first()).toHaveText('message 1');

  // Down in steps: the text goes by as far as was scrolled, though rows come and go around it.
  let seen = 0;
  for (let step = 0; step < 30; step += 1) {
    const before = await list(page).evaluate((box) => {
      const top = box.getBoundingClientRect().top;
      const all = [...box.querySelectorAll('.bubble')];
      const it = all.find((bubble) => bubble.getBoundingClientRect().top - top > 300)!;
      return { text: it.textContent!, y: it.getBoundingClientRect().top - top };
    });
    await list(page).evaluate((box) => (box.scrollTop += 250));
    await scroll(page, await list(page).evaluate((box) => box.scrollTop));
    expect(await placeOf(bob, before.text)).toBeCloseTo(before.y - 250, -0.5);
    expect(await bob.bodies.count()).toBeLessThanOrEqual(300);
    const position = Number(before.text.split(' ')[1]);
    expect(position).toBeGreaterThan(seen);
    seen = position;
  }

  // The browser's own search finds what is around, both ways.
  for (const near of [seen - 60, seen + 60]) {
    const found = await page.evaluate((text) => {
      getSelection()!.removeAllRanges();
      return (window as never as { find(text: string): boolean }).find(text);
    }, `message ${near}`);
    expect(found).toBe(true);
  }
  await scroll(page, await list(page).evaluate((box) => box.scrollTop));

  // The bar is dragged to the middle, and to the end.
  await list(page).evaluate((box) => (box.scrollTop = box.scrollHeight / 2));
  await expect
    .poll(() =>
      list(page).evaluate((box) => {
        const { left, top, width, height } = box.getBoundingClientRect();
        const at = (y: number) =>
          document.elementsFromPoint(left + width / 2, top + y).some((e) => e.closest('.message'));
        return at(height * 0.3) && at(height * 0.7);
      }),
    )
    .toBe(true);
  await page.getByRole('button', { name: 'To the newest' }).click();
  await expect(bob.bodies.last()).toHaveText('message 900');
  await expect(bob.bodies.last()).toBeInViewport();
});

test('the place is kept when the page changes its size, and when others talk', async ({
  fakePerson,
  fake,
}) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('Sizes');
  const talk = new Talk(fake);
  talk.wrote(50, {
    text: 'some words that take a line or more where there is little width, number',
  });
  await bob.page.reload();
  await expect(bob.bodies).toHaveCount(50);
  const text = 'some words that take a line or more where there is little width, number 20';
  await list(bob.page).evaluate((box, text) => {
    const bubble = [...box.querySelectorAll('.bubble')].find(
      (b) => b.textContent?.trim() === text,
    )!;
    box.scrollTop += bubble.getBoundingClientRect().top - box.getBoundingClientRect().top;
  }, text);
  await scroll(bob.page, await list(bob.page).evaluate((box) => box.scrollTop));
  const before = await placeOf(bob, text);
  await bob.page.setViewportSize({ width: 420, height: 500 });
  await expect.poll(() => placeOf(bob, text)).toBeCloseTo(before, -1);
  talk.says('news');
  await expect(bob.page.getByRole('button', { name: '1 new message' })).toBeVisible();
  expect(await placeOf(bob, text)).toBeCloseTo(before, -1);

  await bob.page.getByRole('button', { name: '1 new message' }).click();
  await expect(bob.bodies.last()).toBeInViewport();
  // At the end one stays there, as when a phone's keyboard opens.
  await bob.page.setViewportSize({ width: 420, height: 320 });
  await expect(bob.bodies.last()).toBeInViewport();
});

test('what came while one was away has a line, a count and a way to it', async ({
  fakePerson,
  fake,
}) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('Away');
  const talk = new Talk(fake);
  talk.says('before');
  await expect(bob.bodies).toHaveText(['before']);
  await expect(bob.page).toHaveTitle('Away · Roomful');

  await focus(bob.page, false);
  for (let n = 1; n <= 40; n += 1) talk.says(`while away ${n}`, n % 2 ? ADA : CY);
  await expect(bob.page).toHaveTitle('(40) Away · Roomful');
  await expect(bob.page.locator('link[rel=icon]')).toHaveAttribute('href', /^data:image\/svg/);

  await focus(bob.page, true);
  await expect(bob.page).toHaveTitle('Away · Roomful');
  await expect(bob.page.locator('link[rel=icon]')).toHaveAttribute('href', '/favicon.svg');
  await bob.page.getByRole('button', { name: '40 new messages above' }).click();
  const line = bob.page.locator('.new');
  await expect(line).toHaveText('New messages');
  await expect(line).toBeInViewport();
  await expect(bob.bodies.getByText('while away 1', { exact: true })).toBeInViewport();
  // Whoever answers has read it.
  await bob.say('back');
  await expect(bob.bodies.last()).toBeInViewport();
  await expect(line).toHaveCount(0);
});

test('what is unread survives a reload, and is read in all tabs at once', async ({ pair }) => {
  const [ada, bob] = await pair('Tabs');
  await ada.say('one');
  await bob.reads('one');
  await focus(bob.page, false);
  await ada.say('two');
  await ada.say('three');
  await expect(bob.page).toHaveTitle('(2) Tabs · Roomful');

  // Nobody looks while it loads, either.
  await bob.page.addInitScript(() => (document.hasFocus = () => false));
  await bob.page.reload();
  await bob.reads('one', 'two', 'three');
  await expect(bob.page).toHaveTitle('(2) Tabs · Roomful');
  await expect(bob.page.locator('.new')).toBeVisible();

  // Another tab is another guest of the same browser; there it is read.
  const other = await bob.context.newPage();
  await other.goto('/');
  await other.getByRole('button', { name: /^Tabs .*2 people/ }).click();
  await expect(other.locator('.bubble')).toHaveText(['one', 'two', 'three']);
  await expect(bob.page).toHaveTitle('Tabs · Roomful');
});

test('an address leads to a message', async ({ fakePerson, fake }) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('Address');
  const talk = new Talk(fake);
  talk.wrote(50);
  await bob.page.goto(`/r/${talk.room.roomId}#12`);
  await bob.page.reload();
  await expect(bob.bodies).toHaveCount(50);
  const it = bob.page.getByRole('listitem', { name: /^Ada, .*: message 12$/ });
  await expect(it).toBeInViewport();
  await expect(it).toBeFocused();
  await bob.page.evaluate(() => (location.hash = '#40'));
  await expect(bob.page.getByRole('listitem', { name: /: message 40$/ })).toBeFocused();
});

test('the keyboard goes from message to message', async ({ fakePerson, fake }) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('Keys');
  new Talk(fake).wrote(30);
  await bob.page.reload();
  await expect(bob.bodies).toHaveCount(30);
  const focused = bob.page.locator('.message:focus');
  await list(bob.page).focus();
  await bob.page.keyboard.press('k');
  await expect(focused).toHaveAccessibleName(/: message 30$/);
  await bob.page.keyboard.press('ArrowUp');
  await bob.page.keyboard.press('k');
  await expect(focused).toHaveAccessibleName(/: message 28$/);
  await bob.page.keyboard.press('j');
  await expect(focused).toHaveAccessibleName(/: message 29$/);
  for (let n = 0; n < 28; n += 1) await bob.page.keyboard.press('k');
  await expect(focused).toHaveAccessibleName(/: message 1$/);
  await expect(focused).toBeInViewport();
  await bob.page.keyboard.press('End');
  await expect(focused).toHaveAccessibleName(/: message 30$/);
  await expect(focused).toBeInViewport();
});

test('several people type', async ({ fakePerson, fake }) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('Typing');
  const talk = new Talk(fake);
  talk.types('Ada', 1);
  await expect(bob.page.getByText('Ada is typing')).toBeVisible();
  talk.types('Cy', 2);
  await expect(bob.page.getByText('Ada and Cy are typing')).toBeVisible();
  talk.types('Dee', 3);
  await expect(bob.page.getByText('3 people are typing')).toBeVisible();
  talk.types('Cy', 2, false);
  await expect(bob.page.getByText('Ada and Dee are typing')).toBeVisible();
  // Who says nothing more has stopped.
  await expect(bob.page.getByText('are typing')).toBeHidden({ timeout: 8_000 });
});

test('people are found by a part of their name, and named in a message', async ({
  fakePerson,
  fake,
}) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('People');
  const { roomId } = new Talk(fake).room;
  const joined = ['Zoë', 'Ångström', 'Ann'].map((username, n) => ({ clientId: 50 + n, username }));
  fake.push({ type: 'USER_EVENT', roomId, memberCount: 4, joined });
  await bob.composer.fill('hello');
  await bob.turnTo('People');
  const { people } = bob;
  await expect(people.getByRole('listitem')).toHaveText([/Bob.*you/, /Ångström/, /Ann/, /Zoë/]);
  const search = bob.page.getByRole('searchbox', { name: 'Search people' });
  await search.fill('ANG');
  await expect(people.getByRole('listitem')).toHaveText([/Ångström/]);
  await expect(bob.page.getByText('1 found')).toBeVisible();
  await search.fill('nobody');
  await expect(bob.page.getByText('Nobody here is called “nobody”.')).toBeVisible();
  await search.fill('');
  await search.press('ArrowDown');
  await bob.page.keyboard.press('End');
  await expect(people.getByRole('button', { name: /Zoë/ })).toBeFocused();
  await people.getByRole('button', { name: /Zoë/ }).click();
  await expect(bob.composer).toHaveValue('hello @Zoë ');
  await expect(bob.composer).toBeFocused();
});

test('on two nodes one sees who types, who is there and who comes back', async ({
  pair,
  ownWire,
}) => {
  test.slow();
  const [ada, bob] = await pair('Presence', ['Ada', 'Bob'], { baseURL: ownWire.url });
  await ada.say('hello');
  await bob.say('good evening');
  await ada.reads('hello', 'good evening');
  await expect(list(ada.page).locator('.name')).toHaveText(['Bob']);

  let told = 0;
  const cdp = await bob.context.newCDPSession(bob.page);
  await cdp.send('Network.enable');
  cdp.on('Network.webSocketFrameSent', ({ response }) => {
    if (/"TYPING".*true/.test(response.payloadData)) told += 1;
  });
  const began = Date.now();
  await bob.composer.pressSequentially('somebody who writes slowly, and much', { delay: 100 });
  await expect(ada.page.getByText('Bob is typing')).toBeVisible();
  const lasted = Date.now() - began;
  await expect(ada.page.getByText('is typing')).toBeHidden({ timeout: 15_000 });
  // Not for each letter, but at the first one and then each 3 s.
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThanOrEqual(1 + Math.floor(lasted / 3_000));

  await ada.turnTo('People');
  const row = ada.people.getByRole('listitem').filter({ hasText: 'Bob' });
  await expect(ada.people.getByRole('listitem')).toHaveText([/Ada.*you/, /Bob/]);
  await expect(row).not.toContainText('reconnecting');
  ownWire.cut();
  await expect(row).toContainText('reconnecting');
  await isAccessible(ada.page);
  ownWire.mend();
  await expect(row).not.toContainText('reconnecting', { timeout: 20_000 });
  await bob.page.getByRole('button', { name: 'Leave the room' }).click();
  await expect(row).toHaveCount(0);
  await ada.turnBack();
  await expect(list(ada.page)).toContainText('Bob left');
});

test('what one wants to be told of comes as a notification, and nothing else', async ({ pair }) => {
  test.slow();
  const [ada, bob] = await pair('Bell');
  const { page } = bob;
  const notes = await recordNotes(page);
  await page.reload();
  await bob.isIn('Bell');
  const titles = async () => (await notes()).shown.map(({ title, body }) => `${title}: ${body}`);
  await focus(page, false);
  await ada.say('hello');
  await expect(page).toHaveTitle(/^\(1\)/);
  await ada.say('@bob, look');
  await expect.poll(titles).toEqual(['Ada in Bell: @bob, look']);
  expect((await notes()).sounds).toBe(0);

  await bob.command('settings');
  const settings = page.getByRole('dialog', { name: 'Settings' });
  await expect(settings).toContainText('Notifications are allowed.');
  await settings.getByText('All messages').click();
  await settings.getByLabel('Play a sound').check();
  await ada.say('loud');
  await expect.poll(titles).toEqual(['Ada in Bell: @bob, look', 'Ada in Bell: loud']);
  expect((await notes()).sounds).toBe(1);

  // An hour around now, midnight or not.
  const clock = (minutes: number) =>
    new Date(Date.now() + minutes * 60_000).toTimeString().slice(0, 5);
  await settings.getByLabel('Quiet hours').check();
  await settings.getByLabel('From').fill(clock(-30));
  await settings.getByLabel('To', { exact: true }).fill(clock(30));
  await isAccessible(page);
  await ada.say('@bob, are you asleep?');
  await expect(page).toHaveTitle(/^\(4\)/);
  await settings.getByLabel('Quiet hours').uncheck();
  await ada.say('good morning');
  await expect.poll(titles).toHaveLength(3);
  expect((await titles()).at(-1)).toBe('Ada in Bell: good morning');

  // A browser that refuses says so, and the page goes on without.
  await settings.getByRole('button', { name: 'Close' }).click();
  await page.evaluate(() => Object.assign(Notification, { permission: 'denied' }));
  await ada.say('unseen');
  await expect(page).toHaveTitle(/^\(6\)/);
  await bob.command('settings');
  await expect(settings).toContainText('Your browser has refused notifications.');
  await settings.getByRole('button', { name: 'Close' }).click();
  expect(await titles()).toHaveLength(3);

  // It leads to what it tells of.
  await page.evaluate(() =>
    (window as never as { notes: Notification[] }).notes[0]!.onclick!({} as never),
  );
  await expect(page.getByRole('listitem', { name: /: @bob, look$/ })).toBeFocused();
});
