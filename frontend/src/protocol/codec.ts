import type { ClientCommand, ServerEvent } from './generated';

/** One kind of event, whatever the generator calls its struct. */
export type Event<T extends ServerEvent['type']> = Extract<ServerEvent, { type: T }>;
/** One kind of command. */
export type Command<T extends ClientCommand['type']> = Extract<ClientCommand, { type: T }>;

/**
 * What a frame turned out to be. An unknown event is a newer server's and is ignored; a malformed
 * one is somebody's fault; neither may stop the page.
 */
export type Decoded =
  | { kind: 'event'; event: ServerEvent }
  | { kind: 'unknown'; type: string }
  | { kind: 'malformed'; why: string };

type Check = (value: unknown) => boolean;

const num: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const str: Check = (value) => typeof value === 'string';
const bool: Check = (value) => typeof value === 'boolean';
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const shape =
  (fields: Record<string, Check>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

const id = optional(str);
const person = shape({ clientId: num, username: str });
const message = {
  roomId: num,
  seq: num,
  id: str,
  sender: person,
  body: str,
  sentAt: num,
  replyTo: optional(num),
  change: optional(shape({ kind: str, seq: num, byAdmin: optional(bool) })),
  edited: optional(num),
  deleted: optional(num),
};
/** Inside ROOM_JOINED and HISTORY the room is said once, around the messages. */
const listed = shape({ ...message, roomId: optional(num) });

/** The fields that the page relies on. Keyed by type, so that the compiler asks for a new event. */
const SHAPES: Record<ServerEvent['type'], Check> = {
  CONNECT: shape({
    id,
    clientId: num,
    username: str,
    session: str,
    nodeId: str,
    heartbeatMs: num,
    limits: shape({ messageChars: num, usernameChars: num, roomNameChars: num }),
  }),
  ROOM_JOINED: shape({
    id,
    room: shape({ roomId: num, name: str, memberCount: num }),
    epoch: str,
    seq: num,
    members: list(person),
    messages: list(listed),
    recovered: bool,
    gap: optional(shape({ from: num, to: num })),
    reconnecting: optional(list(num)),
  }),
  NEW_MESSAGE: shape(message),
  USER_EVENT: shape({
    roomId: num,
    memberCount: num,
    joined: optional(list(person)),
    left: optional(list(num)),
    renamed: optional(list(person)),
  }),
  TYPING: shape({ roomId: num, clientId: num, username: str, typing: bool }),
  PRESENCE: shape({ roomId: num, reconnecting: optional(list(num)), back: optional(list(num)) }),
  ROOM_LEFT: shape({ id, roomId: num, reason: str }),
  NOTICE: shape({ text: str, level: str }),
  RECONNECT: shape({ afterMs: num }),
  ACK: shape({
    id,
    roomId: optional(num),
    seq: optional(num),
    sentAt: optional(num),
    budget: optional(shape({ remaining: num, oneMoreMs: num })),
  }),
  HISTORY: shape({ id, roomId: num, epoch: str, messages: list(listed), more: bool }),
  ROOMS: shape({
    id,
    rooms: list(shape({ roomId: num, name: str, memberCount: num, createdAt: num })),
    cursor: optional(str),
  }),
  MEMBERS: shape({
    id,
    roomId: num,
    members: list(person),
    memberCount: num,
    cursor: optional(str),
  }),
  PONG: shape({ id, at: optional(num) }),
  ERROR: shape({ id, code: str, message: str, retryAfterMs: optional(num) }),
};

export function encode(command: ClientCommand): string {
  return JSON.stringify(command);
}

/** Never throws, whatever it is given. */
export function decode(data: unknown): Decoded {
  if (typeof data !== 'string') return malformed('not a text frame');
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return malformed('not JSON');
  }
  if (!isObject(value)) return malformed('not an object');
  const { type } = value;
  if (typeof type !== 'string') return malformed('no type');
  // Not `SHAPES[type]`: a frame of type "constructor" must not find Object's.
  if (!Object.hasOwn(SHAPES, type)) return { kind: 'unknown', type };
  if (!SHAPES[type as ServerEvent['type']](value)) return malformed(`a field of ${type} is wrong`);
  return { kind: 'event', event: value as ServerEvent };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(why: string): Decoded {
  return { kind: 'malformed', why };
}
