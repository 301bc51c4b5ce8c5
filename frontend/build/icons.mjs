/** Draws the icons of the installed page from favicon.svg: `node build/icons.mjs`. They are committed. */
import { mkdirSync, readFileSync } from 'node:fs';
import { chromium } from '@playwright/test';

const at = (path) => new URL(`../public/${path}`, import.meta.url);
const svg = readFileSync(at('favicon.svg'), 'utf8');
/** Systems cut a maskable icon to their own shape, so its ground goes to the edge and its picture stays in the middle. */
const masked = svg
  .replace('rx="8"', '')
  .replace(/(<path[\s\S]*)<\/svg>/, '<g transform="translate(4.800 4.800) scale(.7)">$1</g></svg>');

mkdirSync(at('icons'), { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const page = await browser.newPage();
for (const [name, size, picture] of [
  ['icon-192', 192, svg],
  ['icon-512', 512, svg],
  // What this system cuts to its shape must have no corners of its own.
  ['icon-180', 180, masked],
  ['maskable-512', 512, masked],
]) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<style>html,body{margin:0;background:transparent}svg{display:block;width:${size}px;height:${size}px}</style>${picture}`,
  );
  await page.screenshot({ path: at(`icons/${name}.png`).pathname, omitBackground: true });
}
await browser.close();
