import type { ServerEvent } from '../protocol/generated';

export type Listed = Extract<ServerEvent, { type: 'HISTORY' }>['messages'][number];

/** A message, if there is one at this position, as it is now. */
export function message(log: readonly Listed[], seq: number): Listed | undefined {
  const found = log.find((entry) => entry.seq === seq);
  return found && !found.change ? redacted(found, log) : undefined;
}

/** A room's log as the server gives it: as things are now, not as they were said. */
export function asRead(log: readonly Listed[]): Listed[] {
  const changes = log.filter(({ change }) => change);
  return log.map((entry) => redacted(entry, changes));
}

function redacted(entry: Listed, changes: readonly Listed[]): Listed {
  const { change } = entry;
  const target = change?.seq ?? entry.seq;
  const after = changes.filter(({ change: other }) => other?.seq === target);
  const deletion = after.find(({ change: other }) => other!.kind === 'delete');
  const edit = after.findLast(({ change: other }) => other!.kind === 'edit');
  if (change) {
    const isSuperseded = change.kind === 'edit' && (deletion !== undefined || edit !== entry);
    return isSuperseded ? { ...entry, body: '(edited)' } : entry;
  }
  if (deletion) return { ...entry, body: '(deleted)', deleted: deletion.seq };
  return edit ? { ...entry, body: edit.body, edited: edit.seq } : entry;
}
