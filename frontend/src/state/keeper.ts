import type { Clock } from '../net/clock';
import type { Memory } from './memory';
import type { Outgoing } from './queue';

/** Storage that outlives a crash of the browser, as one tab sees it. Everything may fail. */
export interface Vault {
  /** What an earlier page of this tab left, of whatever kind. */
  load(): Promise<readonly unknown[]>;
  /** Over when it is written. */
  save(entries: readonly Outgoing[], clientId: number | null): Promise<void>;
  /** Takes over, for good, what tabs that are gone left under this identity. */
  adopt(clientId: number): Promise<readonly unknown[]>;
}

/** How long a message waits for being written down before it goes all the same. */
const PATIENCE_MS = 1_000;

/**
 * Keeps the outbox for pages to come: in the tab's own storage, which is there at once, and in the
 * vault, which is there after a crash too. When one of them fails the other has to do; the person
 * is told, once, when neither does.
 */
export class Keeper {
  #vault: Vault | null;
  #clientId: number | null = null;
  #saved: readonly Outgoing[] = [];
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #told = false;
  /** The vault did not answer in time: nobody waits for it until it does. */
  #slow = false;

  constructor(
    private readonly deps: {
      memory: Memory;
      vault: Vault | null;
      clock: Clock;
      /** Nothing can be kept. */
      lost(): void;
      /** What an earlier page left was found when nobody waited for it any more. */
      late(entries: readonly Outgoing[]): void;
    },
  ) {
    this.#vault = deps.vault;
  }

  /** What an earlier page left; at once where there is no vault. */
  load(): readonly Outgoing[] | Promise<readonly Outgoing[]> {
    const near = sound(this.deps.memory.unsent);
    const vault = this.#vault;
    if (!vault) return near;
    const known = new Set(near.map(({ id }) => id));
    let isLate = false;
    const read = vault.load().then(
      (found) => {
        const far = sound(found).filter(({ id }) => !known.has(id));
        if (isLate) this.deps.late(far);
        return [...far, ...near];
      },
      () => {
        this.#vault = null;
        return near;
      },
    );
    // What is there is not written over before it was read.
    this.#writing = read.then(() => {});
    return this.#bounded(read, () => {
      isLate = true;
      return near;
    });
  }

  /** Over when what is to be kept is kept, or cannot be. */
  save(entries: readonly Outgoing[]): Promise<void> | void {
    const kept = entries.filter(({ state }) => state !== 'sent');
    const former = this.#saved;
    if (kept.length === former.length && kept.every((entry, at) => entry === former[at])) {
      return this.#next ?? undefined;
    }
    this.#saved = kept;
    const isNear = this.deps.memory.keepUnsent(kept);
    if (!this.#vault) return this.#check(isNear);
    // One more write is enough for all that changes while one is under way.
    this.#next ??= this.#writing.then(() => {
      this.#next = null;
      return (this.#writing = this.#write());
    });
    return this.#slow ? undefined : this.#bounded(this.#next, () => void (this.#slow = true));
  }

  /** What tabs that are gone left under this identity. */
  async adopt(clientId: number): Promise<readonly Outgoing[]> {
    this.#clientId = clientId;
    try {
      return sound((await this.#vault?.adopt(clientId)) ?? []);
    } catch {
      return [];
    }
  }

  async #write(): Promise<void> {
    try {
      await this.#vault?.save(this.#saved, this.#clientId);
      this.#slow = false;
    } catch {
      // Full, refused or broken: the tab's own storage goes on.
      this.#vault = null;
      this.#check(this.deps.memory.keepUnsent(this.#saved));
    }
  }

  #check(isKept: boolean): void {
    if (isKept || this.#told) return;
    this.#told = true;
    this.deps.lost();
  }

  /** A database that does not answer must not hold up a conversation. */
  #bounded<T>(wanted: Promise<T>, otherwise: () => T): Promise<T> {
    return new Promise((resolve) => {
      const cancel = this.deps.clock.after(PATIENCE_MS, () => resolve(otherwise()));
      void wanted.then((value) => {
        cancel();
        resolve(value);
      });
    });
  }
}

const STATES: ReadonlySet<unknown> = new Set(['pending', 'sent', 'failed']);
const ACTS: ReadonlySet<unknown> = new Set(['edit', 'delete', 'react', 'unreact', undefined]);

/** Storage may hold anything: what is no entry is left out. */
export function sound(found: readonly unknown[]): Outgoing[] {
  const entries = new Map<string, Outgoing>();
  for (const one of found) {
    const entry = one as Partial<Outgoing> | null;
    if (typeof entry !== 'object' || entry === null) continue;
    const { id, roomId, body, at, state, act, of, ofId, sentBy, sentAt, replyTo } = entry;
    const numbers = [of, sentBy, sentAt, replyTo].every(
      (value) => value === undefined || typeof value === 'number',
    );
    const texts = typeof id === 'string' && typeof body === 'string';
    if (!texts || typeof roomId !== 'number' || typeof at !== 'number') continue;
    if (!STATES.has(state) || !ACTS.has(act) || !numbers) continue;
    // A change of nothing can never be sent.
    if (act !== undefined && of === undefined && typeof ofId !== 'string') continue;
    entries.set(id, entry as Outgoing);
  }
  return [...entries.values()];
}
