//! One value of every command and event, for golden frames, documentation and tests. A test fails when a variant has
//! none.

use crate::{
    ClientCommand, ClientId, Epoch, ErrorCode, Limits, MessageBody, MessageId, NodeId, RawText, RoomId, RoomName, Seq,
    ServerEvent, Timestamp, Username, command, event,
};
use serde_json::json;

fn from<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

/// Everything that samples are made of.
struct Parts {
    client: ClientId,
    room: RoomId,
    epoch: Epoch,
    message: MessageId,
    node: NodeId,
    name: Username,
    room_name: RoomName,
    body: MessageBody,
}

fn parts() -> Option<Parts> {
    Some(Parts {
        client: ClientId::new(10_042).ok()?,
        room: RoomId::new(48_151).ok()?,
        epoch: "5f1c9e".parse().ok()?,
        message: "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().ok()?,
        node: "node-1".parse().ok()?,
        name: Username::parse(&"Zoë".into(), 16).ok()?,
        room_name: RoomName::parse(&"Tea & 🍪".into(), 16).ok()?,
        body: MessageBody::parse(&"<b>hello</b>\n\"world\" \\ 🦀".into(), 2000).ok()?,
    })
}

/// One of each command.
#[must_use]
pub fn commands() -> Vec<ClientCommand> {
    let Some(p) = parts() else { return Vec::new() };
    let id = || "c-1".parse().ok();
    vec![
        ClientCommand::Connect(command::Connect {
            id: id(),
            session: Some("header.payload.signature".into()),
            username: Some(RawText::from("Zoë")),
            resume: Some(command::Resume { room_id: p.room, epoch: p.epoch, seq: Seq::new(41) }),
        }),
        ClientCommand::CreateRoom(command::CreateRoom { id: id(), name: RawText::from("Tea & 🍪") }),
        ClientCommand::JoinRoom(command::JoinRoom { id: id(), room_id: p.room }),
        ClientCommand::LeaveRoom(command::LeaveRoom { id: id(), room_id: Some(p.room) }),
        ClientCommand::SendMessage(command::SendMessage {
            id: p.message,
            room_id: Some(p.room),
            body: RawText(p.body.to_string()),
            reply_to: Some(Seq::new(40)),
        }),
        ClientCommand::EditMessage(command::EditMessage {
            id: p.message,
            room_id: Some(p.room),
            seq: Seq::new(42),
            body: RawText(p.body.to_string()),
        }),
        ClientCommand::DeleteMessage(command::DeleteMessage {
            id: p.message,
            room_id: Some(p.room),
            seq: Seq::new(42),
        }),
        ClientCommand::React(command::React {
            id: p.message,
            room_id: Some(p.room),
            seq: Seq::new(42),
            emoji: RawText::from("🦀"),
            on: true,
        }),
        ClientCommand::UpdateUsername(command::UpdateUsername { id: id(), username: RawText::from("Zoë") }),
        ClientCommand::Typing(command::Typing { typing: true, room_id: None }),
        ClientCommand::FetchHistory(command::FetchHistory {
            id: id(),
            room_id: Some(p.room),
            before: Some(Seq::new(100)),
            after: None,
            limit: Some(50),
        }),
        ClientCommand::ListRooms(command::ListRooms { id: id(), cursor: Some("48151".into()), limit: Some(20) }),
        ClientCommand::ListMembers(command::ListMembers {
            id: id(),
            room_id: Some(p.room),
            cursor: Some("10042".into()),
            limit: Some(500),
        }),
        ClientCommand::Ping(command::Ping { id: id() }),
    ]
}

/// One of each event.
#[must_use]
pub fn events() -> Vec<ServerEvent> {
    let Some(p) = parts() else { return Vec::new() };
    let id = || "c-1".parse().ok();
    let member = event::Member { client_id: p.client, username: p.name.clone() };
    let message = event::NewMessage {
        room_id: p.room,
        seq: Seq::new(42),
        id: p.message,
        sender: member.clone(),
        body: p.body,
        sent_at: Timestamp(1_700_000_000_123),
        reply_to: Some(Seq::new(40)),
        change: None,
        edited: Some(Seq::new(43)),
        deleted: None,
    };
    let change = event::NewMessage {
        seq: Seq::new(43),
        reply_to: None,
        change: Some(event::MessageChange { kind: event::ChangeKind::Edit, seq: Seq::new(42), by_admin: false }),
        edited: None,
        ..message.clone()
    };
    vec![
        event::Connected {
            id: id(),
            client_id: p.client,
            username: p.name.clone(),
            session: "header.payload.signature".into(),
            session_expires_at: Timestamp(1_702_592_000_000),
            node_id: p.node,
            resumed: true,
            heartbeat_ms: 25_000,
            limits: Limits::default(),
        }
        .into(),
        event::RoomJoined {
            id: id(),
            room: event::Room {
                room_id: p.room,
                name: p.room_name.clone(),
                owner_id: p.client,
                created_at: Timestamp(1_700_000_000_000),
                member_count: 1,
            },
            epoch: p.epoch.clone(),
            seq: Seq::new(43),
            members: vec![member.clone()],
            reconnecting: vec![p.client],
            messages: vec![message.clone(), change],
            recovered: false,
            gap: Some(event::Gap { from: Seq::new(12), to: Seq::new(41) }),
        }
        .into(),
        message.clone().into(),
        event::UserEvent {
            room_id: p.room,
            member_count: 2,
            joined: vec![member.clone()],
            left: from(json!([10_043])).unwrap_or_default(),
            renamed: vec![member],
        }
        .into(),
        event::MemberTyping { room_id: p.room, client_id: p.client, username: p.name.clone(), typing: true }.into(),
        event::Presence {
            room_id: p.room,
            reconnecting: from(json!([10_042])).unwrap_or_default(),
            back: from(json!([10_043])).unwrap_or_default(),
        }
        .into(),
        event::RoomLeft { id: id(), room_id: p.room, reason: event::LeaveReason::Moved }.into(),
        event::Notice { text: "Back in five minutes".into(), level: event::NoticeLevel::Warning }.into(),
        event::Reconnect { after_ms: 1500 }.into(),
        event::Ack {
            id: Some(p.message.into()),
            room_id: Some(p.room),
            seq: Some(Seq::new(42)),
            sent_at: Some(Timestamp(1_700_000_000_123)),
            duplicate: Some(false),
            username: None,
            session: None,
            budget: Some(event::Budget { remaining: 19, one_more_ms: 200 }),
        }
        .into(),
        event::History { id: id(), room_id: p.room, epoch: p.epoch, messages: vec![message], more: true }.into(),
        event::Rooms {
            id: id(),
            rooms: vec![event::RoomSummary {
                room_id: p.room,
                name: p.room_name,
                member_count: 2,
                created_at: Timestamp(1_700_000_000_000),
            }],
            cursor: Some("48151".into()),
        }
        .into(),
        event::Members {
            id: id(),
            room_id: p.room,
            members: from(json!([{"clientId": 10_042, "username": "Zoë"}])).unwrap_or_default(),
            reconnecting: vec![p.client],
            member_count: 2,
            cursor: Some("10042".into()),
        }
        .into(),
        event::Pong { id: id(), at: Some(Timestamp(1_700_000_000_123)) }.into(),
        event::CommandError {
            id: id(),
            code: ErrorCode::RateLimited,
            message: "too many messages".into(),
            retry_after_ms: Some(200),
        }
        .into(),
    ]
}
