import type { View } from './store';

/**
 * What helps to find out what is wrong with a connection: no text that anybody wrote, no name of
 * anybody or anything, no session.
 */
export function diagnosis(view: View, now: number): string {
  const { model, status, online, trust, outgoing } = view;
  const { room, budget } = model;
  const facts = {
    at: new Date(now).toISOString(),
    status,
    online,
    clientId: model.me?.clientId ?? null,
    ...trust,
    budget: budget && { ...budget, oneMoreAt: budget.oneMoreAt - now },
    room: room && {
      roomId: room.roomId,
      epoch: room.epoch,
      live: room.live,
      base: room.base,
      seq: room.seq,
      fromStart: room.fromStart,
      holes: room.holes,
      messages: room.messages.length,
      changes: [...(room.changes?.values() ?? [])].reduce((sum, list) => sum + list.length, 0),
      memberCount: room.memberCount,
      membersHere: room.members.length,
      reconnecting: room.reconnecting.size,
    },
    outbox: outgoing.map((entry) => ({
      id: entry.id,
      act: entry.act ?? 'message',
      state: entry.state,
      ageMs: now - entry.at,
      characters: entry.body.length,
      transmitted: entry.sentBy !== undefined,
      problem: entry.problem?.code ?? null,
    })),
  };
  return JSON.stringify(facts, null, 2);
}

/** A stretch of positions, all of one kind, as a part of the whole timeline. */
export interface Stretch {
  from: number;
  to: number;
  kind: 'here' | 'unread' | 'missing' | 'lost';
}

/** The whole timeline from its beginning, in a few stretches for the eye. */
export function stretches(room: NonNullable<View['model']['room']>): Stretch[] {
  const found: Stretch[] = [];
  if (room.base > 1) found.push({ from: 1, to: room.base - 1, kind: 'unread' });
  let next = room.base;
  for (const { from, to, lost } of room.holes) {
    if (from > next) found.push({ from: next, to: from - 1, kind: 'here' });
    found.push({ from, to, kind: lost ? 'lost' : 'missing' });
    next = to + 1;
  }
  if (next <= room.seq) found.push({ from: next, to: room.seq, kind: 'here' });
  // Nobody can tell more than these apart.
  return found.slice(-60);
}
