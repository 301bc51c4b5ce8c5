//! Events, server to client. Replies carry the `id` of the command that they answer.

use crate::{
    ClientId, CorrelationId, Epoch, ErrorCode, Limits, MessageBody, MessageId, NodeId, RoomId, RoomName, Seq,
    Timestamp, Username,
};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Declares the payloads and the enum over them, so that an event is written in one place.
macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $tag:literal { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
            #[serde(rename_all = "camelCase")]
            pub struct $variant { $($(#[$fdoc])* pub $field: $ty,)* }

            impl From<$variant> for ServerEvent {
                fn from(event: $variant) -> Self {
                    Self::$variant(event)
                }
            }

            /// Gives any other event back.
            impl TryFrom<ServerEvent> for $variant {
                type Error = ServerEvent;
                fn try_from(event: ServerEvent) -> Result<Self, ServerEvent> {
                    match event {
                        ServerEvent::$variant(event) => Ok(event),
                        other => Err(other),
                    }
                }
            }
        )*

        /// Everything that a server tells a client. `type` on the wire names the variant.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[serde(tag = "type")]
        pub enum ServerEvent {
            $($(#[$doc])* #[serde(rename = $tag)] $variant($variant),)*
        }

        impl ServerEvent {
            /// Every value that `type` can have.
            pub const TYPES: &[&str] = &[$($tag),*];

            /// The payloads, then the enum over them, in TypeScript.
            #[cfg(feature = "typescript")]
            pub fn typescript(config: &ts_rs::Config) -> String {
                let payloads = [$(crate::typescript::declaration::<$variant>(config)),*];
                payloads.concat() + &crate::typescript::declaration::<Self>(config)
            }
        }
    };
}

events! {
    /// The answer to `CONNECT`: who one is.
    Connected = "CONNECT" {
        /// Of the command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// One's id in the whole cluster.
        client_id: ClientId,
        /// One's name.
        username: Username,
        /// Present it to be the same client again.
        session: String,
        /// When `session` stops working.
        session_expires_at: Timestamp,
        /// The process that serves this socket.
        node_id: NodeId,
        /// Whether the `clientId` of the presented session was given back.
        resumed: bool,
        /// How often the server pings, in milliseconds.
        #[cfg_attr(feature = "typescript", ts(as = "u32"))]
        heartbeat_ms: u64,
        /// What the server accepts at most.
        limits: Limits,
    }
    /// One is in a room, with all that is needed to show it.
    RoomJoined = "ROOM_JOINED" {
        /// Of the command; absent when the server restored the room by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// The room.
        room: Room,
        /// The life of the timeline that every `seq` here belongs to.
        epoch: Epoch,
        /// The newest position.
        seq: Seq,
        /// The first 200 members.
        members: Vec<Member>,
        /// Those of `members` whose connection is lost; they are members still.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<ClientId>>"))]
        reconnecting: Vec<ClientId>,
        /// Joining: the newest 50. Resuming: all that came after the resumed position.
        messages: Vec<Message>,
        /// Whether nothing is missing between the resumed position and `messages`. Also true when nothing was resumed.
        recovered: bool,
        /// The positions that cannot be had any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        gap: Option<Gap>,
    }
    /// A message, to every member of its room, its sender included.
    NewMessage = "NEW_MESSAGE" {
        /// Which room.
        room_id: RoomId,
        /// Its position.
        seq: Seq,
        /// Its identity, chosen by the sender.
        id: MessageId,
        /// Who wrote it, under the name of that moment.
        sender: Member,
        /// What it says. Of a deleted message, and of a change, a text for clients that know neither.
        body: MessageBody,
        /// When the timeline took it.
        sent_at: Timestamp,
        /// The position of the message that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        reply_to: Option<Seq>,
        /// What it does to an earlier message: then it is that, and not a message of its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        change: Option<MessageChange>,
        /// The position of the edit that gave it this body; absent when it is as it was sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        edited: Option<Seq>,
        /// The position of its deletion; its body is gone then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        deleted: Option<Seq>,
    }
    /// Who came, left or changed their name. Several changes may be folded into one event.
    UserEvent = "USER_EVENT" {
        /// Which room.
        room_id: RoomId,
        /// Exact when the event was made.
        member_count: u32,
        /// Who came.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<Member>>"))]
        joined: Vec<Member>,
        /// Who left.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<ClientId>>"))]
        left: Vec<ClientId>,
        /// Who has another name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<Member>>"))]
        renamed: Vec<Member>,
    }
    /// Somebody of the room is writing, or stopped.
    MemberTyping = "TYPING" {
        /// Which room.
        room_id: RoomId,
        /// Who.
        client_id: ClientId,
        /// Their name.
        username: Username,
        /// Whether they are.
        typing: bool,
    }
    /// Whose connection was lost, and who is back. Who does not come back in time is in a `USER_EVENT` then.
    Presence = "PRESENCE" {
        /// Which room.
        room_id: RoomId,
        /// Whose connection was lost; they are members still.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<ClientId>>"))]
        reconnecting: Vec<ClientId>,
        /// Whose connection is there again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<ClientId>>"))]
        back: Vec<ClientId>,
    }
    /// One is no longer in a room.
    RoomLeft = "ROOM_LEFT" {
        /// Of the command, if a command was the cause.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// Which room.
        room_id: RoomId,
        /// Why.
        reason: LeaveReason,
    }
    /// An announcement by an admin.
    Notice = "NOTICE" {
        /// What it says.
        text: String,
        /// How urgent it is.
        level: NoticeLevel,
    }
    /// This node is draining: connect again, after this delay, with `session` and `resume`.
    Reconnect = "RECONNECT" {
        /// How long to wait, in milliseconds.
        #[cfg_attr(feature = "typescript", ts(as = "u32"))]
        after_ms: u64,
    }
    /// A command was carried out. The fields beside `id` are those of the command that it answers.
    Ack = "ACK" {
        /// Of the command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// `SEND_MESSAGE`: the room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        room_id: Option<RoomId>,
        /// `SEND_MESSAGE`: the message's position.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        seq: Option<Seq>,
        /// `SEND_MESSAGE`: when the timeline took it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        sent_at: Option<Timestamp>,
        /// `SEND_MESSAGE`: whether this `id` had been posted before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        duplicate: Option<bool>,
        /// `UPDATE_USERNAME`: the name as it was taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        username: Option<Username>,
        /// `UPDATE_USERNAME`: a session that carries the new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        session: Option<String>,
        /// Commands that count as messages: how many more may follow at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        budget: Option<Budget>,
    }
    /// A part of a room's log, in ascending order.
    History = "HISTORY" {
        /// Of the command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// Which room.
        room_id: RoomId,
        /// The life of the timeline that every `seq` here belongs to.
        epoch: Epoch,
        /// The messages.
        messages: Vec<Message>,
        /// Whether the log has more in the direction that was read.
        more: bool,
    }
    /// A page of the room list.
    Rooms = "ROOMS" {
        /// Of the command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// The rooms.
        rooms: Vec<RoomSummary>,
        /// For the next page; null when this is the last.
        cursor: Option<String>,
    }
    /// A page of a room's members.
    Members = "MEMBERS" {
        /// Of the command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// Which room.
        room_id: RoomId,
        /// Who is in it, by id, ascending.
        members: Vec<Member>,
        /// Those of `members` whose connection is lost; they are members still.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<ClientId>>"))]
        reconnecting: Vec<ClientId>,
        /// How many are in it.
        member_count: u32,
        /// For the next page; null when this is the last.
        cursor: Option<String>,
    }
    /// The answer to `PING`.
    Pong = "PONG" {
        /// Of the command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// The server's clock.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        at: Option<Timestamp>,
    }
    /// A command was refused.
    CommandError = "ERROR" {
        /// Of the command, when it could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
        /// How long to wait before another try, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<u32>"))]
        retry_after_ms: Option<u64>,
    }
}

impl Ack {
    /// One that says nothing but what it answers.
    #[must_use]
    pub const fn of(id: Option<CorrelationId>) -> Self {
        Self {
            id,
            room_id: None,
            seq: None,
            sent_at: None,
            duplicate: None,
            username: None,
            session: None,
            budget: None,
        }
    }
}

/// A message inside `ROOM_JOINED` and `HISTORY`: what its `NEW_MESSAGE` said.
pub type Message = NewMessage;

/// What an entry of the timeline does to an earlier message of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct MessageChange {
    /// What.
    pub kind: ChangeKind,
    /// The position of that message.
    pub seq: Seq,
    /// Whether an admin did it, and not the sender that it names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub by_admin: bool,
}

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It says what this entry's body says; nothing more of it when a later change took that text away.
    Edit,
    /// It is gone.
    Delete,
    /// The sender puts the emoji that is the body to it.
    React,
    /// The sender takes the emoji that is the body from it.
    Unreact,
}

/// How much one may still send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// How many more may follow at once.
    pub remaining: u32,
    /// How long until there is one more, in milliseconds; 0 when there are as many as there can be.
    #[cfg_attr(feature = "typescript", ts(as = "u32"))]
    pub one_more_ms: u64,
}

impl Budget {
    /// What there is under both of two limits.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self.remaining.cmp(&other.remaining) {
            Ordering::Less => self,
            Ordering::Greater => other,
            Ordering::Equal => Self { one_more_ms: self.one_more_ms.max(other.one_more_ms), ..self },
        }
    }
}

/// A client as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Its id.
    pub client_id: ClientId,
    /// Its name.
    pub username: Username,
}

/// A room as its members see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// Its id.
    pub room_id: RoomId,
    /// Its name.
    pub name: RoomName,
    /// Who made it.
    pub owner_id: ClientId,
    /// When.
    pub created_at: Timestamp,
    /// How many are in it.
    pub member_count: u32,
}

/// A room as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomSummary {
    /// Its id.
    pub room_id: RoomId,
    /// Its name.
    pub name: RoomName,
    /// How many are in it.
    pub member_count: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Positions that a client missed and cannot get any more, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Gap {
    /// The first one.
    pub from: Seq,
    /// The last one.
    pub to: Seq,
}

/// Why one is no longer in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// By `LEAVE_ROOM`.
    Left,
    /// By joining another one, under the one-room policy.
    Moved,
    /// By an admin, or because the membership ran out.
    Removed,
    /// The room is gone.
    RoomDeleted,
}

/// How urgent a notice is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoticeLevel {
    /// Good to know.
    #[default]
    Info,
    /// Something will change.
    Warning,
    /// Something is wrong.
    Error,
}

impl ServerEvent {
    /// The event as one JSON text.
    #[must_use]
    pub fn encode(&self) -> String {
        // Strings, integers and lists of them: serde_json cannot fail on these.
        serde_json::to_string(self).unwrap_or_default()
    }
}
