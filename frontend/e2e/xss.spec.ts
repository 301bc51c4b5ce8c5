import type { Page } from '@playwright/test';
import type { ServerEvent } from '../src/protocol/generated';
import { expect, test } from './fixture';
import { HOSTILE, fitting } from './hostile';
import type { Person } from './person';

/** Elements that nothing here is ever made of. */
const FOREIGN =
  'body script, iframe, object, embed, base, form[action], video, audio, math, marquee, details[ontoggle], isindex, body style, body link';
const ALLOWED = /^(?:https?:|mailto:|\/|#)/;

/** What a page must say that it has not done. */
interface Harm {
  ran: number;
  reports: string[];
  elements: string[];
  handlers: string[];
  addresses: string[];
}

/** Before anything else runs in the page: whatever runs is counted, and so is whatever had to be stopped. */
async function watched(somebody: Person): Promise<Person> {
  await somebody.page.addInitScript(() => {
    const seen = { ran: 0, reports: [] as string[] };
    Object.assign(window, { seen, ran: () => (seen.ran += 1) });
    for (const name of ['alert', 'confirm', 'prompt', 'open'] as const) {
      Object.assign(window, { [name]: () => (seen.ran += 1) });
    }
    addEventListener('securitypolicyviolation', (event) => {
      seen.reports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  return somebody;
}

async function harm(page: Page): Promise<Harm> {
  return page.evaluate(
    ([foreign, allowed]) => {
      const { ran, reports } = (window as unknown as { seen: { ran: number; reports: string[] } })
        .seen;
      const all = [...document.querySelectorAll('*')];
      const attributes = all.flatMap((element) =>
        [...element.attributes].map(({ name, value }) => ({ name, value, of: element.tagName })),
      );
      return {
        ran,
        reports,
        elements: [...document.querySelectorAll(foreign!)].map((element) => element.outerHTML),
        handlers: attributes
          .filter(({ name }) => /^on/i.test(name) || name === 'srcdoc' || name === 'style')
          // Custom properties are what Svelte sets, and cannot do harm.
          .filter(({ name, value }) => name !== 'style' || /url|expression|import/i.test(value))
          .map(({ name, value, of }) => `${of} ${name}=${value}`),
        addresses: attributes
          .filter(({ name }) => /^(?:href|src|action|formaction|xlink:href|data)$/i.test(name))
          .filter(({ value }) => !new RegExp(allowed!).test(value))
          .map(({ name, value, of }) => `${of} ${name}=${value}`),
      };
    },
    [FOREIGN, ALLOWED.source] as const,
  );
}

const NONE: Harm = { ran: 0, reports: [], elements: [], handlers: [], addresses: [] };

/** Touches all that could be waiting for a touch, but follows no link. */
async function provoke(page: Page): Promise<void> {
  await page.evaluate(() => {
    addEventListener('click', (event) => event.preventDefault(), { capture: true });
    for (const element of document.querySelectorAll<HTMLElement>('li *, .bubble *, a')) {
      for (const kind of ['mouseover', 'mouseenter', 'focus', 'animationstart', 'error', 'load']) {
        element.dispatchEvent(new Event(kind, { bubbles: kind === 'mouseover' }));
      }
      if (element instanceof HTMLAnchorElement) element.click();
    }
  });
}

test('a corpus that is worth its name', () => {
  expect(HOSTILE.length).toBeGreaterThanOrEqual(60);
  expect(fitting(16).length).toBeGreaterThanOrEqual(40);
});

test('no text of a message runs, live or from the log', async ({ person }) => {
  // A hundred messages, of which the limiter lets five through a second.
  test.slow();
  const ada = await watched(await person('Ada'));
  await ada.enter();
  await ada.create('Hostile');
  // Past the limit of messages: this is about the page.
  const bob = await watched(await person('Bob'));
  await bob.enter();
  await bob.join('Hostile');
  for (const [at, text] of HOSTILE.entries()) {
    if (text.includes('\u0000')) continue;
    await ada.say(`${at} ${text}`);
  }
  const last = `${HOSTILE.length} the end`;
  await ada.say(last);
  // The limiter lets five through a second.
  await expect(bob.page.getByText(last)).toBeVisible({ timeout: 60_000 });
  for (const { page } of [ada, bob]) {
    await provoke(page);
    expect(await harm(page)).toEqual(NONE);
  }
  const late = await watched(await person('Cleo'));
  await late.enter();
  await late.join('Hostile');
  await expect(late.page.getByText(last)).toBeVisible();
  await provoke(late.page);
  expect(await harm(late.page)).toEqual(NONE);
});

test('no name of a person or a room runs, whatever a server lets through', async ({
  fake,
  fakePerson,
}) => {
  const ada = await watched(await fakePerson('Ada'));
  await ada.enter();
  await ada.create('Names');
  const me = [...fake.clients.values()].find(({ username }) => username === 'Ada')!;
  const roomId = me.roomId!;
  const send = (event: ServerEvent) => fake.push(event, me.clientId);
  let seq = fake.rooms.get(roomId)!.seq;
  for (const [at, username] of HOSTILE.entries()) {
    const sender = { clientId: 50_000 + at, username };
    send({ type: 'USER_EVENT', roomId, memberCount: at + 2, joined: [sender] });
    send({ type: 'TYPING', roomId, ...sender, typing: true });
    seq += 1;
    const id = `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;
    const body = `@${username} said ${at}`;
    send({ type: 'NEW_MESSAGE', roomId, seq, id, sender, body, sentAt: Date.now() });
    send({ type: 'USER_EVENT', roomId, memberCount: at + 2, renamed: [sender] });
    send({ type: 'NOTICE', text: username, level: 'warning' });
  }
  await expect(ada.page.getByText(`said ${HOSTILE.length - 1}`)).toBeVisible();
  await provoke(ada.page);
  expect(await harm(ada.page)).toEqual(NONE);
  for (const name of HOSTILE.slice(0, 40)) {
    const id = 60_000 + fake.rooms.size;
    fake.rooms.set(id, {
      roomId: id,
      name,
      ownerId: 1,
      createdAt: Date.now(),
      epoch: 'e',
      seq: 0,
      members: [],
      log: [],
      sent: new Map(),
    });
  }
  await ada.page.getByRole('button', { name: 'Leave the room' }).click();
  await expect(ada.page.getByText(HOSTILE[0]!, { exact: true }).first()).toBeVisible();
  await provoke(ada.page);
  expect(await harm(ada.page)).toEqual(NONE);
});

test('names that the server takes are shown as they are', async ({ person }) => {
  const ada = await watched(await person('Ada'));
  await ada.enter();
  for (const [at, name] of fitting(16).slice(0, 8).entries()) {
    await ada.page.getByRole('button', { name: /Change your name/ }).click();
    const dialog = ada.page.getByRole('dialog');
    await dialog.getByRole('textbox').fill(name);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toBeHidden();
    await ada.create(fitting(16)[at + 8]!);
    await ada.say('hello');
    await expect(ada.bodies).toHaveText(['hello']);
    expect(await harm(ada.page)).toEqual(NONE);
    await ada.page.getByRole('button', { name: 'Leave the room' }).click();
  }
});
