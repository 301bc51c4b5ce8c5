import { beforeEach, describe, expect, it } from 'vitest';
import { FakeServer } from './fake_server';
import { FakeClock, FakeNetwork } from './fake_socket';
import { Connection, type Listener, type Status } from './socket';

let clock: FakeClock;
let server: FakeServer;
let network: FakeNetwork;
let statuses: Status[];
let events: string[];
let forgotten: number;
let refusals: string[];
let connection: Connection;

beforeEach(() => {
  clock = new FakeClock();
  server = new FakeServer({ clock, heartbeatMs: 10_000 });
  network = new FakeNetwork(server);
  statuses = [];
  events = [];
  refusals = [];
  forgotten = 0;
  const listener: Listener = {
    hello: () => ({ username: 'Ada' }),
    event: (event) => events.push(event.type),
    status: (status) => statuses.push(status),
    refused: (error) => refusals.push(error.code),
    forgetSession: () => (forgotten += 1),
    busy: () => false,
    moving: () => {},
    measured: () => {},
    moved: () => {},
  };
  const deps = { url: 'ws://test/ws', WebSocket: network.WebSocket, clock, random: () => 0.5 };
  connection = new Connection(deps, listener);
});

async function connected(): Promise<void> {
  connection.connect();
  await clock.pass(0);
  expect(connection.ready).toBe(true);
}

describe('hello', () => {
  it('is the first frame, and CONNECT makes the connection ready', async () => {
    await connected();
    expect(network.current.sent[0]).toMatchObject({ type: 'CONNECT', username: 'Ada' });
    expect(events).toEqual(['CONNECT']);
    expect(statuses.map((status) => status.phase)).toEqual(['connecting', 'ready']);
  });

  it('nothing is sent before CONNECT came', async () => {
    server.intercept = () => true;
    connection.connect();
    await clock.pass(0);
    expect(connection.send({ type: 'PING' })).toBe(false);
    expect(network.current.sent).toHaveLength(1);
  });

  it('a server that does not answer is left after 10 s', async () => {
    server.intercept = () => true;
    connection.connect();
    await clock.pass(10_000);
    expect(connection.status).toMatchObject({ phase: 'waiting', attempt: 1 });
  });

  it('an error instead of CONNECT is told, and tried again', async () => {
    server.intercept = (command, reply) => {
      if (command.type !== 'CONNECT') return false;
      reply({ type: 'ERROR', id: command.id, code: 'invalid_name', message: '' });
      return true;
    };
    connection.connect();
    await clock.pass(1_500);
    expect(refusals).toEqual(['invalid_name']);
    expect(connection.status.phase).toBe('waiting');
  });
});

describe('a lost connection', () => {
  it('is opened again after a jittered delay, for ever', async () => {
    await connected();
    network.refuse = true;
    network.cut();
    expect(connection.status).toMatchObject({ phase: 'waiting', retryAt: clock.now() + 250 });
    await clock.pass(3_600_000);
    expect(network.sockets.length).toBeGreaterThan(100);
    network.refuse = false;
    await clock.pass(30_000);
    expect(connection.ready).toBe(true);
  });

  it('starts from a short delay again once a connection lived', async () => {
    await connected();
    network.refuse = true;
    network.cut();
    await clock.pass(60_000);
    network.refuse = false;
    await clock.pass(40_000);
    network.cut();
    expect(connection.status).toMatchObject({ phase: 'waiting', retryAt: clock.now() + 250 });
  });

  it('backs off when each new connection dies young', async () => {
    connection.connect();
    for (let round = 0; round < 6; round += 1) {
      await clock.pass(0);
      network.cut();
      if (round < 5) await clock.pass(250 * 2 ** round);
    }
    expect(connection.status).toMatchObject({ phase: 'waiting', attempt: 6 });
  });

  it('does not wait when the network comes back', async () => {
    await connected();
    network.cut();
    connection.check();
    await clock.pass(0);
    expect(connection.ready).toBe(true);
  });

  it('waits all of a flood pause', async () => {
    await connected();
    network.current.closed(4029);
    connection.check();
    await clock.pass(29_999);
    expect(connection.status.phase).toBe('waiting');
    await clock.pass(1);
    expect(connection.ready).toBe(true);
  });

  it('forgets the session when the server does', async () => {
    await connected();
    network.current.closed(4003);
    expect(forgotten).toBe(1);
    await clock.pass(500);
    expect(connection.ready).toBe(true);
  });

  it.each([1000, 1008, 4009, 4010, 4011])('stays closed after %i', async (code) => {
    await connected();
    network.current.closed(code);
    connection.check();
    await clock.pass(3_600_000);
    expect(connection.status).toMatchObject({ phase: 'stopped', code });
    expect(network.sockets).toHaveLength(1);
    connection.connect();
    await clock.pass(0);
    expect(connection.ready).toBe(true);
  });
});

describe('silence', () => {
  it('is broken by PING after two heartbeats', async () => {
    await connected();
    await clock.pass(20_000);
    expect(network.current.sent.at(-1)).toMatchObject({ type: 'PING' });
    await clock.pass(6_000);
    expect(network.sockets).toHaveLength(1);
  });

  it('after PING means that the connection is dead', async () => {
    await connected();
    network.silent = true;
    await clock.pass(24_999);
    expect(connection.ready).toBe(true);
    await clock.pass(1);
    expect(connection.status.phase).toBe('waiting');
  });

  it('is asked about at once when the page wakes up', async () => {
    await connected();
    network.silent = true;
    connection.check();
    await clock.pass(2_999);
    expect(network.sockets).toHaveLength(1);
    await clock.pass(1);
    expect(connection.status).toMatchObject({ phase: 'connecting' });
    expect(network.sockets).toHaveLength(2);
  });

  it('is waited for no longer by a page that wakes up, and not asked about twice', async () => {
    await connected();
    network.silent = true;
    connection.ping();
    await clock.pass(1_000);
    connection.check();
    connection.check();
    const pings = network.current.sent.filter(({ type }) => type === 'PING');
    expect(pings).toHaveLength(1);
    await clock.pass(2_999);
    expect(connection.status.phase).toBe('ready');
    await clock.pass(1);
    expect(network.sockets).toHaveLength(2);
  });

  it('what a dropped socket still says is not heard', async () => {
    await connected();
    const old = network.current;
    network.silent = true;
    connection.ping();
    await clock.pass(5_000);
    network.silent = false;
    events.length = 0;
    old.deliver('{"type":"PONG"}');
    old.closed(4010);
    expect(events).toEqual([]);
    expect(connection.status.phase).toBe('waiting');
  });
});

it('counts what it does not understand, and lives on', async () => {
  await connected();
  for (const frame of ['{"type":"NEWS"}', 'null', '{', new ArrayBuffer(1)]) {
    network.current.deliver(frame);
  }
  expect(connection.ignored).toEqual({ unknown: 1, malformed: 3 });
  expect(connection.ready).toBe(true);
});
