import type { Command } from '../protocol/codec';
import type { Room } from './model';
import type { Problem } from './problem';

/** What is done to an earlier message. */
export type Act = 'edit' | 'delete' | 'react' | 'unreact';

/** A message, or a change of one, of this client's that is not, or not yet, part of the timeline. */
export interface Outgoing {
  readonly id: string;
  readonly roomId: number;
  /** Of a reaction the emoji, of a deletion nothing. */
  readonly body: string;
  /** The position of the message that it answers. */
  readonly replyTo?: number;
  /** What it does to the message at `of`; absent when it is a message itself. */
  readonly act?: Act;
  readonly of?: number;
  /** What it changes has no position yet: the outgoing message with this id. */
  readonly ofId?: string;
  readonly at: number;
  /** `sent`: acknowledged, and its own NEW_MESSAGE is still on the way. */
  readonly state: 'pending' | 'sent' | 'failed';
  readonly seq?: number;
  /** Who it was transmitted as, and the server may have it from; not set while it cannot have it. */
  readonly sentBy?: number;
  /** When it was transmitted first, by the server's clock: what the server remembers depends on it. */
  readonly sentAt?: number;
  readonly problem?: Problem;
  /** The server asked to wait until then. */
  readonly retryAt?: number;
}

/** What is asked of the outbox. */
export type Draft = Pick<Outgoing, 'id' | 'roomId' | 'body' | 'replyTo' | 'act' | 'of' | 'ofId'>;

/** What takes a place in the timeline. */
export type MessageCommand =
  Command<'SEND_MESSAGE'> | Command<'EDIT_MESSAGE'> | Command<'DELETE_MESSAGE'> | Command<'REACT'>;

export function toCommand({ id, roomId, body, replyTo, act, of = 0 }: Outgoing): MessageCommand {
  switch (act) {
    case 'edit':
      return { type: 'EDIT_MESSAGE', id, roomId, seq: of, body };
    case 'delete':
      return { type: 'DELETE_MESSAGE', id, roomId, seq: of };
    case 'react':
    case 'unreact':
      return { type: 'REACT', id, roomId, seq: of, emoji: body, on: act === 'react' };
    case undefined: {
      const answered = replyTo === undefined ? {} : { replyTo };
      return { type: 'SEND_MESSAGE', id, roomId, body, ...answered };
    }
  }
}

/**
 * What a new change leaves of those before it: what nobody has heard of yet need not be said when it
 * is taken back, or said otherwise. `needed` is false when nothing is left to say.
 */
export function condense(
  entries: readonly Outgoing[],
  draft: Draft,
): { entries: readonly Outgoing[]; needed: boolean } {
  if (draft.act === undefined) return { entries, needed: true };
  const isReaction = (act?: Act) => act === 'react' || act === 'unreact';
  const rivals = entries.filter(
    (entry) =>
      entry.act !== undefined &&
      entry.roomId === draft.roomId &&
      entry.of === draft.of &&
      entry.ofId === draft.ofId &&
      (draft.act === 'delete' ||
        (isReaction(draft.act)
          ? isReaction(entry.act) && entry.body === draft.body
          : entry.act === draft.act)),
  );
  const last = rivals.findLast(({ state }) => state !== 'failed');
  const without = (gone: readonly Outgoing[]) =>
    gone.length === 0 ? entries : entries.filter((entry) => !gone.includes(entry));
  const failed = rivals.filter(({ state }) => state === 'failed');
  if (draft.act !== 'edit' && last?.act === draft.act) {
    return { entries: without(failed), needed: false };
  }
  if (isReaction(draft.act)) {
    if (last && isUnheard(last)) return { entries: without([...failed, last]), needed: false };
    return { entries: without(failed), needed: true };
  }
  return { entries: without([...failed, ...rivals.filter(isUnheard)]), needed: true };
}

/** What the timeline has of these, or has had: whichever of ACK and echo came first. */
export function arrived(
  entries: readonly Outgoing[],
  room: Room,
  me: number | undefined,
): Map<string, number> {
  const found = new Map<string, number>();
  const ours = entries.filter(({ roomId }) => roomId === room.roomId);
  if (ours.length === 0) return found;
  const byId = new Map(ours.map((entry) => [entry.id, entry]));
  for (const { id, sender, seq } of room.messages) {
    const entry = byId.get(id);
    if (entry && sender.clientId === (entry.sentBy ?? me)) found.set(id, seq);
  }
  for (const entry of ours) {
    const changes = entry.of === undefined ? undefined : room.changes?.get(entry.of);
    const own = changes?.find(
      ({ id, by }) => id === entry.id && by.clientId === (entry.sentBy ?? me),
    );
    if (own) found.set(entry.id, own.seq);
    const { state, seq } = entry;
    if (state === 'sent' && seq !== undefined && isPast(room, seq)) found.set(entry.id, seq);
  }
  return found;
}

/** It was never transmitted. */
function isUnheard({ state, sentBy }: Outgoing): boolean {
  return state === 'pending' && sentBy === undefined;
}

/** The timeline has gone past this position, and it is not merely late in a hole. */
function isPast(room: Room, seq: number): boolean {
  const missing = room.holes.some((hole) => !hole.lost && hole.from <= seq && seq <= hole.to);
  return seq <= room.seq && !missing;
}
