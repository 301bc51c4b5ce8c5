import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../net/fake_socket';
import type { ServerEvent } from '../protocol/generated';
import type { RoomList } from './model';
import { RoomLister } from './room_lister';

let clock: FakeClock;
let reads: number;
let lobby: boolean;
let list: RoomList;
let lister: RoomLister;

beforeEach(() => {
  [clock, reads, lobby] = [new FakeClock(), 0, true];
  lister = new RoomLister({
    clock,
    ask: async ({ cursor }) => {
      reads += 1;
      const page = Number(cursor ?? 0);
      return {
        type: 'ROOMS',
        rooms: [{ roomId: 10_000 + page, name: `Room ${page}`, memberCount: 1, createdAt: 0 }],
        cursor: `${page + 1}`,
      } as unknown as ServerEvent;
    },
    found: (found) => (list = found),
    inLobby: () => lobby,
  });
});

async function during(ms: number): Promise<number> {
  const before = reads;
  await clock.pass(ms);
  return reads - before;
}

describe('the list of rooms', () => {
  it('is fresh in the lobby, and less so beside a conversation', async () => {
    lister.refresh();
    expect(await during(60_000)).toBeGreaterThanOrEqual(10);
    lobby = false;
    lister.watched(true);
    await during(20_000);
    expect(await during(60_000)).toBe(4);
  });

  it('is not read while nobody can see it', async () => {
    lobby = false;
    lister.refresh();
    await during(1_000);
    expect(await during(120_000)).toBe(0);
    lister.watched(true);
    expect(await during(1_000)).toBe(1);
    lister.visible(false);
    expect(await during(120_000)).toBe(0);
    lister.visible(true);
    expect(await during(1_000)).toBe(1);
    lister.watched(false);
    await during(30_000);
    expect(await during(120_000)).toBe(0);
  });

  it('is not read again for who looks twice within a moment', async () => {
    lobby = false;
    lister.refresh();
    await during(1_000);
    for (const is of [true, false, true, false, true]) lister.watched(is);
    expect(await during(5_000)).toBe(0);
    expect(await during(15_000)).toBe(1);
  });

  it('has an end, and is read less often the longer it is', async () => {
    lister.refresh();
    await during(1_000);
    let pages = 1;
    while (lister.more()) pages += 1;
    await during(1_000);
    expect(pages).toBe(20);
    expect(list.rooms).toHaveLength(20);
    await during(60_000);
    expect(await during(60_000)).toBe(20);
  });
});
