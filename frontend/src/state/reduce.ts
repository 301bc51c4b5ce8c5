import type { Event } from '../protocol/codec';
import type { ServerEvent } from '../protocol/generated';
import { withHole } from './holes';
import type { Exit, Line, Member, Model, Room, RoomList } from './model';
import { asEntry, merge } from './timeline';

/** A typist who says nothing more for this long has stopped, or is gone. */
export const TYPING_MS = 5_000;
const LINES_KEPT = 200;
const NOTICES_KEPT = 3;
const AWAY_KEPT = 20_000;

/** What an event makes of the state. Pure; whoever asked for a reply reads it elsewhere. */
export function reduce(model: Model, event: ServerEvent, now: number): Model {
  switch (event.type) {
    case 'CONNECT': {
      const { clientId, username, nodeId, limits } = event;
      const room = model.room && { ...model.room, live: false };
      return { ...model, me: { clientId, username, nodeId, limits }, room };
    }
    case 'ROOM_JOINED':
      return {
        ...model,
        room: joined(model.room, event, now),
        list: listed(model.list, event.room),
        exit: null,
      };
    case 'NEW_MESSAGE':
      return inRoom(model, event.roomId, (room) => {
        const { clientId } = event.sender;
        const merged = heard(merge(room, [asEntry(event)]), clientId);
        // A reaction is given while one goes on writing.
        if (event.change && event.change.kind !== 'edit') return merged;
        return { ...merged, typing: merged.typing.filter((one) => one.clientId !== clientId) };
      });
    case 'USER_EVENT':
      return members(model, event, now);
    case 'TYPING': {
      if (event.clientId === model.me?.clientId) return model;
      const { clientId, username } = event;
      return inRoom(model, event.roomId, (room) => {
        const others = room.typing.filter((typist) => typist.clientId !== clientId);
        const typist = { clientId, username, until: now + TYPING_MS };
        return { ...heard(room, clientId), typing: event.typing ? [...others, typist] : others };
      });
    }
    case 'PRESENCE':
      return inRoom(model, event.roomId, (room) => {
        const away = new Set(room.reconnecting);
        for (const clientId of event.back ?? []) away.delete(clientId);
        for (const clientId of event.reconnecting ?? []) {
          if (clientId !== model.me?.clientId && away.size < AWAY_KEPT) away.add(clientId);
        }
        return { ...room, reconnecting: away };
      });
    case 'ACK': {
      if (!event.budget) return model;
      const { remaining, oneMoreMs } = event.budget;
      return { ...model, budget: { remaining, oneMoreAt: now + oneMoreMs } };
    }
    case 'ROOM_LEFT': {
      const { room } = model;
      if (room?.roomId !== event.roomId) return model;
      switch (event.reason) {
        case 'moved':
          // The next ROOM_JOINED is on its way: the old room stays on screen until then.
          return { ...model, room: { ...room, live: false, typing: [] } };
        case 'left':
          return { ...model, room: null, exit: null };
        case 'removed':
        case 'room_deleted':
          return leave(model, event.reason);
        default:
          // A newer server's reason: we are out all the same.
          return leave(model, 'removed');
      }
    }
    case 'NOTICE':
      return noticed(model, event.text, event.level);
    case 'MEMBERS':
    case 'RECONNECT':
    case 'HISTORY':
    case 'ROOMS':
    case 'PONG':
    case 'ERROR':
      return model;
    default:
      return unreachable(event, model);
  }
}

export function noticed(model: Model, text: string, level: string): Model {
  const key = (model.notices.at(-1)?.key ?? 0) + 1;
  return { ...model, notices: [...model.notices, { key, text, level }].slice(-NOTICES_KEPT) };
}

/** The room ended for this client, and not by its own wish. */
export function leave(model: Model, reason: Exit['reason']): Model {
  if (!model.room) return model;
  const { roomId, name } = model.room;
  return { ...model, room: null, exit: { roomId, name, reason } };
}

/** Without those who stopped typing without saying so. */
export function expireTyping(model: Model, now: number): Model {
  if (!model.room?.typing.some((typist) => typist.until <= now)) return model;
  const typing = model.room.typing.filter((typist) => typist.until > now);
  return { ...model, room: { ...model.room, typing } };
}

function joined(old: Room | null, event: Event<'ROOM_JOINED'>, now: number): Room {
  const { room, epoch, seq, gap } = event;
  const entries = event.messages.map(asEntry);
  // By id: the roster is drawn by it.
  const named = new Map(event.members.map((member) => [member.clientId, member]));
  const membersComplete = named.size >= room.memberCount;
  // Of a large room only the first are named. The others that are known stay until all are asked
  // for again; whoever left meanwhile is among them.
  if (!membersComplete && old?.roomId === room.roomId) {
    for (const member of old.members) {
      if (!named.has(member.clientId)) named.set(member.clientId, member);
    }
  }
  const facts = {
    roomId: room.roomId,
    name: room.name,
    memberCount: room.memberCount,
    members: [...named.values()],
    membersComplete,
    // The server says it of those whom it names.
    reconnecting: new Set(event.reconnecting ?? []),
    live: true,
  };
  const lost = gap && gap.from <= gap.to ? { ...gap, lost: true } : null;

  if (old?.roomId === room.roomId && old.epoch === epoch) {
    const missed = entries.filter((entry) => entry.seq > old.seq).length;
    const known = { ...old, ...facts, healed: (old.healed ?? 0) + missed };
    const merged = merge(known, entries, seq);
    return lost ? { ...merged, holes: lostOnly(merged, lost) } : merged;
  }

  const first = entries[0]?.seq ?? seq + 1;
  // A gap right before what came is ours to show; any other belongs to a life that is over.
  const base = lost?.to === first - 1 ? lost.from : first;
  const blank: Room = {
    ...facts,
    epoch,
    seq: first - 1,
    base,
    fromStart: base <= 1,
    messages: [],
    holes: base < first && lost ? [lost] : [],
    lines: [],
    typing: [],
  };
  const fresh = merge(blank, entries, seq);
  if (old?.roomId !== room.roomId) return fresh;
  return { ...fresh, lines: [line(fresh, 'restarted', [], now, base - 1)] };
}

/** A room that one has just made or entered is in the list at once. */
function listed(list: RoomList, room: Event<'ROOM_JOINED'>['room']): RoomList {
  const { roomId, name, memberCount, createdAt } = room;
  const others = list.rooms.filter((other) => other.roomId !== roomId);
  const at = list.rooms.findIndex((other) => other.roomId === roomId);
  const summary = { roomId, name, memberCount, createdAt };
  return { ...list, rooms: others.toSpliced(at < 0 ? others.length : at, 0, summary) };
}

/** The gap, less what is here after all. */
function lostOnly(room: Room, gap: { from: number; to: number }): Room['holes'] {
  return room.holes.reduce<Room['holes']>((holes, hole) => {
    const from = Math.max(hole.from, gap.from);
    const to = Math.min(hole.to, gap.to);
    return from > to ? holes : withHole(holes, { from, to, lost: true });
  }, room.holes);
}

function members(model: Model, event: Event<'USER_EVENT'>, now: number): Model {
  const named = new Map(event.renamed?.map((person) => [person.clientId, person]));
  const ownName = model.me && named.get(model.me.clientId)?.username;
  const me = model.me && ownName ? { ...model.me, username: ownName } : model.me;
  const rooms = model.list.rooms.map((room) =>
    room.roomId === event.roomId ? { ...room, memberCount: event.memberCount } : room,
  );
  const next = { ...model, me, list: { ...model.list, rooms } };
  return inRoom(next, event.roomId, (room) => {
    const known = new Map(room.members.map((member) => [member.clientId, member]));
    const nameOf = (clientId: number) =>
      known.get(clientId) ?? { clientId, username: lastName(room, clientId) };

    const left = (event.left ?? []).map(nameOf);
    for (const { clientId } of left) known.delete(clientId);
    // Whoever is here already came with the snapshot, and is not news.
    const came = (event.joined ?? []).filter((person) => !known.has(person.clientId));
    for (const person of event.joined ?? []) known.set(person.clientId, person);
    const renamed = (event.renamed ?? []).filter(
      (person) => nameOf(person.clientId).username !== person.username,
    );
    let lined = room;
    for (const person of renamed) {
      const formerly = nameOf(person.clientId).username;
      lined = addLine(lined, { ...line(lined, 'renamed', [person], now), formerly });
    }
    for (const [clientId, person] of named) if (known.has(clientId)) known.set(clientId, person);
    if (came.length > 0) lined = addLine(lined, line(lined, 'joined', came, now));
    if (left.length > 0) lined = addLine(lined, line(lined, 'left', left, now));

    const gone = new Set(event.left);
    const isHere = (clientId: number) =>
      !gone.has(clientId) && !came.some((p) => p.clientId === clientId);
    return {
      ...lined,
      memberCount: event.memberCount,
      members: [...known.values()],
      reconnecting: kept(room.reconnecting, isHere),
      typing: room.typing
        .filter((typist) => !gone.has(typist.clientId))
        .map((typist) => ({ ...typist, ...named.get(typist.clientId) })),
    };
  });
}

/** Somebody who says something is connected. */
function heard(room: Room, clientId: number): Room {
  if (!room.reconnecting.has(clientId)) return room;
  return { ...room, reconnecting: kept(room.reconnecting, (other) => other !== clientId) };
}

function kept(all: ReadonlySet<number>, which: (clientId: number) => boolean): ReadonlySet<number> {
  const rest = [...all].filter(which);
  return rest.length === all.size ? all : new Set(rest);
}

/** A large room's roster is incomplete; whoever spoke is known by that. */
function lastName(room: Room, clientId: number): string {
  const said = room.messages.findLast((message) => message.sender.clientId === clientId);
  return said?.sender.username ?? `User ${clientId}`;
}

function line(
  room: Room,
  what: Line['what'],
  people: readonly Member[],
  at: number,
  after = room.seq,
): Line {
  return { key: (room.lines.at(-1)?.key ?? 0) + 1, after, at, what, people };
}

function addLine(room: Room, next: Line): Room {
  const last = room.lines.at(-1);
  const same = last && last.what === next.what && last.after === next.after;
  if (same && next.what !== 'renamed') {
    // Once each: while a connection takes over from another, both may tell of the same person.
    const people = [
      ...new Map([...last.people, ...next.people].map((p) => [p.clientId, p])).values(),
    ];
    return { ...room, lines: [...room.lines.slice(0, -1), { ...last, people }] };
  }
  return { ...room, lines: [...room.lines, next].slice(-LINES_KEPT) };
}

function inRoom(model: Model, roomId: number, change: (room: Room) => Room): Model {
  if (model.room?.roomId !== roomId) return model;
  return { ...model, room: change(model.room) };
}

/** The compiler refuses this call while an event has no case above. */
function unreachable(_event: never, model: Model): Model {
  return model;
}
