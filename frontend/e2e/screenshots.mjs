// The pictures of the README, from a running server: `make screenshots` (URL=http://localhost:8080). The dashboard's too,
// when ADMIN_PASS is the admin's password; it is best taken of `make cluster` after some minutes under `make load`.
import { chromium } from '@playwright/test';

const url = process.env.URL ?? 'http://localhost:8080';
const folder = new URL('../../docs/images/', import.meta.url).pathname;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
});

const ROOM = 'Tea time';
const wide = { viewport: { width: 1200, height: 760 } };
const people = [];

async function person(name, options) {
  const page = await (await browser.newContext({ reducedMotion: 'reduce', ...options })).newPage();
  await page.goto(url);
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Hello, ${name}` }).waitFor();
  return page;
}

async function join(name, options) {
  const page = await person(name, options);
  await page
    .getByRole('button', { name: new RegExp(`^${ROOM}`) })
    .first()
    .click();
  await composer(page).waitFor();
  people.push(page);
  return page;
}

const composer = (page) => page.getByRole('textbox', { name: /^Message to/ });
const row = (page, text) => page.locator('li.message').filter({ hasText: text }).first();

/** Everybody has it before the next one is written: the pictures show one order. */
async function say(page, text, seen = text.split('\n')[0]) {
  await composer(page).fill(text);
  await composer(page).press('Enter');
  for (const other of people) await row(other, seen).waitFor();
}

/** Something of what can be done with a message. */
async function choose(page, text, item) {
  const button = row(page, text).getByRole('button', { name: /^Actions for/ });
  await button.focus();
  await button.press('Enter');
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

const react = async (page, text, emoji) => {
  await choose(page, text, `React with ${emoji}`);
  for (const other of people) {
    await row(other, text)
      .getByRole('button', { name: new RegExp(`${emoji}$`) })
      .first()
      .waitFor();
  }
};

// Rooms beside it, each with somebody in it.
for (const [name, room] of [
  ['Barbara', 'Release 0.2'],
  ['Edsger', 'Off-topic'],
  ['Radia', 'Trees'],
]) {
  const page = await person(name, wide);
  await page.getByLabel('Create a room').fill(room);
  await page.keyboard.press('Enter');
  await composer(page).waitFor();
}
const ada = await person('Ada', wide);
await ada.getByLabel('Create a room').fill(ROOM);
await ada.keyboard.press('Enter');
await composer(ada).waitFor();
people.push(ada);
const grace = await join('Grace', { ...wide, colorScheme: 'dark' });
const linus = await join('Linus', {
  viewport: { width: 390, height: 760 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
});
const margaret = await join('Margaret', wide);

await say(ada, 'Morning! I have just restarted my router.');
await say(linus, 'My train went through a **tunnel** meanwhile.', 'through a tunnel');
await say(margaret, 'Nothing is missing: #1 to #3, I cuonted.', 'Nothing is missing');
await choose(margaret, 'Nothing is missing', 'Edit');
await composer(margaret).fill('Nothing is missing: #1 to #3, I *counted*.');
await composer(margaret).press('Enter');
for (const page of people) {
  await row(page, 'I counted').getByText('edited', { exact: true }).waitFor();
}
await react(ada, 'I counted', '👍');
await react(linus, 'I counted', '👍');
await react(grace, 'I counted', '🎉');

// Grace reads on later: what comes now has a line above it.
await grace.evaluate(() => {
  document.hasFocus = () => false;
  window.dispatchEvent(new Event('blur'));
});
await choose(ada, 'through a tunnel', 'Reply');
await say(ada, 'And what you missed came back in order?');
await say(
  linus,
  'It did. The page asks for what is after its last number:\n```json\n{"type": "CONNECT", "resume": {"seq": 41}}\n```',
  'It did.',
);
await say(margaret, 'That is the whole idea: every message has its number.');
await react(linus, 'the whole idea', '❤️');

// What the pointer is over shows more than the rest.
for (const page of people) await page.mouse.move(0, 0);
await composer(margaret).pressSequentially('Another cup');
for (const page of [ada, grace, linus]) await page.getByText('Margaret is typing').waitFor();
for (const [page, name] of [
  [ada, 'chat'],
  [grace, 'chat-dark'],
  [linus, 'chat-phone'],
]) {
  // Who types says so for some seconds only.
  await composer(margaret).press('.');
  await page.getByText('Margaret is typing').waitFor();
  await page.screenshot({ path: `${folder}${name}.png` });
}

const password = process.env.ADMIN_PASS;
if (password) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${url}/admin/`);
  await page.getByLabel('Name').fill(process.env.ADMIN_USER ?? 'admin');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  // A minute of the live feed, so that there are lines to see.
  await page.waitForTimeout(Number(process.env.DASHBOARD_SECONDS ?? 60) * 1000);
  await page.screenshot({ path: `${folder}dashboard.png` });
}
await browser.close();
