//! What a timeline keeps of a message: `NEW_MESSAGE` without what only the timeline knows. It is encoded once, by the
//! process that takes the message; every node puts `seq` and `sentAt` in front.

use crate::{
    MessageId, RoomId, Seq,
    event::{ChangeKind, Member, MessageChange, NewMessage},
};
use serde::Serialize;

/// What a deleted message says, and its deletion, to clients that know neither.
pub const DELETED: &str = "(deleted)";
/// What an edit says whose text a later change took away.
pub const EDITED: &str = "(edited)";

/// A message on its way into a timeline.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload<'a> {
    r#type: &'static str,
    room_id: RoomId,
    id: MessageId,
    sender: &'a Member,
    body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<MessageChange>,
}

impl<'a> Payload<'a> {
    /// A message.
    #[must_use]
    pub fn message(room_id: RoomId, id: MessageId, sender: &'a Member, body: &'a str, reply_to: Option<Seq>) -> Self {
        Self { r#type: "NEW_MESSAGE", room_id, id, sender, body, reply_to, change: None }
    }

    /// A change of the message at `change.seq`. `body` is the new text, or the emoji; of a deletion it is [`DELETED`].
    #[must_use]
    pub fn change(room_id: RoomId, id: MessageId, sender: &'a Member, body: &'a str, change: MessageChange) -> Self {
        let body = if change.kind == ChangeKind::Delete { DELETED } else { body };
        Self { change: Some(change), ..Self::message(room_id, id, sender, body, None) }
    }

    /// What was posted once, with another text.
    #[must_use]
    pub fn again(message: &'a NewMessage, body: &'a str) -> Self {
        let NewMessage { room_id, id, sender, reply_to, change, .. } = message;
        Self { change: *change, ..Self::message(*room_id, *id, sender, body, *reply_to) }
    }

    /// As JSON.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Strings and integers: serde_json cannot fail on these.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ServerEvent, sample};
    use serde_json::Value;

    /// With what the timeline adds, it is the event: in this order of fields, which `ROOM_JOINED` relies on.
    #[test]
    fn a_payload_becomes_the_event() {
        let mut seen = 0;
        for event in sample::events() {
            let ServerEvent::NewMessage(message) = &event else { continue };
            let payload = Payload::again(message, message.body.as_str()).encode();
            assert!(payload.starts_with(br#"{"type":"NEW_MESSAGE","#));
            let mut json: Value = serde_json::from_slice(&payload).unwrap();
            for (name, seq) in [("seq", Some(message.seq)), ("edited", message.edited), ("deleted", message.deleted)] {
                if let Some(seq) = seq {
                    json[name] = seq.get().into();
                }
            }
            json["sentAt"] = message.sent_at.0.into();
            assert_eq!(serde_json::from_value::<ServerEvent>(json).unwrap(), event);
            seen += 1;
        }
        assert!(seen > 0);
    }

    #[test]
    fn a_deletion_says_so_whatever_it_is_given() {
        let Some(ServerEvent::NewMessage(message)) =
            sample::events().into_iter().find(|event| matches!(event, ServerEvent::NewMessage(_)))
        else {
            panic!("no sample")
        };
        let change = MessageChange { kind: ChangeKind::Delete, seq: message.seq, by_admin: true };
        let payload = Payload::change(message.room_id, message.id, &message.sender, "x", change).encode();
        let json: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((json["body"].as_str(), json["change"]["byAdmin"].as_bool()), (Some(DELETED), Some(true)));
    }
}
