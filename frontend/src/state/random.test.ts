import { expect, it } from 'vitest';
import type { Tab } from './fixture';
import { world } from './fixture';
import { EMPTY, type Message } from './model';
import { reduce } from './reduce';

/** A small generator with a seed, so that a failure can be seen again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * sides);
  };
}

/**
 * Whatever happened on the way, in the end a page that lived through it shows what somebody who
 * joins now is shown: the same members and the same messages, each once and in order.
 */
async function live(seed: number): Promise<void> {
  const roll = dice(seed);
  const { clock, server, tab } = world({ logMax: 30 }, 40);
  const host = tab('host');
  await clock.pass(100);
  host.store.createRoom('Home').catch(() => {});
  await clock.pass(100);
  const { roomId } = host.room!;
  const tabs: Tab[] = [host];
  for (const name of ['ada', 'bob', 'cy', 'dee']) tabs.push(tab(name));
  await clock.pass(100);

  for (let step = 0; step < 120; step += 1) {
    // The host only ever loses its connection: a room ends with its last member.
    const guest = tabs[1 + roll(tabs.length - 1)]!;
    const anybody = tabs[roll(tabs.length)]!;
    const ignore = () => {};
    switch (roll(15)) {
      case 0:
      case 1:
        guest.store.joinRoom(roomId).catch(ignore);
        break;
      case 2:
        guest.store.leaveRoom().catch(ignore);
        break;
      case 3:
      case 4:
      case 5:
        anybody.store.say(`${anybody.name} ${step}`);
        break;
      case 12:
      case 13:
      case 14: {
        // Of messages of one's own and of others', some of them gone.
        const seq = 1 + roll(anybody.room?.seq ?? 1);
        const emoji = ['👍', '🎉'][roll(2)]!;
        if (roll(3)) anybody.store.react(seq, emoji, roll(3) > 0);
        else if (roll(3)) anybody.store.edit(seq, `edit ${step}`);
        else anybody.store.remove(seq);
        break;
      }
      case 6:
        anybody.store.rename(`${anybody.name}${roll(100)}`).catch(ignore);
        break;
      case 7:
        anybody.network.cut();
        break;
      case 8:
        // Frames vanish without anybody being told, and the connection breaks after it, or lives.
        anybody.network.silent = true;
        for (let burst = roll(50); burst > 0; burst -= 1) host.store.say(`burst ${step} ${burst}`);
        await clock.pass(roll(2_000));
        anybody.network.silent = false;
        if (roll(2)) anybody.network.cut();
        break;
      case 9:
        if (roll(2)) guest.open();
        else await clock.pass(roll(4_000));
        break;
      case 10:
      case 11:
        // The node is draining. (Nobody whose wire is broken hears of it.)
        if (anybody.model.me) server.push({ type: 'RECONNECT', afterMs: roll(300) }, anybody.id);
        break;
    }
    if (roll(3) === 0) await clock.pass(roll(400));
  }

  await clock.pass(120_000);
  // No wire loses frames and lives, so nothing but messages is made whole without a resume.
  for (const page of tabs) page.network.cut();
  await clock.pass(120_000);
  const fresh = server.snapshot(roomId)!;
  for (const page of tabs) {
    if (!page.room) continue;
    const { room } = page;
    expect(room.live).toBe(true);
    expect(room).toMatchObject({ epoch: fresh.epoch, seq: fresh.seq, name: 'Home' });
    expect(room.memberCount).toBe(fresh.room.memberCount);
    expect(sorted(room.members)).toEqual(sorted(fresh.members));
    // What a page knows of a reaction to a message that the log does not have goes further.
    const newest = reduce(EMPTY, fresh, 0).room!.messages;
    const known = newest.map(({ seq }) => room.messages.find((message) => message.seq === seq));
    expect(known.map((message) => bare(message!))).toEqual(newest.map(bare));
    // Every position from base to seq is a message or in a hole, and in one of them only.
    const here = room.messages.map(({ seq }) => seq);
    for (const { seq } of [...room.changes!.values()].flat()) here.push(seq);
    for (const { from, to, lost } of room.holes) {
      expect(lost).toBe(true);
      for (let seq = from; seq <= to; seq += 1) here.push(seq);
    }
    const all = Array.from({ length: room.seq - room.base + 1 }, (_, at) => room.base + at);
    expect(here.sort((a, b) => a - b)).toEqual(all);
    const ids = room.messages.map(({ id, sender }) => `${sender.clientId} ${id}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(page.outgoing.filter((entry) => entry.endsWith('pending'))).toEqual([]);
  }
  expect(host.room).not.toBeNull();
}

/** Who did a reaction that the log has lost is not known to who comes now. */
const bare = ({ seq, body, edited, deleted }: Message) => ({ seq, body, edited, deleted });

const sorted = (members: readonly { clientId: number; username: string }[]) =>
  members.map(({ clientId, username }) => `${clientId} ${username}`).sort();

it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
  'a stale page catches up with a fresh one (seed %i)',
  live,
);
