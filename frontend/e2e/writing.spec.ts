import { isAccessible } from './axe';
import { expect, test } from './fixture';
import type { Person } from './person';
import { list } from './reading_world';

/** The newest message, when it has settled. */
async function newest(person: Person) {
  await expect(person.page.locator('.pending')).toHaveCount(0);
  return person.bodies.last();
}

/** Said by one, and how it looks to the other. */
async function heard(by: Person, to: Person, text: string) {
  const before = await to.bodies.count();
  await by.say(text);
  await expect(to.bodies).toHaveCount(before + 1);
  return to.bodies.last();
}

const mayCopy = (person: Person) =>
  person.context.grantPermissions(['clipboard-read', 'clipboard-write']);

test('Markdown and links are drawn for the other, and no other scheme leads anywhere', async ({
  pair,
}) => {
  test.slow();
  const [ada, bob] = await pair('Markdown');
  await mayCopy(bob);
  let body = await heard(
    ada,
    bob,
    '**bold _and italic_** ~~gone~~ `code` snake_case_word 2*3*4\n> quoted\n- one\n  - two\n1. first\n```js\nlet a = "*b*";\n```',
  );
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
  expect(await bob.page.evaluate(() => navigator.clipboard.readText())).toBe('let a = "*b*";');

  body = await heard(ada, bob, 'one\n\ntwo  three');
  await expect(body.locator('p')).toHaveCSS('white-space', 'pre-wrap');
  body = await heard(ada, bob, '🎉 👍🏽');
  await expect(body.locator('.large')).toBeVisible();

  // Links say where they lead.
  body = await heard(
    ada,
    bob,
    'see https://a.example/b_c. and [bank.example](https://evil.example/x)',
  );
  const [bare, named] = [body.getByRole('link').first(), body.getByRole('link').last()];
  await expect(bare).toHaveAttribute('href', 'https://a.example/b_c');
  await expect(bare).toHaveAttribute('target', '_blank');
  await expect(bare).toHaveAttribute('rel', 'noopener noreferrer nofollow ugc');
  await expect(named).toHaveText(/bank\.example.*\(evil\.example\)/);
  body = await heard(ada, bob, '[apple](https://аpple.com/)');
  await expect(body).toContainText('(xn--pple-43d.com)');
  for (const text of [
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java&#115;cript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '<img src=x onerror=alert(1)>',
    '[x](https://bank.example@evil.example)',
  ]) {
    body = await heard(ada, bob, text);
    await expect(body).toHaveText(text);
    await expect(body.getByRole('link')).toHaveCount(0);
  }
  // One's own bubbles are of another colour.
  await bob.say('`code` and https://a.example, > said @Ada');
  await isAccessible(bob.page);
});

test('people, rooms and emoji are completed, and become what they mean', async ({ pair }) => {
  test.slow();
  const [ada, bob] = await pair('Chips');
  const number = (await ada.roomNumber()).slice(1);

  await ada.composer.pressSequentially('hi @b');
  const option = ada.page.getByRole('option', { name: /Bob/ });
  await expect(option).toHaveAttribute('aria-selected', 'true');
  await expect(option).toBeInViewport({ ratio: 1 });
  await expect(ada.composer).toHaveAttribute(
    'aria-activedescendant',
    (await option.getAttribute('id'))!,
  );
  await isAccessible(ada.page);
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

  await expect(bob.bodies).toHaveCount(1);
  const seen = bob.bodies.last();
  await expect(seen.locator('.chip.me')).toHaveText('@Bob');
  await expect(seen.getByRole('link', { name: `#${number}` })).toHaveAttribute(
    'href',
    `/r/${number}`,
  );
  await expect((await newest(ada)).locator('.chip').first()).not.toHaveClass(/me/);

  // A suggestion is taken by a click, too.
  await ada.composer.pressSequentially('@');
  await expect(ada.page.getByRole('option')).toHaveCount(1);
  await ada.page.getByRole('option').click();
  await expect(ada.composer).toHaveValue('@Bob ');
  await ada.composer.fill('');

  await ada.composer.pressSequentially('well :crab');
  await expect(ada.page.getByRole('option', { name: /🦀/ })).toBeVisible();
  await ada.composer.press('Enter');
  await expect(ada.composer).toHaveValue('well 🦀 ');
  await ada.composer.pressSequentially(':tada:');
  await expect(ada.composer).toHaveValue('well 🦀 🎉');

  const smile = ada.page.getByRole('button', { name: 'Emoji', exact: true });
  await smile.click();
  const picker = ada.page.getByRole('dialog', { name: 'Emoji' });
  await expect(picker).toBeInViewport({ ratio: 1 });
  await expect(
    picker.getByRole('region', { name: 'Recently used' }).getByRole('button').first(),
  ).toHaveText('🦀');
  await picker.getByRole('searchbox').fill('thumbs up');
  await expect(picker.getByRole('button', { name: '+1', exact: true })).toBeInViewport();
  await isAccessible(ada.page);
  await picker.getByRole('searchbox').focus();
  await ada.page.keyboard.press('Enter');
  await expect(ada.composer).toHaveValue('well 🦀 🎉👍');
  await expect(picker).toHaveCount(0);
  await ada.composer.press('Enter');
  const all = [/^hi @Bob see #/, 'well 🦀 🎉👍'];
  await expect(bob.bodies).toHaveText(all);
  await expect(ada.bodies).toHaveText(all);

  // By keyboard through the rows, and out.
  await smile.click();
  await expect(picker).toBeVisible();
  await ada.page.keyboard.press('ArrowDown');
  await expect(picker.getByRole('button').first()).toBeFocused();
  await ada.page.keyboard.press('ArrowDown');
  await ada.page.keyboard.press('ArrowRight');
  await expect(
    picker.getByRole('region', { name: 'Smileys' }).getByRole('button').nth(1),
  ).toBeFocused();
  await ada.page.keyboard.press('Escape');
  await expect(picker).toHaveCount(0);
  await expect(smile).toBeFocused();

  // Formatting has its keys, and they can be undone.
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
  // A draft survives a reload, and is then said like anything else.
  await ada.page.reload();
  await ada.isIn('Chips');
  await expect(ada.composer).toHaveValue('`word`');
  await ada.composer.press('Enter');
  await expect(bob.bodies.last().locator('code')).toHaveText('word');
  await expect(ada.composer).toHaveValue('');
});

test('what is too much is counted, split, cut or held back, and none of it is lost', async ({
  pair,
}) => {
  test.slow();
  const [ada, bob] = await pair('Long');
  await mayCopy(ada);
  const { page } = ada;
  const paste = async (text: string) => {
    await page.evaluate((text) => navigator.clipboard.writeText(text), text);
    await ada.composer.fill('');
    await ada.composer.press('Control+v');
  };
  // As the server counts: an emoji is one.
  await paste('🎉'.repeat(1990));
  await expect(page.getByText('10 left')).toBeVisible();
  await paste('word '.repeat(500));
  await expect(page.getByText('499 characters too many')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
  await page.getByRole('button', { name: 'Send as 2 messages' }).click();
  await expect(bob.bodies).toHaveCount(2);
  expect((await bob.bodies.allInnerTexts()).join(' ')).toBe('word '.repeat(500).trim());
  await expect(page.locator('.pending, .failed')).toHaveCount(0);
  await expect(ada.composer).toHaveValue('');

  await paste('x'.repeat(1_000_000));
  await expect(page.getByText(/its first 40,000 characters/)).toBeVisible();
  expect((await ada.composer.inputValue()).length).toBe(40_000);
  await ada.composer.fill('');

  // The server says how much more it takes, which depends on how fast the machine is: here it says what we say.
  const says: Record<string, object> = {
    few: { budget: { remaining: 2, oneMoreMs: 3000 } },
    none: { budget: { remaining: 0, oneMoreMs: 3000 } },
  };
  let refuse = true;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const server = socket.connectToServer();
    const bodies = new Map<string, string>();
    socket.onMessage((frame) => {
      const { id, body } = JSON.parse(String(frame)) as { id: string; body?: string };
      if (body !== undefined) bodies.set(id, body);
      if (body !== 'refused' || !refuse) return server.send(frame);
      refuse = false;
      const error = {
        type: 'ERROR',
        id,
        code: 'rate_limited',
        message: 'slow',
        retryAfterMs: 2500,
      };
      socket.send(JSON.stringify(error));
    });
    server.onMessage((frame) => {
      const event = JSON.parse(String(frame)) as { type: string; id?: string };
      const change = event.type === 'ACK' && says[bodies.get(event.id ?? '') ?? ''];
      socket.send(change ? JSON.stringify({ ...event, ...change }) : frame);
    });
  });
  await page.reload();
  await ada.isIn('Long');
  await ada.say('few');
  await expect(page.getByText('You can send 2 more messages now.')).toBeVisible();
  await ada.say('none');
  const countdown = page.getByText(/The next message goes out in \d/);
  await expect(countdown).toBeVisible();
  await expect(countdown).toHaveCount(0);
  await ada.say('refused');
  await expect(page.locator('.pending')).toContainText(/Sending in \d/);
  await expect(countdown).toBeVisible();
  const all = [/^word/, /^word/, 'few', 'none', 'refused'];
  await expect(bob.bodies).toHaveText(all);
  await expect(ada.bodies).toHaveText(all);
  await expect(page.locator('.pending, .failed')).toHaveCount(0);
  await expect(countdown).toHaveCount(0);
});

test('nothing that is written turns around or covers what is beside it', async ({ pair }) => {
  const [ada, bob] = await pair('Layout', ['A\u0301\u0302\u0303\u0304\u0305\u0306da', 'Bob']);
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
    '```\n' + 'wide '.repeat(60) + '\n```',
  ];
  for (const body of bodies) await ada.say(body);
  await expect(bob.bodies).toHaveCount(bodies.length);
  await expect(ada.page.locator('.pending')).toHaveCount(0);

  for (const { page } of [ada, bob]) {
    // Nothing to scroll sideways, but inside a block of code.
    for (const box of [list(page), page.locator('html')]) {
      expect(await box.evaluate((box) => box.scrollWidth - box.clientWidth)).toBeLessThanOrEqual(0);
    }
    // Each bubble is inside its message, and messages stand one below the other.
    const overlaps = await page.locator('li.message').evaluateAll(
      (rows) =>
        rows.filter((row, index) => {
          const box = row.getBoundingClientRect();
          const bubble = row.querySelector('.bubble')!.getBoundingClientRect();
          const next = rows[index + 1]?.getBoundingClientRect();
          const inside =
            bubble.top >= box.top - 1 &&
            bubble.bottom <= box.bottom + 1 &&
            bubble.left >= box.left - 1 &&
            bubble.right <= box.right + 1;
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
