import type { Locator } from '@playwright/test';

/** A finger that stays until `seen` is there, and then goes. */
export async function longPress(target: Locator, seen: Locator): Promise<void> {
  await target.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await target.boundingBox())!;
  const page = target.page();
  const cdp = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
    cdp.send('Input.dispatchTouchEvent', { type, touchPoints });
  await touch('touchStart', [{ x: x + width / 2, y: y + height / 2 }]);
  await seen.waitFor();
  await touch('touchEnd', []);
  await cdp.detach();
}
