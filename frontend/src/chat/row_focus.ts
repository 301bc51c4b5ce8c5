import type { MessageRow, Row } from './grouping';

export const messageRow = (row: Row | undefined): MessageRow | undefined =>
  row?.kind === 'message' ? row : undefined;

/** The next message from a row on, up or down; the last one that way where there is none beyond. */
export function nextMessage(rows: readonly Row[], from: number, step: 1 | -1): number {
  for (let at = from + step; at >= 0 && at < rows.length; at += step) {
    if (rows[at]!.kind === 'message') return at;
  }
  return from;
}
