import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../net/fake_socket';
import type { SocketLike } from '../net/link';
import type { Live } from '../protocol/generated';
import { ApiError } from './api';
import { decode, Feed, type FeedStatus } from './feed';
import { live } from './fixture';

class Socket implements SocketLike {
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  readonly sent: string[] = [];
  open = true;
  constructor(readonly url: string) {
    sockets.push(this);
  }
  send(data: string): void {
    this.sent.push(data);
  }
  close(): void {
    this.open = false;
  }
  frame(at: number): void {
    this.onmessage?.({ data: JSON.stringify(live(at, [])) });
  }
}

let clock: FakeClock;
let sockets: Socket[];
let statuses: FeedStatus[];
let frames: number[];
let rejected: string[];
let polls: { resolve(live: Live): void; reject(error: ApiError): void }[];
let feed: Feed;

beforeEach(() => {
  clock = new FakeClock();
  sockets = [];
  statuses = [];
  frames = [];
  rejected = [];
  polls = [];
  feed = new Feed(
    {
      url: 'ws://test/admin/live',
      WebSocket: Socket,
      clock,
      random: () => 1,
      poll: () => new Promise((resolve, reject) => polls.push({ resolve, reject })),
    },
    {
      frame: ({ at }) => frames.push(at),
      status: (status) => statuses.push(status),
      rejected: (token) => rejected.push(token),
    },
  );
});

const socket = () => sockets.at(-1)!;
const phases = () => statuses.map(({ phase }) => phase);

function goLive(): void {
  feed.start('secret');
  socket().onopen?.({});
  socket().frame(1);
}

describe('the feed', () => {
  it('says the token in its first frame, not in the address', () => {
    feed.start('secret');
    expect(socket().url).toBe('ws://test/admin/live');
    expect(socket().sent).toEqual([]);
    socket().onopen?.({});
    expect(socket().sent).toEqual(['{"token":"secret"}']);
    expect(phases()).toEqual(['connecting']);
  });

  it('is live from the first frame on', () => {
    goLive();
    socket().frame(2);
    expect(phases()).toEqual(['connecting', 'live']);
    expect(frames).toEqual([1, 2]);
    expect(polls).toHaveLength(0);
  });

  it('skips what it cannot read', () => {
    goLive();
    socket().onmessage?.({ data: '{' });
    socket().onmessage?.({ data: '{"at":1}' });
    socket().onmessage?.({ data: new ArrayBuffer(1) });
    expect(frames).toEqual([1]);
    expect(decode('null')).toBeNull();
  });

  it('closed for policy is the end, and says of which token', async () => {
    goLive();
    socket().onclose?.({ code: 1008 });
    expect(rejected).toEqual(['secret']);
    expect(feed.status.phase).toBe('stopped');
    await clock.pass(100_000);
    expect(sockets).toHaveLength(1);
    expect(polls).toHaveLength(0);
  });

  it('that falls silent is lost', async () => {
    goLive();
    await clock.pass(4_999);
    socket().frame(2);
    await clock.pass(4_999);
    expect(feed.status.phase).toBe('live');
    await clock.pass(1);
    expect(feed.status.phase).toBe('connecting');
    expect(sockets[0]!.open).toBe(false);
    expect(polls).toHaveLength(1);
  });
});

describe('without the feed', () => {
  it('it asks, and opens again with growing delays, one socket at a time', async () => {
    goLive();
    socket().onclose?.({ code: 1006 });
    expect(polls).toHaveLength(1);
    polls[0]!.resolve(live(5, []));
    await clock.pass(499);
    expect(feed.status.phase).toBe('polling');
    expect(frames).toEqual([1, 5]);
    expect(sockets).toHaveLength(1);
    await clock.pass(1);
    expect(sockets).toHaveLength(2);
    socket().onclose?.({ code: 1006 });
    await clock.pass(999);
    expect(sockets).toHaveLength(2);
    await clock.pass(1);
    expect(sockets).toHaveLength(3);
    expect(sockets.slice(0, -1).every(({ open }) => !open)).toBe(true);
  });

  it('goes back to live with the first frame, and asks no more', async () => {
    goLive();
    socket().onclose?.({ code: 1012 });
    polls[0]!.resolve(live(5, []));
    await clock.pass(500);
    socket().onopen?.({});
    socket().frame(6);
    expect(phases()).toEqual(['connecting', 'live', 'connecting', 'polling', 'live']);
    socket().frame(7);
    await clock.pass(4_000);
    socket().frame(8);
    await clock.pass(4_000);
    expect(polls).toHaveLength(1);
  });

  it('never has two questions in flight', async () => {
    goLive();
    socket().onclose?.({ code: 1006 });
    await clock.pass(500);
    socket().frame(6);
    socket().onclose?.({ code: 1006 });
    await clock.pass(60_000);
    expect(polls).toHaveLength(1);
    polls[0]!.resolve(live(9, []));
    await clock.pass(4_999);
    expect(polls).toHaveLength(1);
    await clock.pass(1);
    expect(polls).toHaveLength(2);
  });

  it('is offline when asking fails too, since the newest figures, and recovers', async () => {
    goLive();
    const since = clock.now();
    await clock.pass(2_000);
    socket().onclose?.({ code: 1006 });
    polls[0]!.reject(new ApiError('unreachable', 'no'));
    await clock.pass(0);
    expect(feed.status).toEqual({ phase: 'offline', since });
    await clock.pass(5_000);
    polls[1]!.resolve(live(9, []));
    await clock.pass(0);
    expect(feed.status.phase).toBe('polling');
  });

  it('an answer that comes after the feed is back changes nothing', async () => {
    goLive();
    socket().onclose?.({ code: 1006 });
    await clock.pass(500);
    socket().frame(6);
    polls[0]!.resolve(live(5, []));
    await clock.pass(0);
    expect(frames).toEqual([1, 6]);
    expect(feed.status.phase).toBe('live');
  });

  it('a constructor that throws is a lost connection', async () => {
    const broken = new Feed(
      {
        url: '',
        WebSocket: class {
          constructor() {
            throw new Error('no');
          }
        } as never,
        clock,
        random: () => 1,
        poll: async () => live(1, []),
      },
      { frame: ({ at }) => frames.push(at), status: () => {}, rejected: () => {} },
    );
    broken.start('secret');
    await clock.pass(0);
    expect(broken.status.phase).toBe('polling');
    broken.stop();
  });
});

it('opens at once when the page wakes up', async () => {
  goLive();
  socket().onclose?.({ code: 1006 });
  feed.check();
  expect(sockets).toHaveLength(2);
  feed.check();
  expect(sockets).toHaveLength(2);
});

it('stops for good', async () => {
  goLive();
  socket().onclose?.({ code: 1006 });
  feed.stop();
  polls[0]!.resolve(live(5, []));
  await clock.pass(100_000);
  expect(sockets).toHaveLength(1);
  expect(polls).toHaveLength(1);
  expect(frames).toEqual([1]);
  feed.check();
  expect(sockets).toHaveLength(1);
});

it('takes another token while it runs', () => {
  goLive();
  feed.start('newer');
  expect(sockets[0]!.open).toBe(false);
  socket().onopen?.({});
  expect(socket().sent).toEqual(['{"token":"newer"}']);
});
