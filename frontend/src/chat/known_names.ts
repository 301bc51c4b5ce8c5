import type { Message, Room } from '../state/model';

/** Of what was said, so much is looked through for people who are not among the members that we know of. */
const RECENT = 100;

/** Who can be mentioned in a room: the members that are known, and who spoke lately. */
export function mentionable(
  room: Pick<Room, 'members' | 'messages'>,
): Map<number, Message['sender']> {
  const people = new Map<number, Message['sender']>();
  // Whoever spoke last comes first.
  for (const { sender } of room.messages.slice(-RECENT).reverse()) {
    if (!people.has(sender.clientId)) people.set(sender.clientId, sender);
  }
  for (const member of room.members) {
    // The list of members has the newest name.
    people.set(member.clientId, member);
  }
  return people;
}

let last: { members: Room['members']; names: Set<string> } | null = null;
let seen: Room['messages'] | null = null;

/**
 * The names that can be mentioned, in lower case. The same set for as long as nobody new is in it, so that no message is
 * read again because somebody else wrote one.
 */
export function knownNames({ members, messages }: Pick<Room, 'members' | 'messages'>): Set<string> {
  if (last?.members !== members) {
    last = { members, names: new Set(members.map(({ username }) => username.toLowerCase())) };
    seen = null;
  }
  if (seen !== messages) {
    seen = messages;
    const unknown = messages
      .slice(-RECENT)
      .map(({ sender }) => sender.username.toLowerCase())
      .filter((name) => !last!.names.has(name));
    if (unknown.length > 0) last = { members, names: new Set([...last.names, ...unknown]) };
  }
  return last.names;
}
