import type { ChangeKind } from '../protocol/generated';
import type { Member, Message, Reaction, Room } from './model';
import type { Outgoing } from './outbox';

/** An entry of the timeline that is no message, but does something to an earlier one. */
export interface Change {
  seq: number;
  id: string;
  by: Member;
  kind: ChangeKind;
  /** The position of the message. */
  target: number;
  /** The new text, or the emoji. */
  body: string;
  byAdmin: boolean;
}

/** By the message that they change, each list in the order of the timeline. */
export type Changes = ReadonlyMap<number, readonly Change[]>;

/** What the log has in place of an edit that was edited or deleted since. */
const SUPERSEDED = '(edited)';

/**
 * The message with all that is known to have happened to it. In whatever order messages and changes
 * come, and however often, the same knowledge makes the same message; one that does not change is
 * given back as it is, so that nobody draws it again.
 */
export function fold(message: Message, changes: readonly Change[] = []): Message {
  if (changes.length === 0) return message;
  let { body, edited = 0, deleted } = message;
  for (const change of changes) {
    if (change.kind === 'delete') deleted = change.byAdmin ? 'admin' : (deleted ?? 'sender');
    if (change.kind === 'edit' && isNewer(change, edited)) ({ body, seq: edited } = change);
  }
  if (deleted !== undefined) return asDeleted(message, deleted);
  const next: Message = { ...message, body };
  if (edited > 0) next.edited = edited;
  // Of those that took it back again nothing stays.
  const standing = reactions(changes);
  if (standing.length > 0) next.reactions = standing;
  else delete next.reactions;
  return isSame(next, message) ? message : next;
}

/** What is here, in the light of another reading of the same message. */
export function reread(here: Message, again: Message): Message {
  if (here.deleted !== undefined) return here;
  if (again.deleted !== undefined) return asDeleted(here, again.deleted);
  if (again.edited === undefined || again.edited < (here.edited ?? 0)) return here;
  if (again.edited === here.edited && again.body === here.body) return here;
  return { ...here, body: again.body, edited: again.edited };
}

/** A copy of the changes with those that are new; and the messages that these are about. */
export function withChanges(
  known: Changes,
  arrived: readonly Change[],
): { changes: Changes; targets: Set<number> } {
  const targets = new Set<number>();
  if (arrived.length === 0) return { changes: known, targets };
  const changes = new Map(known);
  for (const change of arrived) {
    const list = changes.get(change.target) ?? [];
    const twin = list.find(({ seq }) => seq === change.seq);
    // The log may have blanked since what was seen before, and not the other way round.
    if (twin && (twin.body !== SUPERSEDED || change.body === SUPERSEDED)) continue;
    const others = twin ? list.filter((other) => other !== twin) : list;
    const isLast = change.seq > (others.at(-1)?.seq ?? 0);
    const next = [...others, change];
    changes.set(change.target, isLast ? next : next.sort((a, b) => a.seq - b.seq));
    targets.add(change.target);
  }
  return targets.size > 0 ? { changes, targets } : { changes: known, targets };
}

/** Only those at positions from `base` on. */
export function since(changes: Changes, base: number): Changes {
  const kept = new Map<number, readonly Change[]>();
  for (const [target, list] of changes) {
    const rest = list.filter(({ seq }) => seq >= base);
    if (rest.length > 0) kept.set(target, rest);
  }
  return kept;
}

const overlaid = new WeakMap<Message, { key: string; shown: Message }>();

/**
 * The messages as the person who changes them wants to see them at once, before the timeline says
 * so. What is refused is not in it: the message is then what it was.
 */
export function shown(
  room: Pick<Room, 'roomId' | 'messages'>,
  outgoing: readonly Outgoing[],
  me: Member | null,
): readonly Message[] {
  const acts = new Map<number, Outgoing[]>();
  for (const entry of outgoing) {
    if (entry.act === undefined || entry.of === undefined) continue;
    if (entry.roomId !== room.roomId || entry.state === 'failed') continue;
    acts.set(entry.of, [...(acts.get(entry.of) ?? []), entry]);
  }
  if (acts.size === 0 || !me) return room.messages;
  const messages = [...room.messages];
  for (const [seq, entries] of acts) {
    const at = indexOf(messages, seq);
    if (at < 0) continue;
    const message = messages[at]!;
    const key = entries.map(({ id, body }) => `${id} ${body}`).join('\n');
    const last = overlaid.get(message);
    if (last?.key !== key) {
      overlaid.set(message, {
        key,
        shown: entries.reduce((m, entry) => acted(m, entry, me), message),
      });
    }
    messages[at] = overlaid.get(message)!.shown;
  }
  return messages;
}

/** Where the message of this position is; below 0 when it is not here. */
export function indexOf(messages: readonly Message[], seq: number): number {
  let from = 0;
  let to = messages.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (messages[middle]!.seq < seq) from = middle + 1;
    else to = middle;
  }
  return messages[from]?.seq === seq ? from : -1;
}

function acted(message: Message, { act, body, seq }: Outgoing, me: Member): Message {
  if (message.deleted !== undefined) return message;
  switch (act) {
    case 'edit':
      return { ...message, body, edited: seq ?? message.edited ?? message.seq };
    case 'delete':
      return asDeleted(message, 'sender');
    case 'react':
    case 'unreact':
      return { ...message, reactions: reacted(message.reactions ?? [], body, me, act === 'react') };
    default:
      return message;
  }
}

function reacted(all: readonly Reaction[], emoji: string, me: Member, on: boolean): Reaction[] {
  const others = (by: readonly Member[]) => by.filter(({ clientId }) => clientId !== me.clientId);
  const isThere = all.some((reaction) => reaction.emoji === emoji);
  if (on && !isThere) return [...all, { emoji, by: [me] }];
  return all
    .map((reaction) => {
      if (reaction.emoji !== emoji) return reaction;
      const isMine = reaction.by.some(({ clientId }) => clientId === me.clientId);
      if (on) return isMine ? reaction : { emoji, by: [...reaction.by, me] };
      return isMine ? { emoji, by: others(reaction.by) } : reaction;
    })
    .filter(({ by }) => by.length > 0);
}

/** All who reacted and did not take it back, by playing it again from the beginning. */
function reactions(changes: readonly Change[]): Reaction[] {
  const standing = new Map<string, Map<number, Member>>();
  for (const { kind, body, by } of changes) {
    const people = standing.get(body);
    if (kind === 'react') {
      if (!people) standing.set(body, new Map([[by.clientId, by]]));
      else if (!people.has(by.clientId)) people.set(by.clientId, by);
    } else if (kind === 'unreact' && people?.delete(by.clientId) && people.size === 0) {
      standing.delete(body);
    }
  }
  return [...standing].map(([emoji, people]) => ({ emoji, by: [...people.values()] }));
}

function isNewer(change: Change, edited: number): boolean {
  return change.seq > edited || (change.seq === edited && change.body !== SUPERSEDED);
}

function asDeleted(message: Message, deleted: 'sender' | 'admin'): Message {
  if (message.deleted === deleted && message.body === '' && !message.reactions) return message;
  const { edited: _, reactions: __, ...rest } = message;
  return { ...rest, body: '', deleted };
}

function isSame(a: Message, b: Message): boolean {
  return (
    a.body === b.body &&
    a.edited === b.edited &&
    (a.reactions ?? []).length === (b.reactions ?? []).length &&
    (a.reactions ?? []).every(({ emoji, by }, at) => {
      const other = b.reactions![at]!;
      return (
        other.emoji === emoji &&
        other.by.length === by.length &&
        by.every(({ clientId }, n) => clientId === other.by[n]!.clientId)
      );
    })
  );
}
