import type { Event } from '../protocol/codec';
import { firstOpen, lose, without, withHole, type Hole } from './holes';
import type { Message, Room } from './model';

/** More than anybody scrolls through; older ones can be fetched again. */
const KEPT = 2_000;

type Listed = Event<'HISTORY'>['messages'][number];
/** What a HISTORY was asked with. */
export type Asked = { after: number } | { before: number };

export function asMessage({ seq, id, sender, body, sentAt }: Listed): Message {
  return { seq, id, sender, body, sentAt };
}

/**
 * The position to resume from: all up to here was seen or is known to be lost. Not simply the
 * newest one, since a connection can break while a hole is being filled.
 */
export function position(room: Pick<Room, 'seq' | 'holes'>): number {
  const open = firstOpen(room.holes);
  return open ? open.from - 1 : room.seq;
}

/**
 * Takes messages in whatever order they come and notes what lies between: a position that was
 * skipped is a hole, one that is already here is a copy.
 */
export function merge(room: Room, arrived: readonly Message[], newest = 0): Room {
  const unique = new Map(arrived.map((message) => [message.seq, message]));
  const fresh = [...unique.values()].filter((message) => !has(room, message.seq));
  const seq = Math.max(room.seq, newest, ...fresh.map((message) => message.seq));
  let holes: Hole[] = withHole(room.holes, { from: room.seq + 1, to: seq, lost: false });
  for (const message of fresh) holes = without(holes, message.seq, message.seq);
  if (fresh.length === 0) return { ...room, seq, holes };
  const inOrder = fresh.every(
    (message, at) => message.seq > (fresh[at - 1] ?? room.messages.at(-1) ?? { seq: 0 }).seq,
  );
  const messages = [...room.messages, ...fresh];
  if (!inOrder) messages.sort((a, b) => a.seq - b.seq);
  return trim({ ...room, seq, holes, messages });
}

/** A page of history, read in the light of what was asked. */
export function mergeHistory(room: Room, asked: Asked, history: Event<'HISTORY'>): Room {
  if (history.roomId !== room.roomId || history.epoch !== room.epoch) return room;
  const page = history.messages.map(asMessage);
  if ('before' in asked) {
    const base = Math.min(room.base, page[0]?.seq ?? room.base);
    const widened = {
      ...room,
      base,
      fromStart: !history.more || page.length === 0,
      // What a page from below leaves out, up to where we were, is not in the log.
      holes: withHole(room.holes, { from: base, to: room.base - 1, lost: true }),
    };
    return merge(widened, page);
  }
  const merged = merge(room, page);
  // The server answered for all up to here: what it left out, it does not have. A page that says
  // "more" and brings nothing must not make us ask for ever.
  const covered = history.more ? (page.at(-1)?.seq ?? room.seq) : room.seq;
  return { ...merged, holes: lose(merged.holes, asked.after + 1, covered) };
}

function has(room: Room, seq: number): boolean {
  if (seq < room.base) return true;
  if (seq > room.seq) return false;
  return !room.holes.some((hole) => hole.from <= seq && seq <= hole.to);
}

function trim(room: Room): Room {
  if (room.messages.length <= KEPT) return room;
  const messages = room.messages.slice(-KEPT);
  const base = messages[0]!.seq;
  return { ...room, messages, base, fromStart: false, holes: without(room.holes, 0, base - 1) };
}
