import type { Event } from '../protocol/codec';
import { fold, indexOf, reread, since, withChanges, type Change, type Changes } from './changes';
import { firstOpen, lose, without, withHole, type Hole } from './holes';
import type { Message, Room } from './model';

/**
 * How many messages, and how many changes, a page keeps at most. More than anybody scrolls through,
 * and some 10 MB; when there are more, the older ones go at once and can be fetched again.
 */
export const MOST = 20_000;
const KEPT = 12_000;
const NONE: Changes = new Map();

type Listed = Event<'HISTORY'>['messages'][number];
/** What a HISTORY was asked with. */
export type Asked = { after: number } | { before: number };

/** One position of the timeline. */
export type Entry = Message | Change;

export function asEntry(listed: Listed): Entry {
  const { seq, id, sender, body, sentAt, change } = listed;
  if (change) {
    const { kind, seq: target, byAdmin = false } = change;
    return { seq, id, by: sender, kind, target, body, byAdmin };
  }
  const message: Message = { seq, id, sender, body, sentAt };
  // A field that is absent may also be null, as everywhere on the wire.
  if (listed.replyTo != null) message.replyTo = listed.replyTo;
  if (listed.edited != null) message.edited = listed.edited;
  if (listed.deleted == null) return message;
  const { edited: _, ...rest } = message;
  return { ...rest, body: '', deleted: 'sender' };
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
 * Takes entries in whatever order they come and notes what lies between: a position that was
 * skipped is a hole, one that is already here is a copy, which may know of a later change.
 */
export function merge(room: Room, arrived: readonly Entry[], newest = 0): Room {
  let seq = Math.max(room.seq, newest);
  for (const entry of arrived) if (entry.seq > seq) seq = entry.seq;
  let holes: readonly Hole[] = room.holes;
  if (seq > room.seq) holes = withHole(holes, { from: room.seq + 1, to: seq, lost: false });

  const fresh = new Map<number, Message>();
  const copies: Message[] = [];
  const acts: Change[] = [];
  let late = 0;
  for (const entry of arrived) {
    if (entry.seq < room.base) continue;
    const isNew = entry.seq > room.seq || isMissing(holes, entry.seq);
    if (isNew) {
      if (entry.seq <= room.seq) late += 1;
      holes = without(holes, entry.seq, entry.seq);
    }
    if ('target' in entry) acts.push(entry);
    else if (isNew && !fresh.has(entry.seq)) fresh.set(entry.seq, entry);
    else copies.push(entry);
  }
  const { changes, targets } = withChanges(room.changes ?? NONE, acts);

  const added = [...fresh.values()].map((message) => fold(message, changes.get(message.seq)));
  let messages = added.length > 0 ? appended(room.messages, added) : room.messages;
  let isOwn = messages !== room.messages;
  const put = (at: number, message: Message) => {
    if (at < 0 || messages[at] === message) return;
    const own = isOwn ? (messages as Message[]) : [...messages];
    own[at] = message;
    messages = own;
    isOwn = true;
  };
  for (const again of copies) {
    const at = indexOf(messages, again.seq);
    if (at >= 0) put(at, fold(reread(messages[at]!, again), changes.get(again.seq)));
  }
  for (const target of targets) {
    const at = indexOf(messages, target);
    if (at >= 0) put(at, fold(messages[at]!, changes.get(target)));
  }
  const healed = (room.healed ?? 0) + late;
  const next = { ...room, seq, holes, messages, changes, healed };
  return trim(next, targets.size > 0);
}

/** A page of history, read in the light of what was asked. */
export function mergeHistory(room: Room, asked: Asked, history: Event<'HISTORY'>): Room {
  if (history.roomId !== room.roomId || history.epoch !== room.epoch) return room;
  const page = history.messages.map(asEntry);
  if ('before' in asked) {
    const base = Math.min(room.base, page[0]?.seq ?? room.base);
    const widened = {
      ...room,
      base,
      fromStart: !history.more || page.length === 0,
      // What a page from below leaves out, up to where we were, is not in the log.
      holes: withHole(room.holes, { from: base, to: room.base - 1, lost: true }),
    };
    // What was never here is not healed by that.
    return { ...merge(widened, page), healed: room.healed ?? 0 };
  }
  const merged = merge(room, page);
  // The server answered for all up to here: what it left out, it does not have. A page that says
  // "more" and brings nothing must not make us ask for ever.
  const covered = history.more ? (page.at(-1)?.seq ?? room.seq) : room.seq;
  return { ...merged, holes: lose(merged.holes, asked.after + 1, covered) };
}

/** How many positions nobody can give any more. */
export function lostIn(holes: readonly Hole[]): number {
  return holes.reduce((sum, { from, to, lost }) => (lost ? sum + to - from + 1 : sum), 0);
}

/** There is no room for older ones. */
export function isFull(room: Room): boolean {
  return room.messages.length >= MOST - 500;
}

function isMissing(holes: readonly Hole[], seq: number): boolean {
  return holes.some((hole) => hole.from <= seq && seq <= hole.to);
}

function appended(messages: readonly Message[], added: Message[]): Message[] {
  const all = [...messages, ...added];
  for (let at = messages.length; at < all.length; at += 1) {
    if (at > 0 && all[at - 1]!.seq > all[at]!.seq) return all.sort((a, b) => a.seq - b.seq);
  }
  return all;
}

function trim(room: Room, changed: boolean): Room {
  let base = room.base;
  if (room.messages.length > MOST) base = room.messages.at(-KEPT)!.seq;
  let count = 0;
  if (changed) for (const list of room.changes!.values()) count += list.length;
  if (count > MOST) {
    const seqs = [...room.changes!.values()].flatMap((list) => list.map(({ seq }) => seq));
    base = Math.max(base, seqs.sort((a, b) => a - b).at(-KEPT)!);
  }
  if (base === room.base) return room;
  const messages = room.messages.filter(({ seq }) => seq >= base);
  const changes = since(room.changes ?? NONE, base);
  const holes = without(room.holes, 0, base - 1);
  return { ...room, messages, changes, base, fromStart: false, holes };
}
