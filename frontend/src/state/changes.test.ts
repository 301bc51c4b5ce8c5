import { describe, expect, it } from 'vitest';
import { asRead, type Listed } from '../net/fake_log';
import type { Event } from '../protocol/codec';
import type { ServerEvent } from '../protocol/generated';
import { shown } from './changes';
import { EMPTY, type Message, type Model, type Room } from './model';
import type { Outgoing } from './queue';
import { reduce } from './reduce';
import { merge, mergeHistory, MOST, position } from './timeline';

const ada = { clientId: 10_001, username: 'Ada' };
const bob = { clientId: 10_002, username: 'Bob' };
const cy = { clientId: 10_003, username: 'Cy' };

type Kind = 'edit' | 'delete' | 'react' | 'unreact';

/** A log as the server would write it, from what happened in turn. */
function log(...acts: (string | [Kind, number, string?, typeof ada?])[]): Listed[] {
  return acts.map((act, at) => {
    const seq = at + 1;
    const entry = { roomId: 7, seq, id: `m${seq}`, sender: ada, body: '', sentAt: seq };
    if (typeof act === 'string') return { ...entry, body: act };
    const [kind, target, body = '(deleted)', sender = ada] = act;
    return { ...entry, body, sender, change: { kind, seq: target } };
  });
}

function joined(change: Partial<Event<'ROOM_JOINED'>> = {}): Event<'ROOM_JOINED'> {
  return {
    type: 'ROOM_JOINED',
    room: { roomId: 7, name: 'Tea', ownerId: 1, createdAt: 0, memberCount: 1 },
    epoch: 'e',
    seq: 0,
    members: [ada],
    messages: [],
    recovered: true,
    ...change,
  };
}

const live = (entry: Listed): ServerEvent => ({ type: 'NEW_MESSAGE', ...entry });
const play = (...events: ServerEvent[]): Model =>
  events.reduce((model, event) => reduce(model, event, 0), EMPTY);
const said = (...entries: Listed[]): Room => play(joined(), ...entries.map(live)).room!;
const at = (room: Room, seq: number): Message | undefined =>
  room.messages.find((message) => message.seq === seq);
const emoji = (message?: Message) =>
  (message?.reactions ?? []).map(({ emoji: it, by }) => `${it} ${by.map((p) => p.username)}`);

describe('a change', () => {
  it('is a position and no message', () => {
    const room = said(...log('one', 'two', ['edit', 1, 'uno']));
    expect(room.messages.map(({ body }) => body)).toEqual(['uno', 'two']);
    expect(at(room, 1)).toMatchObject({ edited: 3 });
    expect(room).toMatchObject({ seq: 3, holes: [] });
    expect(position(room)).toBe(3);
  });

  it('that was skipped is a hole like any other', () => {
    const [one, edit, two] = log('one', ['edit', 1, 'uno'], 'two');
    const room = said(one!, two!);
    expect(room.holes).toEqual([{ from: 2, to: 2, lost: false }]);
    const history = { roomId: 7, epoch: 'e', messages: [edit!], more: false };
    const healed = mergeHistory(room, { after: 1 }, { type: 'HISTORY', ...history });
    expect(healed).toMatchObject({ holes: [], healed: 1 });
    expect(at(healed, 1)!.body).toBe('uno');
  });

  it('leaves all other messages the objects that they were', () => {
    const entries = log('one', 'two', 'three', ['edit', 2, 'dos']);
    const before = said(...entries.slice(0, 3));
    const after = merge(before, said(...entries).changes!.get(2)!);
    expect(after.messages[0]).toBe(before.messages[0]);
    expect(after.messages[2]).toBe(before.messages[2]);
    expect(after.messages[1]!.body).toBe('dos');
    const again = merge(after, said(...entries).changes!.get(2)!);
    expect(again.messages).toBe(after.messages);
  });

  it('deletes for good, with edits and reactions', () => {
    const room = said(
      ...log('one', ['edit', 1, 'uno'], ['react', 1, '👍'], ['delete', 1], ['react', 1, '🎉']),
    );
    expect(at(room, 1)).toEqual({
      seq: 1,
      id: 'm1',
      sender: ada,
      body: '',
      sentAt: 1,
      deleted: 'sender',
    });
  });

  it('by an admin says so, also of what the log has without saying who', () => {
    const [one, deletion] = log('one', ['delete', 1]);
    deletion!.change!.byAdmin = true;
    expect(at(said(one!, deletion!), 1)!.deleted).toBe('admin');
    const read = asRead([one!, deletion!]);
    expect(at(play(joined({ seq: 2, messages: read })).room!, 1)!.deleted).toBe('admin');
    expect(at(play(joined({ seq: 2, messages: [read[0]!] })).room!, 1)!.deleted).toBe('sender');
  });

  it('counts a person once an emoji, and forgets who took it back', () => {
    const room = said(
      ...log(
        'one',
        ['react', 1, '👍', bob],
        ['react', 1, '🎉', ada],
        ['react', 1, '👍', cy],
        ['react', 1, '👍', bob],
        ['unreact', 1, '👍', bob],
        ['unreact', 1, '🎉', ada],
        ['unreact', 1, '🎉', bob],
      ),
    );
    expect(emoji(at(room, 1))).toEqual(['👍 Cy']);
  });

  it('of a message that comes later is kept until then', () => {
    const entries = log('one', 'two', ['edit', 1, 'uno'], ['react', 1, '👍', bob]);
    const room = play(joined({ seq: 4, messages: entries.slice(1) })).room!;
    expect(room.base).toBe(2);
    const page = { roomId: 7, epoch: 'e', messages: [entries[0]!], more: false };
    const older = mergeHistory(room, { before: 2 }, { type: 'HISTORY', ...page });
    expect(at(older, 1)).toMatchObject({ body: 'uno', edited: 3 });
    expect(emoji(at(older, 1))).toEqual(['👍 Bob']);
  });

  it.each(['later', '__proto__'])(
    'of a kind that this page does not know (%s) only takes its place',
    (kind) => {
      const [one, other] = log('one', ['edit', 1, 'uno']);
      const strange = { ...other!, change: { ...other!.change!, kind: kind as Kind } };
      expect(at(said(one!, strange), 1)).toEqual(at(said(one!), 1));
      expect(said(one!, strange)).toMatchObject({ seq: 2, holes: [] });
    },
  );

  it('of a change, or of nothing, does nothing', () => {
    const room = said(...log('one', ['react', 1, '👍'], ['edit', 2, 'x'], ['edit', 99, 'y']));
    expect(room.messages).toHaveLength(1);
    expect(at(room, 1)).toMatchObject({ body: 'one' });
  });

  it('stops typing when it is an edit, and not when it is a reaction', () => {
    const [one, react, edit] = log('one', ['react', 1, '👍'], ['edit', 1, 'uno']);
    const typing: ServerEvent = { type: 'TYPING', roomId: 7, ...ada, typing: true };
    const writing = play(joined(), live(one!), typing, live(react!));
    expect(writing.room!.typing).toHaveLength(1);
    expect(reduce(writing, live(edit!), 0).room!.typing).toEqual([]);
  });
});

/** A small generator with a seed, so that a failure can be seen again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * sides);
  };
}

/** Whatever way the same entries take, as they were said or as the log has them, one thing results. */
it.each(Array.from({ length: 200 }, (_, seed) => seed + 1))(
  'any order gives one result (%i)',
  (seed) => {
    const roll = dice(seed);
    const people = [ada, bob, cy];
    const acts: Parameters<typeof log> = ['one', 'two', 'three'];
    const deleted = new Set<number>();
    for (let n = 0; n < 18; n += 1) {
      const target = 1 + roll(3);
      const who = people[roll(3)]!;
      const mark = ['👍', '🎉'][roll(2)]!;
      if (deleted.has(target) || roll(6) === 0) acts.push(`text ${n}`);
      else if (roll(12) === 0) {
        deleted.add(target);
        acts.push(['delete', target]);
      } else if (roll(3) === 0) acts.push(['edit', target, `edit ${n}`]);
      else acts.push([roll(3) ? 'react' : 'unreact', target, mark, who]);
    }
    const raw = log(...acts);
    const inOrder = said(...raw);

    // All at once as the log has it; and anyhow, with copies from different moments.
    const read = play(joined({ seq: raw.length, messages: asRead(raw) })).room!;
    const shuffled: Listed[] = [...raw];
    for (let n = 0; n < 30; n += 1) {
      const moment = asRead(raw.slice(0, 1 + roll(raw.length)));
      shuffled.splice(roll(shuffled.length + 1), 0, moment[roll(moment.length)]!);
    }
    for (let n = shuffled.length - 1; n > 0; n -= 1) {
      const other = roll(n + 1);
      [shuffled[n], shuffled[other]] = [shuffled[other]!, shuffled[n]!];
    }
    const anyhow = said(...shuffled);
    expect(anyhow.messages).toEqual(inOrder.messages);
    expect(anyhow).toMatchObject({ seq: raw.length, holes: [] });
    expect(read.messages).toEqual(inOrder.messages);
  },
);

it('keeps what can be scrolled, and lets go of older messages and changes at once', () => {
  let room = said();
  const step = 500;
  for (let from = 1; from <= MOST + step; from += step) {
    const entries = Array.from({ length: step }, (_, n) => {
      const seq = from + n;
      return { seq, id: `m${seq}`, sender: ada, body: 'x', sentAt: seq };
    });
    room = merge(room, entries);
  }
  expect(room.messages.length).toBeGreaterThanOrEqual(10_000);
  expect(room.messages.length).toBeLessThanOrEqual(MOST);
  expect(room.base).toBe(room.messages[0]!.seq);
  expect(room.fromStart).toBe(false);
  for (let seq = room.seq + 1, last = room.seq + MOST + step; seq <= last; seq += step) {
    room = merge(
      room,
      Array.from({ length: step }, (_, n) => {
        const mark = {
          id: `c${seq + n}`,
          by: ada,
          kind: 'react',
          body: '👍',
          byAdmin: false,
        } as const;
        return { ...mark, seq: seq + n, target: 1 + n };
      }),
    );
  }
  const kept = [...room.changes!.values()].flat();
  expect(kept.length).toBeLessThanOrEqual(MOST);
  expect(Math.min(...kept.map(({ seq }) => seq))).toBeGreaterThanOrEqual(room.base);
});

describe('what is shown before the timeline says so', () => {
  const act = (change: Partial<Outgoing>): Outgoing => {
    return { id: 'x', roomId: 7, body: '', at: 0, state: 'pending', of: 1, ...change };
  };
  const room = said(...log('one', 'two', ['react', 1, '👍', bob]));
  const first = (...entries: Outgoing[]) => shown(room, entries, ada)[0]!;

  it('is the same list while nothing is under way', () => {
    expect(shown(room, [], ada)).toBe(room.messages);
    expect(shown(room, [act({ act: 'edit', state: 'failed', body: 'no' })], ada)).toBe(
      room.messages,
    );
    expect(shown(room, [act({ act: 'edit', roomId: 8, body: 'no' })], ada)).toBe(room.messages);
  });

  it('has edits, deletions and reactions, in turn', () => {
    expect(first(act({ act: 'edit', body: 'uno' })).body).toBe('uno');
    expect(first(act({ act: 'delete' }))).toMatchObject({ body: '', deleted: 'sender' });
    expect(emoji(first(act({ act: 'react', body: '👍' })))).toEqual(['👍 Bob,Ada']);
    const both = [act({ act: 'react', body: '👍' }), act({ id: 'y', act: 'unreact', body: '👍' })];
    expect(emoji(first(...both))).toEqual(['👍 Bob']);
  });

  it('is the same object as long as it is the same, and leaves the others alone', () => {
    const edit = act({ act: 'edit', body: 'uno' });
    expect(first(edit)).toBe(first({ ...edit, retryAt: 3 }));
    expect(shown(room, [edit], ada)[1]).toBe(room.messages[1]);
  });
});
