import { WebSocket } from 'ws';
import { isAccessible } from './axe';
import { expect, test } from './fixture';

/** A room with nobody in it but a connection without a browser. */
async function roomOf(url: string, name: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { origin: url });
  await new Promise<void>((resolve, reject) => {
    const send = (command: object) => socket.send(JSON.stringify(command));
    socket.once('error', reject);
    socket.once('open', () => send({ type: 'CONNECT', username: 'Kettle' }));
    socket.on('message', (frame) => {
      const { type } = JSON.parse(String(frame)) as { type: string };
      if (type === 'CONNECT') send({ type: 'CREATE_ROOM', name });
      if (type === 'ROOM_JOINED') resolve();
      if (type === 'ERROR') reject(new Error(String(frame)));
    });
  });
  return socket;
}

test('a link shows the room before one joins it', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Assam');
  const number = (await ada.roomNumber()).slice(1);
  await expect(ada.page).toHaveURL(new RegExp(`/r/${number}$`));

  await bob.page.goto(`/r/${number}`);
  await expect(bob.page.getByText(/You have a link to (Assam|Room)/)).toBeVisible();
  await bob.page.getByRole('textbox', { name: 'Your name' }).fill('Bob');
  await bob.page.getByRole('button', { name: 'Start' }).click();
  await expect(bob.page.getByRole('heading', { name: 'Assam', level: 1 })).toBeFocused();
  await expect(bob.page.getByText('1 person in it now')).toBeVisible();
  await expect(bob.composer).toBeHidden();
  await isAccessible(bob.page);
  await bob.page.getByRole('button', { name: 'Join', exact: true }).click();
  await bob.isIn('Assam');
  await expect(bob.composer).toBeVisible();
  // Who is a member needs no card.
  await bob.page.reload();
  await expect(bob.composer).toBeVisible();
});

test('a link to no room says so kindly', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.page.goto('/r/99998');
  await expect(ada.page.getByRole('heading', { name: 'There is no room #99998' })).toBeVisible();
  await expect(ada.page.getByText(/It may have ended/)).toBeVisible();
  await isAccessible(ada.page);
  await ada.page.getByRole('button', { name: 'Other rooms' }).click();
  await expect(ada.page.getByRole('heading', { name: 'Hello, Ada' })).toBeVisible();
  await expect(ada.page).toHaveURL(/\/$/);
});

test('without an answer one can join all the same', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Darjeeling');
  const number = (await ada.roomNumber()).slice(1);
  await bob.enter();
  await bob.page.route('**/api/rooms/*', (route) => route.fulfill({ status: 502 }));
  await bob.page.goto(`/r/${number}`);
  await expect(bob.page.getByText(/You can still try to join/)).toBeVisible();
  await bob.page.getByRole('button', { name: 'Join', exact: true }).click();
  await bob.isIn('Darjeeling');
});

test('moving to another room is explained, before and after', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Mint');
  const tea = (await ada.roomNumber()).slice(1);
  await bob.enter();
  await bob.create('Mocha');
  await bob.page.goto(`/r/${tea}`);
  await expect(bob.page.getByText(/you are alone in Mocha: joining ends it/)).toBeVisible();
  await bob.page.getByRole('button', { name: 'Stay in Mocha' }).click();
  await bob.isIn('Mocha');
  const coffee = (await bob.roomNumber()).slice(1);
  await expect(bob.page).toHaveURL(new RegExp(`/r/${coffee}$`));

  // Cy comes, so that Mocha does not end when Bob goes.
  const cy = await person('Cy');
  await cy.enter();
  await cy.join('Mocha');
  await (await bob.side('Rooms')).getByRole('button', { name: 'Mint' }).click();
  await bob.isIn('Mint');
  const note = bob.page.getByText('you left Mocha for Mint');
  await expect(note).toBeVisible();
  await isAccessible(bob.page);
  await bob.page.getByRole('button', { name: 'Go back' }).click();
  await bob.isIn('Mocha');
  await expect(bob.page.getByText('you left Mint for Mocha')).toBeVisible();
  await bob.page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(bob.page.getByText('you left')).toBeHidden();
});

test('Back asks, and takes nobody out of a room', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.create('Earl Grey');
  await expect(ada.page).toHaveURL(/\/r\/\d+$/);
  await ada.page.goBack();
  await expect(ada.page.getByText('You are still in Earl Grey.')).toBeVisible();
  await isAccessible(ada.page);
  await ada.page.getByRole('button', { name: 'Return to Earl Grey' }).click();
  await expect(ada.composer).toBeVisible();
  await ada.page.goBack();
  await expect(ada.composer).toBeHidden();
  await ada.page.goForward();
  await expect(ada.composer).toBeVisible();
  await ada.page.getByRole('button', { name: 'Leave the room' }).click();
  await expect(ada.page).toHaveURL(/\/$/);
});

test('the list counts live, searches, and has the rooms used before first', async ({
  person,
  site,
}) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await bob.enter();
  await bob.create('Oolong');
  const row = ada.page.getByRole('button', { name: /^Oolong/ });
  await expect(row).toContainText('1 person');
  await ada.join('Oolong');
  await expect((await ada.side('Rooms')).getByText('Recent', { exact: true })).toBeVisible();
  await expect(row).toContainText('2 people');
  await ada.page.keyboard.press('Escape');
  await ada.page.getByRole('button', { name: 'Leave the room' }).click();
  const recent = ada.page.getByRole('list', { name: 'Recent' });
  await expect(recent.getByRole('button')).toHaveText(/Oolong/);
  await expect(row).toContainText('1 person');

  // More rooms than a screen has: now there is something to search in.
  const sockets = await Promise.all(
    Array.from({ length: 9 }, (_, index) => roomOf(site.url, `Kettle ${index}`)),
  );
  const search = ada.page.getByRole('searchbox', { name: 'Find a room' });
  await search.fill('kettle 7');
  await expect(ada.page.getByRole('button', { name: /^Kettle/ })).toHaveText(/Kettle 7/);
  await expect(row).toBeHidden();
  await isAccessible(ada.page);
  await search.fill('xqzxqz');
  await expect(ada.page.getByText('No room matches.')).toBeVisible();
  await search.fill('');
  await expect(row).toBeVisible();
  for (const socket of sockets) socket.close();
});

test('the link is copied and shown as a code', async ({ person }) => {
  const ada = await person('Ada', { permissions: ['clipboard-read', 'clipboard-write'] });
  await ada.enter();
  await ada.create('Sencha');
  const number = (await ada.roomNumber()).slice(1);
  await ada.page.getByRole('button', { name: 'Share this room' }).click();
  const dialog = ada.page.getByRole('dialog', { name: 'Share this room' });
  await expect(dialog.getByLabel('Link to the room')).toHaveValue(new RegExp(`/r/${number}$`));
  await expect(dialog.getByRole('img', { name: /QR code of/ })).toBeVisible();
  await isAccessible(ada.page);
  await dialog.getByRole('button', { name: 'Copy link' }).click();
  await expect(dialog.getByText('Copied.')).toBeVisible();
  expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toMatch(
    new RegExp(`^http://.*/r/${number}$`),
  );
  await ada.page.keyboard.press('Escape');
  await expect(ada.page.getByRole('button', { name: 'Share this room' })).toBeFocused();
});

test('a name is suggested, and another one', async ({ person }) => {
  const ada = await person('Ada');
  await ada.page.goto('/');
  const offer = ada.page.getByRole('button', { name: /^Use “/ });
  const first = await offer.innerText();
  await expect(async () => {
    await ada.page.getByRole('button', { name: 'Suggest another name' }).click();
    expect(await offer.innerText()).not.toBe(first);
  }).toPass();
  await offer.click();
  const name = await ada.page.getByRole('textbox', { name: 'Your name' }).inputValue();
  expect(name.length).toBeGreaterThan(4);
  await ada.page.getByRole('button', { name: 'Start' }).click();
  await expect(ada.page.getByRole('heading', { name: `Hello, ${name}` })).toBeVisible();
});
