import type { RoomList, RoomSummary } from '../state/model';
import type { RecentRoom } from '../state/recent_rooms';

/** A room as the list shows it. Without a count it is known from former times only. */
export type Listed = RecentRoom & Partial<Pick<RoomSummary, 'memberCount'>>;

export interface RoomGroups {
  recent: readonly Listed[];
  others: readonly Listed[];
}

/** Those that were used last stand first, and once. `most` of them: the list is for all rooms. */
export function groupRooms(
  { rooms, cursor, loaded }: RoomList,
  used: readonly RecentRoom[],
  wanted: string,
  most: number,
): RoomGroups {
  const known = new Map<number, Listed>(rooms.map((room) => [room.roomId, room]));
  const recent = used
    // What is not in a list that has an end has ended.
    .flatMap((room) => known.get(room.roomId) ?? (loaded && cursor === null ? [] : room))
    .slice(0, most);
  const first = new Set(recent.map((room) => room.roomId));
  const fits = filter(wanted);
  return {
    recent: recent.filter(fits),
    others: rooms.filter((room) => !first.has(room.roomId) && fits(room)),
  };
}

function filter(wanted: string): (room: Listed) => boolean {
  const words = wanted.trim().replace(/^#/, '').toLowerCase();
  return ({ name, roomId }) => name.toLowerCase().includes(words) || `${roomId}`.includes(words);
}
