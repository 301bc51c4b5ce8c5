import { beforeEach, expect, it } from 'vitest';
import { shelf } from './fixture';
import { Memory, type Shelf } from './memory';
import { tabIdentity } from './tab_identity';

let browser: Shelf;
let held: Set<string>;
let names: number;

beforeEach(() => {
  browser = shelf();
  held = new Set();
  names = 0;
});

/** Loads a page in a tab. */
async function open(tab: Shelf) {
  const mine: string[] = [];
  const hold = async (name: string) => {
    if (held.has(name)) return false;
    held.add(name);
    mine.push(name);
    return true;
  };
  const uuid = () => `holder-${++names}`;
  const memory = new Memory(await tabIdentity({ browser, tab, hold, uuid }), tab);
  return { memory, close: () => mine.forEach((name) => held.delete(name)) };
}

const unsent = [{ id: 'a', roomId: 7, body: 'hi', at: 0, state: 'pending' }] as const;

it('a second tab is a new guest with the same name, and each reload finds its own', async () => {
  const [one, two] = [shelf(), shelf()];
  const first = await open(one);
  first.memory.identify({ session: '1', username: 'Ada', welcomed: true });
  const second = await open(two);
  expect(second.memory.identity).toEqual({ username: 'Ada', welcomed: true });
  second.memory.identify({ session: '2', username: 'Eve' });
  expect(first.memory.identity.session).toBe('1');

  first.close();
  second.close();
  expect((await open(two)).memory.identity).toMatchObject({ session: '2', username: 'Eve' });
  expect((await open(one)).memory.identity).toMatchObject({ session: '1', username: 'Ada' });
});

it('a new tab takes up the identity that no tab holds any more', async () => {
  const first = await open(shelf());
  first.memory.identify({ session: '1' });
  const second = await open(shelf());
  second.memory.identify({ session: '2' });
  first.close();
  const third = await open(shelf());
  expect(third.memory.identity.session).toBe('1');
  third.memory.identify({ session: '3' });
  third.close();
  expect((await open(shelf())).memory.identity.session).toBe('3');
});

it('a duplicated tab is a new guest in the same place, and sends nothing twice', async () => {
  const tab = shelf();
  const first = await open(tab);
  first.memory.identify({ session: '1', username: 'Ada' });
  first.memory.place = { roomId: 7, name: 'Tea' };
  first.memory.unsent = unsent;
  const copy = shelf();
  for (const key of ['holder', 'identity', 'place', 'unsent']) {
    copy.setItem(`roomful.${key}`, tab.getItem(`roomful.${key}`)!);
  }
  const second = await open(copy);
  expect(second.memory.identity).toEqual({ username: 'Ada' });
  expect(second.memory.place).toEqual({ roomId: 7, name: 'Tea' });
  expect(second.memory.unsent).toEqual([]);
  expect(first.memory.unsent).toEqual(unsent);
  second.memory.identify({ session: '2' });
  second.close();
  expect((await open(copy)).memory.identity.session).toBe('2');
});

it('without locks, or where they are refused, the tabs share one identity', async () => {
  const refused = () => Promise.reject(new Error('denied'));
  for (const hold of [null, refused]) {
    const parts = { browser, hold, uuid: () => 'x' };
    expect(await tabIdentity({ ...parts, tab: shelf() })).toBe(browser);
  }
});
