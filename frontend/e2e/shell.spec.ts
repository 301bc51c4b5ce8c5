import { createServer, request as ask, type Server as HttpServer } from 'node:http';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { Page } from '@playwright/test';
import { isAccessible } from './axe';
import { expect, test } from './fixture';
import { DIST } from './server';

const themeOf = (page: Page) =>
  page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

/** Neither a document that is wider than its window, nor a part that is cut off. */
const fits = async (page: Page) =>
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(
    page.viewportSize()!.width,
  );

/** What opens over the page, by what one types in the palette. */
const DIALOGS = [
  ['settings', 'Settings'],
  ['keyboard', 'Keyboard shortcuts'],
  ['share', 'Share this room'],
  ['change your', 'Change your name'],
  ['connection', /onnection/],
] as const;

async function palette(page: Page, typed: string): Promise<void> {
  await page.keyboard.press('Control+k');
  const field = page.getByRole('combobox', { name: 'Command palette' });
  await expect(field).toBeFocused();
  await field.fill(typed);
}

test('axe finds nothing, whatever opens and in whatever colours', async ({ person }) => {
  test.slow();
  const ada = await person('Ada', { reducedMotion: 'reduce' });
  const { page } = ada;
  const isFine = async () => {
    await isAccessible(page);
    await fits(page);
  };
  await page.goto('/');
  await expect(page.getByRole('button', { name: /Continue as/ })).toBeEnabled();
  await isFine();
  await ada.enter();
  await isFine();
  await ada.create('Shell');
  for (const name of ['Rooms', 'People'] as const) {
    await ada.side(name);
    await isFine();
    await page.keyboard.press('Escape');
  }
  await palette(page, 's');
  await isFine();
  await page.keyboard.press('Escape');
  for (const [typed, name] of DIALOGS) {
    await palette(page, typed);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog', { name })).toBeVisible();
    await isFine();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  }

  const transition = await page
    .getByRole('button', { name: 'Leave the room' })
    .evaluate((button) => getComputedStyle(button).transitionDuration);
  expect(Math.max(...transition.split(',').map(parseFloat))).toBeLessThanOrEqual(0.001);

  // Colours of the system's choice: what is meant by a background only would be gone.
  await page.emulateMedia({ forcedColors: 'active' });
  await isFine();
  await ada.composer.focus();
  const drawn = await ada.composer.evaluate((field) => {
    const around = field.closest('form')!.querySelectorAll('*');
    return [...around].some((one) => {
      const { outlineStyle, borderTopStyle } = getComputedStyle(one);
      return outlineStyle !== 'none' || borderTopStyle !== 'none';
    });
  });
  expect(drawn).toBe(true);
  const rooms = await ada.side('Rooms');
  const current = rooms.locator('[aria-current="true"]');
  expect(await current.evaluate((row) => getComputedStyle(row).outlineStyle)).toBe('solid');
  await palette(page, 'settings');
  const chosen = page.getByRole('option', { selected: true });
  expect(await chosen.evaluate((option) => getComputedStyle(option).outlineStyle)).toBe('solid');
});

test('the palette goes to rooms, by name and by number, and does things', async ({ person }) => {
  const ada = await person('Ada');
  const bob = await person('Bob');
  await ada.enter();
  await ada.create('Green tea');
  const number = (await ada.roomNumber()).slice(1);
  await bob.enter();
  await bob.page.keyboard.press('Control+k');
  const field = bob.page.getByRole('combobox', { name: 'Command palette' });
  await field.fill('grte');
  await expect(bob.page.getByRole('option').first()).toHaveText(/Go to Green tea/);
  await bob.page.keyboard.press('Enter');
  await bob.isIn('Green tea');

  const command = async (typed: string) => {
    await palette(bob.page, typed);
    await bob.page.keyboard.press('Enter');
  };
  await command('dark theme');
  await expect(bob.page.getByRole('dialog')).toBeHidden();
  expect(await themeOf(bob.page)).toBe('rgb(20, 19, 26)');
  await command('leave');
  await expect(bob.page.getByRole('heading', { name: 'Hello, Bob' })).toBeVisible();
  await command(`#${number}`);
  await expect(bob.page.getByRole('heading', { name: 'Green tea' })).toBeVisible();
  await command('A new one');
  await bob.isIn('A new one');

  await bob.page.keyboard.press('Control+k');
  const selected = bob.page.getByRole('option', { selected: true });
  const first = await selected.innerText();
  await bob.page.keyboard.press('ArrowDown');
  await expect(selected).not.toHaveText(first);
  await bob.page.keyboard.press('ArrowUp');
  await expect(selected).toHaveText(first.replace(/\s+/g, ' '), { useInnerText: false });
  await field.fill('xqzxqzxqzxqzxqzxqz');
  await expect(bob.page.getByText('Nothing matches.')).toBeVisible();
  await bob.page.keyboard.press('Escape');
  await expect(bob.composer).toBeFocused();
});

test('shortcuts leave alone who writes', async ({ person }) => {
  const ada = await person('Ada');
  const { page } = ada;
  await ada.enter();
  await ada.create('Keys');
  await ada.composer.focus();
  await page.keyboard.type('c? r');
  await expect(ada.composer).toHaveValue('c? r');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.getByRole('heading', { name: 'Keys' }).click();
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('c');
  await expect(ada.composer).toBeFocused();

  await page.keyboard.press('Control+,');
  await page.getByRole('checkbox', { name: 'Shortcuts of a single key' }).uncheck();
  await page.keyboard.press('Escape');
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press('?');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog', { name: 'Command palette' })).toBeVisible();
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeHidden();
});

test('settings are kept, shared by tabs, and seen at once', async ({ person }) => {
  const ada = await person('Ada', { colorScheme: 'light' });
  await ada.enter();
  const other = await ada.context.newPage();
  await other.goto('/');
  await ada.page.keyboard.press('Control+,');
  const dialog = ada.page.getByRole('dialog', { name: 'Settings' });
  await dialog.getByRole('radio', { name: 'Dark' }).check();
  await dialog
    .getByRole('group', { name: 'High contrast' })
    .getByRole('radio', { name: 'Always' })
    .check();
  await isAccessible(ada.page);
  expect(await themeOf(ada.page)).toBe('rgb(0, 0, 0)');
  await expect.poll(() => themeOf(other)).toBe('rgb(0, 0, 0)');
  // The browser's own bar has the colour of ours.
  for (const meta of await ada.page.locator('meta[name="theme-color"]').all()) {
    await expect(meta).toHaveAttribute('content', 'rgb(0, 0, 0)');
  }
  await dialog.getByRole('slider', { name: 'Your colour' }).fill('120');
  await isAccessible(ada.page);
  await dialog.getByRole('checkbox', { name: 'Quiet hours' }).check();
  await dialog.getByLabel('From').fill('23:30');
  await ada.page.reload();
  expect(await themeOf(ada.page)).toBe('rgb(0, 0, 0)');
  await expect(ada.page.getByRole('heading', { name: 'Hello, Ada' })).toBeVisible();
  await ada.page.keyboard.press('Control+,');
  await expect(dialog.getByLabel('From')).toHaveValue('23:30');
  await expect(dialog.getByRole('slider', { name: 'Your colour' })).toHaveValue('120');
});

/** Texts of the page that are not from the catalogue, which shows its own backwards (src/i18n/mirrored.ts). */
const foreign = (page: Page, given: readonly string[]) =>
  page.evaluate((given) => {
    const found: string[] = [];
    const look = (text: string | null | undefined, where: string) => {
      const isolated = (text ?? '').replace(/\u202c\u2068[^\u2069]*\u2069\u202e/gu, '');
      const own = isolated.replace(/\u202e[^\u202c]*\u202c/gu, '').trim();
      // Dates are in the language's own letters.
      if (/[a-z]{2}/i.test(own) && !given.includes(own)) found.push(`${where}: ${own}`);
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { parentElement: parent, textContent } = texts.currentNode;
      // Keys are called what is printed on them, code is code, and rooms what those who made them called them.
      if (parent?.checkVisibility() && !parent.closest('kbd, code, script, .room .name')) {
        look(textContent, parent.outerHTML.slice(0, 60));
      }
    }
    for (const one of document.querySelectorAll('*')) {
      if (!one.checkVisibility()) continue;
      for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
        look(one.getAttribute(name), `${one.localName}[${name}]`);
      }
    }
    return found;
  }, given);

test('from right to left, everything turns and every text is from the catalogue', async ({
  person,
}) => {
  const ada = await person('Ada');
  const { page } = ada;
  await page.goto('/?lang=ar-XB');
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
  await expect(page.locator('html')).toHaveAttribute('lang', 'ar-XB');
  const name = page.getByRole('textbox').first();
  await expect(name).toBeEnabled();
  await page.getByRole('button', { name: /Continue as/ }).click();
  await expect(page.getByRole('heading', { name: /Hello/ })).toBeVisible();
  const given: string[] = ['Chai', 'good morning'];
  // A guest's name and the node's are the server's.
  for (const part of ['.me .name', '.node .id']) {
    given.push((await page.locator(part).textContent())!.trim());
  }
  const isTurned = async () => {
    expect(await foreign(page, given)).toEqual([]);
    await fits(page);
  };
  await isTurned();
  await page.getByRole('textbox', { name: /Create a room/ }).fill('Chai');
  await page.keyboard.press('Enter');
  await ada.isIn('Chai');
  await page.getByRole('main').getByRole('textbox').fill('good morning');
  await page.keyboard.press('Enter');
  await expect(ada.bodies).toHaveText(['good morning']);
  await isTurned();
  await isAccessible(page);

  const rooms = page.locator('[data-side="rooms"]');
  if (!(await rooms.isVisible())) await page.locator('button.rooms').click();
  const [panel, whole] = [(await rooms.boundingBox())!, page.viewportSize()!];
  expect(panel.x + panel.width).toBe(whole.width);
  await isTurned();
  await page.keyboard.press('Escape');
  for (const [typed] of DIALOGS) {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').last().fill(typed);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog').getByRole('heading').first()).toBeVisible();
    await isTurned();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  }
});

test('an on-screen keyboard does not cover what one writes', async ({ person }) => {
  const ada = await person('Ada');
  const { page } = ada;
  // As where the keyboard lies over the page: the part that is seen becomes smaller, the page does not.
  await page.addInitScript(() => {
    const whole = Object.getOwnPropertyDescriptor(VisualViewport.prototype, 'height')!;
    Object.defineProperty(visualViewport, 'height', {
      get: () =>
        (whole.get!.call(visualViewport) as number) - ((window as { keys?: number }).keys ?? 0),
    });
  });
  await ada.enter();
  await ada.create('Typing');
  for (let line = 1; line <= 12; line += 1) await ada.say(`line ${line}`);
  const keyboard = (height: number) =>
    page.evaluate((keys) => {
      Object.assign(window, { keys });
      visualViewport!.dispatchEvent(new Event('resize'));
    }, height);
  const bottom = async () => {
    const box = (await ada.composer.boundingBox())!;
    return box.y + box.height;
  };
  const { height } = page.viewportSize()!;
  const before = await bottom();
  await ada.composer.focus();
  await keyboard(300);
  await expect.poll(bottom).toBeLessThanOrEqual(height - 300);
  await expect(ada.bodies.last()).toBeInViewport();
  const newest = (await ada.bodies.last().boundingBox())!;
  expect(newest.y + newest.height).toBeLessThanOrEqual(height - 300);
  await keyboard(0);
  await expect.poll(bottom).toBe(before);
});

test('at 320 px, on a phone and zoomed in fourfold, nothing is cut off', async ({ person }) => {
  for (const viewport of [
    { width: 320, height: 640 },
    { width: 320, height: 256 },
  ]) {
    const ada = await person('Ada', { viewport, hasTouch: true });
    const { page } = ada;
    await ada.enter();
    await fits(page);
    await ada.create('A narrow room');
    await fits(page);
    await ada.say('hello');
    await ada.bodies.first().scrollIntoViewIfNeeded();
    await expect(ada.bodies.first()).toBeInViewport();
    await ada.composer.scrollIntoViewIfNeeded();
    await expect(ada.composer).toBeInViewport();
    for (const button of await page.locator('.bar button:visible').all()) {
      const box = await button.boundingBox();
      if (box && box.width > 2) expect(box.height).toBeGreaterThanOrEqual(44);
    }
    await ada.context.close();
  }
});

/** Serves a build of the page as a deployed server would, and passes the rest on to a real one. */
class Deployment {
  readonly dir = mkdtempSync(join(tmpdir(), 'roomful-shell-'));
  readonly #server: HttpServer;
  url = '';

  constructor(backend: string) {
    cpSync(DIST, this.dir, { recursive: true });
    const TYPES: Record<string, string> = {
      '.html': 'text/html; charset=utf-8',
      '.js': 'text/javascript',
      '.css': 'text/css',
      '.svg': 'image/svg+xml',
      '.webmanifest': 'application/manifest+json',
    };
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const path = /^\/(?:r\/\d+)?$/.test(pathname) ? '/index.html' : pathname;
      try {
        const body = readFileSync(join(this.dir, path));
        response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
        response.setHeader('cache-control', 'no-cache');
        response.end(body);
      } catch {
        const forward = ask(backend + request.url, (answer) => {
          response.writeHead(answer.statusCode ?? 502);
          answer.pipe(response);
        });
        forward.on('error', () => response.writeHead(502).end());
        forward.end();
      }
    });
    // No sockets here: the page is what this is about, and it is told that there is no connection.
    this.#server.on('upgrade', (_, socket) => socket.destroy());
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Another build: other names of files, another page, another worker; the former files are gone. */
  deploy(): void {
    const html = readFileSync(join(this.dir, 'index.html'), 'utf8');
    const [, former] = /\/assets\/(start-[\w-]+)\.js/.exec(html)!;
    const script = readFileSync(join(this.dir, `assets/${former}.js`), 'utf8');
    writeFileSync(join(this.dir, 'assets/start-next.js'), `${script}\nwindow.build = 'next';`);
    rmSync(join(this.dir, `assets/${former}.js`));
    writeFileSync(join(this.dir, 'index.html'), html.replaceAll(former!, 'start-next'));
    const worker = readFileSync(join(this.dir, 'sw.js'), 'utf8');
    const next = worker.replaceAll(`${former}.js`, 'start-next.js');
    // The version is the only string of twelve hexadecimal digits.
    writeFileSync(join(this.dir, 'sw.js'), next.replace(/(['"`])[0-9a-f]{12}\1/, '"0123456789ab"'));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.dir, { recursive: true });
  }
}

const deployed = test.extend<{ deployment: Deployment }>({
  deployment: async ({ wire }, use) => {
    const deployment = new Deployment(wire.url);
    await deployment.start();
    await use(deployment);
    await deployment.stop();
  },
});

const controlled = (page: Page) =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) {
      await new Promise((resolve) =>
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
      );
    }
  });

deployed('the page opens without a network, and says so', async ({ person, wire }) => {
  const ada = await person('Ada', { serviceWorkers: 'allow' });
  const { page } = ada;
  await ada.enter();
  await controlled(page);
  wire.cut();
  await ada.context.setOffline(true);
  await page.reload();
  await expect(page.getByText(/You are offline|You seem to be offline/)).toBeVisible();
  await page.keyboard.press('Control+,');
  await expect(page.getByRole('dialog', { name: 'Settings' })).toBeVisible();
  await page.goto('/r/48213');
  await expect(page.getByRole('heading', { name: 'Room 48213' })).toBeVisible();
  wire.mend();
  await ada.context.setOffline(false);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Hello, Ada' })).toBeVisible();
});

deployed(
  'a new build is served at once, and its worker takes over',
  async ({ person, deployment }) => {
    const ada = await person('Ada', { serviceWorkers: 'allow', baseURL: deployment.url });
    const { page } = ada;
    // While the page goes from one to the other there is none that could say.
    const build = () =>
      page.evaluate(() => (window as { build?: string }).build ?? 'former').catch(() => 'none');
    await page.goto('/');
    await controlled(page);
    expect(await build()).toBe('former');
    deployment.deploy();
    // The page that is open learns of it, and stays as it is until somebody wants it.
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
    await expect(page.getByText('An update is ready. What you wrote is kept.')).toBeVisible();
    expect(await build()).toBe('former');
    // What the former build has still to load, it has.
    const parts = await page.evaluate(async () => (await caches.keys()).length);
    expect(parts).toBe(2);
    await page.getByRole('button', { name: 'Reload' }).click();
    await expect.poll(build).toBe('next');
    await expect
      .poll(() => page.evaluate(async () => (await caches.keys()).join()))
      .toMatch(/0123456789ab$/);
    expect(await page.evaluate(async () => (await caches.keys()).length)).toBe(1);
  },
);

deployed('a reload after a deploy never shows the former page', async ({ person, deployment }) => {
  const ada = await person('Ada', { serviceWorkers: 'allow', baseURL: deployment.url });
  await ada.page.goto('/');
  await controlled(ada.page);
  deployment.deploy();
  await ada.page.reload();
  expect(await ada.page.evaluate(() => (window as { build?: string }).build)).toBe('next');
});

test('it can be installed', async ({ wire }) => {
  const manifest = await (await fetch(`${wire.url}/manifest.webmanifest`)).json();
  expect(manifest).toMatchObject({ start_url: '/', display: 'standalone' });
  for (const { src, sizes } of manifest.icons as { src: string; sizes: string }[]) {
    const icon = await fetch(wire.url + src);
    expect(icon.status).toBe(200);
    if (sizes === 'any') continue;
    const png = Buffer.from(await icon.arrayBuffer());
    expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`).toBe(sizes);
  }
});

test('what the icon of the installed page offers is done once', async ({ person }) => {
  const ada = await person('Ada');
  await ada.enter();
  await ada.page.goto('/?do=create');
  await expect(ada.page.getByLabel('Create a room')).toBeFocused();
  await ada.page.goto('/?do=find');
  await expect(ada.page.getByRole('dialog')).toBeVisible();
  expect(new URL(ada.page.url()).search).toBe('');
});
