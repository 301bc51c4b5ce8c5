import { expect, test } from './fixture';
import { Person } from './person';

test('a reload brings back identity, room and messages', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Reload');
  await bob.enter();
  await bob.join('Reload');
  await ada.say('before');
  await bob.reads('before');
  await bob.composer.fill('half a thought');
  const number = await bob.roomNumber();

  await bob.page.reload();
  await bob.isIn('Reload');
  await bob.reads('before');
  expect(await bob.roomNumber()).toBe(number);
  await expect(bob.page.getByRole('button', { name: /You are Bob/ })).toBeVisible();
  await expect(bob.composer).toHaveValue('half a thought');
  await bob.say('after');
  await ada.reads('before', 'after');
  // Nobody was told that Bob had gone, for he had not.
  await expect(ada.page.getByText('Bob left')).toHaveCount(0);
});

test('a server that restarts loses its rooms, and nothing is doubled', async ({
  person,
  server,
}) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Restart');
  await bob.enter();
  await bob.join('Restart');
  await ada.say('first life');
  await bob.reads('first life');

  await server.stop();
  await expect(ada.banner).toBeVisible();
  await ada.say('into the void');
  await expect(ada.page.locator('.pending')).toHaveText(/into the void/);
  await server.start();

  for (const somebody of [ada, bob]) {
    // Rather than waiting for the back-off.
    await somebody.page.evaluate(() => dispatchEvent(new Event('online')));
    await expect(somebody.page.getByText(/Restart is not there any more/)).toBeVisible({
      timeout: 40_000,
    });
    await expect(somebody.banner).toBeHidden();
    await expect(
      somebody.page.getByRole('heading', { name: `Hello, ${somebody.name}` }),
    ).toBeVisible();
  }
  await expect(ada.page.getByRole('region', { name: 'Not sent' })).toContainText('into the void');
  await ada.create('Second life');
  await bob.join('Second life');
  await ada.say('here again');
  await bob.say('so am I');
  await ada.reads('here again', 'so am I');
  await bob.reads('here again', 'so am I');
});

test('offline and back: what was missed and what was written arrive once', async ({
  person,
  wire,
}) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Offline');
  await bob.enter();
  await bob.join('Offline');
  await ada.say('one');
  await bob.reads('one');

  wire.cut();
  await expect(bob.banner).toBeVisible();
  await expect(bob.page.getByRole('button', { name: 'Reconnect now' })).toBeVisible();
  await bob.say('two, written offline');
  await expect(bob.page.locator('.pending')).toHaveText(/two, written offline/);
  wire.mend();
  await bob.page.evaluate(() => dispatchEvent(new Event('online')));
  await expect(bob.banner).toBeHidden();
  await bob.reads('one', 'two, written offline');

  await ada.page.evaluate(() => dispatchEvent(new Event('online')));
  await ada.reads('one', 'two, written offline');
  await ada.say('three');
  await bob.reads('one', 'two, written offline', 'three');
});

test('a message that is refused says so, and a retry sends it', async ({ person }) => {
  const ada = await person('Ada');
  let refuse = true;
  const ids: string[] = [];
  await ada.page.routeWebSocket(/\/ws$/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) => {
      const command = JSON.parse(String(frame)) as { type: string; id: string };
      if (command.type !== 'SEND_MESSAGE') return server.send(frame);
      ids.push(command.id);
      if (!refuse) return server.send(frame);
      socket.send(
        JSON.stringify({ type: 'ERROR', id: command.id, code: 'forbidden', message: 'not now' }),
      );
    });
  });
  await ada.enter();
  await ada.create('Retry');
  await ada.say('try me');
  await expect(ada.page.getByText('Not sent. You are not allowed to do this.')).toBeVisible();
  refuse = false;
  await ada.page.getByRole('button', { name: 'Retry', exact: true }).click();
  await ada.reads('try me');
  expect(ids).toHaveLength(2);
  expect(ids[1]).toBe(ids[0]);
});

test('two tabs are two guests who talk, and a reload keeps each', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.create('Two guests');
  const second = new Person(await ada.context.newPage(), ada.context, 'Ada');
  await second.page.goto('/');
  await expect(second.page.getByRole('heading', { name: 'Hello, Ada' })).toBeVisible();
  // A room used before is in the list at once, and can be joined from there when it is known to be one still.
  await expect(second.page.getByRole('button', { name: /Two guests.*1 person/ })).toBeEnabled();
  await second.join('Two guests');
  await expect(ada.page.getByRole('main').getByText('2 people')).toBeVisible();
  await ada.say('from the first');
  await second.reads('from the first');
  await second.say('from the second');
  await ada.reads('from the first', 'from the second');

  for (const tab of [ada, second, ada, second]) {
    await tab.page.reload();
    await tab.isIn('Two guests');
    await tab.reads('from the first', 'from the second');
    const own = tab === ada ? 'from the first' : 'from the second';
    await expect(tab.page.locator('.own .bubble')).toHaveText([own]);
    await expect(tab.page.getByRole('main').getByText('2 people')).toBeVisible();
  }
  await expect(ada.page.getByRole('dialog')).toHaveCount(0);
});

test('a duplicated tab is another guest', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.create('Twice');
  await ada.say('from the first');
  const opened = ada.context.waitForEvent('page');
  // A window that this one opens starts with a copy of its sessionStorage.
  await ada.page.evaluate(() => void window.open('/'));
  const copy = new Person(await opened, ada.context, 'Ada');
  await copy.isIn('Twice');
  await copy.say('from the copy');
  await ada.reads('from the first', 'from the copy');
  await expect(copy.page.locator('.own .bubble')).toHaveText(['from the copy']);
  await expect(ada.page.locator('.own .bubble')).toHaveText(['from the first']);
});

test('when its tabs are closed, a new one goes on as who was there', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.create('Later');
  await ada.say('before');
  await ada.page.close();
  const later = new Person(await ada.context.newPage(), ada.context, 'Ada');
  await later.page.goto('/');
  await later.isIn('Later');
  await expect(later.page.locator('.own .bubble')).toHaveText(['before']);
});

test('without locks a second tab takes over, and the first can take it back', async ({
  person,
}) => {
  const ada = await person('Ada');
  // As on a site without HTTPS: no tab can know of another.
  await ada.context.addInitScript(() => {
    Object.defineProperty(navigator, 'locks', { value: undefined });
  });
  await ada.enter();
  await ada.create('Two tabs');
  const second = await ada.context.newPage();
  await second.goto('/');
  await expect(second.getByRole('heading', { name: 'Two tabs' })).toBeVisible();
  const dialog = ada.page.getByRole('dialog', { name: 'Open somewhere else' });
  await expect(dialog).toBeVisible();
  await dialog.getByRole('button', { name: 'Use here' }).click();
  await expect(dialog).toBeHidden();
  await expect(second.getByRole('dialog', { name: 'Open somewhere else' })).toBeVisible();
  await ada.say('back here');
  await ada.reads('back here');
});
