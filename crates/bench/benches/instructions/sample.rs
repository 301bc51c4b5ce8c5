//! What is decoded, encoded and handed on: a room, its members, and a message of 120 characters.

use bytes::Bytes;
use engine::port::Entry;
use protocol::{ClientId, Epoch, RoomId, Seq, Timestamp, Username, event::Member};

pub fn room() -> RoomId {
    RoomId::new(48_151).unwrap()
}

pub fn epoch() -> Epoch {
    "5f1c9e0a7b3d4c2e8f6a1b0c9d8e7f6a".parse().unwrap()
}

pub fn member(n: u64) -> Member {
    let client_id = ClientId::new(10_000 + n).unwrap();
    Member { client_id, username: Username::parse(&format!("Ada {n}").as_str().into(), 16).unwrap() }
}

/// 120 characters.
pub fn body() -> String {
    "Shall we meet at seven, by the old bridge? ".chars().cycle().take(120).collect()
}

pub const MESSAGE: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// `NEW_MESSAGE` as the log keeps it.
pub fn payload() -> Bytes {
    let body = body();
    format!(
        r#"{{"type":"NEW_MESSAGE","roomId":48151,"id":"{MESSAGE}","sender":{{"clientId":10042,"username":"Ada"}},"body":"{body}"}}"#
    )
    .into()
}

pub const SENT_AT: Timestamp = Timestamp(1_700_000_000_123);

pub fn entry(seq: u64) -> Entry {
    Entry { seq: Seq::new(seq), sent_at: SENT_AT, payload: payload() }
}
