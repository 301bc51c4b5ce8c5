import { expect, test } from './fixture';

for (const { code, title, button } of [
  { code: 1000, title: 'Disconnected', button: 'Reconnect' },
  { code: 1008, title: 'The server refused this page', button: 'Reconnect' },
  { code: 4009, title: 'Open somewhere else', button: 'Use here' },
  { code: 4010, title: 'You are banned', button: null },
  { code: 4011, title: 'You were disconnected', button: 'Reconnect' },
]) {
  test(`${code} is explained and not retried`, async ({ fakePerson, fake }) => {
    const ada = await fakePerson('Ada');
    await ada.page.clock.install();
    await ada.enter();
    let connects = 0;
    fake.intercept = (command) => {
      if (command.type === 'CONNECT') connects += 1;
      return false;
    };
    const [client] = fake.clients.values();
    fake.close(client!.clientId, code);
    const dialog = ada.page.getByRole('dialog', { name: title });
    await expect(dialog).toBeVisible();
    await ada.page.keyboard.press('Escape');
    await ada.page.keyboard.press('Escape');
    await ada.page.clock.runFor('10:00');
    expect(connects).toBe(0);
    await expect(dialog).toBeVisible();

    if (button === null) {
      await expect(dialog.getByRole('button')).toHaveCount(0);
    } else {
      await dialog.getByRole('button', { name: button }).click();
      await expect(dialog).toBeHidden();
      expect(connects).toBe(1);
    }
  });
}

test('4029 waits half a minute, and offers no way around', async ({ fakePerson, fake }) => {
  const ada = await fakePerson('Ada');
  await ada.page.clock.install();
  await ada.enter();
  const [client] = fake.clients.values();
  fake.close(client!.clientId, 4029);
  await expect(ada.banner).toContainText('asked for a pause');
  await expect(ada.page.getByRole('button', { name: 'Reconnect now' })).toHaveCount(0);
  await ada.page.clock.runFor(29_000);
  await expect(ada.banner).toBeVisible();
  await ada.page.clock.runFor(2_000);
  await expect(ada.banner).toBeHidden();
});

test('an expired session becomes a new guest with the chosen name', async ({
  fakePerson,
  fake,
}) => {
  const ada = await fakePerson('Ada');
  await ada.enter();
  fake.forgetEverything(4003);
  await expect(ada.banner).toBeHidden();
  await expect(ada.page.getByRole('heading', { name: 'Hello, Ada' })).toBeVisible();
  await expect.poll(() => [...fake.clients.values()].map((one) => one.username)).toEqual(['Ada']);
});

test('an unknown event and a broken frame change nothing', async ({ fakePerson, fake }) => {
  const ada = await fakePerson('Ada');
  await ada.enter();
  await ada.create('Odd frames');
  fake.push({ type: 'FIREWORKS', from: 'the future' } as never);
  fake.push(null as never);
  fake.push({ type: 'NEW_MESSAGE' } as never);
  await ada.say('still here');
  await ada.reads('still here');
});

test('a gap is shown as a gap', async ({ fakePerson, fake }) => {
  const ada = await fakePerson('Ada');
  await ada.enter();
  await ada.create('Gap');
  await ada.say('one');
  await ada.reads('one');
  const [room] = fake.rooms.values();
  const sender = { clientId: 99_999, username: 'Bob' };
  const { roomId } = room!;
  for (let seq = 2; seq <= 9; seq += 1) {
    room!.log.push({ roomId, seq, id: `${seq}`, sender, body: `${seq}`, sentAt: Date.now() });
  }
  room!.seq = 9;
  // The log no longer reaches back to what Ada has seen.
  room!.log.splice(0, 7);
  const [client] = fake.clients.values();
  fake.close(client!.clientId, 1012);
  await expect(ada.page.getByText('Messages 2–7 are no longer available')).toBeVisible();
  await ada.reads('one', '8', '9');
});
