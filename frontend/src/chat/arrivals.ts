import type { Message, Room } from '../state/model';

/**
 * What others have said since the last look. It watches positions, not the list on the screen: what
 * is loaded by scrolling back, by joining or by filling a hole lies below its mark and is no news.
 */
export class Arrivals {
  #timeline = '';
  #mark = 0;

  /** Null where there is nothing to compare with: another room, or the same one begun anew. */
  look(room: Room | null, myId: number | undefined): Message[] | null {
    const timeline = room ? `${room.roomId} ${room.epoch}` : '';
    const mark = this.#mark;
    this.#mark = room?.seq ?? 0;
    if (!room || timeline !== this.#timeline) {
      this.#timeline = timeline;
      return null;
    }
    return room.seq > mark ? since(room, mark, myId) : [];
  }
}

/** What others said after a position, in order. Newest first, never the whole list: it runs on each message. */
export function since(
  room: Pick<Room, 'messages'>,
  mark: number,
  myId: number | undefined,
): Message[] {
  const fresh: Message[] = [];
  for (let at = room.messages.length - 1; at >= 0; at -= 1) {
    const message = room.messages[at]!;
    if (message.seq <= mark) break;
    if (message.sender.clientId !== myId && !message.deleted) fresh.push(message);
  }
  return fresh.reverse();
}
