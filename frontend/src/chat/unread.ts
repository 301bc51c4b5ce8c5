import type { Room } from '../state/model';

/** Counts what others said while nobody was looking, for the title of the tab. */
export class Unread {
  #seen = 0;
  #timeline = '';

  observe(room: Room | null, myId: number | undefined, hidden: boolean): number {
    const timeline = room ? `${room.roomId} ${room.epoch}` : '';
    if (!room || !hidden || timeline !== this.#timeline) {
      this.#timeline = timeline;
      this.#seen = room?.seq ?? 0;
      return 0;
    }
    let count = 0;
    for (let at = room.messages.length - 1; at >= 0; at -= 1) {
      const { seq, sender } = room.messages[at]!;
      if (seq <= this.#seen) break;
      if (sender.clientId !== myId) count += 1;
    }
    return count;
  }
}
