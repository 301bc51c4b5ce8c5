//! Bodies of the HTTP calls under `/admin`, and the frames of its live feed.

use crate::{
    ClientId, Epoch, MessageBody, MessageId, NodeId, RoomId, RoomName, Seq, Timestamp, Username,
    event::{Member, NoticeLevel},
    policy::Policy,
};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr};

/// Bytes in the body of an admin's request.
pub const BODY_MAX: usize = 4096;
/// Entries in a page when the caller does not say.
pub const PAGE_DEFAULT: usize = 50;
/// The most entries in one page.
pub const PAGE_MAX: usize = 500;
/// Members and participants that a room's page lists; their numbers are given beside.
pub const PEOPLE_LISTED: usize = 1000;
/// Characters in a reason, a notice and a search.
pub const TEXT_MAX: usize = 500;
/// A ban may last this long, in seconds: ten years. One without an end has none.
pub const BAN_SECONDS_MAX: u64 = 315_360_000;

/// A wire type: what all of them derive.
macro_rules! wire {
    ($($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* pub $field:ident: $type:ty,)* })*) => {
        $(
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
            #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
            #[serde(rename_all = "camelCase")]
            $(#[$doc])*
            pub struct $name {
                $($(#[$field_doc])* pub $field: $type,)*
            }
        )*
    };
}

// ------------------------------------------------------------------------------------------------------- signing in

/// `POST /admin/login`. A password is never shown, whatever is printed.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// `ADMIN_USER`.
    #[cfg_attr(feature = "openapi", schema(example = "admin"))]
    pub username: String,
    /// `ADMIN_PASS`.
    #[cfg_attr(feature = "openapi", schema(format = "password"))]
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// `POST /admin/password`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PasswordChange {
    /// The present one.
    #[cfg_attr(feature = "openapi", schema(format = "password"))]
    pub password: String,
    /// The next one: 12 to 256 characters.
    #[cfg_attr(feature = "openapi", schema(format = "password", min_length = 12, max_length = 256))]
    pub new_password: String,
}

impl fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}

wire! {
    /// What signing in gives.
    pub struct Session {
        /// For `Authorization: Bearer`.
        pub token: String,
        /// Until when it works, unless it is given back before.
        pub expires_at: Timestamp,
    }

    // -------------------------------------------------------------------------------------------------- processes

    /// `GET /admin/servers`.
    pub struct Servers {
        /// The chat-nodes that have spoken within their lease.
        pub servers: Vec<Server>,
    }

    /// A process that holds sockets, as it described itself last. What is counted is counted since it started.
    pub struct Server {
        /// Its name.
        pub node_id: NodeId,
        /// What it is: `chat-node`, or `roomful` for the product in one process.
        #[cfg_attr(feature = "openapi", schema(example = "chat-node"))]
        pub service: String,
        /// The machine.
        pub host: String,
        /// Of the program.
        #[cfg_attr(feature = "openapi", schema(example = "0.1.0"))]
        pub version: String,
        /// When it started.
        pub started_at: Timestamp,
        /// When it spoke last.
        pub last_seen_at: Timestamp,
        /// Whether it sends its clients elsewhere.
        pub draining: bool,
        /// Open sockets.
        pub connections: u64,
        /// Rooms that have a member here.
        pub rooms: u64,
        /// Messages that its clients sent and that were accepted.
        pub messages_received: u64,
        /// Messages that were put on its clients' queues.
        pub messages_delivered: u64,
        /// Bytes read from its clients' sockets.
        pub bytes_received: u64,
        /// Bytes written to them.
        pub bytes_sent: u64,
        /// Clients that could not keep up.
        pub slow_consumers_closed: u64,
        /// Bytes that wait for clients now.
        pub queued_bytes: u64,
        /// How late a worker's timer was at most since it spoke before, in milliseconds.
        pub event_loop_lag_ms: f64,
        /// How long its last report took to Redis and back, in milliseconds.
        pub round_trip_ms: f64,
        /// The mean time from publishing to delivery, as its canary found, in milliseconds; null until it has.
        pub delivery_ms: Option<f64>,
        /// What its canary found, to each node.
        pub canary: Vec<Canary>,
        /// Who was refused by its limits within the last minute; those refused most first, at most 50.
        pub limited: Vec<Limited>,
    }

    /// The way from one node to another, through Redis.
    pub struct Canary {
        /// Where to.
        pub node_id: NodeId,
        /// Half of the time there and back, when it was answered last, in milliseconds; null if it never was.
        pub delivery_ms: Option<f64>,
        /// How long ago it was answered last, or first asked, in milliseconds, when the report was made.
        #[cfg_attr(feature = "typescript", ts(as = "u32"))]
        pub silent_ms: u64,
        /// Whether that is too long: two rounds.
        pub lost: bool,
    }

    /// Somebody whom a limit refused.
    pub struct Limited {
        /// Which limit.
        pub policy: Policy,
        /// Whom it counts by: a client …
        pub client_id: Option<ClientId>,
        /// … or an address; of IPv6 the /64.
        #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
        pub ip: Option<IpAddr>,
        /// How often within the last minute.
        pub refused: u64,
        /// When last.
        pub last_at: Timestamp,
    }

    /// `GET /admin/limits`.
    pub struct LimitPage {
        /// Those refused most first.
        pub limited: Vec<LimitedOn>,
    }

    /// Somebody whom a limit refused, and where.
    pub struct LimitedOn {
        /// Which process refused.
        pub node_id: NodeId,
        /// Whom, and how often.
        #[serde(flatten)]
        pub limited: Limited,
    }

    // ---------------------------------------------------------------------------------------------------- clients

    /// `GET /admin/client`.
    pub struct ClientPage {
        /// Their ids, ascending.
        pub client_ids: Vec<ClientId>,
        /// The same with what a list shows.
        pub clients: Vec<ClientSummary>,
        /// For the next page; null when this is the last. A page of a search may be empty and yet not be the last.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub cursor: Option<String>,
        /// Connected clients of the whole cluster, whatever was searched for.
        pub total: u64,
    }

    /// A connected client.
    pub struct ClientSummary {
        /// Its id.
        pub client_id: ClientId,
        /// Its name.
        pub username: Username,
        /// The node that holds its socket; null while it is expected back within its grace.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub node_id: Option<NodeId>,
        /// The room that it is in, or the first of several.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub room_id: Option<RoomId>,
        /// When this connection began.
        pub connected_at: Timestamp,
        /// Its address.
        #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = true))]
        pub ip: Option<IpAddr>,
    }

    /// `GET /admin/client/:id`.
    pub struct ClientDetail {
        /// What the list shows.
        #[serde(flatten)]
        pub summary: ClientSummary,
        /// All rooms that it is in.
        pub room_ids: Vec<RoomId>,
        /// When something came from it last; null when its node did not say.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub last_seen_at: Option<Timestamp>,
        /// Messages that were accepted from it on this connection; null when its node did not say.
        #[cfg_attr(feature = "typescript", ts(as = "Option<u32>"))]
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub messages_sent: Option<u64>,
    }

    // ------------------------------------------------------------------------------------------------------ rooms

    /// `GET /admin/room`.
    // One document describes this and the page of `GET /api/rooms`.
    #[cfg_attr(feature = "openapi", schema(as = AdminRoomPage))]
    pub struct RoomPage {
        /// Their ids, newest room first.
        pub room_ids: Vec<RoomId>,
        /// The same with what a list shows.
        pub rooms: Vec<RoomRow>,
        /// For the next page; null when this is the last. A page of a search may be empty and yet not be the last.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub cursor: Option<String>,
        /// Rooms of the whole cluster, whatever was searched for.
        pub total: u64,
    }

    /// A room in the list.
    pub struct RoomRow {
        /// Its id.
        pub room_id: RoomId,
        /// Its name.
        pub name: RoomName,
        /// How many are in it.
        pub member_count: u32,
        /// When it was made.
        pub created_at: Timestamp,
        /// Its newest position: how many messages it has had. Two readings make a rate.
        pub seq: Seq,
    }

    /// `GET /admin/room/:id`.
    pub struct RoomDetail {
        /// Its id.
        pub room_id: RoomId,
        /// Its name.
        pub name: RoomName,
        /// Who made it.
        pub owner_id: ClientId,
        /// When it was made.
        pub created_at: Timestamp,
        /// How many are in it.
        pub member_count: u32,
        /// Who is in it, those who came first first; the first 1,000.
        pub members: Vec<Member>,
        /// How many messages it has had.
        #[cfg_attr(feature = "typescript", ts(as = "u32"))]
        pub message_count: u64,
        /// Its newest position.
        pub seq: Seq,
        /// The life of its timeline.
        pub epoch: Epoch,
        /// How many were ever in it; counted up to 10,000.
        #[cfg_attr(feature = "typescript", ts(as = "u32"))]
        pub participant_count: u64,
        /// All who were ever in it, those who came last first; the last 1,000.
        pub participants: Vec<Member>,
    }

    /// `GET /admin/room/:id/messages`.
    pub struct RoomMessages {
        /// Ascending by position.
        pub messages: Vec<RoomMessage>,
        /// Whether the log may have older ones.
        pub more: bool,
    }

    /// A message as it was written.
    pub struct RoomMessage {
        /// Its position.
        pub seq: Seq,
        /// Its identity, chosen by the sender.
        pub id: MessageId,
        /// Who wrote it, under the name of that moment.
        pub sender: Member,
        /// When.
        pub sent_at: Timestamp,
        /// Its newest text, also when it was deleted.
        pub body: MessageBody,
        /// The position of the message that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        pub reply_to: Option<Seq>,
        /// The position of its deletion.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        pub deleted: Option<Seq>,
        /// What it said, oldest first: as it was sent, and after each edit.
        pub versions: Vec<MessageVersion>,
    }

    /// What a message said from a moment on.
    pub struct MessageVersion {
        /// The position of the message, or of the edit.
        pub seq: Seq,
        /// When.
        pub at: Timestamp,
        /// What it said.
        pub body: MessageBody,
    }

    // ----------------------------------------------------------------------------------------------------- removing

    /// `DELETE /admin/client/:id`, `DELETE /admin/room/:id`, `DELETE /admin/room/:id/messages/:seq`.
    pub struct Removed {
        /// Clients, members or messages that it hit.
        #[cfg_attr(feature = "typescript", ts(as = "u32"))]
        pub total_removed: u64,
        /// For people.
        pub message: String,
        /// Nodes that did not confirm within a second; they will act when they hear of it.
        pub unconfirmed: Vec<NodeId>,
    }

    /// `POST /admin/bans`. One of `clientId` and `ip`.
    pub struct NewBan {
        /// A client.
        #[serde(default)]
        pub client_id: Option<ClientId>,
        /// An address, or a network such as `203.0.113.0/24`.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(example = "203.0.113.0/24", max_length = 64))]
        pub ip: Option<String>,
        /// Why, for the audit log: 1 to 500 characters.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
        pub reason: String,
        /// How long, in seconds, up to ten years; without it until it is lifted.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<u32>"))]
        #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 315_360_000))]
        pub seconds: Option<u64>,
        /// Needed for networks wider than /16, or /32 of IPv6.
        #[serde(default)]
        pub confirm: bool,
    }

    /// A ban.
    pub struct Ban {
        /// Its id.
        pub ban_id: String,
        /// Whom: a client …
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub client_id: Option<ClientId>,
        /// … or a network; a single address stands as such.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub ip: Option<String>,
        /// Why.
        pub reason: String,
        /// Since when.
        pub created_at: Timestamp,
        /// By whom.
        pub created_by: String,
        /// Until when; null until it is lifted.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub expires_at: Option<Timestamp>,
    }

    /// A ban that was made.
    pub struct BanMade {
        /// The ban.
        #[serde(flatten)]
        pub ban: Ban,
        /// Live sockets that it closed.
        #[cfg_attr(feature = "typescript", ts(as = "u32"))]
        pub total_removed: u64,
        /// Nodes that did not confirm within a second; they will act when they hear of it.
        pub unconfirmed: Vec<NodeId>,
    }

    /// `POST /admin/bans?dryRun=true`: whom it would hit now.
    pub struct BanPreview {
        /// Connected clients, by id; at most 100.
        pub clients: Vec<ClientSummary>,
        /// How many it would hit.
        #[cfg_attr(feature = "typescript", ts(as = "u32"))]
        pub total: u64,
        /// Whether every connected client was looked at; above 100,000 not all are.
        pub complete: bool,
    }

    /// `GET /admin/bans`.
    pub struct BanPage {
        /// Those in force, oldest first.
        pub bans: Vec<Ban>,
        /// For the next page; null when this is the last.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub cursor: Option<String>,
    }

    /// `POST /admin/notices`.
    pub struct NewNotice {
        /// What it says: 1 to 500 characters, none of them a control character but line feed.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500, pattern = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$"))]
        pub text: String,
        /// How urgent it is; `info` unless it says.
        #[serde(default)]
        pub level: NoticeLevel,
        /// To one room; without it to everybody.
        #[serde(default)]
        pub room_id: Option<RoomId>,
    }

    /// What was accepted.
    pub struct Accepted {
        /// For people.
        pub message: String,
        /// Nodes that did not confirm within a second.
        pub unconfirmed: Vec<NodeId>,
    }

    // ------------------------------------------------------------------------------------------------------- audit

    /// `GET /admin/audit`.
    pub struct AuditPage {
        /// Newest first.
        pub entries: Vec<AuditEntry>,
        /// For the next page; null when this is the last. A page of a search may be empty and yet not be the last.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub cursor: Option<String>,
    }

    /// What an admin did, or somebody who wanted to be one.
    pub struct AuditEntry {
        /// Its id.
        pub audit_id: String,
        /// When it was asked.
        pub at: Timestamp,
        /// By whom: the name that was signed in, or tried.
        pub actor: String,
        /// From where.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub ip: IpAddr,
        /// What.
        pub action: AuditAction,
        /// On what: `client 12345`, `room 12345`, `ban …`, `node …`; empty for none.
        pub target: String,
        /// Why, where one was asked for.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        pub reason: Option<String>,
        /// How it was before; null where there is nothing to say.
        #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
        #[cfg_attr(feature = "openapi", schema(value_type = Object, nullable))]
        pub before: serde_json::Value,
        /// How it is since.
        #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
        #[cfg_attr(feature = "openapi", schema(value_type = Object, nullable))]
        pub after: serde_json::Value,
        /// How it went.
        pub outcome: AuditOutcome,
        /// In words.
        pub detail: String,
        /// Finds the request in the logs.
        pub request_id: String,
    }

    // -------------------------------------------------------------------------------------------------- statistics

    /// `GET /admin/stats`.
    pub struct Stats {
        /// When this was read.
        pub at: Timestamp,
        /// The whole cluster now.
        pub now: Totals,
        /// The last hour by minute, oldest first; a minute in which no node spoke is left out.
        pub minutes: Vec<Minute>,
    }

    /// The whole cluster. What is counted is counted since the nodes that are there now have started.
    pub struct Totals {
        /// Nodes.
        pub nodes: u64,
        /// Open sockets.
        pub connections: u64,
        /// Clients that are connected.
        pub clients: u64,
        /// Rooms.
        pub rooms: u64,
        /// Messages accepted.
        pub messages_received: u64,
        /// Messages put on queues.
        pub messages_delivered: u64,
        /// Bytes read from sockets.
        pub bytes_received: u64,
        /// Bytes written to them.
        pub bytes_sent: u64,
        /// Clients that could not keep up.
        pub slow_consumers_closed: u64,
        /// Bytes that wait for clients.
        pub queued_bytes: u64,
    }

    /// One minute of the whole cluster, and of each node.
    pub struct Minute {
        /// Its beginning.
        pub at: Timestamp,
        /// Each node's part.
        pub nodes: Vec<NodeMinute>,
    }

    /// One minute of one node.
    pub struct NodeMinute {
        /// Which.
        pub node_id: NodeId,
        /// Open sockets at its end.
        pub connections: u64,
        /// Rooms at its end.
        pub rooms: u64,
        /// Messages accepted within it.
        pub messages_received: u64,
        /// Messages put on queues within it.
        pub messages_delivered: u64,
        /// Bytes read within it.
        pub bytes_received: u64,
        /// Bytes written within it.
        pub bytes_sent: u64,
        /// Clients that could not keep up within it.
        pub slow_consumers_closed: u64,
        /// Bytes that waited for clients at its end.
        pub queued_bytes: u64,
        /// How late a worker's timer was at most, in milliseconds.
        pub event_loop_lag_ms: f64,
        /// The longest way to Redis and back, in milliseconds.
        pub round_trip_ms: f64,
        /// The mean time from publishing to delivery at its end, in milliseconds.
        pub delivery_ms: Option<f64>,
    }

    // --------------------------------------------------------------------------------------------------- live feed

    /// The first frame to `/admin/live`. (A browser cannot send a header with a WebSocket, and a URL is logged.)
    pub struct LiveToken {
        /// From the login.
        pub token: String,
    }

    /// What `/admin/live` sends each second.
    pub struct Live {
        /// When this was read.
        pub at: Timestamp,
        /// The whole cluster now.
        pub now: Totals,
        /// Each process.
        pub servers: Vec<Server>,
    }
}

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// Signed in, or tried to.
    Login,
    /// Signed out.
    Logout,
    /// Changed the password.
    PasswordChange,
    /// Removed a client.
    ClientRemove,
    /// Deleted a room.
    RoomDelete,
    /// Deleted a message.
    MessageDelete,
    /// Banned somebody.
    BanCreate,
    /// Lifted a ban.
    BanLift,
    /// Sent a notice.
    NoticeSend,
    /// Sent a node's clients elsewhere.
    NodeDrain,
    /// Took the audit log away as a file.
    AuditExport,
}

impl AuditAction {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Login,
        Self::Logout,
        Self::PasswordChange,
        Self::ClientRemove,
        Self::RoomDelete,
        Self::MessageDelete,
        Self::BanCreate,
        Self::BanLift,
        Self::NoticeSend,
        Self::NodeDrain,
        Self::AuditExport,
    ];
}

/// How an act went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It was done, and confirmed.
    Done,
    /// It was done, but not every node has confirmed it.
    Unconfirmed,
    /// It was refused, and nothing was done.
    Refused,
    /// It failed.
    Failed,
    /// The process that did it ended before it could say how it went.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let login: Login = serde_json::from_str(r#"{"username":"admin","password":"hunter2"}"#).unwrap();
        let change: PasswordChange = serde_json::from_str(r#"{"password":"hunter2","newPassword":"hunter2"}"#).unwrap();
        assert!(!format!("{login:?}{change:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_optional_may_be_left_out() {
        let ban: NewBan = serde_json::from_str(r#"{"clientId":12345,"reason":"spam"}"#).unwrap();
        assert_eq!((ban.ip, ban.seconds, ban.confirm), (None, None, false));
        let notice: NewNotice = serde_json::from_str(r#"{"text":"hello"}"#).unwrap();
        assert_eq!((notice.level, notice.room_id), (NoticeLevel::Info, None));
    }
}
