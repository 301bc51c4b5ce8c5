import AxeBuilder from '@axe-core/playwright';
import type { Locator } from '@playwright/test';
import { Cluster } from './cluster';
import { expect, test } from './fixture';
import type { Person } from './person';
import { Whereabouts } from './whereabouts';

const row = (person: Person, text: string): Locator =>
  person.page
    .locator('li.message')
    .filter({ has: person.page.locator('.bubble', { hasText: text }) });

/** Opens what can be done with a message, by keyboard. */
async function menu(person: Person, text: string): Promise<Locator> {
  const button = row(person, text).getByRole('button', { name: /^Actions for/ });
  await button.focus();
  await button.press('Enter');
  const found = person.page.getByRole('menu');
  await expect(found).toBeVisible();
  return found;
}

async function choose(person: Person, text: string, item: string): Promise<void> {
  await (await menu(person, text)).getByRole('menuitem', { name: item, exact: true }).click();
}

/** Two people who see each other's changes, whatever is between them. */
async function change(ada: Person, bob: Person): Promise<void> {
  await ada.say('first');
  await ada.say('second with a typo');
  await bob.reads('first', 'second with a typo');

  // The last message of one's own is edited with the arrow key; what was being written before is still there.
  await ada.composer.fill('');
  await ada.composer.press('ArrowUp');
  await expect(ada.composer).toHaveValue('second with a typo');
  await expect(ada.page.getByText('Editing your message')).toBeVisible();
  await ada.composer.fill('second without');
  await ada.composer.press('Enter');
  for (const person of [ada, bob]) {
    await person.reads('first', 'second without');
    await expect(row(person, 'second without').getByText('edited', { exact: true })).toBeVisible();
  }
  await expect(ada.composer).toHaveValue('');
  await expect(ada.page.getByText('Editing your message')).toHaveCount(0);

  // A draft outlives an edit that is given up, and a reload.
  await ada.composer.fill('a draft');
  await choose(ada, 'first', 'Edit');
  await expect(ada.composer).toHaveValue('first');
  await ada.composer.press('Escape');
  await expect(ada.composer).toHaveValue('a draft');
  await ada.composer.fill('');

  // Nobody edits what is another's.
  const others = await menu(bob, 'first');
  await expect(others.getByRole('menuitem', { name: 'Reply' })).toBeVisible();
  await expect(others.getByRole('menuitem', { name: /^(Edit|Delete)$/ })).toHaveCount(0);
  await bob.page.keyboard.press('Escape');
  await expect(others).toHaveCount(0);
  await expect(row(bob, 'first').getByRole('button', { name: /^Actions for/ })).toBeFocused();

  // An answer quotes, and leads to what it answers.
  await choose(bob, 'first', 'Reply');
  await expect(bob.page.getByText('Replying to Ada')).toBeVisible();
  await bob.say('an answer');
  await expect(bob.page.getByText('Replying to Ada')).toHaveCount(0);
  for (const person of [ada, bob]) {
    const quote = row(person, 'an answer').getByRole('button', { name: 'Answers Ada: first' });
    await expect(quote).toBeVisible();
    await quote.click();
    await expect(row(person, 'first')).toBeInViewport();
  }

  // Reactions are counted, say who, and are taken back by another click.
  await (await menu(bob, 'first')).getByRole('menuitem', { name: 'React with 👍' }).click();
  const atAda = row(ada, 'first').getByRole('button', { name: /👍/ });
  await expect(atAda).toHaveAccessibleName('Bob: 👍');
  await expect(atAda).toHaveAttribute('aria-pressed', 'false');
  await atAda.click();
  const atBob = row(bob, 'first').getByRole('button', { name: /👍/ });
  await expect(atBob).toHaveAccessibleName('Bob and Ada: 👍');
  await expect(atBob).toHaveText(/2$/);
  await atBob.click();
  await expect(atAda).toHaveAccessibleName('Ada: 👍');
  await atAda.click();
  await expect(atBob).toHaveCount(0);

  // A deletion is confirmed first, and what answered says that it is gone.
  const own = await menu(ada, 'first');
  await own.getByRole('menuitem', { name: 'Delete' }).click();
  await ada.page.getByRole('button', { name: 'Cancel' }).click();
  await expect(row(bob, 'first')).toHaveCount(1);
  await choose(ada, 'first', 'Delete');
  await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  for (const person of [ada, bob]) {
    await person.reads('This message was deleted.', 'second without', 'an answer');
    const answer = row(person, 'an answer');
    await expect(answer.getByText('This message was deleted.')).toBeVisible();
  }

  // All of it is in the timeline: whoever comes back reads it as it is now.
  await bob.page.reload();
  await bob.reads('This message was deleted.', 'second without', 'an answer');
  await expect(row(bob, 'second without').getByText('edited', { exact: true })).toBeVisible();
}

test('messages are edited, answered, reacted to and deleted', async ({ fakePerson }) => {
  test.slow();
  const ada = await fakePerson('Ada');
  const bob = await fakePerson('Bob');
  await ada.enter();
  await ada.create('Changes');
  await bob.enter();
  await bob.join('Changes');
  await change(ada, bob);
});

test('axe finds nothing in what can be done with a message', async ({ fakePerson }) => {
  test.slow();
  const ada = await fakePerson('Ada');
  await ada.enter();
  await ada.create('Axe');
  await ada.say('**one** `two` @Ada [three](https://a.example)\n```js\nfour\n```');
  await ada.page.mouse.move(0, 0);
  const clean = async () => {
    const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  };
  await (await menu(ada, 'one')).getByRole('menuitem', { name: 'React with 👍' }).click();
  await choose(ada, 'one', 'Reply');
  await ada.composer.pressSequentially('#1');
  await expect(ada.page.getByRole('option')).toHaveCount(1);
  await clean();
  await ada.composer.press('Escape');
  await menu(ada, 'one');
  await clean();
});

const cluster = test.extend<{ cluster: Cluster }>({
  cluster: [
    async ({}, use) => {
      const cluster = new Cluster();
      await cluster.start(2);
      await use(cluster);
      await cluster.stop();
    },
    { timeout: 60_000 },
  ],
});

cluster('and so they are by people on two nodes', async ({ cluster, person }) => {
  test.slow();
  const ada = await person('Ada', { baseURL: cluster.url });
  const whereIsAda = new Whereabouts(ada.page);
  await ada.enter();
  await ada.create('Two changes');
  // Any node takes anybody: ask until it is the other one.
  let bob: Person;
  let whereIsBob: Whereabouts;
  do {
    bob = await person('Bob', { baseURL: cluster.url });
    whereIsBob = new Whereabouts(bob.page);
    await bob.enter();
  } while (whereIsBob.node === whereIsAda.node);
  await bob.join('Two changes');
  await change(ada, bob);
});
