import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test';

/** Somebody at a browser of their own. */
export class Person {
  constructor(
    readonly page: Page,
    readonly context: BrowserContext,
    readonly name: string,
  ) {}

  /** First visit: chooses a name. */
  async enter(): Promise<void> {
    await this.page.goto('/');
    await this.page.getByRole('textbox', { name: 'Your name' }).fill(this.name);
    await this.page.getByRole('button', { name: 'Start' }).click();
    await expect(this.page.getByRole('heading', { name: `Hello, ${this.name}` })).toBeVisible();
  }

  async create(room: string): Promise<void> {
    await this.page.getByLabel('Create a room').fill(room);
    await this.page.getByRole('button', { name: 'Create' }).click();
    await this.isIn(room);
  }

  /** From the list. */
  async join(room: string): Promise<void> {
    await this.page.getByRole('button', { name: room }).click();
    await this.isIn(room);
  }

  /** The panel beside the conversation, which is a sheet where the window is narrow. */
  async side(name: 'Rooms' | 'People'): Promise<Locator> {
    const role = name === 'Rooms' ? 'navigation' : 'complementary';
    const panel = this.page.getByRole(role, { name });
    const open = this.page.getByRole('button', { name, exact: true });
    await expect(panel.or(open).first()).toBeVisible();
    if (!(await panel.isVisible())) await open.click();
    await expect(panel).toBeVisible();
    return panel;
  }

  async joinByNumber(number: string): Promise<void> {
    await this.page.getByLabel('Join by number').fill(number);
    await this.page.getByRole('button', { name: 'Join', exact: true }).click();
  }

  async isIn(room: string): Promise<void> {
    await expect(this.page.getByRole('heading', { name: room, level: 1 })).toBeVisible();
  }

  /** The number that the room's header shows, like `#48213`. */
  async roomNumber(): Promise<string> {
    return this.page.getByTitle('Others can join by this number').innerText();
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: /^Message to/ });
  }

  get bodies(): Locator {
    return this.page.locator('.bubble');
  }

  get banner(): Locator {
    return this.page.getByRole('status').filter({ hasText: /lost|offline|restarting|busy|pause/ });
  }

  /** Shows a side, which on a narrow screen is a sheet that has to be opened. */
  async turnTo(side: 'Rooms' | 'People'): Promise<void> {
    const opener = this.page.getByRole('main').getByRole('button', { name: side, exact: true });
    if (await opener.isVisible()) await opener.click();
  }

  /** Back to the conversation. */
  async turnBack(): Promise<void> {
    const close = this.page.getByRole('button', { name: /^Close (rooms|people)$/ });
    if (await close.isVisible()) await close.click();
  }

  get people(): Locator {
    return this.page.getByRole('list', { name: 'People in this room' });
  }

  /** By the palette, which is the same on all screens. */
  async command(words: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Commands', exact: true }).click();
    const field = this.page.getByRole('combobox', { name: 'Command palette' });
    await field.fill(words);
    await field.press('Enter');
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** Exactly these messages, each once, in this order, and none of them still on its way. */
  async reads(...texts: string[]): Promise<void> {
    await expect(this.bodies).toHaveText(texts);
    await expect(this.page.locator('.pending, .failed')).toHaveCount(0);
  }
}
