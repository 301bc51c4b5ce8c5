import { describe, expect, it } from 'vitest';
import type { Event } from '../protocol/codec';
import type { ServerEvent } from '../protocol/generated';
import { EMPTY, type Model } from './model';
import { expireTyping, reduce } from './reduce';
import { mergeHistory, position } from './timeline';

const NOW = 1_700_000_000_000;
const ada = { clientId: 10_001, username: 'Ada' };
const bob = { clientId: 10_002, username: 'Bob' };
const limits = { messageChars: 2000, usernameChars: 16, roomNameChars: 16, frameBytes: 16_384 };

const welcome: ServerEvent = {
  type: 'CONNECT',
  ...ada,
  session: 's',
  sessionExpiresAt: NOW,
  nodeId: 'n1',
  resumed: false,
  heartbeatMs: 25_000,
  limits,
};

function message(seq: number, sender = bob) {
  return { roomId: 20_000, seq, id: `m${seq}`, sender, body: `text ${seq}`, sentAt: NOW + seq };
}

const messages = (...seqs: number[]) => seqs.map((seq) => message(seq));

function roomJoined(change: Partial<Event<'ROOM_JOINED'>> = {}): Event<'ROOM_JOINED'> {
  return {
    type: 'ROOM_JOINED',
    room: { roomId: 20_000, name: 'Tea', ownerId: 10_001, createdAt: NOW, memberCount: 2 },
    epoch: 'e1',
    seq: 3,
    members: [ada, bob],
    messages: messages(1, 2, 3),
    recovered: true,
    ...change,
  };
}

const posted = (seq: number, sender = bob): ServerEvent => ({
  type: 'NEW_MESSAGE',
  ...message(seq, sender),
});

const users = (change: Partial<Event<'USER_EVENT'>>): ServerEvent => ({
  type: 'USER_EVENT',
  roomId: 20_000,
  memberCount: 2,
  ...change,
});

function play(...events: ServerEvent[]): Model {
  return events.reduce((model, event) => reduce(model, event, NOW), EMPTY);
}

const seqs = (model: Model) => model.room!.messages.map(({ seq }) => seq);
const lines = (model: Model) =>
  model.room!.lines.map(({ what, people }) => `${people.map((p) => p.username)} ${what}`);

describe('the timeline', () => {
  it('takes the next message', () => {
    expect(seqs(play(welcome, roomJoined(), posted(4)))).toEqual([1, 2, 3, 4]);
  });

  it('ignores a message that it has', () => {
    const before = play(welcome, roomJoined());
    expect(seqs(reduce(before, posted(3), NOW))).toEqual([1, 2, 3]);
    expect(seqs(reduce(before, posted(1), NOW))).toEqual([1, 2, 3]);
  });

  it('ignores a message of another room', () => {
    const stray = { ...posted(4), roomId: 20_001 } as ServerEvent;
    expect(seqs(play(welcome, roomJoined(), stray))).toEqual([1, 2, 3]);
  });

  it('notes a hole when a position is skipped, and resumes from before it', () => {
    const model = play(welcome, roomJoined(), posted(6));
    expect(model.room!.holes).toEqual([{ from: 4, to: 5, lost: false }]);
    expect(position(model.room!)).toBe(3);
  });

  it('fills a hole in whatever order', () => {
    const model = play(welcome, roomJoined(), posted(6), posted(5), posted(4));
    expect(seqs(model)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(model.room!.holes).toEqual([]);
  });

  it('adds what a resume brings', () => {
    const resumed = roomJoined({ seq: 5, messages: messages(4, 5) });
    const model = play(welcome, roomJoined(), welcome, resumed);
    expect(seqs(model)).toEqual([1, 2, 3, 4, 5]);
    expect(model.room).toMatchObject({ holes: [], live: true });
  });

  it('shows the gap of a resume as lost', () => {
    const late = roomJoined({
      seq: 41,
      messages: messages(41),
      recovered: false,
      gap: { from: 4, to: 40 },
    });
    const model = play(welcome, roomJoined(), welcome, late);
    expect(seqs(model)).toEqual([1, 2, 3, 41]);
    expect(model.room!.holes).toEqual([{ from: 4, to: 40, lost: true }]);
    expect(position(model.room!)).toBe(41);
  });

  it('asks for what a join leaves out between old and new', () => {
    const rejoined = roomJoined({ seq: 90, messages: messages(89, 90) });
    const model = play(welcome, roomJoined(), rejoined);
    expect(model.room!.holes).toEqual([{ from: 4, to: 88, lost: false }]);
  });

  it('starts anew in another epoch', () => {
    const again = roomJoined({ epoch: 'e2', seq: 1, messages: messages(1) });
    const model = play(welcome, roomJoined(), again);
    expect(seqs(model)).toEqual([1]);
    expect(lines(model)).toEqual([' restarted']);
  });

  it('starts where the newest messages start', () => {
    const model = play(welcome, roomJoined({ seq: 9, messages: messages(8, 9) }));
    expect(model.room).toMatchObject({ base: 8, fromStart: false, holes: [] });
  });

  it('knows an empty room', () => {
    const model = play(welcome, roomJoined({ seq: 0, messages: [] }));
    expect(model.room).toMatchObject({ base: 1, fromStart: true, seq: 0, holes: [] });
    expect(seqs(reduce(model, posted(1), NOW))).toEqual([1]);
  });
});

describe('history', () => {
  const page = (change: Partial<Event<'HISTORY'>>): Event<'HISTORY'> => ({
    type: 'HISTORY',
    roomId: 20_000,
    epoch: 'e1',
    messages: [],
    more: false,
    ...change,
  });

  it('goes in front', () => {
    const { room } = play(welcome, roomJoined({ seq: 9, messages: messages(8, 9) }));
    const older = mergeHistory(
      room!,
      { before: 8 },
      page({ messages: messages(6, 7), more: true }),
    );
    expect(older.messages.map(({ seq }) => seq)).toEqual([6, 7, 8, 9]);
    expect(older).toMatchObject({ base: 6, fromStart: false, holes: [] });
    const all = mergeHistory(older, { before: 6 }, page({}));
    expect(all).toMatchObject({ base: 6, fromStart: true });
  });

  it('fills a hole', () => {
    const { room } = play(welcome, roomJoined(), posted(6));
    const healed = mergeHistory(room!, { after: 3 }, page({ messages: messages(4, 5, 6) }));
    expect(healed.holes).toEqual([]);
  });

  it('says what is lost for good', () => {
    const { room } = play(welcome, roomJoined(), posted(9));
    const healed = mergeHistory(room!, { after: 3 }, page({ messages: messages(7, 8, 9) }));
    expect(healed.holes).toEqual([{ from: 4, to: 6, lost: true }]);
  });

  it('leaves open what the next page has', () => {
    const { room } = play(welcome, roomJoined(), posted(9));
    const asked = page({ messages: messages(4, 5), more: true });
    const healed = mergeHistory(room!, { after: 3 }, asked);
    expect(healed.holes).toEqual([{ from: 6, to: 8, lost: false }]);
  });

  it('does not ask for ever when a page brings nothing', () => {
    const { room } = play(welcome, roomJoined(), posted(9));
    expect(mergeHistory(room!, { after: 3 }, page({ more: true })).holes[0]!.lost).toBe(true);
  });

  it('of another epoch is not ours', () => {
    const { room } = play(welcome, roomJoined());
    expect(mergeHistory(room!, { before: 1 }, page({ epoch: 'e0' }))).toBe(room);
  });
});

describe('members', () => {
  const cy = { clientId: 10_003, username: 'Cy' };

  it('come and go with a line each', () => {
    const model = play(
      welcome,
      roomJoined(),
      users({ memberCount: 3, joined: [cy] }),
      posted(4),
      users({ memberCount: 2, left: [cy.clientId] }),
    );
    expect(lines(model)).toEqual(['Cy joined', 'Cy left']);
    expect(model.room).toMatchObject({ memberCount: 2, members: [ada, bob] });
    expect(model.room!.lines.map((line) => line.after)).toEqual([3, 4]);
  });

  it('that come together share a line', () => {
    const dee = { clientId: 10_004, username: 'Dee' };
    const model = play(welcome, roomJoined(), users({ joined: [cy] }), users({ joined: [dee] }));
    expect(lines(model)).toEqual(['Cy,Dee joined']);
  });

  it('who were in the snapshot are no news', () => {
    expect(lines(play(welcome, roomJoined(), users({ joined: [bob] })))).toEqual([]);
  });

  it('are renamed, also oneself', () => {
    const renamed = [{ ...ada, username: 'Countess' }];
    const model = play(welcome, roomJoined(), users({ renamed }));
    expect(model.me!.username).toBe('Countess');
    expect(model.room!.members[0]!.username).toBe('Countess');
    expect(model.room!.lines[0]).toMatchObject({ what: 'renamed', formerly: 'Ada' });
  });

  it('join under a new name in one folded event', () => {
    const renamed = [{ ...cy, username: 'Cyrus' }];
    const model = play(welcome, roomJoined(), users({ joined: [cy], renamed }));
    expect(model.room!.members).toContainEqual({ ...cy, username: 'Cyrus' });
  });

  it('beyond the first 200 are named by what they said', () => {
    const model = play(
      welcome,
      roomJoined(),
      posted(4, { clientId: 77_777, username: 'Far' }),
      users({ left: [77_777, 88_888] }),
    );
    expect(lines(model)).toEqual(['Far,User 88888 left']);
  });

  it('are counted in the list of rooms too', () => {
    const rooms = [{ roomId: 20_000, name: 'Tea', memberCount: 2, createdAt: NOW }];
    const listed = { ...play(welcome, roomJoined()), list: { rooms, cursor: null, loaded: true } };
    const model = reduce(listed, users({ memberCount: 9 }), NOW);
    expect(model.list.rooms[0]!.memberCount).toBe(9);
  });
});

describe('typing', () => {
  const typing = (who: typeof bob, on: boolean): ServerEvent => ({
    type: 'TYPING',
    roomId: 20_000,
    ...who,
    typing: on,
  });
  const typists = (model: Model) => model.room!.typing.map(({ username }) => username);

  it('ends by word, by message, by leaving and by time', () => {
    const model = play(welcome, roomJoined(), typing(bob, true));
    expect(typists(model)).toEqual(['Bob']);
    expect(typists(reduce(model, typing(bob, false), NOW))).toEqual([]);
    expect(typists(reduce(model, posted(4), NOW))).toEqual([]);
    expect(typists(reduce(model, users({ left: [bob.clientId] }), NOW))).toEqual([]);
    expect(typists(expireTyping(model, NOW + 4_999))).toEqual(['Bob']);
    expect(typists(expireTyping(model, NOW + 5_000))).toEqual([]);
  });

  it('of oneself is not shown', () => {
    expect(typists(play(welcome, roomJoined(), typing(ada, true)))).toEqual([]);
  });
});

describe('leaving', () => {
  const left = (reason: Event<'ROOM_LEFT'>['reason']): ServerEvent => ({
    type: 'ROOM_LEFT',
    roomId: 20_000,
    reason,
  });

  it('by choice needs no words', () => {
    expect(play(welcome, roomJoined(), left('left'))).toMatchObject({ room: null, exit: null });
  });

  it('by order says so', () => {
    const model = play(welcome, roomJoined(), left('room_deleted'));
    expect(model).toMatchObject({ room: null, exit: { name: 'Tea', reason: 'room_deleted' } });
  });

  it('for another room keeps this one on the screen until that comes', () => {
    expect(play(welcome, roomJoined(), left('moved')).room).toMatchObject({ live: false });
  });

  it('a room that is not ours changes nothing', () => {
    const model = play(welcome, roomJoined());
    expect(reduce(model, { ...left('removed'), roomId: 1 } as ServerEvent, NOW)).toBe(model);
  });
});

it('keeps the newest notices', () => {
  const notice = (text: string): ServerEvent => ({ type: 'NOTICE', text, level: 'info' });
  const model = play(notice('1'), notice('2'), notice('3'), notice('4'));
  expect(model.notices.map(({ text }) => text)).toEqual(['2', '3', '4']);
});
