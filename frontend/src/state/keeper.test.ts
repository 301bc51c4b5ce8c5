import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../net/fake_socket';
import { shelf } from './fixture';
import { Keeper, sound, type Vault } from './keeper';
import { Memory, type Shelf } from './memory';
import type { Outgoing } from './queue';
import { indexedVault } from './vault';

const DAY_MS = 86_400_000;
const entry = (id: string, change: Partial<Outgoing> = {}): Outgoing => {
  return { id, roomId: 7, body: id, at: 1, state: 'pending', ...change };
};
const ids = (entries: readonly unknown[]) => (entries as Outgoing[]).map(({ id }) => id);

let clock: FakeClock;
let lost: number;
let late: string[];

beforeEach(() => {
  clock = new FakeClock();
  lost = 0;
  late = [];
});

function keeper(vault: Vault | null, tab: Shelf = shelf()): Keeper {
  return new Keeper({
    memory: new Memory(shelf(), tab),
    vault,
    clock,
    lost: () => (lost += 1),
    late: (entries) => late.push(...ids(entries)),
  });
}

/** A vault that does as it is told. */
class FakeVault implements Vault {
  kept: readonly unknown[] = [];
  saves = 0;
  fails = false;
  pause: Promise<void> = Promise.resolve();

  async load() {
    await this.pause;
    return this.#checked(this.kept);
  }
  async save(entries: readonly Outgoing[]) {
    await this.pause;
    this.saves += 1;
    this.kept = this.#checked(entries);
  }
  async adopt() {
    return this.#checked([]);
  }
  #checked<T>(value: T): T {
    if (this.fails) throw new DOMException('full', 'QuotaExceededError');
    return value;
  }
}

const full: Shelf = {
  getItem: () => null,
  setItem: () => {
    throw new DOMException('full', 'QuotaExceededError');
  },
  removeItem: () => {},
};

describe('the keeper', () => {
  it('has what was kept before it says so', async () => {
    const vault = new FakeVault();
    await keeper(vault).save([entry('a'), entry('b', { state: 'sent' })]);
    expect(ids(vault.kept)).toEqual(['a']);
  });

  it('writes what changes during a write once', async () => {
    const vault = new FakeVault();
    const kept = keeper(vault);
    const all = [1, 2, 3, 4].map((n) => kept.save([entry(`${n}`)]));
    await Promise.all(all);
    expect(ids(vault.kept)).toEqual(['4']);
    expect(vault.saves).toBeLessThan(4);
  });

  it('finds again what the tab and the vault have, each once', async () => {
    const vault = new FakeVault();
    const tab = shelf();
    vault.kept = [entry('far'), entry('both')];
    new Memory(shelf(), tab).unsent = [entry('both'), entry('near')];
    expect(ids(await keeper(vault, tab).load())).toEqual(['far', 'both', 'near']);
  });

  it('goes on in the storage of the tab when the vault is full, and tells nobody', async () => {
    const vault = new FakeVault();
    const tab = shelf();
    const kept = keeper(vault, tab);
    vault.fails = true;
    await kept.save([entry('a')]);
    expect(ids(keeper(null, tab).load() as Outgoing[])).toEqual(['a']);
    expect(lost).toBe(0);
  });

  it('tells once when nothing can be kept', async () => {
    const vault = new FakeVault();
    vault.fails = true;
    const kept = keeper(vault, full);
    await kept.save([entry('a')]);
    await kept.save([entry('b')]);
    await kept.save([entry('c')]);
    expect(lost).toBe(1);
    void keeper(null, full).save([entry('a')]);
    expect(lost).toBe(2);
  });

  it('waits for a vault that does not answer for a second, and then no more', async () => {
    const vault = new FakeVault();
    vault.pause = new Promise(() => {});
    const kept = keeper(vault);
    let done = false;
    void kept.save([entry('a')])!.then(() => (done = true));
    await clock.pass(999);
    expect(done).toBe(false);
    await clock.pass(1);
    expect(done).toBe(true);
    expect(kept.save([entry('b')])).toBeUndefined();
  });

  it('loses nothing that a slow vault has', async () => {
    const vault = new FakeVault();
    vault.kept = [entry('old')];
    let answer = () => {};
    vault.pause = new Promise((resolve) => (answer = resolve));
    const kept = keeper(vault);
    const loading = kept.load() as Promise<Outgoing[]>;
    await clock.pass(1_000);
    expect(await loading).toEqual([]);
    void kept.save([entry('new')]);
    expect(ids(vault.kept)).toEqual(['old']);
    answer();
    await clock.pass(0);
    expect(late).toEqual(['old']);
  });

  it('leaves out what is no entry', () => {
    const bad = [
      null,
      3,
      'x',
      [],
      {},
      { ...entry('a'), id: 3 },
      { ...entry('a'), body: null },
      { ...entry('a'), at: 'now' },
      { ...entry('a'), roomId: '7' },
      { ...entry('a'), state: 'lost' },
      { ...entry('a'), act: 'explode', of: 1 },
      { ...entry('a'), act: 'edit' },
      { ...entry('a'), act: 'edit', of: '1' },
      { ...entry('a'), sentBy: {} },
    ];
    expect(sound(bad)).toEqual([]);
    expect(
      ids(sound([...bad, entry('a'), entry('b', { act: 'edit', of: 3 }), entry('a')])),
    ).toEqual(['a', 'b']);
  });
});

describe('the vault', () => {
  let factory: IDBFactory;
  let held: Set<string>;
  let now: number;
  beforeEach(() => {
    factory = new IDBFactory();
    held = new Set();
    now = DAY_MS;
  });

  /** Locks of a browser: nobody else may hold the name, nor be busy with it. */
  const whenFree = async (name: string, act: () => Promise<void>) => {
    if (held.has(name)) return;
    held.add(name);
    await act().finally(() => held.delete(name));
  };
  function open(owner: string): Vault {
    held.add(owner);
    return indexedVault({ indexedDB: factory, owner, whenFree, now: () => now });
  }

  it('gives each tab its own, and forgets what is done', async () => {
    const [one, two] = [open('one'), open('two')];
    await one.save([entry('a')], 1);
    await two.save([entry('b')], 2);
    expect(ids(await open('one').load())).toEqual(['a']);
    await one.save([], 1);
    expect(await one.load()).toEqual([]);
    expect(ids(await two.load())).toEqual(['b']);
  });

  it('is inherited by one tab with the same identity, whoever is first', async () => {
    const gone = open('gone');
    await gone.save([entry('a'), entry('b')], 1);
    const heirs = [open('one'), open('two'), open('three')];
    expect(await heirs[0]!.adopt(1)).toEqual([]);
    held.delete('gone');
    const got = await Promise.all(heirs.map((heir) => heir.adopt(1)));
    expect(got.map((entries) => entries.length).sort()).toEqual([0, 0, 2]);
    expect(await gone.load()).toEqual([]);
    // It is the heir's now, even if that one ends in the next moment.
    const heir = got.findIndex((entries) => entries.length > 0);
    expect(ids(await heirs[heir]!.load())).toEqual(['a', 'b']);
  });

  it('is not inherited by anybody else, and not kept for ever', async () => {
    const gone = open('gone');
    await gone.save([entry('a')], 1);
    held.delete('gone');
    const other = open('other');
    expect(await other.adopt(2)).toEqual([]);
    expect(ids(await gone.load())).toEqual(['a']);
    now += 8 * DAY_MS;
    expect(await other.adopt(2)).toEqual([]);
    expect(await gone.load()).toEqual([]);
  });

  it('takes a record that somebody else has written for an empty one', async () => {
    const vault = open('one');
    await vault.save('no list' as unknown as Outgoing[], 1);
    expect(await vault.load()).toEqual([]);
  });

  it('fails where databases are refused, each time anew', async () => {
    const refused = {
      open: () => {
        throw new DOMException('no', 'SecurityError');
      },
    };
    const parts = { owner: 'one', whenFree, now: () => now };
    const vault = indexedVault({ ...parts, indexedDB: refused as unknown as IDBFactory });
    await expect(vault.load()).rejects.toThrow();
    await expect(vault.save([], 1)).rejects.toThrow();
  });
});
