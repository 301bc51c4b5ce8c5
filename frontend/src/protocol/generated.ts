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
 * How much one may still send.
 */
export type Budget = { 
/**
 * How many more may follow at once.
 */
remaining: number, 
/**
 * How long until there is one more, in milliseconds; 0 when there are as many as there can be.
 */
oneMoreMs: number, };

/**
 * What happens to a message.
 */
export type ChangeKind = "edit" | "delete" | "react" | "unreact";

/**
 * What an entry of the timeline does to an earlier message of it.
 */
export type MessageChange = { 
/**
 * What.
 */
kind: ChangeKind, 
/**
 * The position of that message.
 */
seq: Seq, 
/**
 * Whether an admin did it, and not the sender that it names.
 */
byAdmin?: boolean, };

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
 * A thing that is limited. A new limit is a new variant.
 */
export type Policy = "admin_login" | "http" | "connect" | "message" | "room_create" | "typing" | "command";

/**
 * What signing in gives.
 */
export type Session = { 
/**
 * For `Authorization: Bearer`.
 */
token: string, 
/**
 * Until when it works, unless it is given back before.
 */
expiresAt: Timestamp, };

/**
 * `GET /admin/servers`.
 */
export type Servers = { 
/**
 * The chat-nodes that have spoken within their lease.
 */
servers: Array<Server>, };

/**
 * A process that holds sockets, as it described itself last. What is counted is counted since it started.
 */
export type Server = { 
/**
 * Its name.
 */
nodeId: NodeId, 
/**
 * What it is: `chat-node`, or `roomful` for the product in one process.
 */
service: string, 
/**
 * The machine.
 */
host: string, 
/**
 * Of the program.
 */
version: string, 
/**
 * When it started.
 */
startedAt: Timestamp, 
/**
 * When it spoke last.
 */
lastSeenAt: Timestamp, 
/**
 * Whether it sends its clients elsewhere.
 */
draining: boolean, 
/**
 * Open sockets.
 */
connections: number, 
/**
 * Rooms that have a member here.
 */
rooms: number, 
/**
 * Messages that its clients sent and that were accepted.
 */
messagesReceived: number, 
/**
 * Messages that were put on its clients' queues.
 */
messagesDelivered: number, 
/**
 * Bytes read from its clients' sockets.
 */
bytesReceived: number, 
/**
 * Bytes written to them.
 */
bytesSent: number, 
/**
 * Clients that could not keep up.
 */
slowConsumersClosed: number, 
/**
 * Bytes that wait for clients now.
 */
queuedBytes: number, 
/**
 * How late a worker's timer was at most since it spoke before, in milliseconds.
 */
eventLoopLagMs: number, 
/**
 * How long its last report took to Redis and back, in milliseconds.
 */
roundTripMs: number, 
/**
 * The mean time from publishing to delivery, as its canary found, in milliseconds; null until it has.
 */
deliveryMs: number | null, 
/**
 * What its canary found, to each node.
 */
canary: Array<Canary>, 
/**
 * Who was refused by its limits within the last minute; those refused most first, at most 50.
 */
limited: Array<Limited>, };

/**
 * The way from one node to another, through Redis.
 */
export type Canary = { 
/**
 * Where to.
 */
nodeId: NodeId, 
/**
 * Half of the time there and back, when it was answered last, in milliseconds; null if it never was.
 */
deliveryMs: number | null, 
/**
 * How long ago it was answered last, or first asked, in milliseconds, when the report was made.
 */
silentMs: number, 
/**
 * Whether that is too long: two rounds.
 */
lost: boolean, };

/**
 * Somebody whom a limit refused.
 */
export type Limited = { 
/**
 * Which limit.
 */
policy: Policy, 
/**
 * Whom it counts by: a client …
 */
clientId: ClientId | null, 
/**
 * … or an address; of IPv6 the /64.
 */
ip: string | null, 
/**
 * How often within the last minute.
 */
refused: number, 
/**
 * When last.
 */
lastAt: Timestamp, };

/**
 * `GET /admin/limits`.
 */
export type LimitPage = { 
/**
 * Those refused most first.
 */
limited: Array<LimitedOn>, };

/**
 * Somebody whom a limit refused, and where.
 */
export type LimitedOn = { 
/**
 * Which process refused.
 */
nodeId: NodeId, 
/**
 * Which limit.
 */
policy: Policy, 
/**
 * Whom it counts by: a client …
 */
clientId: ClientId | null, 
/**
 * … or an address; of IPv6 the /64.
 */
ip: string | null, 
/**
 * How often within the last minute.
 */
refused: number, 
/**
 * When last.
 */
lastAt: Timestamp, };

/**
 * `GET /admin/client`.
 */
export type ClientPage = { 
/**
 * Their ids, ascending.
 */
clientIds: Array<ClientId>, 
/**
 * The same with what a list shows.
 */
clients: Array<ClientSummary>, 
/**
 * For the next page; null when this is the last. A page of a search may be empty and yet not be the last.
 */
cursor: string | null, 
/**
 * Connected clients of the whole cluster, whatever was searched for.
 */
total: number, };

/**
 * A connected client.
 */
export type ClientSummary = { 
/**
 * Its id.
 */
clientId: ClientId, 
/**
 * Its name.
 */
username: Username, 
/**
 * The node that holds its socket; null while it is expected back within its grace.
 */
nodeId: NodeId | null, 
/**
 * The room that it is in, or the first of several.
 */
roomId: RoomId | null, 
/**
 * When this connection began.
 */
connectedAt: Timestamp, 
/**
 * Its address.
 */
ip: string | null, };

/**
 * `GET /admin/client/:id`.
 */
export type ClientDetail = { 
/**
 * All rooms that it is in.
 */
roomIds: Array<RoomId>, 
/**
 * When something came from it last; null when its node did not say.
 */
lastSeenAt: Timestamp | null, 
/**
 * Messages that were accepted from it on this connection; null when its node did not say.
 */
messagesSent: number | null, 
/**
 * Its id.
 */
clientId: ClientId, 
/**
 * Its name.
 */
username: Username, 
/**
 * The node that holds its socket; null while it is expected back within its grace.
 */
nodeId: NodeId | null, 
/**
 * The room that it is in, or the first of several.
 */
roomId: RoomId | null, 
/**
 * When this connection began.
 */
connectedAt: Timestamp, 
/**
 * Its address.
 */
ip: string | null, };

/**
 * `GET /admin/room`.
 */
export type RoomPage = { 
/**
 * Their ids, newest room first.
 */
roomIds: Array<RoomId>, 
/**
 * The same with what a list shows.
 */
rooms: Array<RoomRow>, 
/**
 * For the next page; null when this is the last. A page of a search may be empty and yet not be the last.
 */
cursor: string | null, 
/**
 * Rooms of the whole cluster, whatever was searched for.
 */
total: number, };

/**
 * A room in the list.
 */
export type RoomRow = { 
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
createdAt: Timestamp, 
/**
 * Its newest position: how many messages it has had. Two readings make a rate.
 */
seq: Seq, };

/**
 * `GET /admin/room/:id`.
 */
export type RoomDetail = { 
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
 * When it was made.
 */
createdAt: Timestamp, 
/**
 * How many are in it.
 */
memberCount: number, 
/**
 * Who is in it, those who came first first; the first 1,000.
 */
members: Array<Member>, 
/**
 * How many messages it has had.
 */
messageCount: number, 
/**
 * Its newest position.
 */
seq: Seq, 
/**
 * The life of its timeline.
 */
epoch: Epoch, 
/**
 * How many were ever in it; counted up to 10,000.
 */
participantCount: number, 
/**
 * All who were ever in it, those who came last first; the last 1,000.
 */
participants: Array<Member>, };

/**
 * `GET /admin/room/:id/messages`.
 */
export type RoomMessages = { 
/**
 * Ascending by position.
 */
messages: Array<RoomMessage>, 
/**
 * Whether the log may have older ones.
 */
more: boolean, };

/**
 * A message as it was written.
 */
export type RoomMessage = { 
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
 * When.
 */
sentAt: Timestamp, 
/**
 * Its newest text, also when it was deleted.
 */
body: MessageBody, 
/**
 * The position of the message that it answers.
 */
replyTo?: Seq, 
/**
 * The position of its deletion.
 */
deleted?: Seq, 
/**
 * What it said, oldest first: as it was sent, and after each edit.
 */
versions: Array<MessageVersion>, };

/**
 * What a message said from a moment on.
 */
export type MessageVersion = { 
/**
 * The position of the message, or of the edit.
 */
seq: Seq, 
/**
 * When.
 */
at: Timestamp, 
/**
 * What it said.
 */
body: MessageBody, };

/**
 * `DELETE /admin/client/:id`, `DELETE /admin/room/:id`, `DELETE /admin/room/:id/messages/:seq`.
 */
export type Removed = { 
/**
 * Clients, members or messages that it hit.
 */
totalRemoved: number, 
/**
 * For people.
 */
message: string, 
/**
 * Nodes that did not confirm within a second; they will act when they hear of it.
 */
unconfirmed: Array<NodeId>, };

/**
 * `POST /admin/bans`. One of `clientId` and `ip`.
 */
export type NewBan = { 
/**
 * A client.
 */
clientId: ClientId | null, 
/**
 * An address, or a network such as `203.0.113.0/24`.
 */
ip: string | null, 
/**
 * Why, for the audit log: 1 to 500 characters.
 */
reason: string, 
/**
 * How long, in seconds, up to ten years; without it until it is lifted.
 */
seconds: number | null, 
/**
 * Needed for networks wider than /16, or /32 of IPv6.
 */
confirm: boolean, };

/**
 * A ban.
 */
export type Ban = { 
/**
 * Its id.
 */
banId: string, 
/**
 * Whom: a client …
 */
clientId: ClientId | null, 
/**
 * … or a network; a single address stands as such.
 */
ip: string | null, 
/**
 * Why.
 */
reason: string, 
/**
 * Since when.
 */
createdAt: Timestamp, 
/**
 * By whom.
 */
createdBy: string, 
/**
 * Until when; null until it is lifted.
 */
expiresAt: Timestamp | null, };

/**
 * A ban that was made.
 */
export type BanMade = { 
/**
 * Live sockets that it closed.
 */
totalRemoved: number, 
/**
 * Nodes that did not confirm within a second; they will act when they hear of it.
 */
unconfirmed: Array<NodeId>, 
/**
 * Its id.
 */
banId: string, 
/**
 * Whom: a client …
 */
clientId: ClientId | null, 
/**
 * … or a network; a single address stands as such.
 */
ip: string | null, 
/**
 * Why.
 */
reason: string, 
/**
 * Since when.
 */
createdAt: Timestamp, 
/**
 * By whom.
 */
createdBy: string, 
/**
 * Until when; null until it is lifted.
 */
expiresAt: Timestamp | null, };

/**
 * `POST /admin/bans?dryRun=true`: whom it would hit now.
 */
export type BanPreview = { 
/**
 * Connected clients, by id; at most 100.
 */
clients: Array<ClientSummary>, 
/**
 * How many it would hit.
 */
total: number, 
/**
 * Whether every connected client was looked at; above 100,000 not all are.
 */
complete: boolean, };

/**
 * `GET /admin/bans`.
 */
export type BanPage = { 
/**
 * Those in force, oldest first.
 */
bans: Array<Ban>, 
/**
 * For the next page; null when this is the last.
 */
cursor: string | null, };

/**
 * `POST /admin/notices`.
 */
export type NewNotice = { 
/**
 * What it says: 1 to 500 characters, none of them a control character but line feed.
 */
text: string, 
/**
 * How urgent it is; `info` unless it says.
 */
level: NoticeLevel, 
/**
 * To one room; without it to everybody.
 */
roomId: RoomId | null, };

/**
 * What was accepted.
 */
export type Accepted = { 
/**
 * For people.
 */
message: string, 
/**
 * Nodes that did not confirm within a second.
 */
unconfirmed: Array<NodeId>, };

/**
 * `GET /admin/audit`.
 */
export type AuditPage = { 
/**
 * Newest first.
 */
entries: Array<AuditEntry>, 
/**
 * For the next page; null when this is the last. A page of a search may be empty and yet not be the last.
 */
cursor: string | null, };

/**
 * What an admin did, or somebody who wanted to be one.
 */
export type AuditEntry = { 
/**
 * Its id.
 */
auditId: string, 
/**
 * When it was asked.
 */
at: Timestamp, 
/**
 * By whom: the name that was signed in, or tried.
 */
actor: string, 
/**
 * From where.
 */
ip: string, 
/**
 * What.
 */
action: AuditAction, 
/**
 * On what: `client 12345`, `room 12345`, `ban …`, `node …`; empty for none.
 */
target: string, 
/**
 * Why, where one was asked for.
 */
reason: string | null, 
/**
 * How it was before; null where there is nothing to say.
 */
before: unknown, 
/**
 * How it is since.
 */
after: unknown, 
/**
 * How it went.
 */
outcome: AuditOutcome, 
/**
 * In words.
 */
detail: string, 
/**
 * Finds the request in the logs.
 */
requestId: string, };

/**
 * What somebody did.
 */
export type AuditAction = "login" | "logout" | "password_change" | "client_remove" | "room_delete" | "message_delete" | "ban_create" | "ban_lift" | "notice_send" | "node_drain" | "audit_export";

/**
 * How an act went.
 */
export type AuditOutcome = "done" | "unconfirmed" | "refused" | "failed" | "unknown";

/**
 * `GET /admin/stats`.
 */
export type Stats = { 
/**
 * When this was read.
 */
at: Timestamp, 
/**
 * The whole cluster now.
 */
now: Totals, 
/**
 * The last hour by minute, oldest first; a minute in which no node spoke is left out.
 */
minutes: Array<Minute>, };

/**
 * The whole cluster. What is counted is counted since the nodes that are there now have started.
 */
export type Totals = { 
/**
 * Nodes.
 */
nodes: number, 
/**
 * Open sockets.
 */
connections: number, 
/**
 * Clients that are connected.
 */
clients: number, 
/**
 * Rooms.
 */
rooms: number, 
/**
 * Messages accepted.
 */
messagesReceived: number, 
/**
 * Messages put on queues.
 */
messagesDelivered: number, 
/**
 * Bytes read from sockets.
 */
bytesReceived: number, 
/**
 * Bytes written to them.
 */
bytesSent: number, 
/**
 * Clients that could not keep up.
 */
slowConsumersClosed: number, 
/**
 * Bytes that wait for clients.
 */
queuedBytes: number, };

/**
 * One minute of the whole cluster, and of each node.
 */
export type Minute = { 
/**
 * Its beginning.
 */
at: Timestamp, 
/**
 * Each node's part.
 */
nodes: Array<NodeMinute>, };

/**
 * One minute of one node.
 */
export type NodeMinute = { 
/**
 * Which.
 */
nodeId: NodeId, 
/**
 * Open sockets at its end.
 */
connections: number, 
/**
 * Rooms at its end.
 */
rooms: number, 
/**
 * Messages accepted within it.
 */
messagesReceived: number, 
/**
 * Messages put on queues within it.
 */
messagesDelivered: number, 
/**
 * Bytes read within it.
 */
bytesReceived: number, 
/**
 * Bytes written within it.
 */
bytesSent: number, 
/**
 * Clients that could not keep up within it.
 */
slowConsumersClosed: number, 
/**
 * Bytes that waited for clients at its end.
 */
queuedBytes: number, 
/**
 * How late a worker's timer was at most, in milliseconds.
 */
eventLoopLagMs: number, 
/**
 * The longest way to Redis and back, in milliseconds.
 */
roundTripMs: number, 
/**
 * The mean time from publishing to delivery at its end, in milliseconds.
 */
deliveryMs: number | null, };

/**
 * The first frame to `/admin/live`. (A browser cannot send a header with a WebSocket, and a URL is logged.)
 */
export type LiveToken = { 
/**
 * From the login.
 */
token: string, };

/**
 * What `/admin/live` sends each second.
 */
export type Live = { 
/**
 * When this was read.
 */
at: Timestamp, 
/**
 * The whole cluster now.
 */
now: Totals, 
/**
 * Each process.
 */
servers: Array<Server>, };

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
body: RawText, 
/**
 * The position of the message that it answers.
 */
replyTo?: Seq, };

/**
 * Gives a message of one's own another text. It takes a place of its own in the timeline.
 */
export type EditMessage = { 
/**
 * The identity of this act, a UUID: the same one again is answered, not done again.
 */
id: MessageId, 
/**
 * Which room; one's only one when absent.
 */
roomId?: RoomId, 
/**
 * The position of the message.
 */
seq: Seq, 
/**
 * What it says from now on.
 */
body: RawText, };

/**
 * Takes a message of one's own away. It takes a place of its own in the timeline.
 */
export type DeleteMessage = { 
/**
 * The identity of this act, a UUID: the same one again is answered, not done again.
 */
id: MessageId, 
/**
 * Which room; one's only one when absent.
 */
roomId?: RoomId, 
/**
 * The position of the message.
 */
seq: Seq, };

/**
 * Puts an emoji to a message, or takes one's own away again. It takes a place of its own in the timeline.
 */
export type React = { 
/**
 * The identity of this act, a UUID: the same one again is answered, not done again.
 */
id: MessageId, 
/**
 * Which room; one's only one when absent.
 */
roomId?: RoomId, 
/**
 * The position of the message.
 */
seq: Seq, 
/**
 * One emoji.
 */
emoji: RawText, 
/**
 * Whether it is to be there.
 */
on: boolean, };

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
 * Asks who is in a room, in ascending order of their ids.
 */
export type ListMembers = { 
/**
 * Echoed in the reply.
 */
id?: CorrelationId, 
/**
 * Which room; one's only one when absent.
 */
roomId?: RoomId, 
/**
 * From the page before.
 */
cursor?: string, 
/**
 * How many, 1–500.
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
export type ClientCommand = { "type": "CONNECT" } & Connect | { "type": "CREATE_ROOM" } & CreateRoom | { "type": "JOIN_ROOM" } & JoinRoom | { "type": "LEAVE_ROOM" } & LeaveRoom | { "type": "SEND_MESSAGE" } & SendMessage | { "type": "EDIT_MESSAGE" } & EditMessage | { "type": "DELETE_MESSAGE" } & DeleteMessage | { "type": "REACT" } & React | { "type": "UPDATE_USERNAME" } & UpdateUsername | { "type": "TYPING" } & Typing | { "type": "FETCH_HISTORY" } & FetchHistory | { "type": "LIST_ROOMS" } & ListRooms | { "type": "LIST_MEMBERS" } & ListMembers | { "type": "PING" } & Ping;

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
 * Those of `members` whose connection is lost; they are members still.
 */
reconnecting?: Array<ClientId>, 
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
 * What it says. Of a deleted message, and of a change, a text for clients that know neither.
 */
body: MessageBody, 
/**
 * When the timeline took it.
 */
sentAt: Timestamp, 
/**
 * The position of the message that it answers.
 */
replyTo?: Seq, 
/**
 * What it does to an earlier message: then it is that, and not a message of its own.
 */
change?: MessageChange, 
/**
 * The position of the edit that gave it this body; absent when it is as it was sent.
 */
edited?: Seq, 
/**
 * The position of its deletion; its body is gone then.
 */
deleted?: Seq, };

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
 * Whose connection was lost, and who is back. Who does not come back in time is in a `USER_EVENT` then.
 */
export type Presence = { 
/**
 * Which room.
 */
roomId: RoomId, 
/**
 * Whose connection was lost; they are members still.
 */
reconnecting?: Array<ClientId>, 
/**
 * Whose connection is there again.
 */
back?: Array<ClientId>, };

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
session?: string, 
/**
 * Commands that count as messages: how many more may follow at once.
 */
budget?: Budget, };

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
 * A page of a room's members.
 */
export type Members = { 
/**
 * Of the command.
 */
id?: CorrelationId, 
/**
 * Which room.
 */
roomId: RoomId, 
/**
 * Who is in it, by id, ascending.
 */
members: Array<Member>, 
/**
 * Those of `members` whose connection is lost; they are members still.
 */
reconnecting?: Array<ClientId>, 
/**
 * How many are in it.
 */
memberCount: number, 
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
id?: CorrelationId, 
/**
 * The server's clock.
 */
at?: Timestamp, };

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
export type ServerEvent = { "type": "CONNECT" } & Connected | { "type": "ROOM_JOINED" } & RoomJoined | { "type": "NEW_MESSAGE" } & NewMessage | { "type": "USER_EVENT" } & UserEvent | { "type": "TYPING" } & MemberTyping | { "type": "PRESENCE" } & Presence | { "type": "ROOM_LEFT" } & RoomLeft | { "type": "NOTICE" } & Notice | { "type": "RECONNECT" } & Reconnect | { "type": "ACK" } & Ack | { "type": "HISTORY" } & History | { "type": "ROOMS" } & Rooms | { "type": "MEMBERS" } & Members | { "type": "PONG" } & Pong | { "type": "ERROR" } & CommandError;

/** Offered in the WebSocket handshake. */
export const SUBPROTOCOL = "roomful.v1";

/** Every `type` that this version knows. */
export const EVENT_TYPES = ["CONNECT", "ROOM_JOINED", "NEW_MESSAGE", "USER_EVENT", "TYPING", "PRESENCE", "ROOM_LEFT", "NOTICE", "RECONNECT", "ACK", "HISTORY", "ROOMS", "MEMBERS", "PONG", "ERROR"] as const;

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
