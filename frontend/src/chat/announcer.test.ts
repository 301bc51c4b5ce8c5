import { beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../net/fake_socket';
import type { Room } from '../state/model';
import { Announcer } from './announcer';

const ME = { clientId: 1, username: 'Ann' };
let clock: FakeClock;
let spoken: string[];
let announcer: Announcer;

beforeEach(() => {
  clock = new FakeClock();
  spoken = [];
  announcer = new Announcer(clock, (text) => spoken.push(text));
});

/** A room whose messages are `[who, text]`, the newest last at position `seq`. */
function room(seq: number, ...said: [number, string][]): Room {
  const messages = said.map(([clientId, body], at) => ({
    seq: seq - said.length + 1 + at,
    id: `${at}`,
    sender: { clientId, username: `P${clientId}` },
    body,
    sentAt: 0,
  }));
  return { roomId: 7, epoch: 'e', seq, messages } as unknown as Room;
}

it('never reads what was there on joining', async () => {
  announcer.observe(room(2, [2, 'a'], [2, 'b']), ME);
  await clock.pass(10_000);
  expect(spoken).toEqual([]);
});

it('reads what others say, in one go', async () => {
  announcer.observe(room(0), ME);
  announcer.observe(room(1, [2, 'hello']), ME);
  await clock.pass(500);
  announcer.observe(room(2, [2, 'hello'], [3, 'hi']), ME);
  expect(spoken).toEqual([]);
  await clock.pass(500);
  expect(spoken).toEqual(['P2: hello\nP3: hi']);
});

it('does not read what oneself says', async () => {
  announcer.observe(room(0), ME);
  announcer.observe(room(1, [ME.clientId, 'mine']), ME);
  await clock.pass(10_000);
  expect(spoken).toEqual([]);
});

it('counts a burst instead of reading it', async () => {
  announcer.observe(room(0), ME);
  announcer.observe(room(3, [2, 'a'], [3, 'b'], [2, 'c']), ME);
  await clock.pass(1_000);
  expect(spoken).toEqual(['3 new messages from P2 and P3']);
});

it('is silent about older messages that are loaded', async () => {
  announcer.observe(room(5, [2, 'e']), ME);
  announcer.observe(room(5, [2, 'c'], [2, 'd'], [2, 'e']), ME);
  await clock.pass(10_000);
  expect(spoken).toEqual([]);
});

it('is silent about another room, and forgets the former one', async () => {
  announcer.observe(room(0), ME);
  announcer.observe(room(1, [2, 'hello']), ME);
  announcer.observe({ ...room(9, [2, 'x']), roomId: 8 }, ME);
  await clock.pass(10_000);
  expect(spoken).toEqual([]);
});

it('shortens what nobody wants to hear in full', async () => {
  announcer.observe(room(0), ME);
  announcer.observe(room(1, [2, 'x'.repeat(2_000)]), ME);
  await clock.pass(1_000);
  expect(spoken[0]).toHaveLength('P2: '.length + 201);
});

it('says first who named one', async () => {
  announcer.observe(room(0), ME);
  announcer.observe(room(2, [2, 'hello'], [3, 'well, @ann?']), ME);
  await clock.pass(1_000);
  expect(spoken).toEqual(['P3 mentioned you: well, @ann?\nP2: hello']);
});

it('reads a mention even in a burst', async () => {
  announcer.observe(room(0), ME);
  announcer.observe(room(4, [2, 'a'], [3, 'b'], [2, 'c'], [4, '@Ann!']), ME);
  await clock.pass(1_000);
  expect(spoken).toEqual(['P4 mentioned you: @Ann!\n3 new messages from P2 and P3']);
});

it('is silent while one reads further up, but for a mention', async () => {
  announcer.observe(room(0), ME);
  announcer.observe(room(1, [2, 'hello']), ME, true);
  await clock.pass(5_000);
  expect(spoken).toEqual([]);
  announcer.observe(room(2, [2, 'hello'], [2, '@Ann: here']), ME, true);
  await clock.pass(1_000);
  expect(spoken).toEqual(['P2 mentioned you: @Ann: here']);
  // What was passed over is not caught up with at the end of the list.
  announcer.observe(room(2, [2, 'hello'], [2, '@Ann: here']), ME);
  await clock.pass(5_000);
  expect(spoken).toHaveLength(1);
});

it('makes the same words heard again', async () => {
  announcer.observe(room(0), ME);
  announcer.observe(room(1, [2, 'ok']), ME);
  await clock.pass(1_000);
  announcer.observe(room(2, [2, 'ok'], [2, 'ok']), ME);
  await clock.pass(1_000);
  expect(spoken[1]).not.toBe(spoken[0]);
  expect(spoken[1]!.trim()).toBe(spoken[0]);
});
