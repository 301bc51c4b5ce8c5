import type { Trust } from './model';
import type { View } from './store';
import { lostIn, position } from './timeline';

export const NO_TRUST: Trust = {
  nodeId: null,
  roundTripMs: null,
  skewMs: null,
  completeUpTo: 0,
  newest: 0,
  healed: 0,
  lost: 0,
  connections: 0,
  waiting: 0,
};

/** What there is to know of connection and timeline; the same one as before if nothing is new. */
export function trustIn(
  former: View,
  now: View,
  connections: number,
  pulse: Pick<Trust, 'roundTripMs' | 'skewMs'>,
): Trust {
  const { room, me } = now.model;
  const before = former.model.room;
  const isSame = room !== null && before?.roomId === room.roomId && before.epoch === room.epoch;
  const healedHere = (room?.healed ?? 0) - (isSame ? (before.healed ?? 0) : 0);
  const trust: Trust = {
    nodeId: me?.nodeId ?? null,
    roundTripMs: pulse.roundTripMs,
    skewMs: pulse.skewMs,
    completeUpTo: room ? position(room) : 0,
    newest: room?.seq ?? 0,
    healed: former.trust.healed + Math.max(0, healedHere),
    lost: room ? lostIn(room.holes) : 0,
    connections,
    waiting: now.outgoing.filter(({ state }) => state === 'pending').length,
  };
  const keys = Object.keys(trust) as (keyof Trust)[];
  return keys.every((key) => trust[key] === former.trust[key]) ? former.trust : trust;
}
