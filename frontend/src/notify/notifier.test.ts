import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../net/fake_socket';
import { shelf } from '../state/fixture';
import type { Room } from '../state/model';
import { DEFAULTS, type Settings } from '../state/settings';
import { Notifier, type Note } from './notifier';
import { claim } from './once';
import { permissionIn } from './permission';
import { isQuiet } from './quiet';

const ME = { clientId: 1, username: 'Ann' };
let clock: FakeClock;
let settings: Settings;
let shown: Note[];
let sounds: number;
let read: number;
let claimed: Set<string>;

beforeEach(() => {
  clock = new FakeClock();
  settings = { ...DEFAULTS, notify: 'all' };
  shown = [];
  sounds = 0;
  read = 0;
  claimed = new Set();
});
const notifier = () =>
  new Notifier({
    clock,
    settings: () => settings,
    readUpTo: () => read,
    claim: async (name) => !claimed.has(name) && !!claimed.add(name),
    show: (note) => shown.push(note),
    sound: () => (sounds += 1),
  });
function room(...bodies: string[]): Room {
  const messages = bodies.map((body, at) => ({
    seq: at + 1,
    id: `${at}`,
    sender: body === 'mine' ? ME : { clientId: 2, username: 'Bo' },
    body,
    sentAt: 0,
  }));
  const facts = { roomId: 7, name: 'Tea', epoch: 'e', seq: bodies.length, messages };
  return facts as unknown as Room;
}

describe('what one is told of', () => {
  it('is what others say while one does not look', async () => {
    const it = notifier();
    it.observe(room('old'), ME, false);
    it.observe(room('old', 'hello'), ME, false);
    await clock.pass(1_000);
    expect(shown).toEqual([{ tag: 'room 7', title: 'Bo in Tea', body: 'hello', seq: 2 }]);
    it.observe(room('old', 'hello', 'mine'), ME, false);
    await clock.pass(1_000);
    expect(shown).toHaveLength(1);
  });

  it('is nothing while one looks, nor what comes at once before one does', async () => {
    const it = notifier();
    it.observe(room(), ME, true);
    it.observe(room('a'), ME, true);
    it.observe(room('a', 'b'), ME, false);
    it.observe(room('a', 'b'), ME, true);
    await clock.pass(1_000);
    expect(shown).toEqual([]);
  });

  it('is a burst as one', async () => {
    const it = notifier();
    it.observe(room(), ME, false);
    it.observe(room('a'), ME, false);
    await clock.pass(100);
    it.observe(room('a', 'b', 'c'), ME, false);
    await clock.pass(1_000);
    expect(shown).toEqual([
      { tag: 'room 7', title: '3 new messages in Tea', body: 'Bo: c', seq: 1 },
    ]);
  });

  it.each([
    ['all', 2],
    ['mentions', 1],
    ['none', 0],
  ] as const)('is what was chosen: %s', async (notify, times) => {
    settings = { ...settings, notify, sound: true };
    const it = notifier();
    it.observe(room(), ME, false);
    it.observe(room('hello'), ME, false);
    await clock.pass(1_000);
    it.observe(room('hello', '@ann?'), ME, false);
    await clock.pass(1_000);
    expect([shown.length, sounds]).toEqual([times, times]);
  });

  it('is nothing in quiet hours', async () => {
    const at = new Date(clock.now());
    const minute = at.getHours() * 60 + at.getMinutes();
    settings = { ...settings, quiet: { from: minute, to: (minute + 60) % 1440 } };
    const it = notifier();
    it.observe(room(), ME, false);
    it.observe(room('hello'), ME, false);
    await clock.pass(1_000);
    expect(shown).toEqual([]);
  });

  it('is nothing that another tab has read, or spoken of', async () => {
    const [one, two] = [notifier(), notifier()];
    for (const tab of [one, two]) tab.observe(room(), ME, false);
    for (const tab of [one, two]) tab.observe(room('a'), ME, false);
    await clock.pass(1_000);
    expect(shown).toHaveLength(1);
    for (const tab of [one, two]) tab.observe(room('a', 'b'), ME, false);
    read = 2;
    await clock.pass(1_000);
    expect(shown).toHaveLength(1);
  });
});

it('one tab of several claims a message', async () => {
  const storage = shelf();
  expect(await claim(storage, undefined, 'a')).toBe(true);
  expect(await claim(storage, undefined, 'a')).toBe(false);
  for (let n = 0; n < 60; n += 1) await claim(storage, undefined, `${n}`);
  expect(JSON.parse(storage.getItem('roomful.notified')!)).toHaveLength(50);
});

it.each([
  [null, 12, false],
  [{ from: 9 * 60, to: 17 * 60 }, 12, true],
  [{ from: 9 * 60, to: 17 * 60 }, 17, false],
  [{ from: 22 * 60, to: 7 * 60 }, 23, true],
  [{ from: 22 * 60, to: 7 * 60 }, 3, true],
  [{ from: 22 * 60, to: 7 * 60 }, 7, false],
  [{ from: 60, to: 60 }, 1, false],
])('quiet %j at %d h: %j', (quiet, hour, yes) => {
  expect(isQuiet(quiet, new Date(2026, 4, 5, hour))).toBe(yes);
});

it('knows why there are no notifications', () => {
  expect(permissionIn({ isSecureContext: false })).toBe('insecure');
  expect(permissionIn({ isSecureContext: true })).toBe('absent');
  expect(permissionIn({ isSecureContext: true, Notification: { permission: 'denied' } })).toBe(
    'denied',
  );
});
