import { describe, expect, it } from 'vitest';
import { groupRooms } from './room_groups';

const room = (roomId: number, name: string) =>
  ({ roomId, name, memberCount: 1, createdAt: 0 }) as never;
const list = (cursor: string | null = null) => ({
  rooms: [room(10_001, 'Tea'), room(10_002, 'Coffee'), room(10_003, 'Water')],
  cursor,
  loaded: true,
});
const names = (rooms: readonly { name: string }[]) => rooms.map(({ name }) => name);

describe('the groups of rooms', () => {
  it('have those that were used first, and once', () => {
    const groups = groupRooms(list(), [{ roomId: 10_003, name: 'Old name' }], '', 4);
    expect(names(groups.recent)).toEqual(['Water']);
    expect(names(groups.others)).toEqual(['Tea', 'Coffee']);
  });

  it('forget what has ended, which only a whole list can tell', () => {
    const used = [{ roomId: 10_009, name: 'Gone' }];
    expect(groupRooms(list(), used, '', 4).recent).toEqual([]);
    expect(groupRooms(list('more'), used, '', 4).recent).toEqual(used);
    const unread = { rooms: [], cursor: null, loaded: false };
    expect(groupRooms(unread, used, '', 4).recent).toEqual(used);
  });

  it('find by name and by number', () => {
    const used = [{ roomId: 10_002, name: 'Coffee' }];
    expect(names(groupRooms(list(), used, ' TE ', 4).others)).toEqual(['Tea', 'Water']);
    expect(names(groupRooms(list(), used, '#10002', 4).recent)).toEqual(['Coffee']);
    expect(groupRooms(list(), used, '#10002', 4).others).toEqual([]);
  });

  it('show no more of the used ones than asked for', () => {
    const used = [10_001, 10_002, 10_003].map((roomId) => ({ roomId, name: '' }));
    const groups = groupRooms(list(), used, '', 2);
    expect(names(groups.recent)).toEqual(['Tea', 'Coffee']);
    expect(names(groups.others)).toEqual(['Water']);
  });
});
