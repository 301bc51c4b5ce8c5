import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerEvent } from '../protocol/generated';
import { systemClock } from './clock';
import { FakeServer } from './fake_server';
import { FakeClock, FakeNetwork, type FakeSocket } from './fake_socket';
import type { Greeting } from './link';
import { Connection } from './socket';

const ROOM = 10_042;
const JOINED: ServerEvent = {
  type: 'ROOM_JOINED',
  room: { roomId: ROOM, name: 'Tea', ownerId: 1, createdAt: 0, memberCount: 1 },
  epoch: 'e',
  seq: 0,
  members: [],
  messages: [],
  recovered: true,
};

let clock: FakeClock;
let server: FakeServer;
let network: FakeNetwork;
let connection: Connection;
/** All that the page is told, in order. */
let told: string[];
let hello: Greeting;
let isBusy: boolean;

beforeEach(() => {
  clock = new FakeClock();
  server = new FakeServer({ clock, heartbeatMs: 10_000 });
  network = new FakeNetwork(server);
  told = [];
  hello = { username: 'Ada' };
  isBusy = false;
  connection = new Connection(
    { url: 'ws://test/ws', WebSocket: network.WebSocket, clock, random: () => 0.5 },
    {
      hello: () => hello,
      event(event) {
        if (event.type === 'CONNECT') hello = { session: event.session };
        told.push(event.type);
      },
      status: (status) => told.push(status.phase),
      refused: (error) => told.push(`refused ${error.code}`),
      forgetSession: () => told.push('forget'),
      busy: () => isBusy,
      moving: (is) => told.push(is ? 'moving' : 'staying'),
      measured: () => {},
      moved: (events) => told.push(`moved ${events.map(({ type }) => type).join(' ')}`),
    },
  );
});

async function connected(): Promise<FakeSocket> {
  connection.connect();
  await clock.pass(0);
  expect(connection.ready).toBe(true);
  told.length = 0;
  return network.current;
}

/** Connected, and asked to go elsewhere. */
async function asked(afterMs = 0): Promise<FakeSocket> {
  const old = await connected();
  reconnect(old, afterMs);
  return old;
}

function reconnect(socket: FakeSocket, afterMs: number): void {
  socket.deliver(JSON.stringify({ type: 'RECONNECT', afterMs }));
}

/** Nobody answers CONNECT. */
function mute(): void {
  server.intercept = ({ type }) => type === 'CONNECT';
}

/** Half way: the new connection has said hello, and nobody has answered. */
async function underWay(): Promise<{ old: FakeSocket; next: FakeSocket }> {
  const old = await asked();
  mute();
  await clock.pass(0);
  expect(network.sockets).toHaveLength(2);
  told.length = 0;
  return { old, next: network.current };
}

describe('a move', () => {
  it('begins when the server said, and shows nobody anything', async () => {
    const old = await asked(3_000);
    await clock.pass(2_999);
    expect(network.sockets).toHaveLength(1);
    await clock.pass(1);
    expect(network.current.sent[0]).toMatchObject({ type: 'CONNECT', session: 'session-10001' });
    // The old one was closed with 4009 by the server on the way.
    expect(told).toEqual(['RECONNECT', 'moving', 'moved CONNECT']);
    expect(old.isOpen).toBe(false);
    connection.send({ type: 'PING' });
    expect(network.current.sent.at(-1)).toEqual({ type: 'PING' });
    expect(told.at(-1)).toBe('PONG');
    await clock.pass(3_600_000);
    expect(network.sockets).toHaveLength(2);
  });

  it('is over when the room is resumed; until then the old connection goes on', async () => {
    const old = await asked();
    hello = { ...hello, resume: { roomId: ROOM, epoch: 'e', seq: 0 } };
    server.intercept = ({ type }, reply) => {
      if (type === 'CONNECT') reply(WELCOME);
      return type === 'CONNECT';
    };
    await clock.pass(0);
    const next = network.current;
    expect(told).toEqual(['RECONNECT', 'moving']);
    connection.send({ type: 'PING', id: 'still there' });
    expect(old.sent.at(-1)).toMatchObject({ id: 'still there' });
    expect(told.at(-1)).toBe('PONG');
    next.deliver(JSON.stringify({ type: 'NOTICE', text: 'early', level: 'info' }));
    expect(told.at(-1)).toBe('PONG');
    next.deliver(JSON.stringify(JOINED));
    expect(told.at(-1)).toBe('moved CONNECT NOTICE ROOM_JOINED');
    expect(old.isOpen).toBe(false);
    old.deliver('{"type":"PONG"}');
    expect(told.at(-1)).toBe('moved CONNECT NOTICE ROOM_JOINED');
  });

  it('is over when the server cannot resume the room, and says why', async () => {
    await asked();
    hello = { ...hello, resume: { roomId: 99_999, epoch: 'e', seq: 0 } };
    await clock.pass(0);
    expect(told).toEqual(['RECONNECT', 'moving', 'moved CONNECT ERROR', 'refused room_not_found']);
  });

  it('does without ROOM_JOINED when it does not come', async () => {
    await asked();
    hello = { ...hello, resume: { roomId: ROOM, epoch: 'e', seq: 0 } };
    server.intercept = ({ type }, reply) => {
      if (type === 'CONNECT') reply(WELCOME);
      return true;
    };
    await clock.pass(4_999);
    expect(told.at(-1)).toBe('moving');
    await clock.pass(1);
    expect(told.at(-1)).toBe('moved CONNECT');
    expect(connection.ready).toBe(true);
  });

  it('waits for a command that CONNECT could undo, but not for ever', async () => {
    await asked();
    isBusy = true;
    await clock.pass(500);
    expect(network.sockets).toHaveLength(1);
    isBusy = false;
    await clock.pass(50);
    expect(told.at(-1)).toBe('moved CONNECT');
    isBusy = true;
    reconnect(network.current, 0);
    await clock.pass(1_900);
    expect(network.sockets).toHaveLength(2);
    await clock.pass(100);
    expect(network.sockets).toHaveLength(3);
  });

  it('is put off by the newest RECONNECT, and begun only once', async () => {
    const old = await asked(1_000);
    reconnect(old, 5_000);
    await clock.pass(4_999);
    expect(network.sockets).toHaveLength(1);
    mute();
    await clock.pass(1);
    expect(network.sockets).toHaveLength(2);
    reconnect(old, 0);
    await clock.pass(1_000);
    expect(network.sockets).toHaveLength(2);
  });

  it('goes on from the new connection when that is asked as well', async () => {
    await asked();
    await clock.pass(0);
    reconnect(network.current, 1_000);
    await clock.pass(1_000);
    expect(network.sockets).toHaveLength(3);
    expect(told.filter((what) => what === 'moved CONNECT')).toHaveLength(2);
  });

  it('heeds a RECONNECT that came on the new connection early', async () => {
    await asked();
    hello = { ...hello, resume: { roomId: ROOM, epoch: 'e', seq: 0 } };
    server.intercept = ({ type }, reply) => {
      if (type !== 'CONNECT') return false;
      for (const event of [WELCOME, RECONNECT, JOINED]) reply(event);
      return true;
    };
    await clock.pass(999);
    expect(told.at(-1)).toBe('moved CONNECT RECONNECT ROOM_JOINED');
    expect(network.sockets).toHaveLength(2);
    await clock.pass(1);
    expect(network.sockets).toHaveLength(3);
  });

  it('is given up when the person connects anew', async () => {
    const { old, next } = await underWay();
    server.intercept = () => false;
    connection.connect();
    await clock.pass(0);
    expect([old.isOpen, next.isOpen]).toEqual([false, false]);
    expect(network.sockets).toHaveLength(3);
    expect(told).toEqual(['connecting', 'ready', 'CONNECT']);
    await clock.pass(3_600_000);
    expect(network.sockets).toHaveLength(3);
  });

  it('does not stop a page that wakes up from asking the old connection', async () => {
    const { old, next } = await underWay();
    connection.check();
    expect(old.sent.at(-1)).toMatchObject({ type: 'PING' });
    old.closed(1012);
    connection.check();
    expect(next.sent).toHaveLength(1);
    expect(connection.ready).toBe(true);
  });
});

describe('while the new connection is made, the old one', () => {
  it('is closed as taken over by ourselves', async () => {
    const { old, next } = await underWay();
    old.closed(4009);
    next.deliver(JSON.stringify(WELCOME));
    expect(told).toEqual(['moved CONNECT']);
  });

  it('is closed as taken over by somebody else, before we have said hello', async () => {
    const old = await asked(3_000);
    old.closed(4009);
    await clock.pass(60_000);
    expect(connection.status).toMatchObject({ phase: 'stopped', offer: 'take_over' });
    expect(network.sockets).toHaveLength(1);
  });

  it.each([1000, 1008, 4010, 4011])('ends with %i: so does the new one', async (code) => {
    const { old, next } = await underWay();
    old.closed(code);
    expect(connection.status).toMatchObject({ phase: 'stopped', code });
    expect(next.isOpen).toBe(false);
    next.deliver(JSON.stringify(WELCOME));
    await clock.pass(3_600_000);
    expect(told).toEqual(['stopped']);
    expect(network.sockets).toHaveLength(2);
  });

  it('ends with 4029: the pause is kept', async () => {
    const { old, next } = await underWay();
    old.closed(4029);
    expect(connection.status).toMatchObject({ phase: 'waiting', firm: true });
    expect(next.isOpen).toBe(false);
  });

  it.each([1006, 1012, 1013, 4008, 4040])('is lost with %i: nobody need know', async (code) => {
    const { old, next } = await underWay();
    old.closed(code);
    await clock.pass(1_999);
    expect(connection.send({ type: 'PING' })).toBe(false);
    next.deliver(JSON.stringify(WELCOME));
    expect(told).toEqual(['moved CONNECT']);
    await clock.pass(15_000);
    expect(connection.ready).toBe(true);
    expect(network.sockets).toHaveLength(2);
  });

  it('is lost, and after a while that is no secret any more', async () => {
    const { old, next } = await underWay();
    old.closed(1012);
    await clock.pass(2_000);
    expect(connection.status).toEqual({ phase: 'connecting', attempt: 1 });
    next.deliver(JSON.stringify(WELCOME));
    expect(told).toEqual(['connecting', 'ready', 'CONNECT']);
  });

  it('is lost, and so is the new one: an ordinary loss', async () => {
    const { old, next } = await underWay();
    old.closed(1012);
    next.closed(1006);
    expect(connection.status).toMatchObject({ phase: 'waiting', attempt: 1, code: 1006 });
    server.intercept = () => false;
    await clock.pass(500);
    expect(connection.ready).toBe(true);
  });

  it('is lost, and the new one is refused: told to wait, it waits', async () => {
    const { old, next } = await underWay();
    old.closed(1012);
    next.deliver(JSON.stringify({ ...REFUSED, retryAfterMs: 4_000 }));
    expect(connection.status).toEqual({ phase: 'connecting', attempt: 1 });
    await clock.pass(3_999);
    expect(network.sockets).toHaveLength(2);
    await clock.pass(1);
    expect(connection.status.phase).toBe('waiting');
  });

  it('is closed before the moment it was given: the new one is made sooner', async () => {
    const old = await asked(60_000);
    old.closed(1012);
    await clock.pass(499);
    expect(network.sockets).toHaveLength(1);
    await clock.pass(1);
    expect(told).toEqual(['RECONNECT', 'moving', 'moving', 'moved CONNECT']);
  });

  it('dies of silence: nobody need know', async () => {
    const old = await asked(22_000);
    server.intercept = () => true;
    await clock.pass(24_999);
    expect(old.isOpen).toBe(true);
    await clock.pass(1);
    expect(old.isOpen).toBe(false);
    expect(connection.ready).toBe(true);
    network.current.deliver(JSON.stringify(WELCOME));
    expect(told.at(-1)).toBe('moved CONNECT');
  });
});

describe('a new connection that', () => {
  it.each([
    ['cannot be opened', 1006],
    ['finds a node that goes as well', 1012],
    ['finds a node with too much to do', 1013],
    ['is not believed', 4003],
    ['is not liked', 1008],
  ])('%s is tried again, while the old one goes on', async (_, code) => {
    const { old } = await underWay();
    for (let miss = 0; miss < 4; miss += 1) {
      network.current.closed(code);
      expect(told).toEqual(['staying']);
      told.length = 0;
      connection.send({ type: 'PING', id: `${miss}` });
      expect(old.sent.at(-1)).toMatchObject({ id: `${miss}` });
      expect(told).toEqual(['PONG']);
      const sockets = network.sockets.length;
      // Half of the step, or of a second.
      const delay = miss === 0 && code === 1012 ? 500 : 250 * 2 ** miss;
      await clock.pass(delay - 1);
      expect(network.sockets).toHaveLength(sockets);
      await clock.pass(1);
      expect(network.sockets).toHaveLength(sockets + 1);
      expect(told).toEqual(['PONG', 'moving']);
      told.length = 0;
    }
    server.intercept = () => false;
    network.current.closed(code);
    await clock.pass(4_000);
    expect(told).toEqual(['staying', 'moving', 'moved CONNECT']);
    expect(old.isOpen).toBe(false);
  });

  it('is refused for a while is tried again after that while', async () => {
    const { old, next } = await underWay();
    next.deliver(JSON.stringify({ ...REFUSED, retryAfterMs: 4_000 }));
    expect([old.isOpen, next.isOpen]).toEqual([true, false]);
    expect(told).toEqual(['refused unavailable', 'staying']);
    server.intercept = () => false;
    await clock.pass(4_249);
    expect(network.sockets).toHaveLength(2);
    await clock.pass(1);
    expect(told.slice(2)).toEqual(['moving', 'moved CONNECT']);
  });

  it('says nothing is given up, and may still be who takes the old one over', async () => {
    const { old } = await underWay();
    await clock.pass(10_000);
    expect(told).toEqual(['staying']);
    old.closed(4009);
    server.intercept = () => false;
    await clock.pass(250);
    expect(told).toEqual(['staying', 'moving', 'moving', 'moved CONNECT']);
  });

  it('is tried again when the old one is lost in between, at once and unnoticed', async () => {
    const { old, next } = await underWay();
    next.closed(1013);
    old.closed(1012);
    server.intercept = () => false;
    await clock.pass(500);
    expect(told).toEqual(['staying', 'moving', 'moving', 'moved CONNECT']);
  });

  it.each([4009, 4010, 4011])('is closed with %i ends all', async (code) => {
    const { old, next } = await underWay();
    next.closed(code);
    expect(connection.status).toMatchObject({ phase: 'stopped', code });
    expect(old.isOpen).toBe(false);
    await clock.pass(3_600_000);
    expect(network.sockets).toHaveLength(2);
  });

  it('is not believed loses its session only when there is no other', async () => {
    const { old, next } = await underWay();
    old.closed(1012);
    next.closed(4003);
    expect(told).toEqual(['forget', 'waiting']);
  });
});

describe('a time that no timer can take', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is a long one', () => {
    const act = vi.fn();
    systemClock.after(1e15, act);
    vi.advanceTimersByTime(3_600_000);
    expect(act).not.toHaveBeenCalled();
  });
});

const WELCOME: ServerEvent = {
  type: 'CONNECT',
  id: 'connect',
  clientId: 10_001,
  username: 'Ada',
  session: 'session-10001',
  sessionExpiresAt: 0,
  nodeId: 'another',
  resumed: true,
  heartbeatMs: 10_000,
  limits: { messageChars: 2000, usernameChars: 16, roomNameChars: 16, frameBytes: 16_384 },
};
const RECONNECT: ServerEvent = { type: 'RECONNECT', afterMs: 1_000 };
const REFUSED = { type: 'ERROR', id: 'connect', code: 'unavailable', message: '' };
