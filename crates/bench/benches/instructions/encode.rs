//! From what happened to frames.

use crate::{count, sample};
use engine::{RoomView, frame};
use protocol::{
    CorrelationId, RoomName, Seq, ServerEvent,
    event::{Ack, Room},
    limits::{JOIN_MESSAGES, MEMBERS_LISTED},
};
use std::hint::black_box;

pub fn ack() {
    let id: CorrelationId = sample::MESSAGE.parse().unwrap();
    let ack = || Ack {
        room_id: Some(sample::room()),
        seq: Some(Seq::new(1042)),
        sent_at: Some(sample::SENT_AT),
        duplicate: Some(false),
        ..Ack::of(Some(id.clone()))
    };
    count(ack, |ack| drop(black_box(frame::text(ServerEvent::from(ack).encode().as_bytes()))));
}

/// A room's message, once for all of its members.
pub fn new_message() {
    let entry = || sample::entry(1042);
    count(entry, |entry| drop(black_box(frame::entry(entry.seq, entry.sent_at, &entry.payload))));
}

/// All that somebody is shown who joins a large room: as many messages and members as that can be.
pub fn room_joined() {
    let (messages, members) = (JOIN_MESSAGES as u64, MEMBERS_LISTED as u64);
    let room = Room {
        room_id: sample::room(),
        name: RoomName::parse(&"Tea".into(), 16).unwrap(),
        owner_id: sample::member(0).client_id,
        created_at: sample::SENT_AT,
        member_count: 5000,
    };
    let view = || RoomView {
        room: room.clone(),
        reconnecting: Vec::new(),
        members: (0..members).map(sample::member).collect(),
        epoch: sample::epoch(),
        seq: Seq::new(1000 + messages),
        newest: Seq::new(1000 + messages),
        entries: (1001..=1000 + messages).map(sample::entry).collect(),
        recovered: true,
        gap: None,
    };
    count(view, |view| {
        drop(black_box(frame::text(&view.encode(None))));
    });
}
