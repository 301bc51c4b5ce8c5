import { expect, test } from './fixture';

test('two people create, join and talk both ways', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Both ways');
  await bob.enter();
  await bob.join('Both ways');

  await ada.say('hello Bob');
  await bob.reads('hello Bob');
  await bob.say('hello Ada');
  await ada.say('line one\nline two');
  const all = ['hello Bob', 'hello Ada', 'line one\nline two'];
  await ada.reads(...all);
  await bob.reads(...all);

  const people = ada.page.getByRole('list', { name: 'People in this room' });
  await expect(people.getByRole('listitem')).toHaveText([/Ada.*you/, /Bob/]);
  await expect(ada.page.getByText('Bob joined')).toBeVisible();
  await expect(ada.page.getByTitle(/served by node/)).toBeVisible();
});

test('a room is joined by its number, and left', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('By number');
  await bob.enter();

  await bob.joinByNumber('1');
  await expect(bob.page.getByText(/no such room/)).toBeVisible();
  await bob.joinByNumber('tea');
  await expect(bob.page.getByText(/digits only/)).toBeVisible();
  await bob.joinByNumber(await ada.roomNumber());
  await bob.isIn('By number');
  await expect(ada.page.getByRole('main').getByText('2 people')).toBeVisible();

  await bob.page.getByRole('button', { name: 'Leave the room' }).click();
  await expect(bob.page.getByRole('heading', { name: 'Hello, Bob' })).toBeVisible();
  await expect(ada.page.getByText('Bob left')).toBeVisible();
  await expect(ada.page.getByRole('main').getByText('1 person')).toBeVisible();
  await expect(bob.page.getByRole('button', { name: /By number.*1 person/ })).toBeVisible();
});

test('a new name is seen by all', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Names');
  await bob.enter();
  await bob.join('Names');

  await bob.page.getByRole('button', { name: /Change your name/ }).click();
  const dialog = bob.page.getByRole('dialog');
  await dialog.getByRole('textbox').fill('a name far too long');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByText('At most 16 characters, please.')).toBeVisible();
  await dialog.getByRole('textbox').fill('Robert');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();

  await expect(ada.page.getByText('Bob is now Robert')).toBeVisible();
  await bob.say('it is me');
  await expect(ada.page.locator('.name', { hasText: 'Robert' }).first()).toBeVisible();
  await bob.page.reload();
  await expect(bob.page.getByRole('button', { name: /You are Robert/ })).toBeVisible();
});

test('a guest can keep the given name', async ({ person }) => {
  const guest = await person('');
  await guest.page.goto('/');
  await guest.page.getByRole('button', { name: /Continue as User \d{5}/ }).click();
  await expect(guest.page.getByRole('heading', { name: /Hello, User \d{5}/ })).toBeVisible();
});

test('typing is seen and passes', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Typing');
  await bob.enter();
  await bob.join('Typing');
  await bob.composer.pressSequentially('I thi');
  await expect(ada.page.getByText('Bob is typing')).toBeVisible();
  await bob.say('I think');
  await ada.reads('I think');
  await expect(ada.page.getByText('Bob is typing')).toBeHidden();
});

test('markup is text', async ({ person }) => {
  const eve = await person('<img src=x>');
  const bob = await person('Bob');
  const attack = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;
  await eve.enter();
  await eve.create('<b>bold</b>');
  await bob.enter();
  await bob.join('<b>bold</b>');
  await eve.say(attack);
  await bob.reads(attack);
  await expect(bob.page.locator('.name', { hasText: '<img src=x>' }).first()).toBeVisible();
  await expect(bob.page.locator('.box img, .box script, .box b')).toHaveCount(0);
  expect(await bob.page.evaluate(() => 'hacked' in window)).toBe(false);
});

test('the length is counted as the server counts it', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.create('Length');
  await ada.composer.fill('🦀'.repeat(1_990));
  await expect(ada.page.getByText('10 left')).toBeVisible();
  await ada.composer.fill('🦀'.repeat(2_001));
  await expect(ada.page.getByText('1 character too many')).toBeVisible();
  await ada.composer.press('Enter');
  await expect(ada.bodies).toHaveCount(0);
  await ada.composer.fill(`  ${'🦀'.repeat(2_000)}  `);
  await ada.composer.press('Enter');
  await ada.reads('🦀'.repeat(2_000));
});

test('older messages come by scrolling back, and the place is kept', async ({
  fakePerson,
  fake,
}) => {
  const bob = await fakePerson('Bob');
  await bob.enter();
  await bob.create('History');
  const [room] = fake.rooms.values();
  const sender = { clientId: 99_999, username: 'Ada' };
  const { roomId } = room!;
  for (let seq = 1; seq <= 120; seq += 1) {
    room!.log.push({ roomId, seq, id: `${seq}`, sender, body: `message ${seq}`, sentAt: seq });
  }
  room!.seq = 120;
  await bob.page.reload();
  await expect(bob.bodies).toHaveCount(50);
  await expect(bob.bodies.last()).toBeInViewport();

  // By hand to the top of what is there, which loads the rest by itself, page by page.
  const list = bob.page.getByRole('log', { name: 'Messages' });
  await list.evaluate((box) => (box.scrollTop = 0));
  await expect(bob.bodies).toHaveCount(100);
  await expect(bob.bodies.filter({ hasText: /^message 71$/ })).toBeInViewport();
  await expect(bob.bodies.first()).not.toBeInViewport();
  await list.evaluate((box) => (box.scrollTop = 0));
  await expect(bob.bodies).toHaveCount(120);
  await expect(bob.page.getByText('This is where History begins.')).toBeAttached();
  await bob.say('and the newest');
  await expect(bob.bodies.last()).toBeInViewport();
});
