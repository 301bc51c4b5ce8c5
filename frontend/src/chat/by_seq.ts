import type { Message } from '../state/model';

/** The message at a position; they are in order, and there may be thousands. */
export function bySeq(messages: readonly Message[], seq: number): Message | undefined {
  let from = 0;
  let to = messages.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (messages[middle]!.seq < seq) from = middle + 1;
    else to = middle;
  }
  return messages[from]?.seq === seq ? messages[from] : undefined;
}
