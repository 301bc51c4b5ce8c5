import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../protocol/generated';
import { world } from './fixture';
import { CommandError } from './problem';

/** Two people in a room that the first has made. */
async function conversation(options = {}) {
  const { clock, server, tab } = world(options);
  const ada = tab('ada');
  const bob = tab('bob');
  await clock.pass(0);
  await ada.store.welcome('Ada');
  await bob.store.welcome('Bob');
  await ada.store.createRoom('Tea');
  await bob.store.joinRoom(ada.room!.roomId);
  return { clock, server, tab, ada, bob };
}

const refusal = (code: string) => (error: unknown) =>
  expect((error as CommandError).problem.code).toBe(code);

describe('a conversation', () => {
  it('goes both ways', async () => {
    const { ada, bob } = await conversation();
    ada.store.say('hello');
    bob.store.say('hi');
    expect(ada.bodies).toEqual(['hello', 'hi']);
    expect(bob.bodies).toEqual(['hello', 'hi']);
    expect(ada.outgoing).toEqual([]);
    expect(ada.room!.members.map(({ username }) => username)).toEqual(['Ada', 'Bob']);
    expect(ada.room!.memberCount).toBe(2);
  });

  it('never shows a message both as sent and as on its way', async () => {
    const { ada } = await conversation();
    const shown: number[] = [];
    ada.store.subscribe(({ model, outgoing }) => {
      shown.push(outgoing.length + model.room!.messages.length);
    });
    ada.store.say('once');
    expect(Math.max(...shown)).toBe(1);
    expect(shown.at(-1)).toBe(1);
  });

  it('shows a rename to all and remembers it', async () => {
    const { ada, bob } = await conversation();
    await bob.store.rename('Robert');
    expect(ada.room!.members[1]!.username).toBe('Robert');
    expect(bob.model.me!.username).toBe('Robert');
    expect(bob.browser.getItem('roomful.identity')).toContain('Robert');
  });

  it('shows who types until they send', async () => {
    const { clock, ada, bob } = await conversation();
    bob.store.typed('h');
    expect(ada.room!.typing).toHaveLength(1);
    bob.store.say('hi');
    expect(ada.room!.typing).toHaveLength(0);
    bob.store.typed('a');
    await clock.pass(5_000);
    expect(ada.room!.typing).toHaveLength(0);
  });

  it('continues in another room', async () => {
    const { ada, bob } = await conversation();
    await bob.store.createRoom('Cake');
    expect(bob.room).toMatchObject({ name: 'Cake', live: true });
    expect(ada.room!.memberCount).toBe(1);
  });

  it('ends by leaving', async () => {
    const { ada, bob } = await conversation();
    await bob.store.leaveRoom();
    expect(bob.model).toMatchObject({ room: null, exit: null });
    expect(ada.room!.memberCount).toBe(1);
  });

  it('ends when the room is deleted, and says so', async () => {
    const { server, ada } = await conversation();
    server.deleteRoom(ada.room!.roomId);
    expect(ada.model).toMatchObject({ room: null, exit: { name: 'Tea', reason: 'room_deleted' } });
  });
});

describe('a request', () => {
  it('that is refused rejects with the reason', async () => {
    const { bob } = await conversation();
    await bob.store.joinRoom(99_999).catch(refusal('room_not_found'));
    expect(bob.room).toMatchObject({ name: 'Tea', live: true });
    expect.assertions(2);
  });

  it('that must wait tells until when and is made again by itself', async () => {
    const { clock, server, bob } = await conversation();
    let first = true;
    server.intercept = (command, reply) => {
      if (command.type !== 'CREATE_ROOM' || !first) return false;
      const { id } = command;
      first = false;
      reply({ type: 'ERROR', id, code: 'rate_limited', message: '', retryAfterMs: 4_000 });
      return true;
    };
    const waits: number[] = [];
    const made = bob.store.createRoom('Cake', (_, until) => waits.push(until - clock.now()));
    await clock.pass(4_000);
    await made;
    expect(waits).toEqual([4_000]);
    expect(bob.room!.name).toBe('Cake');
  });

  it('whose connection is lost rejects', async () => {
    const { server, bob } = await conversation();
    server.intercept = ({ type }) => type === 'CREATE_ROOM';
    const made = bob.store.createRoom('Cake').catch(refusal('disconnected'));
    bob.network.cut();
    await made;
    expect.assertions(1);
  });

  it('that is never answered is made 5 times', async () => {
    const { clock, server, bob } = await conversation();
    const ids: unknown[] = [];
    server.intercept = (command) => command.type === 'CREATE_ROOM' && ids.push(command.id) > 0;
    const made = bob.store.createRoom('Cake').catch(refusal('no_answer'));
    await clock.pass(300_000);
    await made;
    expect(ids).toHaveLength(5);
    expect(new Set(ids).size).toBe(1);
  });
});

it('joining is over when the new room is there, not when the former is left', async () => {
  const { server, ada, bob } = await conversation();
  await bob.store.createRoom('Cake');
  const { roomId } = bob.room!;
  server.intercept = (command, reply) => {
    if (command.type !== 'JOIN_ROOM' || command.roomId !== roomId) return false;
    const { id } = command;
    reply({ type: 'ROOM_LEFT', id, roomId: ada.room!.roomId, reason: 'moved' });
    reply({ type: 'ERROR', id, code: 'room_full', message: '' });
    return true;
  };
  await ada.store.joinRoom(roomId).catch(refusal('room_full'));
  expect(ada.room).toMatchObject({ name: 'Tea', live: true });
  expect.assertions(2);
});

describe('a lost connection', () => {
  it('resumes where it was, and sends what waited, once', async () => {
    const { clock, ada, bob } = await conversation();
    bob.store.say('before');
    bob.network.cut();
    ada.store.say('missed');
    bob.store.say('meanwhile');
    expect(bob.outgoing).toEqual(['meanwhile pending']);
    await clock.pass(1_000);
    expect(bob.network.current.sent[0]).toMatchObject({ resume: { seq: 1 } });
    expect(bob.bodies).toEqual(['before', 'missed', 'meanwhile']);
    expect(ada.bodies).toEqual(bob.bodies);
    expect(bob.outgoing).toEqual([]);
    expect(ada.room!.lines.map((line) => line.what)).toEqual(['joined']);
  });

  it('does not double a message whose ACK was lost', async () => {
    const { clock, server, ada, bob } = await conversation();
    server.intercept = (command) => {
      if (command.type === 'SEND_MESSAGE') bob.network.silent = true;
      return false;
    };
    bob.store.say('once');
    server.intercept = () => false;
    bob.network.cut();
    bob.network.silent = false;
    await clock.pass(1_000);
    expect(ada.bodies).toEqual(['once']);
    expect(bob.bodies).toEqual(['once']);
    expect(bob.outgoing).toEqual([]);
  });

  it.each([
    { logMax: 1000, left: [], why: 'the timeline has it' },
    { logMax: 10, left: ['once? failed'], why: 'the timeline no longer shows it' },
  ])('does not double it under another identity either: $why', async ({ logMax, left }) => {
    const { clock, server, ada, bob } = await conversation({ logMax });
    server.intercept = (command) => {
      if (command.type === 'SEND_MESSAGE') bob.network.silent = true;
      return false;
    };
    bob.store.say('once?');
    server.intercept = () => false;
    bob.store.say('never sent');
    for (let n = 1; n <= 60; n += 1) ada.store.say(`${n}`);
    const { id } = bob;
    bob.network.silent = false;
    bob.network.current.closed(4003);
    await clock.pass(1_000);
    expect(bob.id).not.toBe(id);
    expect(bob.room!.live).toBe(true);
    expect(bob.outgoing).toEqual(left);
    expect(ada.bodies.filter((body) => body === 'once?')).toHaveLength(1);
    expect(ada.bodies.at(-1)).toBe('never sent');
  });

  it.each(['invalid_name', 'too_long', 'empty'])(
    'a stored name that is refused (%s) is given up',
    async (code) => {
      const { clock, server, bob } = await conversation();
      server.intercept = (command, reply) => {
        if (command.type !== 'CONNECT' || command.username === undefined) return false;
        reply({ type: 'ERROR', id: command.id!, code: code as ErrorCode, message: '' });
        return true;
      };
      bob.open();
      await clock.pass(10_000);
      expect(bob.store.view.status.phase).toBe('ready');
      expect(bob.browser.getItem('roomful.identity')).not.toContain('username');
    },
  );

  it('shows what can no longer be had as a gap', async () => {
    const { clock, ada, bob } = await conversation({ logMax: 3 });
    ada.store.say('1');
    bob.network.cut();
    for (const body of ['2', '3', '4', '5', '6']) ada.store.say(body);
    await clock.pass(1_000);
    expect(bob.bodies).toEqual(['1', '4', '5', '6']);
    expect(bob.room!.holes).toEqual([{ from: 2, to: 3, lost: true }]);
  });

  it('after the grace the room is joined anew', async () => {
    const { clock, server, ada, bob } = await conversation();
    bob.network.refuse = true;
    bob.network.cut();
    server.expire();
    ada.store.say('alone');
    bob.network.refuse = false;
    await clock.pass(1_000);
    expect(bob.room!.live).toBe(true);
    expect(bob.bodies).toEqual(['alone']);
  });

  it('a room that ended meanwhile is said to be gone, and its messages fail', async () => {
    const { clock, server, ada, bob } = await conversation();
    await ada.store.leaveRoom();
    bob.network.cut();
    server.expire();
    bob.store.say('too late');
    await clock.pass(1_000);
    expect(bob.model).toMatchObject({ room: null, exit: { name: 'Tea', reason: 'gone' } });
    expect(bob.outgoing).toEqual(['too late failed']);
  });

  it('a server that forgot everything gets the chosen name again', async () => {
    const { clock, server, bob } = await conversation();
    server.forgetEverything(4003);
    await clock.pass(1_000);
    expect(bob.model).toMatchObject({ me: { username: 'Bob' }, room: null });
    expect(bob.model.exit).toMatchObject({ reason: 'gone' });
  });

  it('another tab takes over, and is taken over from', async () => {
    const { clock, bob } = await conversation();
    bob.network.current.closed(4009);
    await clock.pass(100_000);
    expect(bob.store.view.status).toMatchObject({ phase: 'stopped', offer: 'take_over' });
    bob.store.connect();
    await clock.pass(0);
    expect(bob.room!.live).toBe(true);
  });
});

describe('a reload', () => {
  it('brings back identity, room and newest messages', async () => {
    const { clock, ada, bob } = await conversation();
    ada.store.say('hello');
    const { id } = bob;
    bob.open();
    expect(bob.store.view.returning).toBe('Tea');
    await clock.pass(0);
    expect(bob.id).toBe(id);
    expect(bob.store.view).toMatchObject({ welcomed: true, returning: null });
    expect(bob.bodies).toEqual(['hello']);
    expect(bob.network.current.sent[0]).not.toHaveProperty('resume');
  });

  it('joins again when the grace is over', async () => {
    const { clock, server, bob } = await conversation();
    bob.network.cut();
    server.expire();
    bob.open();
    await clock.pass(0);
    expect(bob.room).toMatchObject({ name: 'Tea', live: true });
  });

  it('says that the room is gone', async () => {
    const { clock, server, bob } = await conversation();
    server.forgetEverything();
    bob.open();
    await clock.pass(0);
    expect(bob.model).toMatchObject({ room: null, exit: { name: 'Tea', reason: 'gone' } });
    expect(bob.store.view.returning).toBeNull();
  });

  it('sends what had not been acknowledged, under the same id', async () => {
    const { clock, server, ada, bob } = await conversation();
    server.intercept = ({ type }) => type === 'SEND_MESSAGE';
    bob.store.say('still here');
    server.intercept = () => false;
    bob.open();
    await clock.pass(0);
    expect(ada.bodies).toEqual(['still here']);
    expect(ada.room!.messages[0]!.id).toBe('bob-1');
    expect(bob.outgoing).toEqual([]);
  });
});

describe('a hole', () => {
  it('that appears live is filled from the history', async () => {
    const { clock, server, ada, bob } = await conversation();
    bob.network.silent = true;
    ada.store.say('1');
    ada.store.say('2');
    bob.network.silent = false;
    server.intercept = ({ type }) => type === 'FETCH_HISTORY';
    ada.store.say('3');
    expect(bob.bodies).toEqual(['3']);
    expect(bob.room!.holes).toEqual([{ from: 1, to: 2, lost: false }]);
    server.intercept = () => false;
    await clock.pass(6_250);
    expect(bob.bodies).toEqual(['1', '2', '3']);
    expect(bob.room!.holes).toEqual([]);
  });
});

describe('history', () => {
  it('is loaded page by page to its beginning', async () => {
    const { ada, tab, clock } = await conversation();
    for (let n = 1; n <= 120; n += 1) ada.store.say(`${n}`);
    const cy = tab('cy');
    await clock.pass(0);
    await cy.store.joinRoom(ada.room!.roomId);
    expect(cy.bodies).toHaveLength(50);
    await cy.store.loadOlder();
    expect(cy.bodies).toHaveLength(100);
    await cy.store.loadOlder();
    expect(cy.bodies).toEqual(ada.bodies);
    expect(cy.room!.fromStart).toBe(true);
  });
});

describe('the list of rooms', () => {
  it('is read while the page is visible only', async () => {
    const { clock, server, ada, bob } = await conversation();
    ada.store.watchRooms(true);
    bob.store.watchRooms(true);
    let reads = 0;
    server.intercept = ({ type }) => {
      if (type === 'LIST_ROOMS') reads += 1;
      return false;
    };
    ada.store.pageBecame('hidden');
    await clock.pass(120_000);
    const hidden = reads;
    ada.store.pageBecame('visible');
    await clock.pass(30_000);
    // Bob's page is visible all the time.
    expect(hidden).toBeLessThanOrEqual(9);
    expect(reads - hidden).toBeGreaterThanOrEqual(4);
    expect(ada.model.list.rooms).toMatchObject([{ name: 'Tea', memberCount: 2 }]);
  });

  it('has more pages on demand', async () => {
    const { clock, server, ada, tab } = await conversation();
    for (let n = 0; n < 60; n += 1) {
      const one = tab(`t${n}`);
      await clock.pass(0);
      await one.store.createRoom(`Room ${n}`);
      one.store.pageBecame('hidden');
    }
    await clock.pass(15_000);
    expect(ada.model.list.rooms).toHaveLength(50);
    expect(ada.model.list.cursor).not.toBeNull();
    ada.store.moreRooms();
    await clock.pass(0);
    expect(ada.model.list.rooms).toHaveLength(server.rooms.size);
    expect(ada.model.list.cursor).toBeNull();
  });
});
