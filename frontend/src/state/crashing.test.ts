import { describe, expect, it } from 'vitest';
import type { FakeClock } from '../net/fake_socket';
import { FakeVault, world } from './fixture';

/** Somebody whose browser keeps unsent messages, and somebody who sees what comes of them. */
async function conversation() {
  const { clock, server, tab } = world();
  const [ada, bob] = [tab('ada'), tab('bob')];
  ada.vault = new FakeVault();
  ada.open();
  await clock.pass(0);
  await ada.store.welcome('Ada');
  await bob.store.welcome('Bob');
  await bob.store.createRoom('Tea');
  await ada.store.joinRoom(bob.room!.roomId);
  return { clock, server, ada, bob, vault: ada.vault };
}

const sends = (network: { sockets: { sent: Record<string, unknown>[] }[] }) =>
  network.sockets.flatMap(({ sent }) => sent.filter(({ type }) => type === 'SEND_MESSAGE'));

describe('a crash', () => {
  it('before it is written: nothing has been transmitted', async () => {
    const { clock, ada, vault } = await conversation();
    let write = () => {};
    vault.pause = new Promise((done) => (write = done));
    ada.store.say('one');
    await clock.pass(500);
    expect(sends(ada.network)).toEqual([]);
    write();
    await clock.pass(0);
    expect(sends(ada.network)).toHaveLength(1);
    expect(ada.outgoing).toEqual([]);
    expect(vault.kept).toEqual([]);
  });

  it('between writing and transmitting loses nothing', async () => {
    const { clock, ada, bob, vault } = await conversation();
    ada.network.cut();
    ada.network.refuse = true;
    ada.store.say('one');
    ada.store.say('two');
    await clock.pass(0);
    expect(vault.kept).toHaveLength(2);
    ada.crash();
    await clock.pass(1_000);
    expect(bob.bodies).toEqual(['one', 'two']);
    expect(vault.kept).toEqual([]);
  });

  it('between transmitting and ACK doubles nothing', async () => {
    const { clock, server, ada, bob, vault } = await conversation();
    server.intercept = ({ type }) => {
      if (type === 'SEND_MESSAGE') ada.network.silent = true;
      return false;
    };
    ada.store.say('one');
    await clock.pass(0);
    server.intercept = () => false;
    expect(bob.bodies).toEqual(['one']);
    expect(vault.kept).toMatchObject([{ body: 'one', sentBy: ada.id }]);
    ada.crash();
    await clock.pass(1_000);
    expect(bob.bodies).toEqual(['one']);
    expect(ada.outgoing).toEqual([]);
    expect(vault.kept).toEqual([]);
  });

  it('long ago leaves the question whether it was sent to the person', async () => {
    const { clock, server, ada, bob } = await conversation();
    server.intercept = ({ type }) => type === 'SEND_MESSAGE';
    ada.store.say('one');
    await clock.pass(0);
    server.intercept = () => false;
    ada.network.refuse = true;
    ada.network.cut();
    await clock.pass(20 * 60_000);
    ada.crash();
    await clock.pass(1_000);
    expect(ada.store.view.outgoing).toMatchObject([
      { state: 'failed', problem: { code: 'uncertain' } },
    ]);
    expect(bob.bodies).toEqual([]);
    ada.store.retry(ada.store.view.outgoing[0]!.id);
    await clock.pass(0);
    expect(bob.bodies).toEqual(['one']);
  });

  /** The page's clock was wrong by hours when it sent, and was put right before it came back. */
  it.each([3, -3])(
    'with a clock that is wrong by %i h is judged by the server’s',
    async (hours) => {
      for (const minutes of [1, 20]) {
        const { clock, server, ada, bob } = await conversation();
        const off = hours * 3_600_000;
        const waiting = answering(clock, () => 0);
        server.intercept = answering(clock, () => off);
        ada.network.cut();
        await clock.pass(1_000);
        const answers = server.intercept;
        server.intercept = (command, reply) =>
          command.type === 'SEND_MESSAGE' || answers(command, reply);
        ada.store.say('one');
        await clock.pass(0);
        ada.network.refuse = true;
        ada.network.cut();
        // Put right, and so much later.
        clock.sleep(-off + minutes * 60_000);
        server.intercept = waiting;
        ada.crash();
        await clock.pass(1_000);
        expect(bob.bodies).toEqual(minutes === 1 ? ['one'] : []);
        expect(ada.outgoing).toEqual(minutes === 1 ? [] : ['one failed']);
      }
    },
  );
});

/** PONG as of a server whose clock this page's is ahead of by so much. */
function answering(clock: FakeClock, ahead: () => number) {
  return (
    command: { type: string; id?: string },
    reply: (event: { type: 'PONG'; id: string; at: number }) => void,
  ): boolean => {
    if (command.type !== 'PING' || command.id === undefined) return false;
    reply({ type: 'PONG', id: command.id, at: clock.now() - ahead() });
    return true;
  };
}
