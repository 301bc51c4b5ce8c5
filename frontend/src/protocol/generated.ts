// Generated from crates/protocol by `cargo xtask codegen`. Do not edit.

/**
 * A client of the whole cluster. It survives a reconnect, and any node can give it back.
 */
export type ClientId = number;

/**
 * A room.
 */
export type RoomId = number;

/**
 * Names one running chat-node process.
 */
export type NodeId = string;

/**
 * A message's identity, chosen by its sender: a UUID in its hyphenated form. It makes a retry safe.
 */
export type MessageId = string;

/**
 * What a client chose to recognise the reply by; it is echoed as it came.
 */
export type CorrelationId = string;

/**
 * Names one life of a room's timeline. Another epoch means that positions of the old one say nothing.
 */
export type Epoch = string;

/**
 * A position in a room's timeline: 1, 2, 3 … without holes. 0 is the position before the first message.
 */
export type Seq = number;

/**
 * Milliseconds since the Unix epoch, by the server's clock.
 */
export type Timestamp = number;

/**
 * Text as it arrived, not looked at yet.
 */
export type RawText = string;

/**
 * What others call a client.
 */
export type Username = string;

/**
 * What a room is called; it need not be unique.
 */
export type RoomName = string;

/**
 * What a message says.
 */
export type MessageBody = string;

/**
 * Why a command was refused. A program reads the code; the message beside it is for people.
 */
export type ErrorCode = "bad_request" | "not_connected" | "not_in_room" | "room_not_found" | "room_full" | "too_long" | "empty" | "invalid_name" | "rate_limited" | "forbidden" | "unavailable" | "internal";

/**
 * What a server accepts at most.
 */
export type Limits = { 
/**
 * Unicode scalar values in a message's body.
 */
messageChars: number, 
/**
 * Unicode scalar values in a user's name.
 */
usernameChars: number, 
/**
 * Unicode scalar values in a room's name.
 */
roomNameChars: number, 
/**
 * Bytes in a frame, and in a message of several frames.
 */
frameBytes: number, };

/**
 * A client as others see it.
 */
export type Member = { 
/**
 * Its id.
 */
clientId: ClientId, 
/**
 * Its name.
 */
username: Username, };

/**
 * A room as its members see it.
 */
export type Room = { 
/**
 * Its id.
 */
roomId: RoomId, 
/**
 * Its name.
 */
name: RoomName, 
/**
 * Who made it.
 */
ownerId: ClientId, 
/**
 * When.
 */
createdAt: Timestamp, 
/**
 * How many are in it.
 */
memberCount: number, };

/**
 * A room as the list shows it.
 */
export type RoomSummary = { 
/**
 * Its id.
 */
roomId: RoomId, 
/**
 * Its name.
 */
name: RoomName, 
/**
 * How many are in it.
 */
memberCount: number, 
/**
 * When it was made.
 */
createdAt: Timestamp, };

/**
 * Positions that a client missed and cannot get any more, both ends included.
 */
export type Gap = { 
/**
 * The first one.
 */
from: Seq, 
/**
 * The last one.
 */
to: Seq, };

/**
 * Why one is no longer in a room.
 */
export type LeaveReason = "left" | "moved" | "removed" | "room_deleted";

/**
 * How urgent a notice is.
 */
export type NoticeLevel = "info" | "warning" | "error";

/**
 * Where a client was when it last heard of a room.
 */
export type Resume = { 
/**
 * Which room.
 */
roomId: RoomId, 
/**
 * The life of the timeline that `seq` belongs to.
 */
epoch: Epoch, 
/**
 * The newest position seen; 0 when none was.
 */
seq: Seq, };

/**
 * The first frame: who one is, and what one saw last.
 */
export type Connect = { 
/**
 * Echoed in the reply.
 */
id?: CorrelationId, 
/**
 * From an earlier `CONNECT` event; without it the client is a new guest.
 */
session?: string, 
/**
 * The name to start with.
 */
username?: RawText, 
/**
 * The room to go on in, from the position seen last.
 */
resume?: Resume, };

/**
 * Makes a room and enters it.
 */
export type CreateRoom = { 
/**
 * Echoed in the reply.
 */
id?: CorrelationId, 
/**
 * What the room is called.
 */
name: RawText, };

/**
 * Enters a room; with the one-room policy, leaves the former one first.
 */
export type JoinRoom = { 
/**
 * Echoed in the reply.
 */
id?: CorrelationId, 
/**
 * Which room.
 */
roomId: RoomId, };

/**
 * Leaves a room.
 */
export type LeaveRoom = { 
/**
 * Echoed in the reply.
 */
id?: CorrelationId, 
/**
 * Which room; one's only one when absent.
 */
roomId?: RoomId, };

/**
 * Posts a message. The same `id` again is answered, not posted again.
 */
export type SendMessage = { 
/**
 * The message's identity, a UUID.
 */
id: MessageId, 
/**
 * Which room; one's only one when absent.
 */
roomId?: RoomId, 
/**
 * What it says.
 */
body: RawText, };

/**
 * Takes another name.
 */
export type UpdateUsername = { 
/**
 * Echoed in the reply.
 */
id?: CorrelationId, 
/**
 * The new name.
 */
username: RawText, };

/**
 * Tells the others of the room that one is writing. Not answered.
 */
export type Typing = { 
/**
 * Whether one is.
 */
typing: boolean, 
/**
 * Which room; one's only one when absent.
 */
roomId?: RoomId, };

/**
 * Reads a part of the room's log.
 */
export type FetchHistory = { 
/**
 * Echoed in the reply.
 */
id?: CorrelationId, 
/**
 * Which room; one's only one when absent.
 */
roomId?: RoomId, 
/**
 * Only positions below this one.
 */
before?: Seq, 
/**
 * Only positions above this one.
 */
after?: Seq, 
/**
 * How many, 1–100.
 */
limit?: number, };

/**
 * Reads a page of the room list.
 */
export type ListRooms = { 
/**
 * Echoed in the reply.
 */
id?: CorrelationId, 
/**
 * From the page before.
 */
cursor?: string, 
/**
 * How many, 1–100.
 */
limit?: number, };

/**
 * Asks for a `PONG`.
 */
export type Ping = { 
/**
 * Echoed in the reply.
 */
id?: CorrelationId, };

/**
 * Everything that a client can ask for. `type` on the wire names the variant.
 */
export type ClientCommand = { "type": "CONNECT" } & Connect | { "type": "CREATE_ROOM" } & CreateRoom | { "type": "JOIN_ROOM" } & JoinRoom | { "type": "LEAVE_ROOM" } & LeaveRoom | { "type": "SEND_MESSAGE" } & SendMessage | { "type": "UPDATE_USERNAME" } & UpdateUsername | { "type": "TYPING" } & Typing | { "type": "FETCH_HISTORY" } & FetchHistory | { "type": "LIST_ROOMS" } & ListRooms | { "type": "PING" } & Ping;

/**
 * The answer to `CONNECT`: who one is.
 */
export type Connected = { 
/**
 * Of the command.
 */
id?: CorrelationId, 
/**
 * One's id in the whole cluster.
 */
clientId: ClientId, 
/**
 * One's name.
 */
username: Username, 
/**
 * Present it to be the same client again.
 */
session: string, 
/**
 * When `session` stops working.
 */
sessionExpiresAt: Timestamp, 
/**
 * The process that serves this socket.
 */
nodeId: NodeId, 
/**
 * Whether the `clientId` of the presented session was given back.
 */
resumed: boolean, 
/**
 * How often the server pings, in milliseconds.
 */
heartbeatMs: number, 
/**
 * What the server accepts at most.
 */
limits: Limits, };

/**
 * One is in a room, with all that is needed to show it.
 */
export type RoomJoined = { 
/**
 * Of the command; absent when the server restored the room by itself.
 */
id?: CorrelationId, 
/**
 * The room.
 */
room: Room, 
/**
 * The life of the timeline that every `seq` here belongs to.
 */
epoch: Epoch, 
/**
 * The newest position.
 */
seq: Seq, 
/**
 * The first 200 members.
 */
members: Array<Member>, 
/**
 * Joining: the newest 50. Resuming: all that came after the resumed position.
 */
messages: Array<NewMessage>, 
/**
 * Whether nothing is missing between the resumed position and `messages`. Also true when nothing was resumed.
 */
recovered: boolean, 
/**
 * The positions that cannot be had any more.
 */
gap?: Gap, };

/**
 * A message, to every member of its room, its sender included.
 */
export type NewMessage = { 
/**
 * Which room.
 */
roomId: RoomId, 
/**
 * Its position.
 */
seq: Seq, 
/**
 * Its identity, chosen by the sender.
 */
id: MessageId, 
/**
 * Who wrote it, under the name of that moment.
 */
sender: Member, 
/**
 * What it says.
 */
body: MessageBody, 
/**
 * When the timeline took it.
 */
sentAt: Timestamp, };

/**
 * Who came, left or changed their name. Several changes may be folded into one event.
 */
export type UserEvent = { 
/**
 * Which room.
 */
roomId: RoomId, 
/**
 * Exact when the event was made.
 */
memberCount: number, 
/**
 * Who came.
 */
joined?: Array<Member>, 
/**
 * Who left.
 */
left?: Array<ClientId>, 
/**
 * Who has another name.
 */
renamed?: Array<Member>, };

/**
 * Somebody of the room is writing, or stopped.
 */
export type MemberTyping = { 
/**
 * Which room.
 */
roomId: RoomId, 
/**
 * Who.
 */
clientId: ClientId, 
/**
 * Their name.
 */
username: Username, 
/**
 * Whether they are.
 */
typing: boolean, };

/**
 * One is no longer in a room.
 */
export type RoomLeft = { 
/**
 * Of the command, if a command was the cause.
 */
id?: CorrelationId, 
/**
 * Which room.
 */
roomId: RoomId, 
/**
 * Why.
 */
reason: LeaveReason, };

/**
 * An announcement by an admin.
 */
export type Notice = { 
/**
 * What it says.
 */
text: string, 
/**
 * How urgent it is.
 */
level: NoticeLevel, };

/**
 * This node is draining: connect again, after this delay, with `session` and `resume`.
 */
export type Reconnect = { 
/**
 * How long to wait, in milliseconds.
 */
afterMs: number, };

/**
 * A command was carried out. The fields beside `id` are those of the command that it answers.
 */
export type Ack = { 
/**
 * Of the command.
 */
id?: CorrelationId, 
/**
 * `SEND_MESSAGE`: the room.
 */
roomId?: RoomId, 
/**
 * `SEND_MESSAGE`: the message's position.
 */
seq?: Seq, 
/**
 * `SEND_MESSAGE`: when the timeline took it.
 */
sentAt?: Timestamp, 
/**
 * `SEND_MESSAGE`: whether this `id` had been posted before.
 */
duplicate?: boolean, 
/**
 * `UPDATE_USERNAME`: the name as it was taken.
 */
username?: Username, 
/**
 * `UPDATE_USERNAME`: a session that carries the new name.
 */
session?: string, };

/**
 * A part of a room's log, in ascending order.
 */
export type History = { 
/**
 * Of the command.
 */
id?: CorrelationId, 
/**
 * Which room.
 */
roomId: RoomId, 
/**
 * The life of the timeline that every `seq` here belongs to.
 */
epoch: Epoch, 
/**
 * The messages.
 */
messages: Array<NewMessage>, 
/**
 * Whether the log has more in the direction that was read.
 */
more: boolean, };

/**
 * A page of the room list.
 */
export type Rooms = { 
/**
 * Of the command.
 */
id?: CorrelationId, 
/**
 * The rooms.
 */
rooms: Array<RoomSummary>, 
/**
 * For the next page; null when this is the last.
 */
cursor: string | null, };

/**
 * The answer to `PING`.
 */
export type Pong = { 
/**
 * Of the command.
 */
id?: CorrelationId, };

/**
 * A command was refused.
 */
export type CommandError = { 
/**
 * Of the command, when it could be read.
 */
id?: CorrelationId, 
/**
 * For programs.
 */
code: ErrorCode, 
/**
 * For people.
 */
message: string, 
/**
 * How long to wait before another try, in milliseconds.
 */
retryAfterMs?: number, };

/**
 * Everything that a server tells a client. `type` on the wire names the variant.
 */
export type ServerEvent = { "type": "CONNECT" } & Connected | { "type": "ROOM_JOINED" } & RoomJoined | { "type": "NEW_MESSAGE" } & NewMessage | { "type": "USER_EVENT" } & UserEvent | { "type": "TYPING" } & MemberTyping | { "type": "ROOM_LEFT" } & RoomLeft | { "type": "NOTICE" } & Notice | { "type": "RECONNECT" } & Reconnect | { "type": "ACK" } & Ack | { "type": "HISTORY" } & History | { "type": "ROOMS" } & Rooms | { "type": "PONG" } & Pong | { "type": "ERROR" } & CommandError;

/** Offered in the WebSocket handshake. */
export const SUBPROTOCOL = "roomful.v1";

/** Every `type` that this version knows. */
export const EVENT_TYPES = ["CONNECT", "ROOM_JOINED", "NEW_MESSAGE", "USER_EVENT", "TYPING", "ROOM_LEFT", "NOTICE", "RECONNECT", "ACK", "HISTORY", "ROOMS", "PONG", "ERROR"] as const;

/** What to do after a close. */
export type AfterClose = 'no' | 'yes' | 'at_once' | 'without_session' | 'when_asked' | 'after_pause';

/** Close codes of the server, and what to do after each. */
export const CLOSE_CODES: Readonly<Record<number, { reason: string; reconnect: AfterClose }>> = {
  1000: { reason: "normal", reconnect: 'no' },
  1002: { reason: "protocol error", reconnect: 'no' },
  1007: { reason: "text is not UTF-8", reconnect: 'no' },
  1008: { reason: "policy", reconnect: 'no' },
  1009: { reason: "frame too big", reconnect: 'yes' },
  1012: { reason: "node restarting", reconnect: 'at_once' },
  1013: { reason: "overloaded: try again later", reconnect: 'yes' },
  4001: { reason: "no CONNECT in time", reconnect: 'yes' },
  4003: { reason: "session invalid or expired", reconnect: 'without_session' },
  4008: { reason: "too slow", reconnect: 'yes' },
  4009: { reason: "taken over by a newer connection", reconnect: 'no' },
  4010: { reason: "banned", reconnect: 'no' },
  4011: { reason: "removed by an admin", reconnect: 'when_asked' },
  4029: { reason: "flooding", reconnect: 'after_pause' },
  4040: { reason: "heartbeat lost", reconnect: 'yes' },
};

/** Codes after which the same command can succeed later. */
export const RETRYABLE: readonly ErrorCode[] = [
  "rate_limited",
  "unavailable",
  "internal",
];
