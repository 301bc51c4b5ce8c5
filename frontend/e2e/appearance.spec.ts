import { isAccessible } from './axe';
import { expect, test } from './fixture';

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing, ${colorScheme}`, async ({ person }) => {
    test.slow();
    const ada = await person('Ada', { colorScheme, reducedMotion: 'reduce' });
    const bob = await person('Bob');
    await ada.page.goto('/');
    await expect(ada.page.getByRole('button', { name: /Continue as/ })).toBeEnabled();
    await isAccessible(ada.page);
    await ada.enter();
    await isAccessible(ada.page);
    await ada.create(`Axe ${colorScheme}`);
    await isAccessible(ada.page);
    await bob.enter();
    await bob.join(`Axe ${colorScheme}`);
    await bob.say('hello');
    await bob.say('hello again');
    await ada.say('hello yourself');
    await ada.reads('hello', 'hello again', 'hello yourself');
    await isAccessible(ada.page);
    await ada.page.getByRole('button', { name: /Change your name/ }).click();
    await isAccessible(ada.page);
  });

  test(`axe finds nothing in trouble, ${colorScheme}`, async ({ fakePerson, fake }) => {
    const ada = await fakePerson('Ada');
    await ada.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await ada.enter();
    await ada.create('Trouble');
    fake.push({ type: 'NOTICE', text: 'Back in five minutes', level: 'warning' });
    fake.intercept = (command, reply) => {
      if (command.type !== 'SEND_MESSAGE' || command.body !== 'no') return false;
      reply({ type: 'ERROR', id: command.id, code: 'forbidden', message: '' });
      return true;
    };
    await ada.say('no');
    await expect(ada.page.getByRole('button', { name: 'Retry' })).toBeVisible();
    await ada.page.getByLabel('Join by number').fill('x');
    await ada.page.getByRole('button', { name: 'Join', exact: true }).click();
    const [client] = fake.clients.values();
    fake.close(client!.clientId, 4029);
    await expect(ada.banner).toBeVisible();
    await isAccessible(ada.page);
  });
}

test('dark mode is dark', async ({ person }) => {
  const brightness = async (colorScheme: 'light' | 'dark') => {
    const { page } = await person('Ada', { colorScheme });
    await page.goto('/');
    return page.evaluate(() => {
      const [red = 0, green = 0, blue = 0] = (
        getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g) ?? []
      ).map(Number);
      return (red + green + blue) / 3;
    });
  };
  expect(await brightness('light')).toBeGreaterThan(200);
  expect(await brightness('dark')).toBeLessThan(60);
});

test('a phone shows one thing at a time', async ({ person }) => {
  const ada = await person('Ada', { viewport: { width: 360, height: 720 }, hasTouch: true });
  const { page } = ada;
  const fits = async () =>
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await page.goto('/');
  await fits();
  await ada.enter();
  await fits();
  await ada.create('Phone');
  await ada.say(`a word without any end${'!'.repeat(300)}`);
  await fits();
  await expect(page.getByRole('complementary', { name: 'People' })).toBeHidden();
  await page.getByRole('button', { name: 'People', exact: true }).click();
  await expect(page.getByRole('complementary', { name: 'People' })).toBeVisible();
  await isAccessible(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('complementary', { name: 'People' })).toBeHidden();
  await expect(page.getByRole('button', { name: 'People', exact: true })).toBeFocused();
  await page.getByRole('button', { name: 'Rooms', exact: true }).click();
  await expect(page.getByRole('navigation', { name: 'Rooms' })).toBeVisible();
  await isAccessible(page);
  await fits();
});

test('the keyboard alone is enough', async ({ person }) => {
  const ada = await person('Ada');
  const { page } = ada;
  const { keyboard } = page;
  await page.goto('/');
  await expect(page.getByRole('button', { name: /Continue as/ })).toBeEnabled();
  const tabTo = async (label: string | RegExp) => {
    const target = page
      .getByLabel(label)
      .or(page.getByRole('button', { name: label }))
      .first();
    for (let step = 0; step < 30; step += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach ${label}`);
  };
  await tabTo('Your name');
  await keyboard.type('Ada');
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Hello, Ada' })).toBeVisible();
  await tabTo('Create a room');
  await keyboard.type('Keys');
  await keyboard.press('Enter');
  await ada.isIn('Keys');
  await expect(ada.composer).toBeFocused();
  await keyboard.type('first');
  await keyboard.press('Shift+Enter');
  await keyboard.type('second');
  await keyboard.press('Enter');
  await ada.reads('first\nsecond');
  await tabTo(/Change your name/);
  await keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await tabTo('Leave the room');
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Hello, Ada' })).toBeVisible();
});

test('new messages are announced, the history is not', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Aloud');
  await ada.say('old news');
  await bob.enter();
  await bob.join('Aloud');
  await bob.reads('old news');
  const spoken = bob.page.getByTestId('announcer');
  await ada.say('fresh news');
  await expect(spoken).toHaveText('Ada: fresh news');
});

test('the page comes under a strict policy', async ({ person, wire }) => {
  const response = await fetch(wire.url);
  const policy = response.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("require-trusted-types-for 'script'");
  expect(policy).not.toContain('unsafe');
  // And it is in force: what it forbids is stopped, which the fixture sees and we expect.
  const { page } = await person('Ada');
  await page.goto('/');
  const stopped = await page.evaluate(() => {
    const before = document.title;
    try {
      document.createElement('div').innerHTML = '<b>x</b>';
      return false;
    } catch {
      return document.title === before;
    }
  });
  expect(stopped).toBe(true);
});
