import { expect, test } from './fixture';
import type { Person } from './person';
import { list } from './reading_world';

/** The newest message, when it has settled. */
async function newest(person: Person) {
  await expect(person.page.locator('.pending')).toHaveCount(0);
  return person.bodies.last();
}

test('Markdown is drawn, and copied from a code block', async ({ person }) => {
  const ada = await person('Ada', { permissions: ['clipboard-read', 'clipboard-write'] });
  await ada.enter();
  await ada.create('Markdown');
  await ada.say(
    '**bold _and italic_** ~~gone~~ `code` snake_case_word 2*3*4\n> quoted\n- one\n  - two\n1. first\n```js\nlet a = "*b*";\n```',
  );
  const body = await newest(ada);
  await expect(body.locator('strong')).toHaveText('bold and italic');
  await expect(body.locator('strong em')).toHaveText('and italic');
  await expect(body.locator('s')).toHaveText('gone');
  await expect(body.locator('p code')).toHaveText('code');
  await expect(body.locator('p').first()).toContainText('snake_case_word 2*3*4');
  await expect(body.locator('blockquote')).toHaveText('quoted');
  await expect(body.locator('ul ul li')).toHaveText('two');
  await expect(body.locator('ol li')).toHaveText('first');
  await expect(body.locator('pre')).toHaveText('let a = "*b*";');
  await expect(body.getByText('js', { exact: true })).toBeVisible();
  await body.getByRole('button', { name: 'Copy code' }).click();
  await expect(body.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toBe('let a = "*b*";');

  await ada.say('one\n\ntwo  three');
  await expect((await newest(ada)).locator('p')).toHaveCSS('white-space', 'pre-wrap');
  await ada.say('🎉 👍🏽');
  await expect((await newest(ada)).locator('.large')).toBeVisible();
});

test('links say where they lead, and other schemes are text', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.create('Links');
  await ada.say('see https://a.example/b_c. and [bank.example](https://evil.example/x)');
  let body = await newest(ada);
  const [bare, named] = [body.getByRole('link').first(), body.getByRole('link').last()];
  await expect(bare).toHaveAttribute('href', 'https://a.example/b_c');
  await expect(bare).toHaveAttribute('target', '_blank');
  await expect(bare).toHaveAttribute('rel', 'noopener noreferrer nofollow ugc');
  await expect(named).toHaveText(/bank\.example.*\(evil\.example\)/);

  await ada.say('[apple](https://аpple.com/)');
  body = await newest(ada);
  await expect(body).toContainText('(xn--pple-43d.com)');

  for (const text of [
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java&#115;cript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '<img src=x onerror=alert(1)>',
    '[x](https://bank.example@evil.example)',
  ]) {
    await ada.say(text);
    body = await newest(ada);
    await expect(body).toHaveText(text);
    await expect(body.getByRole('link')).toHaveCount(0);
  }
});

test('people and rooms are completed and become chips', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Chips');
  await bob.enter();
  await bob.join('Chips');
  const number = (await ada.roomNumber()).slice(1);

  await ada.composer.pressSequentially('hi @b');
  const option = ada.page.getByRole('option', { name: /Bob/ });
  await expect(option).toHaveAttribute('aria-selected', 'true');
  await expect(ada.composer).toHaveAttribute(
    'aria-activedescendant',
    (await option.getAttribute('id'))!,
  );
  await ada.composer.press('Tab');
  await expect(ada.composer).toHaveValue('hi @Bob ');
  await ada.composer.pressSequentially(`see #${number.slice(0, 4)}`);
  await expect(ada.page.getByRole('option', { name: /Chips/ })).toBeVisible();
  // Escape closes the suggestions, and Enter sends then.
  await ada.composer.press('Escape');
  await expect(ada.page.getByRole('listbox')).toHaveCount(0);
  // What is written out needs no suggestion.
  await ada.composer.pressSequentially(number.slice(4));
  await expect(ada.page.getByRole('option')).toHaveCount(0);
  await ada.composer.press('Enter');

  const seen = await newest(bob);
  await expect(seen.locator('.chip.me')).toHaveText('@Bob');
  await expect(seen.getByRole('link', { name: `#${number}` })).toHaveAttribute(
    'href',
    `/r/${number}`,
  );
  await expect((await newest(ada)).locator('.chip').first()).not.toHaveClass(/me/);

  // Arrows go round.
  await ada.composer.pressSequentially('@');
  await expect(ada.page.getByRole('option')).toHaveCount(1);
  await ada.composer.press('ArrowDown');
  await ada.composer.press('Enter');
  await expect(ada.composer).toHaveValue('@Bob ');
});

test('emoji are written by name, found in the picker and remembered', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.create('Glyphs');
  await ada.composer.pressSequentially('well :crab');
  await expect(ada.page.getByRole('option', { name: /🦀/ })).toBeVisible();
  await ada.composer.press('Enter');
  await expect(ada.composer).toHaveValue('well 🦀 ');
  await ada.composer.pressSequentially(':tada:');
  await expect(ada.composer).toHaveValue('well 🦀 🎉');

  await ada.page.getByRole('button', { name: 'Emoji' }).click();
  const picker = ada.page.getByRole('dialog', { name: 'Emoji' });
  await expect(
    picker.getByRole('region', { name: 'Recently used' }).getByRole('button').first(),
  ).toHaveText('🦀');
  await picker.getByRole('searchbox').fill('thumbs up');
  await ada.page.keyboard.press('Enter');
  await expect(ada.composer).toHaveValue('well 🦀 🎉👍');
  await expect(picker).toHaveCount(0);
  await ada.composer.press('Enter');
  await ada.reads('well 🦀 🎉👍');

  await ada.page.getByRole('button', { name: 'Emoji' }).click();
  await ada.page.keyboard.press('ArrowDown');
  await expect(picker.getByRole('button').first()).toBeFocused();
  await ada.page.keyboard.press('ArrowDown');
  await ada.page.keyboard.press('ArrowRight');
  await expect(
    picker.getByRole('region', { name: 'Smileys' }).getByRole('button').nth(1),
  ).toBeFocused();
  await ada.page.keyboard.press('Escape');
  await expect(picker).toHaveCount(0);
});

test('formatting has its keys, and they can be undone', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.create('Keys');
  await ada.composer.fill('word');
  await ada.composer.selectText();
  await ada.composer.press('Control+b');
  await expect(ada.composer).toHaveValue('**word**');
  await ada.composer.press('Control+b');
  await expect(ada.composer).toHaveValue('word');
  await ada.composer.press('Control+Shift+X');
  await expect(ada.composer).toHaveValue('~~word~~');
  await ada.composer.press('Control+z');
  await expect(ada.composer).toHaveValue('word');
  await ada.composer.selectText();
  await ada.composer.press('Control+e');
  await expect(ada.composer).toHaveValue('`word`');
});

test('a draft of each room survives a reload', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.create('Drafts');
  await ada.composer.fill('not yet');
  await ada.page.reload();
  await ada.isIn('Drafts');
  await expect(ada.composer).toHaveValue('not yet');
});

test('what is too long is counted, split, or cut when it is enormous', async ({ person }) => {
  const ada = await person('Ada', { permissions: ['clipboard-read', 'clipboard-write'] });
  await ada.enter();
  await ada.create('Long');
  const paste = async (text: string) => {
    await ada.page.evaluate((text) => navigator.clipboard.writeText(text), text);
    await ada.composer.fill('');
    await ada.composer.press('Control+v');
  };
  // As the server counts: an emoji is one.
  await paste('🎉'.repeat(1990));
  await expect(ada.page.getByText('10 left')).toBeVisible();

  await paste('word '.repeat(500));
  await expect(ada.page.getByText('499 characters too many')).toBeVisible();
  await expect(ada.page.getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
  await ada.page.getByRole('button', { name: 'Send as 2 messages' }).click();
  await expect(ada.bodies).toHaveCount(2);
  await expect(ada.page.locator('.pending, .failed')).toHaveCount(0);
  await expect(ada.composer).toHaveValue('');

  await paste('x'.repeat(1_000_000));
  await expect(ada.page.getByText(/its first 40,000 characters/)).toBeVisible();
  expect((await ada.composer.inputValue()).length).toBe(40_000);
});

test('nothing that is written turns around or covers what is beside it', async ({ person }) => {
  const ada = await person('A\u0301\u0302\u0303\u0304\u0305\u0306da');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Layout');
  await bob.enter();
  await bob.join('Layout');
  const zalgo = [...'zalgo']
    .map((letter) => letter + '\u0300\u0310\u0323\u0332'.repeat(10))
    .join('');
  const bodies = [
    '\u202Eevil \u2066and\u202D more',
    zalgo,
    '\u200b\u200b\u200ba\u200b',
    'x'.repeat(1500),
    '[\u202Emoc.knab](https://evil.example)',
    'שלום עולם **bold** https://a.example',
    '👩‍👩‍👧‍👦'.repeat(60),
    '> '.repeat(40) + 'deep',
    '- '.repeat(60) + 'x',
  ];
  for (const body of bodies) await ada.say(body);
  await expect(bob.bodies).toHaveCount(bodies.length);

  for (const { page } of [ada, bob]) {
    // Nothing to scroll sideways.
    expect(
      await list(page).evaluate((box) => box.scrollWidth - box.clientWidth),
    ).toBeLessThanOrEqual(0);
    // Each bubble is inside its message, and messages stand one below the other.
    const overlaps = await page.locator('li.message').evaluateAll(
      (rows) =>
        rows.filter((row, index) => {
          const box = row.getBoundingClientRect();
          const bubble = row.querySelector('.bubble')!.getBoundingClientRect();
          const next = rows[index + 1]?.getBoundingClientRect();
          const inside = bubble.top >= box.top - 1 && bubble.bottom <= box.bottom + 1;
          return !inside || (next !== undefined && next.top < box.bottom - 1);
        }).length,
    );
    expect(overlaps).toBe(0);
    await expect(page.locator('.bubble .body').first()).toHaveCSS('overflow', 'clip');
  }
  // The time stays where it is, in its own direction.
  const [name, time] = [
    bob.page.locator('.head .name').first(),
    bob.page.locator('.head time').first(),
  ];
  expect((await name.boundingBox())!.x).toBeLessThan((await time.boundingBox())!.x);
  // The host is not part of what was turned around.
  await expect(bob.page.getByRole('link').first()).toContainText('(evil.example)');
});
