import type { Page } from '@playwright/test';
import { Cluster } from './cluster';
import { expect, test as base } from './fixture';
import { Whereabouts } from './whereabouts';

const test = base.extend<{ cluster: Cluster }>({
  cluster: [
    async ({}, use) => {
      const cluster = new Cluster();
      await cluster.start(3);
      await use(cluster);
      await cluster.stop();
    },
    { timeout: 60_000 },
  ],
});

/** Whoever is in charge, at the dashboard. */
class Admin {
  constructor(
    readonly page: Page,
    private readonly password: string,
  ) {}

  async enter(): Promise<void> {
    await this.page.goto('/admin/');
    await this.page.getByLabel('Name').fill('admin');
    await this.page.getByLabel('Password').fill(this.password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await expect(this.page.getByRole('heading', { name: 'Overview', level: 1 })).toBeVisible();
  }

  async go(view: string): Promise<void> {
    await this.page.getByRole('navigation').getByRole('link', { name: view }).click();
    await expect(this.page.getByRole('heading', { name: view, level: 1 })).toBeVisible();
  }

  async open(name: string): Promise<void> {
    await this.page.getByRole('table').getByRole('link', { name, exact: true }).click();
    await expect(this.page.getByRole('heading', { name, level: 2 })).toBeVisible();
  }

  /** What it says of what was done. */
  async says(text: string | RegExp): Promise<void> {
    await expect(this.page.getByRole('region', { name: 'Results' }).getByText(text)).toBeVisible();
  }

  row(text: string | RegExp) {
    return this.page.getByRole('row').filter({ hasText: text });
  }
}

test('an admin watches a client appear, bans it, and thinks better of it', async ({
  cluster,
  person,
}) => {
  const admin = new Admin((await person('admin', { baseURL: cluster.url })).page, cluster.password);
  await admin.enter();
  await admin.go('Clients');
  await expect(admin.page.getByText('Nobody is connected.')).toBeVisible();

  const eve = await person('Eve', { baseURL: cluster.url });
  await eve.page.clock.install();
  await eve.enter();
  await eve.create('Spam');
  await expect(admin.row('Eve')).toBeVisible({ timeout: 15_000 });
  await admin.open('Eve');

  await admin.page.getByRole('button', { name: 'Ban…' }).click();
  const dialog = admin.page.getByRole('dialog', { name: 'Ban' });
  await dialog.getByLabel('Reason').fill('spam');
  const ban = dialog.getByRole('button', { name: 'Ban', exact: true });
  await expect(ban).toBeDisabled();
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog.getByText('1 connected client would be disconnected.')).toBeVisible();
  await expect(dialog.getByRole('listitem').filter({ hasText: 'Eve' })).toBeVisible();
  await expect(eve.composer).toBeVisible();
  const connects: string[] = [];
  eve.page.on('websocket', (socket) => connects.push(socket.url()));
  await ban.click();

  const told = eve.page.getByRole('dialog', { name: 'You are banned' });
  await expect(told).toBeVisible({ timeout: 1000 });
  const undo = admin.page.getByRole('button', { name: 'Undo' });
  await expect(undo).toBeVisible();
  // What wakes a page that has lost its connection changes nothing here.
  await eve.page.evaluate(() => {
    window.dispatchEvent(new Event('online'));
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await eve.page.clock.runFor('10:00');
  expect(connects).toEqual([]);
  await expect(told).toBeVisible();
  await undo.click();
  await admin.says(/was lifted/);
  await eve.page.reload();
  await expect(told).toBeHidden();
  await expect(eve.page.getByRole('heading', { name: 'Hello, Eve' })).toBeVisible();

  await admin.go('Audit log');
  await expect(admin.row('Ban lifted')).toContainText('done');
  await expect(admin.row(/Banned/)).toContainText('spam');
});

test('a room that two people are in is deleted', async ({ cluster, person }) => {
  const [ada, bob] = [
    await person('Ada', { baseURL: cluster.url }),
    await person('Bob', { baseURL: cluster.url }),
  ];
  await ada.enter();
  await ada.create('Doomed');
  await bob.enter();
  await bob.join('Doomed');
  await ada.say('anybody here?');
  await bob.reads('anybody here?');

  const admin = new Admin((await person('admin', { baseURL: cluster.url })).page, cluster.password);
  await admin.enter();
  await admin.go('Rooms');
  await admin.open('Doomed');
  await admin.page.getByRole('button', { name: 'Delete message #1' }).click();
  await admin.page.getByRole('button', { name: 'Delete the message' }).click();
  await expect(admin.page.getByText('deleted at #2')).toBeVisible();
  for (const who of [ada, bob]) {
    await expect(who.page.getByText('This message was deleted by an admin.')).toBeVisible();
    await expect(who.bodies.filter({ hasText: 'anybody here?' })).toHaveCount(0);
  }
  await admin.page.getByRole('button', { name: 'Delete…', exact: true }).click();
  const dialog = admin.page.getByRole('dialog', { name: 'Delete this room?' });
  const doIt = dialog.getByRole('button', { name: 'Delete the room' });
  await expect(doIt).toBeDisabled();
  await dialog.getByLabel(/Reason/).fill('it is doomed');
  await dialog.getByLabel(/Type the room/).fill('Doomed');
  await doIt.click();
  for (const who of [ada, bob]) {
    await expect(who.composer).toBeHidden({ timeout: 2000 });
    await expect(who.page.getByText(/closed by an administrator/)).toBeVisible();
  }
  await admin.says(/2 members left it/);
  await admin.go('Audit log');
  await expect(admin.row('Room deleted')).toContainText('it is doomed');
});

test('a drained node gives its clients away without a lost message', async ({
  cluster,
  person,
}) => {
  test.slow();
  const ada = await person('Ada', { baseURL: cluster.url });
  const whereIsAda = new Whereabouts(ada.page);
  await ada.enter();
  await ada.create('Moving');
  const bob = await person('Bob', { baseURL: cluster.url });
  await bob.enter();
  await bob.join('Moving');
  const said = ['one', 'two'];
  await ada.say(said[0]!);
  await bob.reads(said[0]!);
  await bob.say(said[1]!);
  await ada.reads(...said);

  const admin = new Admin((await person('admin', { baseURL: cluster.url })).page, cluster.password);
  await admin.enter();
  await admin.go('Nodes');
  const former = whereIsAda.node;
  await admin.row(former).first().getByRole('button', { name: /Drain/ }).click();
  const dialog = admin.page.getByRole('dialog', { name: `Drain ${former}?` });
  await dialog.getByRole('button', { name: 'Drain it' }).click();
  await admin.says(`${former} sends its clients elsewhere.`);
  // In the middle of it both go on talking.
  for (let n = 3; n <= 12; n += 1) {
    const who = n % 2 === 0 ? bob : ada;
    await who.say(`${n}`);
    said.push(`${n}`);
    await (who === ada ? bob : ada).reads(...said);
  }
  await expect.poll(() => whereIsAda.node, { timeout: 20_000 }).not.toBe(former);
  await expect(ada.banner).toBeHidden();
  await ada.say('moved');
  await bob.reads(...said, 'moved');
  await ada.reads(...said, 'moved');
  await expect(ada.page.getByText('Bob left')).toHaveCount(0);
  await expect(bob.page.getByText('Ada left')).toHaveCount(0);
  await expect(admin.row(former).first()).toContainText('Draining');
  await admin.go('Audit log');
  await expect(admin.row('Node drained')).toContainText(former);
});

test('the product in one process has the dashboard, and its figures are live', async ({
  person,
  server,
}) => {
  const admin = new Admin((await person('admin')).page, server.password);
  await admin.enter();
  await expect(admin.page.getByTestId('feed')).toContainText('Live');
  const figure = (name: string) =>
    admin.page.locator('dt', { hasText: name }).locator('xpath=following-sibling::dd');
  await expect(figure('Nodes')).toHaveText('1');
  await expect(figure('Connections')).toHaveText('0');
  const ada = await person('Ada');
  await ada.enter();
  await expect(figure('Connections')).toHaveText('1');
  await ada.page.close();
  await expect(figure('Connections')).toHaveText('0');
});
