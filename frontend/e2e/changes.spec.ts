import type { Locator } from '@playwright/test';
import { isAccessible } from './axe';
import { expect, test } from './fixture';
import type { Person } from './person';
import { longPress } from './touch';

const row = (person: Person, text: string): Locator =>
  person.page
    .locator('li.message')
    .filter({ has: person.page.locator('.bubble', { hasText: text }) });

/** The menu of a message, and its button. */
const opener = (person: Person, text: string): Locator =>
  row(person, text).getByRole('button', { name: /^Actions for/ });
const isTouch = (person: Person): Promise<boolean> =>
  person.page.evaluate(() => matchMedia('(pointer: coarse)').matches);

/** Opens what can be done with a message: by a finger that stays, or by the pointer. */
async function menu(person: Person, text: string): Promise<Locator> {
  const found = person.page.getByRole('menu');
  if (await isTouch(person)) {
    await longPress(row(person, text).locator('.bubble'), found);
  } else {
    await row(person, text).hover();
    await opener(person, text).click();
  }
  await expect(found).toBeInViewport({ ratio: 1 });
  return found;
}

async function choose(person: Person, text: string, item: string): Promise<void> {
  await (await menu(person, text)).getByRole('menuitem', { name: item, exact: true }).click();
}

test('messages are edited, answered, reacted to and deleted, and the other sees it', async ({
  pair,
}) => {
  test.slow();
  const [ada, bob] = await pair('Changes');
  await ada.say('first');
  await ada.say('second with a typo');
  await bob.reads('first', 'second with a typo');
  await ada.reads('first', 'second with a typo');

  // The last message of one's own is edited with the arrow key.
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

  // A draft outlives an edit that is given up.
  await ada.composer.fill('a draft');
  await choose(ada, 'first', 'Edit');
  await expect(ada.composer).toHaveValue('first');
  await ada.composer.press('Escape');
  await expect(ada.composer).toHaveValue('a draft');
  await ada.composer.fill('');

  // Nobody edits what is another's; by keyboard, too, the menu gives back where one was.
  await opener(bob, 'first').focus();
  await bob.page.keyboard.press('Enter');
  const others = bob.page.getByRole('menu');
  await expect(others.getByRole('menuitem', { name: 'Reply' })).toBeVisible();
  await expect(others.getByRole('menuitem', { name: /^(Edit|Delete)$/ })).toHaveCount(0);
  await expect(others.getByRole('menuitem').first()).toBeFocused();
  await bob.page.keyboard.press('Escape');
  await expect(others).toHaveCount(0);
  await expect(opener(bob, 'first')).toBeFocused();

  // An answer quotes, and leads to what it answers.
  await choose(bob, 'first', 'Reply');
  await expect(bob.page.getByText('Replying to Ada')).toBeVisible();
  await bob.say('an answer');
  await expect(bob.page.getByText('Replying to Ada')).toHaveCount(0);
  for (const person of [ada, bob]) {
    const quote = row(person, 'an answer').getByRole('button', { name: 'Answers Ada: first' });
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
  await isAccessible(bob.page);
  await atBob.click();
  await expect(atAda).toHaveAccessibleName('Ada: 👍');
  await atAda.click();
  await expect(atBob).toHaveCount(0);
  // Any other emoji comes from the picker.
  await choose(bob, 'first', 'Another emoji');
  const picker = bob.page.getByRole('dialog', { name: 'React' });
  await expect(picker).toBeInViewport({ ratio: 1 });
  await picker.getByRole('searchbox').fill('crab');
  await picker.getByRole('button', { name: 'crab', exact: true }).click();
  await expect(picker).toHaveCount(0);
  await expect(row(ada, 'first').getByRole('button', { name: 'Bob: 🦀' })).toBeVisible();

  // A deletion is confirmed first, and what answered says that it is gone.
  await choose(ada, 'first', 'Delete');
  await ada.page.getByRole('button', { name: 'Cancel' }).click();
  await expect(row(bob, 'first')).toHaveCount(1);
  await choose(ada, 'first', 'Delete');
  await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  const now = ['This message was deleted.', 'second without', 'an answer'];
  for (const person of [ada, bob]) {
    await person.reads(...now);
    const answer = row(person, 'an answer');
    await expect(answer.getByText('This message was deleted.')).toBeVisible();
  }

  // All of it is in the timeline: whoever comes back reads it as it is now.
  await bob.page.reload();
  await bob.reads(...now);
  await expect(row(bob, 'second without').getByText('edited', { exact: true })).toBeVisible();
  await menu(ada, 'second without');
  await isAccessible(ada.page);
});

test('what is changed without a connection arrives once there is one, and once', async ({
  pair,
  wire,
}) => {
  const [ada, bob] = await pair('Offline');
  await ada.say('keep');
  await ada.say('tipo');
  await bob.reads('keep', 'tipo');
  await ada.reads('keep', 'tipo');
  // The page has all its parts: here no worker keeps them.
  await menu(ada, 'keep');
  await ada.page.keyboard.press('Escape');
  wire.cut();
  await expect(ada.banner).toBeVisible();
  await (await menu(ada, 'keep')).getByRole('menuitem', { name: 'React with 👍' }).click();
  await ada.composer.press('ArrowUp');
  await ada.composer.fill('typo');
  await ada.composer.press('Enter');
  await ada.say('and more');
  wire.mend();
  for (const { page } of [ada, bob]) {
    await page.evaluate(() => dispatchEvent(new Event('online')));
  }
  for (const person of [ada, bob]) {
    await person.reads('keep', 'typo', 'and more');
    await expect(row(person, 'keep').getByRole('button', { name: 'Ada: 👍' })).toHaveText(/1$/);
    await expect(row(person, 'typo').getByText('edited', { exact: true })).toHaveCount(1);
  }
});
