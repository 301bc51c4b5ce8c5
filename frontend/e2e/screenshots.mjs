// The pictures of the README, from a running server: `make screenshots` (URL=http://localhost:8080). The dashboard's too,
// when ADMIN_PASS is the admin's password; it is best taken of `make cluster` after some minutes under `make load`.
import { chromium } from '@playwright/test';

const url = process.env.URL ?? 'http://localhost:8080';
const folder = new URL('../../docs/images/', import.meta.url).pathname;
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
});

async function person(name, options) {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(url);
  await page.getByLabel('Your name').fill(name);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Hello, ${name}` }).waitFor();
  return page;
}

async function say(page, text) {
  await page.getByRole('textbox', { name: /essage/ }).fill(text);
  await page.keyboard.press('Enter');
  // Everybody has it before the next one is written: the pictures show one order.
  for (const other of people) await other.getByText(text.split('\n')[0]).waitFor();
}

const wide = { viewport: { width: 1200, height: 760 } };
const ada = await person('Ada', wide);
await ada.getByLabel('Create a room').fill('Tea time');
await ada.keyboard.press('Enter');
const people = [ada];
for (const [name, options] of [
  ['Grace', { ...wide, colorScheme: 'dark' }],
  ['Linus', { viewport: { width: 390, height: 760 } }],
  ['Margaret', wide],
]) {
  const page = await person(name, options);
  await page
    .getByRole('button', { name: /Tea time/ })
    .first()
    .click();
  await page.getByRole('textbox', { name: /essage/ }).waitFor();
  people.push(page);
}
const [, grace, linus, margaret] = people;
await say(ada, 'Morning! I have just restarted my router.');
await say(grace, 'We saw nothing of it here.');
await say(linus, 'My train went through a tunnel meanwhile.');
await say(linus, 'What I missed came back, in order.');
await say(margaret, '#1 to #4, no holes. I counted.');
await say(ada, 'That is the whole idea.\nEvery message has its number.');

await ada.screenshot({ path: `${folder}chat.png` });
await grace.screenshot({ path: `${folder}chat-dark.png` });
await linus.screenshot({ path: `${folder}chat-phone.png` });

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
