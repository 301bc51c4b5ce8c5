import { read, write, type Shelf } from './memory';

/** What a person has chosen for this browser; all of its tabs share it. */
export interface Settings {
  theme: 'system' | 'light' | 'dark';
  contrast: 'system' | 'more';
  motion: 'system' | 'reduce';
  /** Of messages while the page is not looked at. */
  sound: boolean;
  notify: 'all' | 'mentions' | 'none';
  /** Minutes of the day between which nothing sounds or pops up; may pass midnight. */
  quiet: { from: number; to: number } | null;
  /** Hue of one's own messages and of the page, in degrees; null: the page's own. */
  hue: number | null;
  /** A language tag; null: the browser's. */
  locale: string | null;
  /** Shortcuts of one key without Ctrl or Alt: whoever dictates must be able to switch them off. */
  singleKeys: boolean;
}

export const DEFAULTS: Settings = {
  theme: 'system',
  contrast: 'system',
  motion: 'system',
  sound: false,
  notify: 'mentions',
  quiet: null,
  hue: null,
  locale: null,
  singleKeys: true,
};

/** Also the key that other tabs hear of when it changes. */
export const KEY = 'roomful.settings';

/** A store in Svelte's sense. Storage that is full or forbidden keeps them for as long as the page is open. */
export class SettingsStore {
  #now: Settings;
  #kept = true;
  readonly #subscribers = new Set<(settings: Settings) => void>();

  constructor(private readonly shelf: Shelf) {
    this.#now = sound(read<Partial<Settings>>(shelf, KEY));
  }

  get now(): Settings {
    return this.#now;
  }

  /** False when storage has refused the last change. */
  get kept(): boolean {
    return this.#kept;
  }

  subscribe(run: (settings: Settings) => void): () => void {
    run(this.#now);
    this.#subscribers.add(run);
    return () => this.#subscribers.delete(run);
  }

  change(what: Partial<Settings>): void {
    this.#now = { ...this.#now, ...what };
    write(this.shelf, KEY, this.#now);
    // It may be full, forbidden, or a stand-in that keeps nothing: what counts is what can be read.
    this.#kept = read(this.shelf, KEY) !== null;
    for (const run of this.#subscribers) run(this.#now);
  }

  /** Another tab has changed them. */
  reread(): void {
    this.#now = sound(read<Partial<Settings>>(this.shelf, KEY));
    for (const run of this.#subscribers) run(this.#now);
  }
}

/** Storage may hold anything. */
function sound(found: Partial<Settings> | null): Settings {
  if (typeof found !== 'object' || found === null) return DEFAULTS;
  const among = <T>(value: unknown, known: readonly T[], otherwise: T): T =>
    known.includes(value as T) ? (value as T) : otherwise;
  const minute = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) < 24 * 60;
  const { quiet, hue } = found;
  return {
    theme: among(found.theme, ['system', 'light', 'dark'], DEFAULTS.theme),
    contrast: among(found.contrast, ['system', 'more'], DEFAULTS.contrast),
    motion: among(found.motion, ['system', 'reduce'], DEFAULTS.motion),
    sound: found.sound === true,
    notify: among(found.notify, ['all', 'mentions', 'none'], DEFAULTS.notify),
    quiet:
      quiet && minute(quiet.from) && minute(quiet.to) ? { from: quiet.from, to: quiet.to } : null,
    hue: typeof hue === 'number' && hue >= 0 && hue < 360 ? hue : null,
    locale: typeof found.locale === 'string' ? found.locale.slice(0, 35) : null,
    singleKeys: found.singleKeys !== false,
  };
}
