import { describe, expect, it } from 'vitest';
import { shown } from './changes';
import { diagnosis } from './diagnosis';
import { Tab, world } from './fixture';

/** Two people in a room that the first has made. */
async function conversation(options = {}) {
  const { clock, server, tab } = world(options);
  const [ada, bob] = [tab('ada'), tab('bob')];
  await clock.pass(0);
  await ada.store.welcome('Ada');
  await bob.store.welcome('Bob');
  await ada.store.createRoom('Tea');
  await bob.store.joinRoom(ada.room!.roomId);
  return { clock, server, tab, ada, bob };
}

const seen = ({ store: { view } }: Tab) =>
  shown(view.model.room!, view.outgoing, view.model.me).map(({ body }) => body);
const marks = (tab: Tab, at = 0) =>
  (tab.room!.messages[at]!.reactions ?? []).map(({ emoji, by }) => `${emoji} ${by.length}`);
const asked = (tab: Tab, type: string) =>
  tab.network.sockets.flatMap(({ sent }) => sent.filter((command) => command.type === type));

describe('a change', () => {
  it('reaches everybody, and leaves nothing behind in the outbox', async () => {
    const { ada, bob } = await conversation();
    ada.store.say('one');
    ada.store.edit(1, 'uno');
    bob.store.react(1, '👍', true);
    expect([ada.bodies, bob.bodies]).toEqual([['uno'], ['uno']]);
    expect(marks(ada)).toEqual(['👍 1']);
    bob.store.react(1, '👍', false);
    expect(marks(ada)).toEqual([]);
    ada.store.remove(1);
    expect(bob.room!.messages[0]).toMatchObject({ body: '', deleted: 'sender' });
    expect([ada.outgoing, bob.outgoing]).toEqual([[], []]);
    expect(ada.store.view.trust).toMatchObject({ completeUpTo: 5, newest: 5, waiting: 0 });
  });

  it('shows at once, and not any more when it is refused, with the reason', async () => {
    const { server, ada, bob } = await conversation();
    ada.store.say('one');
    server.intercept = ({ type }) => type === 'EDIT_MESSAGE';
    ada.store.edit(1, 'uno');
    expect([seen(ada), seen(bob)]).toEqual([['uno'], ['one']]);
    const { id } = ada.store.view.outgoing[0]!;
    server.push({ type: 'ERROR', id, code: 'forbidden', message: '' }, ada.id);
    expect(seen(ada)).toEqual(['one']);
    const [failed] = ada.store.view.outgoing;
    expect(failed).toMatchObject({ state: 'failed', problem: { code: 'forbidden' } });
    expect(failed!.problem!.text).toContain('changed');
    ada.store.discard(id);
    expect(ada.outgoing).toEqual([]);
  });

  it('of what is not one’s own is refused', async () => {
    const { ada, bob } = await conversation();
    ada.store.say('one');
    bob.store.edit(1, 'ha');
    expect(bob.outgoing).toEqual(['ha failed']);
    bob.store.remove(1);
    expect(bob.outgoing).toEqual([' failed']);
    expect(ada.bodies).toEqual(['one']);
  });

  it('waits behind the messages before it, and survives a lost connection once', async () => {
    const { clock, ada, bob } = await conversation();
    ada.store.say('one');
    ada.network.cut();
    ada.store.say('two');
    ada.store.edit(1, 'uno');
    ada.store.react(1, '🎉', true);
    expect(seen(ada)).toEqual(['uno']);
    await clock.pass(1_000);
    expect(bob.bodies).toEqual(['uno', 'two']);
    expect(bob.room!.messages[0]).toMatchObject({ edited: 3 });
    expect(marks(bob)).toEqual(['🎉 1']);
    expect(ada.outgoing).toEqual([]);
  });

  it('whose ACK was lost is not made twice', async () => {
    const { clock, server, ada, bob } = await conversation();
    ada.store.say('one');
    server.intercept = ({ type }) => {
      if (type === 'REACT') ada.network.silent = true;
      return false;
    };
    ada.store.react(1, '👍', true);
    server.intercept = () => false;
    ada.network.cut();
    ada.network.silent = false;
    await clock.pass(1_000);
    expect(marks(bob)).toEqual(['👍 1']);
    expect(bob.room!.seq).toBe(2);
    expect(ada.outgoing).toEqual([]);
  });

  it('that nobody heard of and is taken back is not sent', async () => {
    const { clock, ada } = await conversation();
    ada.store.say('one');
    ada.network.cut();
    ada.store.react(1, '👍', true);
    ada.store.react(1, '👍', false);
    ada.store.react(1, '🎉', true);
    ada.store.react(1, '🎉', true);
    ada.store.edit(1, 'first');
    ada.store.edit(1, 'second');
    expect(ada.outgoing).toEqual(['🎉 pending', 'second pending']);
    ada.store.remove(1);
    expect(ada.outgoing).toEqual([' pending']);
    await clock.pass(1_000);
    expect(asked(ada, 'REACT')).toEqual([]);
    expect(asked(ada, 'EDIT_MESSAGE')).toEqual([]);
    expect(ada.room!.messages[0]).toMatchObject({ deleted: 'sender' });
  });

  it('of a message that has no position yet waits for it, or changes what was not sent', async () => {
    const { clock, server, ada, bob } = await conversation();
    server.intercept = ({ type }) => type === 'SEND_MESSAGE';
    ada.store.say('one');
    ada.store.say('two');
    const [one, two] = ada.store.view.outgoing;
    ada.store.revise(one!.id, 'uno');
    ada.store.revise(two!.id, 'dos');
    expect(ada.outgoing).toEqual(['one pending', 'dos pending', 'uno pending']);
    server.intercept = () => false;
    await clock.pass(10_000);
    expect(bob.bodies).toEqual(['uno', 'dos']);
    expect(ada.outgoing).toEqual([]);
  });

  it('survives a reload', async () => {
    const { clock, server, ada, bob } = await conversation();
    ada.store.say('one');
    server.intercept = ({ type }) => type === 'EDIT_MESSAGE';
    ada.store.edit(1, 'uno');
    ada.open();
    server.intercept = () => false;
    await clock.pass(0);
    expect(bob.bodies).toEqual(['uno']);
    expect(ada.outgoing).toEqual([]);
  });
});

describe('an answer to a message', () => {
  it('says which', async () => {
    const { ada, bob } = await conversation();
    ada.store.say('one');
    bob.store.say('to that', 1);
    expect(ada.room!.messages[1]).toMatchObject({ body: 'to that', replyTo: 1 });
  });

  it('finds what it quotes, as it is now, and asks once', async () => {
    const { clock, ada, tab } = await conversation();
    ada.store.say('old');
    for (let n = 0; n < 60; n += 1) ada.store.say(`${n}`);
    const cy = tab('cy');
    await clock.pass(0);
    await cy.store.joinRoom(ada.room!.roomId);
    const [one, same] = await Promise.all([cy.store.lookUp(1), cy.store.lookUp(1)]);
    expect(one).toMatchObject({ seq: 1, body: 'old' });
    expect(same).toBe(one);
    expect(asked(cy, 'FETCH_HISTORY')).toHaveLength(1);
    ada.store.edit(1, 'new');
    expect(await cy.store.lookUp(1)).toMatchObject({ body: 'new', edited: 62 });
    expect(await cy.store.lookUp(62)).toBeNull();
    expect(await cy.store.lookUp(99)).toBeNull();
    expect(await cy.store.lookUp(0)).toBeNull();
    expect(cy.room!.base).toBe(12);
  });

  it('goes back to what it quotes, however far', async () => {
    const { clock, ada, tab } = await conversation({ logMax: 300 });
    for (let n = 1; n <= 350; n += 1) ada.store.say(`${n}`);
    const cy = tab('cy');
    await clock.pass(0);
    await cy.store.joinRoom(ada.room!.roomId);
    expect(await cy.store.loadBack(100)).toBe(true);
    expect(cy.bodies).toContain('100');
    expect(await cy.store.loadBack(20)).toBe(false);
    expect(await cy.store.loadBack(340)).toBe(true);
  });
});

describe('who is there', () => {
  it('is read page by page, and right in spite of what happens meanwhile', async () => {
    const { clock, server, ada, bob } = await conversation({ membersNamed: 1 });
    const { roomId } = ada.room!;
    const room = server.rooms.get(roomId)!;
    for (let n = 0; n < 1_200; n += 1) {
      const person = { clientId: 50_000 + n, username: `P${n}`, roomId, line: null };
      server.clients.set(person.clientId, person);
      room.members.push(person.clientId);
    }
    ada.network.cut();
    await clock.pass(1_000);
    expect(ada.room!.membersComplete).toBe(false);
    let pages = 0;
    server.intercept = ({ type }) => {
      if (type === 'LIST_MEMBERS' && (pages += 1) === 2) {
        // Of the page that is there already.
        const left = [50_001];
        room.members = room.members.filter((member) => member !== 50_001).concat(10_000);
        const joined = [{ clientId: 10_000, username: 'New' }];
        server.clients.set(10_000, { ...joined[0]!, roomId, line: null });
        server.push({ type: 'USER_EVENT', roomId, memberCount: 1_202, left, joined }, ada.id);
      }
      return false;
    };
    await ada.store.loadMembers();
    expect(pages).toBe(3);
    const members = ada.room!.members.map(({ clientId }) => clientId);
    expect(members).toHaveLength(1_202);
    expect(members).toContain(10_000);
    expect(members).not.toContain(50_001);
    expect(ada.room!.membersComplete).toBe(true);
    await bob.store.rename('Robert');
    expect(ada.room!.members.find(({ clientId }) => clientId === bob.id)!.username).toBe('Robert');
    // Nobody asks again for what is there; after a break it is asked for by itself.
    await ada.store.loadMembers();
    expect(pages).toBe(3);
    server.intercept = () => false;
    ada.network.cut();
    await clock.pass(1_000);
    expect(ada.room!.membersComplete).toBe(true);
    expect(ada.room!.members).toHaveLength(1_202);
  });

  it('and who is away for the moment', async () => {
    const { clock, ada, bob } = await conversation();
    bob.network.cut();
    expect([...ada.room!.reconnecting]).toEqual([bob.id]);
    await clock.pass(1_000);
    expect([...ada.room!.reconnecting]).toEqual([]);
    const { roomId } = ada.room!;
    const away = () =>
      ada.network.current.deliver(
        JSON.stringify({ type: 'PRESENCE', roomId, reconnecting: [bob.id, ada.id] }),
      );
    away();
    expect([...ada.room!.reconnecting]).toEqual([bob.id]);
    bob.store.say('here I am');
    expect(ada.room!.reconnecting.size).toBe(0);
    away();
    await bob.store.leaveRoom();
    expect(ada.room!.reconnecting.size).toBe(0);
  });
});

describe('what one can know', () => {
  it('has the way of each message', async () => {
    const { clock, server, ada, bob } = await conversation();
    const start = clock.now();
    ada.network.cut();
    ada.store.say('one');
    await clock.pass(1_000);
    const way = ada.store.way(1)!;
    expect(way.accepted).toBe(start);
    expect(way.numbered).toBe(server.rooms.get(ada.room!.roomId)!.log[0]!.sentAt);
    expect(way.acknowledged).toBe(way.numbered);
    expect(way.delivered).toBe(way.numbered);
    expect(bob.store.way(1)).toEqual({ numbered: way.numbered, delivered: way.numbered });
    expect(ada.store.way(2)).toBeNull();
    bob.open();
    await clock.pass(0);
    expect(bob.store.way(1)).toEqual({ numbered: way.numbered });
  });

  it('counts what was missed and what is lost', async () => {
    const { clock, ada, bob } = await conversation({ logMax: 5 });
    ada.store.say('1');
    bob.network.cut();
    for (const body of ['2', '3', '4']) ada.store.say(body);
    await clock.pass(1_000);
    expect(bob.store.view.trust).toMatchObject({ healed: 3, lost: 0, connections: 2, newest: 4 });
    bob.network.cut();
    for (let n = 0; n < 9; n += 1) ada.store.say('x');
    await clock.pass(1_000);
    expect(bob.store.view.trust).toMatchObject({ healed: 8, lost: 4, completeUpTo: 13 });
  });

  it('measures round trip and clock while somebody looks, and only then', async () => {
    const { clock, server, tab } = world({}, 40);
    const ada = tab('ada');
    server.intercept = (command, reply) => {
      if (command.type !== 'PING') return false;
      reply({
        type: 'PONG',
        ...(command.id === undefined ? {} : { id: command.id }),
        at: clock.now() - 7_200_000,
      });
      return true;
    };
    await clock.pass(1_000);
    expect(ada.store.view.trust).toMatchObject({ roundTripMs: 80, skewMs: 7_200_000 });
    await clock.pass(60_000);
    expect(asked(ada, 'PING')).toHaveLength(3);
    ada.store.pageBecame('hidden');
    await clock.pass(40_000);
    expect(asked(ada, 'PING')).toHaveLength(3);
  });

  it('knows the budget that is left', async () => {
    const budget = { remaining: 19, oneMoreMs: 200 };
    const { clock, server, ada } = await conversation({ budget });
    ada.store.say('one');
    expect(ada.model.budget).toEqual({ remaining: 19, oneMoreAt: clock.now() + 200 });
    server.intercept = (command, reply) => {
      if (command.type !== 'SEND_MESSAGE') return false;
      reply({
        type: 'ERROR',
        id: command.id,
        code: 'rate_limited',
        message: '',
        retryAfterMs: 900,
      });
      return true;
    };
    ada.store.say('two');
    expect(ada.model.budget).toEqual({ remaining: 0, oneMoreAt: clock.now() + 900 });
  });

  it('can be copied without what anybody wrote', async () => {
    const { ada, clock } = await conversation();
    ada.store.say('a secret');
    ada.network.cut();
    ada.store.say('another one');
    const text = diagnosis(ada.store.view, clock.now());
    expect(JSON.parse(text)).toMatchObject({ newest: 1, outbox: [{ state: 'pending' }] });
    for (const word of ['secret', 'another', 'Ada', 'Bob', 'Tea', 'session']) {
      expect(text).not.toContain(word);
    }
  });
});

describe('waking up', () => {
  it.each(['online', 'visible'] as const)(
    '(%s) a dead connection is found and replaced at once',
    async (what) => {
      const { clock, ada } = await conversation();
      ada.network.silent = true;
      ada.store.pageBecame(what);
      await clock.pass(2_900);
      ada.network.silent = false;
      expect(ada.network.sockets).toHaveLength(1);
      await clock.pass(100);
      expect(ada.network.sockets).toHaveLength(2);
      expect(ada.room!.live).toBe(true);
    },
  );

  it('from sleep is noticed by a timer that is late', async () => {
    const { clock, ada } = await conversation();
    ada.network.silent = true;
    clock.sleep(3_600_000);
    await clock.pass(0);
    await clock.pass(2_999);
    ada.network.silent = false;
    expect(ada.network.sockets).toHaveLength(1);
    await clock.pass(1);
    expect(ada.room!.live).toBe(true);
    expect(ada.store.view.status.phase).toBe('ready');
  });
});
