import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

export async function isAccessible(page: Page): Promise<void> {
  // Colours that are on their way from one to another are neither. One that is broken off is over as well.
  await page.evaluate(() =>
    Promise.allSettled(document.getAnimations().map((one) => one.finished)),
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
}
