import { test as base, expect, type BrowserContextOptions, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { AdminFake, PASSWORD, POLICY } from './admin_fake';
import { isAccessible } from './axe';

// The dashboard against an admin API in memory: no server of ours is needed, only a built page.

interface Each {
  fake: AdminFake & { url: string };
  /** A browser of an admin's own, not signed in yet. */
  open(options?: BrowserContextOptions): Promise<Page>;
  /** The same, signed in. */
  admin(hash?: string, options?: BrowserContextOptions): Promise<Page>;
}

const test = base.extend<Each>({
  fake: async ({}, use) => {
    const fake = new AdminFake();
    await use(Object.assign(fake, { url: await fake.open() }));
    await fake.close();
  },

  open: async ({ browser, fake }, use) => {
    const contexts: { close(): Promise<void> }[] = [];
    const complaints: string[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({
        baseURL: fake.url,
        viewport: { width: 1280, height: 800 },
        ...options,
      });
      contexts.push(context);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        // That a call was refused or a socket was cut is what some tests are about; the browser says it by itself.
        const known = /Failed to load resource|WebSocket connection to/;
        if (['error', 'warning'].includes(message.type()) && !known.test(message.text())) {
          complaints.push(message.text());
        }
      });
      return page;
    });
    for (const context of contexts) await context.close();
    // In every test: no exception, and nothing that the content security policy had to stop.
    expect(complaints).toEqual([]);
  },

  admin: async ({ open }, use) => {
    await use(async (hash = '', options = {}) => {
      const page = await open(options);
      await page.goto(`/admin/${hash}`);
      await signIn(page);
      await expect(feed(page)).toHaveText(/Live/);
      return page;
    });
  },
});

async function signIn(page: Page, password = PASSWORD): Promise<void> {
  await page.getByLabel('Username').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const feed = (page: Page) => page.getByTestId('feed');
const spoken = (page: Page) => page.getByTestId('spoken');
const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });
const dialog = (page: Page) => page.getByRole('dialog');
const tile = (page: Page, name: string) =>
  page.locator('dl.tiles > div', { has: page.getByText(name, { exact: true }) }).locator('dd');

async function fits(page: Page): Promise<void> {
  const { width } = page.viewportSize()!;
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
}

const VIEWS = {
  overview: 'Overview',
  nodes: 'Nodes',
  rooms: 'Rooms',
  'rooms/48213': 'Rooms',
  clients: 'Clients',
  'clients/10004': 'Clients',
  bans: 'Bans',
  notices: 'Notices',
  audit: 'Audit log',
  limits: 'Limits',
};

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [320, 1280]) {
    test(`axe finds nothing and all fits, ${colorScheme}, ${width} px`, async ({ open, fake }) => {
      test.slow();
      const viewport = { width, height: 720 };
      const { world } = fake;
      // One row is as good as fifty, and axe looks at each.
      world.rooms.length = world.clients.length = world.audit.length = 9;
      const page = await open({ colorScheme, viewport, reducedMotion: 'reduce' });
      await page.goto('/admin/');
      await isAccessible(page);
      await fits(page);
      await signIn(page, 'wrong');
      await expect(page.getByRole('alert')).toHaveText(/wrong/);
      await isAccessible(page);
      await signIn(page);
      world.lost.add('chat-node-1 chat-node-3');
      for (const [path, title] of Object.entries(VIEWS)) {
        await page.goto(`/admin/#/${path}`);
        await expect(heading(page, title)).toBeVisible();
        await expect(page.getByText(/^Loading|^Waiting for/)).toHaveCount(0);
        await fits(page);
        await isAccessible(page);
      }
      await page.goto('/admin/#/audit');
      await page
        .getByRole('button', { name: /^Details/ })
        .first()
        .click();
      await isAccessible(page);
      await page.goto('/admin/#/overview');
      for (const summary of await page.getByText('As a table').all()) await summary.click();
      await isAccessible(page);
      await fits(page);
      await page.goto('/admin/#/bans');
      await page.getByRole('button', { name: 'New ban…' }).click();
      await page.getByRole('radio', { name: 'An address or network' }).check();
      await page.getByRole('textbox', { name: 'Address or network' }).fill('203.0.0.0/8');
      await page.getByRole('button', { name: 'Preview' }).click();
      await expect(dialog(page).getByText(/would be disconnected/)).toBeVisible();
      await isAccessible(page);
      await fits(page);
    });
  }
}

test.describe('signing in', () => {
  test('works with password managers, and says what is wrong', async ({ open, fake }) => {
    const page = await open();
    await page.goto('/admin/');
    await expect(page.getByLabel('Username')).toHaveAttribute('autocomplete', 'username');
    await expect(page.getByLabel('Username')).toBeFocused();
    const password = page.getByLabel('Password', { exact: true });
    await expect(password).toHaveAttribute('autocomplete', 'current-password');
    const alert = page.getByRole('alert');
    await signIn(page, 'wrong');
    await expect(alert).toHaveText(/The name or the password is wrong/);

    fake.intercept = () => fake.problem(503, 'Unavailable', 'Redis cannot be reached');
    await signIn(page);
    await expect(alert).toHaveText(/Redis cannot be reached.*req-fake-/);

    fake.intercept = () =>
      fake.problem(429, 'Too many requests', 'too many sign-ins', { 'retry-after': '2' });
    await signIn(page);
    await expect(alert).toHaveText(/Too many sign-ins.*Try again in [12] s/);
    const button = page.getByRole('button', { name: 'Sign in' });
    await expect(button).toBeDisabled();
    fake.intercept = () => undefined;
    await expect(button).toBeEnabled();
    await button.click();
    await expect(heading(page, 'Overview')).toBeFocused();
  });

  test('is for this page only', async ({ admin, fake }) => {
    const page = await admin('#/rooms');
    const kept = await page.evaluate(() => [
      JSON.stringify(localStorage),
      JSON.stringify(sessionStorage),
      document.cookie,
    ]);
    expect(kept).toEqual(['{}', '{}', '']);
    await page.reload();
    await expect(page.getByText(/reloading it signs you out/)).toBeVisible();
    await signIn(page);
    await expect(heading(page, 'Rooms')).toBeVisible();
    await page.getByRole('button', { name: 'Account: admin' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByText('You are signed out.')).toBeVisible();
    await expect.poll(() => fake.calls).toContain('POST /logout');
  });

  test('is asked for again when the server says 401', async ({ admin, fake }) => {
    const page = await admin('#/bans');
    await expect(page.getByRole('table')).toBeVisible();
    fake.intercept = ({ path }) =>
      path === '/room' ? fake.problem(401, 'Unauthorized') : undefined;
    await page.getByRole('link', { name: 'Rooms' }).click();
    await expect(page.getByText(/no longer accepts your session/)).toBeVisible();
    fake.intercept = () => undefined;
    await signIn(page);
    await expect(heading(page, 'Rooms')).toBeVisible();
  });

  test('is asked for again when the feed is closed for it', async ({ admin, fake }) => {
    const page = await admin('#/notices');
    fake.revoke();
    await expect(page.getByText(/no longer accepts your session/)).toBeVisible();
    expect(fake.calls.filter((call) => call === 'GET /servers')).toEqual([]);
    await signIn(page);
    await expect(heading(page, 'Notices')).toBeVisible();
  });

  test('again, a minute before the end, loses nothing', async ({ open, fake }) => {
    fake.ttlMs = 61_500;
    const page = await open();
    await page.goto('/admin/#/notices');
    await signIn(page);
    await page.getByLabel('Text').fill('half a sentence');
    await expect(page.getByText(/Your session ends in\s/).and(page.locator('p'))).toBeVisible();
    await expect(spoken(page)).toHaveText(/ends in a minute/);
    fake.ttlMs = 1_800_000;
    await page.getByRole('button', { name: 'Sign in again' }).click();
    await expect(dialog(page).getByLabel('Username')).toHaveValue('admin');
    await dialog(page).getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await expect(dialog(page)).toBeHidden();
    await expect(page.getByText(/Your session ends in\s/).and(page.locator('p'))).toBeHidden();
    await expect(page.getByLabel('Text')).toHaveValue('half a sentence');
    await expect.poll(() => fake.calls).toContain('POST /logout');
    await expect(feed(page)).toHaveText(/Live/);
  });

  test('with another password, once it was changed', async ({ admin, fake }) => {
    const page = await admin();
    await page.getByRole('button', { name: 'Account: admin' }).click();
    await page.getByRole('button', { name: 'Change the password' }).click();
    const field = (label: string) => dialog(page).getByLabel(label, { exact: true });
    await expect(field('New password')).toHaveAttribute('autocomplete', 'new-password');
    await field('Present password').fill('wrong');
    await field('New password').fill('short');
    await page.keyboard.press('Enter');
    await expect(dialog(page).getByRole('alert')).toHaveText(/12 to 256/);
    await field('New password').fill('another long password');
    await field('New password, once more').fill('another long password');
    await page.keyboard.press('Enter');
    await expect(dialog(page).getByRole('alert')).toHaveText(/present password is wrong/);
    await isAccessible(page);
    await field('Present password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await expect(spoken(page)).toHaveText(/The password was changed/);
    fake.revoke();
    await expect(page.getByText(/Sign in with the new one/)).toBeVisible();
    await signIn(page, 'another long password');
    await expect(heading(page, 'Overview')).toBeVisible();
  });
});

test('the overview shows figures, rates and charts', async ({ open, fake }) => {
  fake.backlogMs = 240_000;
  const page = await open();
  await page.goto('/admin/');
  await signIn(page);
  await expect(tile(page, 'Nodes')).toHaveText('3');
  await expect(tile(page, 'Connections')).toHaveText(/^\d,\d{3}$/);
  await expect(tile(page, 'Messages in')).toHaveText(/^\d+(\.\d)?\/s$/);
  await expect(tile(page, 'Bytes out')).toHaveText(/kB\/s$/);
  await expect(page.locator('canvas')).toHaveCount(4);
  // Beside the lines stand numbers that can be read, and below them times.
  const darkest = await page
    .locator('canvas')
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      const { width, height } = canvas;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height);
      const strips = [
        [0, 0, 48, height - 24],
        [52, height - 24, width - 52, 24],
      ] as const;
      return strips.map(([x, y, w, h]) => {
        let least = 255;
        for (let row = y; row < y + h; row += 1) {
          for (let column = x; column < x + w; column += 1) {
            const at = 4 * (row * width + column);
            if (data[at + 3]! > 200) least = Math.min(least, data[at]!);
          }
        }
        return least;
      });
    });
  for (const shade of darkest) expect(shade).toBeLessThan(140);
  await page.getByText('As a table').first().click();
  const table = page.getByRole('region', { name: 'Connections as a table' });
  await expect(table.getByRole('row')).toHaveCount(4);
  await expect(table.getByRole('row').nth(1)).toHaveText(/chat-node-1.*–.*\d,\d{3}/);
  await page.getByRole('radio', { name: 'Last hour' }).check();
  await expect(table.getByRole('columnheader').nth(1)).toHaveText('−1 h');
  await expect(table.getByRole('row').nth(1)).not.toHaveText(/–/);
  // It can be held still.
  await page.getByRole('radio', { name: '5 minutes' }).check();
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(feed(page)).toHaveText(/Paused/);
  fake.world.nodes = ['chat-node-1'];
  await page.waitForTimeout(1_500);
  await expect(tile(page, 'Nodes')).toHaveText('3');
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(tile(page, 'Nodes')).toHaveText('1');
  await expect(page.getByText(/2 nodes not heard from: chat-node-2, chat-node-3/)).toBeVisible();
});

test('nodes are drained, and missed when they vanish', async ({ admin, fake }) => {
  const page = await admin('#/nodes');
  const nodes = page.getByRole('region', { name: 'Nodes' });
  const matrix = page.getByRole('region', { name: 'From node to node' });
  await expect(nodes.getByRole('row')).toHaveCount(4);
  await expect(matrix.getByRole('row').nth(1)).toHaveText(/chat-node-1.*ms.*ms.*ms/);
  fake.world.lost.add('chat-node-1 chat-node-3');
  await expect(matrix.getByRole('row').nth(1)).toHaveText(/lost\s7 s/);

  await page.getByRole('button', { name: 'Drain… chat-node-2' }).click();
  await expect(dialog(page)).not.toHaveText(/only node/);
  await page.keyboard.press('Escape');
  await expect(dialog(page)).toBeHidden();
  await expect(page.getByRole('button', { name: 'Drain… chat-node-2' })).toBeFocused();
  await page.getByRole('button', { name: 'Drain… chat-node-2' }).click();
  await dialog(page)
    .getByLabel(/Reason/)
    .fill('an update');
  await dialog(page).getByRole('button', { name: 'Drain it' }).click();
  await expect(spoken(page)).toHaveText(/chat-node-2 sends its clients elsewhere/);
  await expect(nodes.getByRole('row', { name: /chat-node-2/ })).toHaveText(/draining/);
  expect(fake.world.audit[0]).toMatchObject({ action: 'node_drain', reason: 'an update' });

  // It said that it goes; the other one did not.
  fake.world.nodes = ['chat-node-1'];
  await expect(nodes.getByRole('row', { name: /chat-node-3/ })).toHaveText(/gone\s\d s/);
  await expect(nodes.getByRole('row', { name: /chat-node-2/ })).toHaveCount(0);
  await expect(matrix.getByRole('row').nth(2)).toHaveText(/chat-node-3.*gone.*gone/);
  await page.getByRole('button', { name: 'Drain… chat-node-1' }).click();
  await expect(dialog(page)).toHaveText(/only node that takes clients/);
  await isAccessible(page);
});

test('rooms are found, read and deleted', async ({ admin, fake }) => {
  const page = await admin('#/rooms');
  const rooms = page.getByRole('region', { name: 'Rooms' });
  await expect(page.getByText('137 rooms in all')).toBeVisible();
  await expect(rooms.getByRole('row')).toHaveCount(51);
  await page.getByRole('button', { name: 'More' }).click();
  await expect(rooms.getByRole('row')).toHaveCount(101);
  // Two readings make a rate.
  await expect(rooms.getByRole('row').nth(1).getByRole('cell').nth(2)).not.toHaveText('–');
  await expect(rooms.getByText('<b>not bold</b>')).toBeVisible();

  // On the last page only: those before it are empty.
  await page.getByLabel('Search').fill('room 130');
  await expect(rooms.getByRole('row')).toHaveCount(2);
  await expect(page).toHaveURL(/q=room\+130/);
  await page.getByLabel('Search').fill('nothing at all');
  await expect(page.getByText('Nothing matches. Try other words.')).toBeVisible();
  await page.getByLabel('Search').fill('');

  const link = rooms.getByRole('link', { name: 'Tea time' });
  await link.click();
  const panel = page.getByRole('complementary', { name: 'Tea time' });
  await expect(panel.getByRole('heading', { name: 'Tea time' })).toBeFocused();
  await expect(panel.getByText('0f9c2a7e')).toBeVisible();
  await expect(panel.getByRole('region', { name: 'Members' })).toHaveText(/Ada/);
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
  await expect(link).toBeFocused();
  await page.goBack();
  await expect(panel).toBeVisible();

  await panel.getByRole('button', { name: 'Delete…' }).click();
  const button = dialog(page).getByRole('button', { name: 'Delete the room' });
  await expect(button).toBeDisabled();
  await dialog(page)
    .getByLabel(/Type the room/)
    .fill('Tea');
  await expect(button).toBeDisabled();
  await dialog(page)
    .getByLabel(/Type the room/)
    .fill('48213');
  await button.click();
  await expect(spoken(page)).toHaveText(/“Tea time” was deleted.*Not confirmed yet by chat-node-2/);
  await expect(panel).toBeHidden();
  await expect(link).toHaveCount(0);
  await expect(heading(page, 'Rooms')).toBeFocused();
  expect(fake.calls).toContain('DELETE /room/48213');
});

test('messages of a room are read as they were written, and deleted', async ({ admin, fake }) => {
  const page = await admin('#/rooms/48213');
  const list = page.getByRole('region', { name: 'Messages as they were written' });
  await expect(list.getByRole('button', { name: /Delete message/ })).toHaveCount(50);
  await expect(list.getByText('It is 60')).toBeVisible();
  const more = page
    .getByRole('region', { name: 'Newest messages' })
    .getByRole('button', { name: 'More' });
  await more.click();
  await expect(list.getByRole('button', { name: /Delete message/ })).toHaveCount(59);
  await expect(more).toHaveCount(0);
  await expect(list.getByText('<b>tee</b> at five')).toBeHidden();
  await list.getByText('Edited: 2 versions').click();
  await expect(list.getByText('<b>tee</b> at five')).toBeVisible();
  await isAccessible(page);

  const button = list.getByRole('button', { name: 'Delete message #58' });
  await button.click();
  await expect(dialog(page).getByText('<b>tea</b> at five')).toBeVisible();
  await isAccessible(page);
  await dialog(page)
    .getByLabel(/Reason/)
    .fill('it is coffee');
  fake.intercept = () => fake.problem(503, 'Unavailable', 'its author is changing it: try again');
  await dialog(page).getByRole('button', { name: 'Delete the message' }).click();
  await expect(dialog(page).getByRole('alert')).toHaveText(/Its author is changing it/);
  fake.intercept = () => undefined;
  await dialog(page).getByRole('button', { name: 'Delete the message' }).click();
  await expect(spoken(page)).toHaveText('Message #58 by Ada was deleted.');
  await expect(dialog(page)).toBeHidden();
  await expect(list.getByText('deleted at #61')).toBeVisible();
  await expect(button).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Newest messages' })).toBeFocused();
  expect(fake.calls).toContain('DELETE /room/48213/messages/58');
  await page.getByRole('link', { name: 'Audit log' }).click();
  await expect(page.getByRole('row', { name: /Message deleted/ })).toContainText('it is coffee');
});

test('clients are found, removed and banned', async ({ admin, fake }) => {
  const page = await admin('#/clients');
  const clients = page.getByRole('region', { name: 'Clients' });
  await page.getByLabel('Search').fill('203.0.113.14');
  await expect(clients.getByRole('row')).toHaveCount(6);
  await page.getByLabel('Search').fill('mallory');
  await expect(clients.getByRole('row')).toHaveCount(2);
  await clients.getByRole('link', { name: '<i>Mallory</i>' }).click();
  const panel = page.getByRole('complementary');
  await expect(panel).toHaveText(/203\.0\.113\.4/);

  await panel.getByRole('button', { name: 'Remove…' }).click();
  await dialog(page).getByRole('button', { name: 'Remove' }).click();
  await expect(dialog(page).getByRole('alert')).toHaveText(/Say why/);
  await dialog(page).getByLabel('Reason').fill('spam');
  await dialog(page).getByRole('button', { name: 'Remove' }).click();
  await expect(spoken(page)).toHaveText(/<i>Mallory<\/i> \(10004\) was disconnected/);
  expect(fake.world.audit[0]).toMatchObject({ action: 'client_remove', reason: 'spam' });

  await page.goto('/admin/#/clients/10002');
  await panel.getByRole('button', { name: 'Ban…' }).click();
  const ban = dialog(page).getByRole('button', { name: 'Ban', exact: true });
  await expect(ban).toBeDisabled();
  await dialog(page).getByLabel('Reason').fill('spam again');
  await dialog(page).getByRole('button', { name: 'Preview' }).click();
  await expect(dialog(page)).toHaveText(/1 connected client would be disconnected.*Grace/);
  // Of another target it says nothing.
  await dialog(page).getByLabel('Client’s id').fill('10003');
  await expect(ban).toBeDisabled();
  await dialog(page).getByLabel('Client’s id').fill('10002');
  await expect(ban).toBeEnabled();
  await ban.click();
  await expect(spoken(page)).toHaveText(/Banned client 10002; 1 connection closed/);
  expect(fake.world.bans).toHaveLength(3);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(spoken(page)).toHaveText(/was lifted/);
  expect(fake.world.bans).toHaveLength(2);
});

test('a wide network wants to be confirmed', async ({ admin, fake }) => {
  const page = await admin('#/bans');
  await page.getByRole('button', { name: 'New ban…' }).click();
  await page.getByRole('radio', { name: 'An address or network' }).check();
  const address = page.getByRole('textbox', { name: 'Address or network' });
  await address.fill('203.0.113');
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog(page).getByRole('alert').first()).toHaveText(/An address like/);
  await address.fill('203.0.0.0/8');
  await page.getByLabel('Reason').fill('a flood');
  await page.getByLabel('How long').selectOption('custom');
  await page.getByLabel('Number').fill('90');
  await page.getByLabel('Unit').selectOption('minutes');
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog(page)).toHaveText(/120 connected clients would be disconnected.*and 20 more/);
  const ban = dialog(page).getByRole('button', { name: 'Ban', exact: true });
  await expect(ban).toBeDisabled();
  await page.getByLabel(/I mean all of it/).check();
  await ban.click();
  await expect(page.getByRole('row', { name: /203\.0\.0\.0\/8/ })).toHaveText(/in 1 h 29 min/);
  await page.getByRole('button', { name: 'Lift… the ban of 203.0.0.0/8' }).click();
  await dialog(page).getByRole('button', { name: 'Lift it' }).click();
  await expect(page.getByRole('row', { name: /203\.0\.0\.0\/8/ })).toHaveCount(0);
  // What had the focus is gone.
  await expect(heading(page, 'Bans')).toBeFocused();
  expect(fake.world.bans).toHaveLength(2);
});

test('the keyboard alone signs in and bans', async ({ open, fake }) => {
  const page = await open();
  const { keyboard } = page;
  await page.goto('/admin/#/bans');
  await keyboard.type('admin');
  await keyboard.press('Tab');
  await keyboard.type(PASSWORD);
  await keyboard.press('Enter');
  await expect(heading(page, 'Bans')).toBeFocused();

  const tabTo = async (name: string) => {
    const target = page
      .getByRole('button', { name, exact: true })
      .or(page.getByRole('textbox', { name, exact: true }))
      .or(page.getByRole('combobox', { name, exact: true }))
      .first();
    for (let step = 0; step < 40; step += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) {
        const { outlineStyle } = await target.evaluate((element) => getComputedStyle(element));
        expect(outlineStyle).not.toBe('none');
        return;
      }
      await keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach ${name}`);
  };

  await tabTo('New ban…');
  await keyboard.press('Enter');
  await expect(dialog(page)).toBeVisible();
  await keyboard.press('Escape');
  await expect(dialog(page)).toBeHidden();
  await expect(page.getByRole('button', { name: 'New ban…' })).toBeFocused();
  await keyboard.press('Enter');
  await tabTo('Client’s id');
  await keyboard.type('10003');
  await tabTo('Reason');
  await keyboard.type('spam');
  await tabTo('How long');
  await keyboard.type('1 w');
  await tabTo('Preview');
  await keyboard.press('Enter');
  await expect(dialog(page)).toHaveText(/1 connected client would be disconnected/);
  // The focus stays within the dialog, however far one goes.
  for (let step = 0; step < 15; step += 1) {
    await keyboard.press('Tab');
    const inside = await page.evaluate(
      () => document.activeElement === document.body || !!document.activeElement?.closest('dialog'),
    );
    expect(inside).toBe(true);
  }
  await tabTo('Ban');
  await keyboard.press('Enter');
  await expect(spoken(page)).toHaveText(/Banned client 10003/);
  expect(fake.world.bans.at(-1)).toMatchObject({ clientId: 10_003, reason: 'spam' });

  // The way past the navigation.
  await page.getByRole('link', { name: 'Skip to the content' }).focus();
  await keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
  await expect(heading(page, 'Bans')).toBeVisible();
});

test('notices are seen before they are sent', async ({ admin, fake }) => {
  const page = await admin('#/notices');
  await page.getByRole('button', { name: /^Send to/ }).click();
  await expect(page.getByRole('alert')).toHaveText(/Write what it should say/);
  await page.getByLabel('Text').fill('Back in <b>five</b> minutes');
  await page.getByRole('radio', { name: 'warning' }).check();
  await expect(page.getByRole('region', { name: 'Preview' })).toHaveText(/<b>five<\/b>/);
  await page.getByRole('button', { name: 'Send to everybody…' }).click();
  await expect(dialog(page)).toHaveText(/143 connected clients/);
  await dialog(page).getByRole('button', { name: 'Send' }).click();
  await expect(page.getByTestId('result')).toHaveText('Sent to everybody.');
  await expect(page.getByLabel('Text')).toHaveValue('');
  expect(fake.world.audit[0]!.after).toEqual({
    text: 'Back in <b>five</b> minutes',
    level: 'warning',
    roomId: null,
  });

  await page.goto('/admin/#/rooms/48213');
  await page.getByRole('link', { name: 'Send a notice' }).click();
  await expect(page.getByLabel('Room’s id')).toHaveValue('48213');
  await page.getByLabel('Text').fill('To you');
  await page.getByRole('button', { name: 'Send to the room…' }).click();
  fake.intercept = () => fake.problem(404, 'Not found', 'no such room');
  await dialog(page).getByRole('button', { name: 'Send' }).click();
  await expect(dialog(page).getByRole('alert')).toHaveText(/No such room.*req-fake/);
  await page.keyboard.press('Escape');
  await expect(page.getByLabel('Text')).toHaveValue('To you');
});

test('the audit log is filtered, read and taken away', async ({ admin }) => {
  const page = await admin('#/audit');
  const log = page.getByRole('region', { name: 'Audit log' });
  await expect(log.getByRole('row')).toHaveCount(51);
  await page.getByRole('button', { name: 'More' }).click();
  await expect(page.getByRole('button', { name: 'More' })).toHaveCount(0);
  await page.getByLabel('What').selectOption('Banned');
  await expect(log.getByRole('row')).toHaveCount(2);
  await page.getByRole('button', { name: /^Details/ }).click();
  await expect(log).toHaveText(/"clientId": 10900/);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByLabel('Outcome').selectOption('refused');
  await expect(log.getByRole('row').nth(1)).toHaveText(/root.*Sign-in.*refused/);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export as CSV' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^roomful-audit-.*Z\.csv$/);
  const text = readFileSync(await file.path(), 'utf8');
  expect(text).toMatch(/^at,actor,action,target\r\n/);
  expect(text).not.toContain('admin');
  await page.getByLabel('By', { exact: true }).fill('nobody');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Nothing matches. Try other words.')).toBeVisible();
});

test('who is being limited can be banned from there', async ({ admin }) => {
  const page = await admin('#/limits');
  const limited = page.getByRole('region', { name: 'Who is being limited' });
  await expect(limited.getByRole('row').nth(1)).toHaveText(/Client 10004.*Messages.*212/);
  await page.getByRole('button', { name: 'Ban… 2001:db8:5::/64' }).click();
  await expect(dialog(page).getByRole('textbox', { name: 'Address or network' })).toHaveValue(
    '2001:db8:5::/64',
  );
});

test('what cannot be read says so, and is tried again', async ({ admin, fake }) => {
  fake.intercept = ({ path }) =>
    ['/bans', '/client/10001'].includes(path)
      ? fake.problem(503, 'Unavailable', 'Redis cannot be reached')
      : undefined;
  const page = await admin('#/bans');
  await expect(page.getByRole('alert')).toHaveText(/Redis cannot be reached/);
  await isAccessible(page);
  await page.goto('/admin/#/clients/10001');
  await expect(page.getByRole('alert').filter({ hasText: 'Redis' })).toBeVisible();
  fake.intercept = () => undefined;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('complementary', { name: 'Ada' })).toBeVisible();
  await page.goto('/admin/#/clients/99999');
  await expect(page.getByText('Client 99999 is not connected.')).toBeVisible();
});

test('without the feed it asks, and goes back to it', async ({ admin, fake }) => {
  test.slow();
  const page = await admin();
  fake.feed = false;
  fake.dropFeeds();
  await expect(feed(page)).toHaveText(/Polling/);
  await expect(spoken(page)).toHaveText(/Polling every 5 seconds/);
  const asked = () => fake.calls.filter((call) => call === 'GET /servers').length;
  await expect.poll(asked, { timeout: 15_000 }).toBeGreaterThan(1);
  await isAccessible(page);

  fake.up = false;
  await expect(feed(page)).toHaveText(/Offline since/, { timeout: 15_000 });
  await expect(tile(page, 'Nodes')).toHaveText('3');
  await isAccessible(page);

  fake.up = fake.feed = true;
  await expect(feed(page)).toHaveText(/Live/, { timeout: 40_000 });
  await expect(spoken(page)).toHaveText(/Live again/);
  expect(fake.feeds).toBe(1);
  const before = asked();
  await page.waitForTimeout(6_000);
  expect(asked()).toBe(before);
});

test('the address says where one is', async ({ admin }) => {
  const page = await admin('#/nowhere');
  await expect(heading(page, 'Overview')).toBeVisible();
  await page.getByRole('link', { name: 'Nodes', exact: true }).click();
  await expect(page).toHaveTitle('Nodes · Roomful admin');
  await expect(heading(page, 'Nodes')).toBeFocused();
  await page.getByRole('link', { name: 'Limits' }).click();
  await page.goBack();
  await expect(heading(page, 'Nodes')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Nodes', exact: true })).toHaveAttribute(
    'aria-current',
    'page',
  );
});

test('the page comes under the strict policy', async ({ browser, fake }) => {
  expect(POLICY).toContain("require-trusted-types-for 'script'");
  expect((await fetch(`${fake.url}/admin/`)).headers.get('content-security-policy')).toBe(POLICY);
  // Not one of the fixture's, which would complain of what we do here.
  const page = await browser.newPage();
  await page.goto(`${fake.url}/admin/`);
  const stopped = await page.evaluate(() => {
    try {
      document.createElement('div').innerHTML = '<b>x</b>';
      return false;
    } catch {
      return true;
    }
  });
  await page.close();
  expect(stopped).toBe(true);
});
