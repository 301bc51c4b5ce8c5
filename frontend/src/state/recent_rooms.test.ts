import { describe, expect, it } from 'vitest';
import type { Shelf } from './memory';
import { KEY, RecentRooms, type RecentRoom } from './recent_rooms';

function shelf(start?: string): Shelf {
  const held = new Map(start === undefined ? [] : [[KEY, start]]);
  return {
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
  };
}

function watch(rooms: RecentRooms): { now: readonly RecentRoom[] } {
  const seen = { now: [] as readonly RecentRoom[] };
  rooms.subscribe((list) => (seen.now = list));
  return seen;
}

const room = (roomId: number) => ({ roomId, name: `Room ${roomId}` });

describe('rooms used before', () => {
  it('are kept newest first, each once, and not without end', () => {
    const store = shelf();
    const rooms = new RecentRooms(store);
    const seen = watch(rooms);
    for (let roomId = 1; roomId <= 20; roomId += 1) rooms.used(room(roomId));
    rooms.used(room(15));
    expect(seen.now.map(({ roomId }) => roomId)).toEqual([15, 20, 19, 18, 17, 16, 14, 13]);
    expect(watch(new RecentRooms(store)).now).toEqual(seen.now);
  });

  it('take a new name, and go when the room has ended', () => {
    const rooms = new RecentRooms(shelf());
    const seen = watch(rooms);
    rooms.used(room(1));
    rooms.used({ roomId: 1, name: 'Other' });
    expect(seen.now).toEqual([{ roomId: 1, name: 'Other' }]);
    rooms.ended(1);
    expect(seen.now).toEqual([]);
  });

  it('are those of all tabs', () => {
    const store = shelf();
    const here = new RecentRooms(store);
    const there = new RecentRooms(store);
    const seen = watch(here);
    there.used(room(2));
    here.used(room(1));
    expect(seen.now).toEqual([room(1), room(2)]);
    there.used(room(3));
    here.reread();
    expect(seen.now[0]).toEqual(room(3));
  });

  it.each(['null', '7', '{}', 'nonsense', '[null,1,{"roomId":"x","name":"y"},{"roomId":1}]'])(
    'survive %s in their place',
    (held) => {
      expect(watch(new RecentRooms(shelf(held))).now).toEqual([]);
    },
  );

  it('do without storage', () => {
    const refuse = () => {
      throw new Error('no');
    };
    const rooms = new RecentRooms({ getItem: refuse, setItem: refuse, removeItem: refuse });
    const seen = watch(rooms);
    rooms.used(room(1));
    expect(seen.now).toEqual([room(1)]);
  });
});
