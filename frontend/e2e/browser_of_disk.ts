import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  chromium,
  test,
  type BrowserContext,
  type BrowserContextOptions,
  type LaunchOptions,
  type Page,
} from '@playwright/test';

/** A browser whose profile is on disk, so that it can crash and be started again. */
export class BrowserOfDisk {
  readonly #dir: string;
  #context: BrowserContext | null = null;

  private constructor(
    dir: string,
    private readonly options: BrowserContextOptions,
  ) {
    this.#dir = dir;
  }

  static async make(options: BrowserContextOptions): Promise<BrowserOfDisk> {
    return new BrowserOfDisk(await mkdtemp(join(tmpdir(), 'roomful-profile-')), options);
  }

  async start(): Promise<Page> {
    const { launchOptions } = test.info().project.use as { launchOptions?: LaunchOptions };
    this.#context = await chromium.launchPersistentContext(this.#dir, {
      ...launchOptions,
      ...this.options,
      serviceWorkers: 'block',
    });
    return this.#context.pages()[0] ?? (await this.#context.newPage());
  }

  /**
   * Whether storage that the browser writes in its own time is on disk. (IndexedDB is, as soon as
   * a transaction is over.)
   */
  async keeps(text: string): Promise<boolean> {
    const folder = join(this.#dir, 'Default', 'Local Storage', 'leveldb');
    const files = await readdir(folder).catch(() => []);
    const texts = await Promise.all(
      files.map((file) => readFile(join(folder, file), 'latin1').catch(() => '')),
    );
    return texts.some((found) => found.includes(text));
  }

  /** All of its processes at once: no page is told, nothing is written any more. */
  async crash(): Promise<void> {
    const context = this.#context;
    this.#context = null;
    const ended = new Promise((resolve) => context?.once('close', resolve));
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (words.includes(`--user-data-dir=${this.#dir}\0`)) process.kill(Number(pid), 'SIGKILL');
    }
    await ended;
  }

  async end(): Promise<void> {
    await this.#context?.close();
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
