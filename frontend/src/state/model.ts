import type { Event } from '../protocol/codec';
import type { Hole } from './holes';

export type Member = Event<'ROOM_JOINED'>['members'][number];
export type RoomSummary = Event<'ROOMS'>['rooms'][number];
export type Limits = Event<'CONNECT'>['limits'];
export type LeftReason = Event<'ROOM_LEFT'>['reason'];

export interface Message {
  seq: number;
  id: string;
  sender: Member;
  body: string;
  sentAt: number;
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
  lines: readonly Line[];
  typing: readonly Typist[];
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
}

export const EMPTY: Model = {
  me: null,
  room: null,
  list: { rooms: [], cursor: null, loaded: false },
  exit: null,
  notices: [],
};
