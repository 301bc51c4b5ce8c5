//! Commands, client to server.

use crate::{CorrelationId, Epoch, ErrorCode, MessageId, RawText, RoomId, Seq};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use std::borrow::Cow;

/// Declares the payloads and the enum over them, so that a command is written in one place.
macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident = $tag:literal { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
            #[serde(rename_all = "camelCase")]
            pub struct $variant { $($(#[$fdoc])* pub $field: $ty,)* }
        )*

        /// Everything that a client can ask for. `type` on the wire names the variant.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[serde(tag = "type")]
        pub enum ClientCommand {
            $($(#[$doc])* #[serde(rename = $tag)] $variant($variant),)*
        }

        impl ClientCommand {
            /// Every value that `type` can have.
            pub const TYPES: &[&str] = &[$($tag),*];

            /// The payloads, then the enum over them, in TypeScript.
            #[cfg(feature = "typescript")]
            pub fn typescript(config: &ts_rs::Config) -> String {
                let payloads = [$(crate::typescript::declaration::<$variant>(config)),*];
                payloads.concat() + &crate::typescript::declaration::<Self>(config)
            }

            fn from_tagged(tag: &str, json: &[u8]) -> Option<Result<Self, serde_json::Error>> {
                match tag {
                    $($tag => Some(serde_json::from_slice(json).map(Self::$variant)),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    /// The first frame: who one is, and what one saw last.
    Connect = "CONNECT" {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// From an earlier `CONNECT` event; without it the client is a new guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        session: Option<String>,
        /// The name to start with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        username: Option<RawText>,
        /// The room to go on in, from the position seen last.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        resume: Option<Resume>,
    }
    /// Makes a room and enters it.
    CreateRoom = "CREATE_ROOM" {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// What the room is called.
        name: RawText,
    }
    /// Enters a room; with the one-room policy, leaves the former one first.
    JoinRoom = "JOIN_ROOM" {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// Which room.
        room_id: RoomId,
    }
    /// Leaves a room.
    LeaveRoom = "LEAVE_ROOM" {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// Which room; one's only one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        room_id: Option<RoomId>,
    }
    /// Posts a message. The same `id` again is answered, not posted again.
    SendMessage = "SEND_MESSAGE" {
        /// The message's identity, a UUID.
        id: MessageId,
        /// Which room; one's only one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        room_id: Option<RoomId>,
        /// What it says.
        body: RawText,
        /// The position of the message that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        reply_to: Option<Seq>,
    }
    /// Gives a message of one's own another text. It takes a place of its own in the timeline.
    EditMessage = "EDIT_MESSAGE" {
        /// The identity of this act, a UUID: the same one again is answered, not done again.
        id: MessageId,
        /// Which room; one's only one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        room_id: Option<RoomId>,
        /// The position of the message.
        seq: Seq,
        /// What it says from now on.
        body: RawText,
    }
    /// Takes a message of one's own away. It takes a place of its own in the timeline.
    DeleteMessage = "DELETE_MESSAGE" {
        /// The identity of this act, a UUID: the same one again is answered, not done again.
        id: MessageId,
        /// Which room; one's only one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        room_id: Option<RoomId>,
        /// The position of the message.
        seq: Seq,
    }
    /// Puts an emoji to a message, or takes one's own away again. It takes a place of its own in the timeline.
    React = "REACT" {
        /// The identity of this act, a UUID: the same one again is answered, not done again.
        id: MessageId,
        /// Which room; one's only one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        room_id: Option<RoomId>,
        /// The position of the message.
        seq: Seq,
        /// One emoji.
        emoji: RawText,
        /// Whether it is to be there.
        on: bool,
    }
    /// Takes another name.
    UpdateUsername = "UPDATE_USERNAME" {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// The new name.
        username: RawText,
    }
    /// Tells the others of the room that one is writing. Not answered.
    Typing = "TYPING" {
        /// Whether one is.
        typing: bool,
        /// Which room; one's only one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        room_id: Option<RoomId>,
    }
    /// Reads a part of the room's log.
    FetchHistory = "FETCH_HISTORY" {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// Which room; one's only one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        room_id: Option<RoomId>,
        /// Only positions below this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        before: Option<Seq>,
        /// Only positions above this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        after: Option<Seq>,
        /// How many, 1–100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<u32>"))]
        limit: Option<u64>,
    }
    /// Reads a page of the room list.
    ListRooms = "LIST_ROOMS" {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// From the page before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        cursor: Option<String>,
        /// How many, 1–100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<u32>"))]
        limit: Option<u64>,
    }
    /// Asks who is in a room, in ascending order of their ids.
    ListMembers = "LIST_MEMBERS" {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
        /// Which room; one's only one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        room_id: Option<RoomId>,
        /// From the page before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        cursor: Option<String>,
        /// How many, 1–500.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<u32>"))]
        limit: Option<u64>,
    }
    /// Asks for a `PONG`.
    Ping = "PING" {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        id: Option<CorrelationId>,
    }
}

/// Where a client was when it last heard of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// Which room.
    pub room_id: RoomId,
    /// The life of the timeline that `seq` belongs to.
    pub epoch: Epoch,
    /// The newest position seen; 0 when none was.
    pub seq: Seq,
}

/// A frame that is no command. The connection lives; the client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The command's `id`, when that much could be read.
    pub id: Option<CorrelationId>,
    /// Always [`ErrorCode::BadRequest`] here; texts are refused later, with codes of their own.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
}

/// Reads one frame: the command, and its `id` as it was spelled.
///
/// # Errors
/// A [`Rejection`] for anything that is not one command; never a panic, whatever the bytes.
pub fn decode(frame: &[u8]) -> Result<(Option<CorrelationId>, ClientCommand), Rejection> {
    let reject = |id, message: String| Rejection { id, code: ErrorCode::BadRequest, message };

    // serde reads a struct from an array, too; a command is an object.
    if frame.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err(reject(None, "a frame must be one JSON object".into()));
    }

    // `id` as any value first: whatever else is wrong with the frame, its reply should carry the id.
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow, default)]
        r#type: Option<Text<'a>>,
        #[serde(borrow, default)]
        id: Option<&'a serde_json::value::RawValue>,
    }
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    let head: Head<'_> = serde_json::from_slice(frame).map_err(|e| reject(None, plain(&e)))?;
    let id = head.id.and_then(|raw| serde_json::from_str::<CorrelationId>(raw.get()).ok());
    let Some(Text(tag)) = head.r#type else {
        return Err(reject(id, "a command needs a `type`".into()));
    };
    match ClientCommand::from_tagged(&tag, frame) {
        Some(Ok(command)) => Ok((id, command)),
        Some(Err(e)) => Err(reject(id, plain(&e))),
        None => Err(reject(id, format!("there is no command `{}`", tag.chars().take(32).collect::<String>()))),
    }
}

/// serde's message, without an echo of long input.
fn plain(e: &serde_json::Error) -> String {
    e.to_string().chars().filter(|c| !c.is_control()).take(200).collect()
}

/// A nested struct, from an object only.
fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Option<T>, D::Error> {
    match serde_json::Value::deserialize(d)? {
        serde_json::Value::Null => Ok(None),
        value @ serde_json::Value::Object(_) => {
            serde_json::from_value(value).map(Some).map_err(serde::de::Error::custom)
        }
        _ => Err(serde::de::Error::custom("`resume` must be an object")),
    }
}

impl<'de> Deserialize<'de> for ClientCommand {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(d)?;
        decode(raw.get().as_bytes()).map(|(_, command)| command).map_err(|r| serde::de::Error::custom(r.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(frame: &str) -> Rejection {
        decode(frame.as_bytes()).expect_err(frame)
    }

    #[test]
    fn what_is_no_command_is_a_bad_request() {
        for frame in [
            "",
            " ",
            "null",
            "true",
            "7",
            "\"PING\"",
            "[]",
            "[\"PING\"]",
            "{",
            "{}",
            "{\"type\":null}",
            "{\"type\":7}",
            "{\"type\":\"NOPE\"}",
            "{\"type\":\"ping\"}",
            "{\"type\":\"PING\"} x",
            "{\"type\":\"PING\",\"type\":\"PING\"}",
            "{\"type\":\"JOIN_ROOM\"}",
            "{\"type\":\"JOIN_ROOM\",\"roomId\":\"10000\"}",
            "{\"type\":\"JOIN_ROOM\",\"roomId\":-1}",
            "{\"type\":\"JOIN_ROOM\",\"roomId\":1e300}",
            "{\"type\":\"JOIN_ROOM\",\"roomId\":10000.5}",
            "{\"type\":\"TYPING\",\"typing\":1}",
            "{\"type\":\"SEND_MESSAGE\",\"body\":\"x\"}",
            "{\"type\":\"SEND_MESSAGE\",\"id\":\"x\",\"body\":\"x\"}",
            "{\"type\":\"CREATE_ROOM\",\"name\":\"\\ud800\"}",
            "{\"type\":\"CONNECT\",\"resume\":[10000,\"e\",1]}",
        ] {
            assert_eq!(refused(frame).code, ErrorCode::BadRequest, "{frame}");
        }
    }

    #[test]
    fn a_refusal_carries_the_id_when_it_can() {
        let id = |frame| refused(frame).id.map(|id| id.to_string());
        assert_eq!(id("{\"id\":\"a\",\"type\":\"NOPE\"}").as_deref(), Some("a"));
        assert_eq!(id("{\"id\":\"a\",\"type\":\"JOIN_ROOM\",\"roomId\":[]}").as_deref(), Some("a"));
        assert_eq!(id("{\"id\":7,\"type\":\"PING\"}"), None);
        assert_eq!(id(&format!("{{\"id\":\"{}\",\"type\":\"NOPE\"}}", "x".repeat(65))), None);
    }

    #[test]
    fn unknown_fields_are_ignored() {
        assert!(decode(br#"{"type":"PING","body":7,"x":[1,{"y":null}]}"#).is_ok());
        assert!(decode(br#"{"type":"LEAVE_ROOM","roomId":null}"#).is_ok());
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let frame = format!("{{\"type\":\"PING\",\"x\":{}", "[".repeat(10_000));
        refused(&frame);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_command_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn any_json_like_text_is_a_command_or_an_error(
            tag in prop::sample::select(ClientCommand::TYPES.to_vec()),
            field in prop::sample::select(vec!["id", "roomId", "name", "body", "session", "resume", "seq", "limit", "typing"]),
            value in r#"(-?[0-9]{1,25}(\.[0-9]{1,3})?|"[^"]{0,20}"|null|true|\[\]|\{\}|\[\{"a":"b"\}\])"#,
        ) {
            let _ = decode(format!("{{\"type\":\"{tag}\",\"{field}\":{value}}}").as_bytes());
        }
    }
}
