import { describe, expect, it } from 'vitest';
import { world, type Tab } from './fixture';

/** Two people in a room; what the second is shown of the connection is kept. */
async function conversation(latencyMs = 0) {
  const { clock, server, tab } = world({}, latencyMs);
  const ada = tab('ada');
  const bob = tab('bob');
  await clock.pass(100);
  const entered = Promise.all([ada.store.welcome('Ada'), bob.store.welcome('Bob')]);
  await clock.pass(100);
  await entered;
  void ada.store.createRoom('Tea');
  await clock.pass(100);
  void bob.store.joinRoom(ada.room!.roomId);
  await clock.pass(100);
  const shown: string[] = [];
  bob.store.subscribe(({ status, model: { room } }) => {
    shown.push(`${status.phase} ${room?.live}`);
  });
  let held: (() => void) | null = null;
  return {
    clock,
    server,
    ada,
    bob,
    /** Nothing but a connection that is there, in a room that is there. */
    unnoticed: () => expect(new Set(shown)).toEqual(new Set(['ready true'])),
    /** Whether the answer to CONNECT is held back, until `release`. */
    hold() {
      server.intercept = (command) => {
        if (command.type !== 'CONNECT') return false;
        const socket = bob.network.current;
        held = () => {
          server.intercept = () => false;
          socket.send(JSON.stringify(command));
        };
        return true;
      };
    },
    release: () => held!(),
    ask: (who: Tab, afterMs = 0) => server.push({ type: 'RECONNECT', afterMs }, who.id),
  };
}

const resumed = (tab: Tab) => tab.network.current.sent[0]!.resume as { seq: number };

describe('while the connection moves', () => {
  it('messages come once and in order, and nobody notices', async () => {
    const { clock, ada, bob, ask, unnoticed } = await conversation(20);
    const said: string[] = [];
    for (let move = 0; move < 3; move += 1) {
      ask(bob);
      for (let at = 0; at < 30; at += 1) {
        const who = at % 2 ? ada : bob;
        said.push(`${who.name} ${move} ${at}`);
        who.store.say(said.at(-1)!);
        await clock.pass(7);
      }
    }
    await clock.pass(5_000);
    expect(bob.network.sockets).toHaveLength(4);
    expect(bob.network.sockets.map(({ isOpen }) => isOpen)).toEqual([false, false, false, true]);
    expect(bob.bodies).toEqual(ada.bodies);
    expect([...bob.bodies].sort()).toEqual(said.sort());
    expect([...ada.outgoing, ...bob.outgoing]).toEqual([]);
    expect([...ada.room!.lines, ...bob.room!.lines].map(({ what }) => what)).toEqual(['joined']);
    unnoticed();
  });

  it('what both connections bring is shown once', async () => {
    const { clock, ada, bob, ask, hold, release, unnoticed } = await conversation();
    ada.store.say('before');
    hold();
    ask(bob);
    await clock.pass(0);
    expect(resumed(bob).seq).toBe(1);
    ada.store.say('on the old one');
    bob.store.say('from the old one');
    expect(bob.bodies).toEqual(['before', 'on the old one', 'from the old one']);
    release();
    expect(bob.bodies).toEqual(['before', 'on the old one', 'from the old one']);
    ada.store.say('on the new one');
    bob.store.say('from the new one');
    expect(bob.bodies.slice(3)).toEqual(['on the new one', 'from the new one']);
    expect(bob.room!.holes).toEqual([]);
    expect(ada.bodies).toEqual(bob.bodies);
    unnoticed();
  });

  it('what the old one does not bring any more is brought by the new one', async () => {
    const { clock, ada, bob, ask, hold, release, unnoticed } = await conversation();
    hold();
    ask(bob);
    await clock.pass(0);
    bob.network.sockets[0]!.cut();
    ada.store.say('unheard');
    bob.store.say('unsaid');
    expect(bob.bodies).toEqual([]);
    expect(bob.outgoing).toEqual(['unsaid pending']);
    release();
    expect(bob.bodies).toEqual(['unheard', 'unsaid']);
    expect(bob.outgoing).toEqual([]);
    unnoticed();
  });

  it('a message without an answer goes out again under the same id', async () => {
    const { clock, server, ada, bob, ask } = await conversation();
    const ids: string[] = [];
    server.intercept = (command) => {
      if (command.type === 'SEND_MESSAGE') ids.push(command.id);
      return false;
    };
    // Posted, but nothing comes back on this connection.
    const deaf = bob.network.current;
    deaf.deliver = () => {};
    bob.store.say('once');
    expect(ada.bodies).toEqual(['once']);
    expect(bob.outgoing).toEqual(['once pending']);
    Reflect.deleteProperty(deaf, 'deliver');
    ask(bob);
    await clock.pass(0);
    expect(bob.bodies).toEqual(['once']);
    expect(bob.outgoing).toEqual([]);
    bob.store.say('and on');
    expect(bob.bodies).toEqual(['once', 'and on']);
    expect(ada.bodies).toEqual(bob.bodies);
    expect(new Set(ids).size).toBe(2);
  });

  it('a message that the new connection is to repeat is not refused by the old one', async () => {
    const { clock, server, ada, bob, ask, hold, release } = await conversation();
    server.intercept = ({ type }) => type === 'SEND_MESSAGE';
    bob.store.say('once');
    hold();
    ask(bob);
    await clock.pass(0);
    const old = bob.network.sockets[0]!;
    const { onmessage } = old;
    release();
    const [{ id }] = old.sent.filter(({ type }) => type === 'SEND_MESSAGE') as [{ id: string }];
    const answer = { type: 'ERROR', id, code: 'too_long', message: '' };
    // It was in the browser's hands already.
    onmessage?.({ data: JSON.stringify(answer) });
    expect(old.onmessage).toBeNull();
    expect(bob.outgoing).toEqual([]);
    expect(ada.bodies).toEqual(['once']);
  });

  it('whoever types goes on typing, and what is written stays', async () => {
    const { clock, ada, bob, ask } = await conversation();
    ada.store.typed('h');
    bob.store.typed('half a thought');
    const roomId = bob.room!.roomId;
    ask(bob);
    await clock.pass(0);
    expect(bob.network.sockets).toHaveLength(2);
    expect(bob.room!.typing).toHaveLength(1);
    expect(ada.room!.typing).toHaveLength(1);
    expect(bob.store.draft(roomId)).toBe('half a thought');
    await clock.pass(5_000);
    expect(bob.room!.typing).toHaveLength(0);
  });

  it('somebody who comes in is told of once', async () => {
    const { clock, server, ada, bob, ask, hold, release } = await conversation();
    hold();
    ask(bob);
    await clock.pass(0);
    const { roomId } = bob.room!;
    const joined = [{ clientId: 10_077, username: 'Cy' }];
    const news = { type: 'USER_EVENT', roomId, memberCount: 3, joined } as const;
    server.push(news, bob.id);
    release();
    // The snapshot was older.
    server.push(news, bob.id);
    expect(bob.room!.lines.at(-1)).toMatchObject({ what: 'joined', people: joined });
    expect(ada.room!.lines).toHaveLength(1);
  });
});

describe('a request', () => {
  it('that changes the room waits for the new connection', async () => {
    const { clock, ada, bob, ask, hold, release, unnoticed } = await conversation();
    hold();
    ask(bob);
    await clock.pass(0);
    const made = bob.store.createRoom('Cake');
    expect(bob.network.sockets[0]!.sent.at(-1)).not.toMatchObject({ type: 'CREATE_ROOM' });
    release();
    await made;
    expect(bob.room).toMatchObject({ name: 'Cake', live: true });
    expect(ada.room!.lines.map(({ what }) => what)).toEqual(['joined', 'left']);
    unnoticed();
  });

  it('that changes the room and has no answer yet is waited for', async () => {
    const { clock, server, ada, bob, ask } = await conversation();
    let answer = () => {};
    server.intercept = (command) => {
      if (command.type !== 'CREATE_ROOM') return false;
      server.intercept = () => false;
      answer = () => bob.network.current.send(JSON.stringify(command));
      return true;
    };
    const made = bob.store.createRoom('Cake');
    ask(bob);
    await clock.pass(500);
    expect(bob.network.sockets).toHaveLength(1);
    answer();
    await made;
    await clock.pass(50);
    expect(bob.network.sockets).toHaveLength(2);
    expect(bob.room).toMatchObject({ name: 'Cake', live: true });
    expect(ada.room!.lines.map(({ what }) => what)).toEqual(['joined', 'left']);
  });

  it('goes out on the old connection when the new one fails', async () => {
    const { clock, bob, ask, hold } = await conversation();
    hold();
    ask(bob);
    await clock.pass(0);
    const made = bob.store.rename('Robert');
    bob.network.current.closed(1013);
    await made;
    expect(bob.model.me!.username).toBe('Robert');
    expect(bob.network.sockets[0]!.isOpen).toBe(true);
  });

  it('without an answer is made again, and one that must wait is not', async () => {
    const { clock, server, bob, ask } = await conversation();
    server.intercept = (command, reply) => {
      if (command.type !== 'FETCH_HISTORY' && command.type !== 'LIST_ROOMS') return false;
      const { id, type } = command;
      const wait = { code: 'rate_limited', message: '', retryAfterMs: 60_000 } as const;
      if (type === 'LIST_ROOMS') reply({ type: 'ERROR', id, ...wait });
      return true;
    };
    const asked = () =>
      bob.network.sockets.map(({ sent }) =>
        sent.map(({ type }) => type).filter((type) => /FETCH|LIST/.test(String(type))),
      );
    // There is an older one to ask for.
    server.push({ ...server.snapshot(bob.room!.roomId)!, seq: 3 }, bob.id);
    await clock.pass(300);
    const former = ['LIST_ROOMS', 'FETCH_HISTORY', 'LIST_ROOMS'];
    expect(asked()).toEqual([former]);
    ask(bob);
    await clock.pass(2_000);
    expect(asked()).toEqual([former, ['FETCH_HISTORY']]);
  });

  it('made without any connection is kept, until the loss is an ordinary one', async () => {
    const { clock, bob, ask, hold, release } = await conversation();
    hold();
    ask(bob);
    await clock.pass(0);
    bob.network.sockets[0]!.cut();
    const outcome: unknown[] = [];
    const rename = (name: string) =>
      bob.store.rename(name).then(
        () => outcome.push(name),
        (error: Error) => outcome.push(error.message),
      );
    void rename('Robert');
    release();
    await clock.pass(0);
    expect(outcome).toEqual(['Robert']);

    hold();
    ask(bob);
    await clock.pass(0);
    bob.network.sockets[1]!.cut();
    void rename('Rob');
    await clock.pass(2_000);
    expect(outcome[1]).toMatch(/connection was lost/);
  });
});

describe('the room', () => {
  it('is joined anew when it could not be resumed, unnoticed', async () => {
    const { clock, server, ada, bob, ask } = await conversation();
    const phases = new Set<string>();
    bob.store.subscribe(({ status }) => phases.add(status.phase));
    server.intercept = (command, reply) => {
      if (command.type !== 'CONNECT') return false;
      server.intercept = () => false;
      const { resume: _, ...without } = command;
      const line = bob.network.current;
      const { deliver } = line;
      // CONNECT is answered; the room is not shown, since the store was slow.
      line.deliver = (data) => String(data).includes('ROOM_JOINED') || deliver.call(line, data);
      line.send(JSON.stringify(without));
      line.deliver = deliver;
      reply({ type: 'ERROR', id: command.id, code: 'unavailable', message: '' });
      return true;
    };
    ask(bob);
    await clock.pass(0);
    expect(bob.network.current.sent.map(({ type }) => type)).toContain('JOIN_ROOM');
    expect(bob.room).toMatchObject({ name: 'Tea', live: true });
    bob.store.say('here');
    expect(ada.bodies).toEqual(['here']);
    expect([...phases]).toEqual(['ready']);
  });

  it('that ends meanwhile is over', async () => {
    const { clock, server, bob, ask, hold, release } = await conversation();
    hold();
    ask(bob);
    await clock.pass(0);
    server.deleteRoom(bob.room!.roomId);
    release();
    await clock.pass(0);
    expect(bob.model).toMatchObject({ room: null, exit: { reason: 'room_deleted' } });
    expect(bob.store.view.status.phase).toBe('ready');
  });

  it('of somebody who is removed meanwhile is not resumed', async () => {
    const { clock, server, bob, ask, hold } = await conversation();
    hold();
    ask(bob);
    await clock.pass(0);
    server.close(bob.id, 4011);
    await clock.pass(60_000);
    expect(bob.store.view.status).toMatchObject({ phase: 'stopped', code: 4011 });
    expect(bob.network.sockets.some(({ isOpen }) => isOpen)).toBe(false);
  });
});
