import { t } from '../i18n';
import type { Line, Member, Message, Room } from '../state/model';
import type { Outgoing } from '../state/outbox';

/** What the message list draws, one after the other. */
export type Row =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'gap'; key: string; from: number; to: number; lost: boolean }
  | { kind: 'line'; key: string; line: Line }
  /** Below it is what the reader has not seen. */
  | { kind: 'new'; key: 'new' }
  | MessageRow;

export interface MessageRow {
  kind: 'message';
  key: string;
  sender: Member;
  own: boolean;
  body: string;
  at: number;
  /** First and last of a run by one author: name and picture are shown once. */
  first: boolean;
  last: boolean;
  /** The message as the timeline has it now; not set while it is on its way. */
  message?: Message;
  /** Set while the message is not in the timeline. */
  outgoing?: Outgoing;
}

/** A pause this long starts a new run, so that its time is shown. */
const RUN_MS = 5 * 60_000;

/** What of a room the rows depend on; somebody typing, for one, does not change them. */
export type Shown = Pick<Room, 'roomId' | 'base' | 'messages' | 'holes' | 'lines'>;

/** Where the rows stand in the whole timeline. */
export interface Around {
  /** The message above the first one that is shown. */
  above?: Message | undefined;
  /** The position of the first message that the reader has not seen. */
  fresh?: number | undefined;
}

export function rows(
  room: Shown,
  outgoing: readonly Outgoing[],
  me: Member | null,
  { above, fresh }: Around = {},
): Row[] {
  const list: Row[] = [];
  let day = above ? new Date(above.sentAt).toDateString() : '';
  let lines = 0;
  let holes = 0;
  const keys = new Set<string>();
  /** The page would stop at a key that comes twice, and the server's word is all we have. */
  const unique = (key: string): string => {
    while (keys.has(key)) key += '+';
    keys.add(key);
    return key;
  };

  const passed = (seq: number) => {
    while (holes < room.holes.length && room.holes[holes]!.from < seq) {
      const { from, to, lost } = room.holes[holes++]!;
      list.push({ kind: 'gap', key: `gap ${from}`, from, to, lost });
    }
    while (lines < room.lines.length && room.lines[lines]!.after < seq) {
      const line = room.lines[lines++]!;
      // Lines above the oldest message that is shown have lost their place.
      if (line.after >= room.base - 1) list.push({ kind: 'line', key: `line ${line.key}`, line });
    }
  };
  const add = (
    message: Pick<Message, 'id' | 'sender' | 'body'>,
    at: number,
    origin: Pick<MessageRow, 'message' | 'outgoing'>,
  ) => {
    const date = new Date(at).toDateString();
    if (date !== day) list.push({ kind: 'day', key: unique(`day ${date}`), at });
    day = date;
    const { id, sender, body } = message;
    // A pending message keeps its key when it settles: the same bubble, no flicker.
    const key = unique(keyOf(sender, id));
    const own = sender.clientId === me?.clientId;
    const row: MessageRow = {
      kind: 'message',
      key,
      sender,
      own,
      body,
      at,
      first: true,
      last: true,
    };
    if (origin.message && origin.message.seq === fresh) list.push({ kind: 'new', key: 'new' });
    const before = list.at(-1);
    if (!before && above && sameRun({ ...above, at: above.sentAt }, row)) row.first = false;
    if (before?.kind === 'message' && sameRun(before, row)) {
      before.last = false;
      row.first = false;
    }
    list.push({ ...row, ...origin });
  };

  for (const message of room.messages) {
    passed(message.seq);
    add(message, message.sentAt, { message });
  }
  passed(Infinity);
  for (const entry of outgoing) {
    // What the timeline has already is on its way out of the outbox.
    if (!me || entry.roomId !== room.roomId || keys.has(keyOf(me, entry.id))) continue;
    add({ ...entry, sender: me }, entry.at, { outgoing: entry });
  }
  return list;
}

const keyOf = (sender: Member, id: string) => `${sender.clientId} ${id}`;

/**
 * The rows, but the former object for each one that is as it was: what did not change is not
 * drawn again.
 */
export function reuse(former: readonly Row[], rows: readonly Row[]): Row[] {
  const known = new Map(former.map((row) => [row.key, row]));
  return rows.map((row) => {
    const old = known.get(row.key);
    return old && isSame(old, row) ? old : row;
  });
}

function isSame(a: Row, b: Row): boolean {
  const fields = Object.keys(b) as (keyof Row)[];
  return fields.length === Object.keys(a).length && fields.every((field) => a[field] === b[field]);
}

function sameRun(a: Pick<MessageRow, 'sender' | 'at'>, b: MessageRow): boolean {
  return (
    a.sender.clientId === b.sender.clientId &&
    a.sender.username === b.sender.username &&
    b.at - a.at < RUN_MS
  );
}

/** "Ada joined", "Ada and Bo left", "Ada, Bo, Cy and 12 others joined". */
export function describe({ what, people, formerly }: Line): string {
  const names = people.map((person) => person.username);
  switch (what) {
    case 'restarted':
      return t.reading.restarted;
    case 'renamed':
      return t.reading.renamed(formerly ?? t.reading.somebody, names.join());
    default:
      return t.reading[what](enumerate(names));
  }
}

const NAMED = 3;

export function enumerate(names: readonly string[]): string {
  const more = names.length - NAMED;
  const shown = more > 1 ? [...names.slice(0, NAMED), t.reading.others(more)] : [...names];
  const last = shown.pop() ?? t.reading.somebody;
  return shown.length > 0 ? t.reading.and(shown.join(', '), last) : last;
}
