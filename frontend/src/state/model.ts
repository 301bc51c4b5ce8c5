import type { Event } from '../protocol/codec';
import type { Changes } from './changes';
import type { Hole } from './holes';

export type Member = Event<'ROOM_JOINED'>['members'][number];
export type RoomSummary = Event<'ROOMS'>['rooms'][number];
export type Limits = Event<'CONNECT'>['limits'];
export type LeftReason = Event<'ROOM_LEFT'>['reason'];

/** An emoji that some have put to a message, in the order in which the first of them did. */
export interface Reaction {
  emoji: string;
  by: readonly Member[];
}

/** A message as it is now, whatever changed it since. */
export interface Message {
  seq: number;
  id: string;
  sender: Member;
  /** Empty when it was deleted. */
  body: string;
  sentAt: number;
  /** The position of the message that it answers. */
  replyTo?: number;
  /** The position of its last edit. */
  edited?: number;
  /** Who took it away. */
  deleted?: 'sender' | 'admin';
  reactions?: readonly Reaction[];
}

/** What the server said of how much may still be sent. */
export interface Budget {
  remaining: number;
  /** By the clock of this page. */
  oneMoreAt: number;
}

/** When what happened to a message, by the clock of this page but for `numbered`. */
export interface Way {
  /** This page took it from its author. Only of one's own. */
  accepted?: number;
  /** The timeline gave it its place: the server's clock. */
  numbered: number;
  /** The server said so. Only of one's own. */
  acknowledged?: number;
  /** It came to this page, live. Not known of what was read from the log. */
  delivered?: number;
}

/** What one can know of the connection and the timeline. */
export interface Trust {
  nodeId: string | null;
  /** Of the last PING, in milliseconds. */
  roundTripMs: number | null;
  /** How far the clock of this page is ahead of the server's. */
  skewMs: number | null;
  /** All positions up to here are on this page, or known to be lost. */
  completeUpTo: number;
  newest: number;
  /** Positions that were missing for a while and were fetched, since the page was opened. */
  healed: number;
  /** Positions that nobody can give any more. */
  lost: number;
  /** Connections made since the page was opened. */
  connections: number;
  /** Messages and changes without an answer. */
  waiting: number;
}

/** Somebody came, went or changed their name; stands after the message `after`. */
export interface Line {
  key: number;
  after: number;
  at: number;
  what: 'joined' | 'left' | 'renamed' | 'restarted';
  people: readonly Member[];
  /** The former name, for one person who was renamed. */
  formerly?: string;
}

export interface Typist extends Member {
  until: number;
}

export interface Me extends Member {
  nodeId: string;
  limits: Limits;
}

export interface Room {
  roomId: number;
  name: string;
  memberCount: number;
  /** Not all of them in a large room: the server names the first 200. */
  members: readonly Member[];
  epoch: string;
  /** The newest position that the server told of. */
  seq: number;
  /** The oldest position that was asked for. Everything from here to `seq` is a message or in a hole. */
  base: number;
  /** Nothing older can be had. */
  fromStart: boolean;
  messages: readonly Message[];
  holes: readonly Hole[];
  /** What was done to messages, whether these are here or not; each is a position like a message. */
  changes?: Changes;
  /** Positions that were missing here for a while and came after all. */
  healed?: number;
  lines: readonly Line[];
  typing: readonly Typist[];
  /** Whose connection is lost, and may come back. */
  reconnecting: ReadonlySet<number>;
  /** All of them are in `members`. */
  membersComplete: boolean;
  /** The server has this client in the room; false from a lost connection to the next ROOM_JOINED. */
  live: boolean;
}

/** How a stay in a room ended when the person did not ask for it. */
export interface Exit {
  roomId: number;
  name: string;
  reason: 'removed' | 'room_deleted' | 'gone';
}

export interface Notice {
  key: number;
  text: string;
  level: string;
}

export interface RoomList {
  rooms: readonly RoomSummary[];
  /** There are more than these. */
  cursor: string | null;
  loaded: boolean;
}

export interface Model {
  me: Me | null;
  room: Room | null;
  list: RoomList;
  exit: Exit | null;
  notices: readonly Notice[];
  /** Null until the server has said. */
  budget: Budget | null;
}

export const EMPTY: Model = {
  me: null,
  room: null,
  list: { rooms: [], cursor: null, loaded: false },
  exit: null,
  notices: [],
  budget: null,
};
