import { describe as suite, expect, it } from 'vitest';
import type { Line, Message, Room } from '../state/model';
import type { Outgoing } from '../state/outbox';
import { describe, enumerate, reuse, rows } from './grouping';

const NOON = new Date(2026, 4, 5, 12).getTime();
const MINUTE = 60_000;
const ada = { clientId: 1, username: 'Ada' };
const bob = { clientId: 2, username: 'Bob' };

const said = (seq: number, sender = bob, at = NOON + seq): Message => ({
  seq,
  id: `m${seq}`,
  sender,
  body: `${seq}`,
  sentAt: at,
});
const room = (change: Partial<Room>): Room => ({
  roomId: 7,
  name: 'Tea',
  memberCount: 2,
  members: [],
  epoch: 'e',
  seq: 0,
  base: 1,
  fromStart: true,
  messages: [],
  holes: [],
  lines: [],
  typing: [],
  reconnecting: new Set(),
  membersComplete: true,
  live: true,
  ...change,
});
const line = (key: number, after: number): Line => ({
  key,
  after,
  at: NOON,
  what: 'joined',
  people: [bob],
});
const pending = (id: string): Outgoing => ({
  id,
  roomId: 7,
  body: 'mine',
  at: NOON + MINUTE,
  state: 'pending',
});

const outline = (...args: Parameters<typeof rows>) =>
  rows(...args).map((row) => {
    if (row.kind !== 'message') return row.kind;
    return `${row.body}${row.first ? ' first' : ''}${row.last ? ' last' : ''}`;
  });

suite('runs', () => {
  it('join what one person says in a row', () => {
    const messages = [said(1), said(2), said(3), said(4, ada), said(5)];
    expect(outline(room({ messages }), [], ada)).toEqual([
      'day',
      '1 first',
      '2',
      '3 last',
      '4 first last',
      '5 first last',
    ]);
  });

  it('end with a pause, a rename or a new day', () => {
    const messages = [
      said(1),
      said(2, bob, NOON + 6 * MINUTE),
      said(3, { ...bob, username: 'Rob' }, NOON + 7 * MINUTE),
      said(4, { ...bob, username: 'Rob' }, NOON + 1440 * MINUTE),
    ];
    expect(outline(room({ messages }), [], ada)).toEqual([
      'day',
      '1 first last',
      '2 first last',
      '3 first last',
      'day',
      '4 first last',
    ]);
  });

  it('are broken by lines and gaps, which stand in their places', () => {
    const shown = room({
      messages: [said(1), said(2), said(5)],
      holes: [{ from: 3, to: 4, lost: true }],
      lines: [line(1, 1), line(2, 5)],
      seq: 5,
    });
    expect(outline(shown, [], ada)).toEqual([
      'day',
      '1 first last',
      'line',
      '2 first last',
      'gap',
      '5 first last',
      'line',
    ]);
  });
});

it('what is on its way stands last, and keeps its key when it settles', () => {
  const before = rows(room({ messages: [said(1)] }), [pending('x')], ada).at(-1)!;
  expect(before).toMatchObject({ own: true, body: 'mine', outgoing: { state: 'pending' } });
  const settled = { ...said(2, ada), id: 'x' };
  const after = rows(room({ messages: [said(1), settled] }), [], ada).at(-1)!;
  expect(after.key).toBe(before.key);
});

it('what is on its way to another room is not shown here', () => {
  expect(outline(room({}), [{ ...pending('x'), roomId: 8 }], ada)).toEqual([]);
});

it('rows that did not change stay the same objects', () => {
  const messages = [said(1), said(2, ada), said(3)];
  const before = rows(room({ messages }), [], ada);
  const after = reuse(before, rows(room({ messages: [...messages, said(4)] }), [], ada));
  expect(after.map((row, at) => row === before[at])).toEqual([true, true, true, false, false]);
});

it('keys are unique', () => {
  // The same id twice from one person, who also has it in the outbox; and days out of order.
  const messages = [
    said(1),
    said(2, ada),
    { ...said(3), id: 'm2' },
    { ...said(4, ada), id: 'm2' },
    said(5, bob, NOON - 1440 * MINUTE),
    said(6),
  ];
  const keys = rows(room({ messages }), [pending('m2'), pending('m1')], ada).map((row) => row.key);
  expect(keys).toHaveLength(6 + 3 + 1);
  expect(new Set(keys).size).toBe(keys.length);
});

it('names people as people do', () => {
  expect(enumerate(['A'])).toBe('A');
  expect(enumerate(['A', 'B'])).toBe('A and B');
  expect(enumerate(['A', 'B', 'C', 'D'])).toBe('A, B, C and D');
  expect(enumerate(['A', 'B', 'C', 'D', 'E'])).toBe('A, B, C and 2 others');
  expect(describe({ ...line(1, 1), what: 'renamed', formerly: 'Bo' })).toBe('Bo is now Bob');
});
