//! What is said, by byte position. A delivery is not parsed: of a `NEW_MESSAGE` only its `seq` matters, and when it was
//! to be sent, which its sender wrote at the end of its body with a fixed width. Replies are parsed, for they are few.

use serde::{Deserialize, de::IgnoredAny};
use std::{borrow::Cow, io::Write as _};

/// `~`, four digits for the run and twelve for the time.
pub const STAMP: usize = 17;
const RUN: usize = 5;

/// Names one run in what it says, so that messages of another one are not taken for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run([u8; RUN]);

impl Run {
    /// The run of a number; only its last 16 bits count.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let mut tag = *b"~0000";
        hex(number & 0xffff, &mut tag[1..]);
        Self(tag)
    }

    /// A message's `id`: a UUID that says when it was to be sent, so that its acknowledgement says it too.
    #[must_use]
    pub fn id(self, sender: u64, due: u64) -> [u8; 36] {
        let mut id = *b"00000000-0000-4000-8000-000000000000";
        id[..4].copy_from_slice(&self.0[1..]);
        hex(sender & 0xffff, &mut id[4..8]);
        hex(sender >> 16 & 0xffff, &mut id[9..13]);
        hex(due, &mut id[24..]);
        id
    }

    /// Writes `SEND_MESSAGE`. The body has `bytes` characters, all of one byte.
    pub fn send_message(self, out: &mut Vec<u8>, sender: u64, room: u64, bytes: usize, due: u64) {
        out.clear();
        out.extend_from_slice(b"{\"type\":\"SEND_MESSAGE\",\"id\":\"");
        out.extend_from_slice(&self.id(sender, due));
        let _ = write!(out, "\",\"roomId\":{room},\"body\":\"");
        out.resize(out.len() + bytes.saturating_sub(STAMP), b'x');
        self.stamp(out, due);
        out.extend_from_slice(b"\"}");
    }

    /// Appends the end of a body.
    pub(super) fn stamp(self, out: &mut Vec<u8>, due: u64) {
        out.extend_from_slice(&self.0);
        let mut time = [0; STAMP - RUN];
        hex(due, &mut time);
        out.extend_from_slice(&time);
    }

    /// When a message was to be sent that has exactly this at the end of its body.
    #[inline]
    pub(super) fn stamped(self, stamp: &[u8]) -> Option<u64> {
        number(stamp.strip_prefix(&self.0)?)
    }

    /// When a message was to be sent that has this body.
    pub(super) fn due_of(self, body: &str) -> Option<u64> {
        let body = body.as_bytes();
        self.stamped(&body[body.len().checked_sub(STAMP)?..])
    }

    /// When a message was to be sent: first where our own servers have it, then anywhere.
    #[inline]
    fn due(self, message: &[u8]) -> Option<u64> {
        let at = message.len().checked_sub(STAMP + 2)?;
        let stamp = &message[at..];
        if let Some(time) = stamp.strip_prefix(&self.0)
            && stamp.ends_with(b"\"}")
        {
            return number(&time[..STAMP - RUN]);
        }
        let at = memchr::memmem::rfind(message, &self.0)? + RUN;
        number(message.get(at..at + STAMP - RUN)?)
    }
}

/// What the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// `NEW_MESSAGE`: its `seq`, and when it was to be sent if this run sent it.
    Message(u64, Option<u64>),
    /// `ACK`: when its message was to be sent, and `seq`.
    Ack(Option<u64>, u64),
    /// Anything else, by its `type`.
    Other(&'a [u8]),
}

const SEQ: &[u8] = b"\"seq\":";
const TYPE: &[u8] = b"\"type\":\"";
const NEW_MESSAGE: &[u8] = b"NEW_MESSAGE";

/// Looks at a text.
#[inline]
#[must_use]
pub fn said(run: Run, text: &[u8]) -> Said<'_> {
    if let Some(seq) = spliced(text) {
        return Said::Message(seq, run.due(text));
    }
    slowly(run, text)
}

/// The `seq` of `{"seq":1,"sentAt":1,"type":"NEW_MESSAGE",…`, which is how our own servers begin.
#[inline]
fn spliced(text: &[u8]) -> Option<u64> {
    let (seq, rest) = digits(text.strip_prefix(b"{\"seq\":")?);
    let (_, rest) = digits(rest.strip_prefix(b",\"sentAt\":")?);
    rest.starts_with(b",\"type\":\"NEW_MESSAGE\"").then_some(seq)
}

/// The same, whatever the order. In JSON no text has a bare quotation mark, so a key that is found is a key.
fn slowly(run: Run, text: &[u8]) -> Said<'_> {
    let kind = memchr::memmem::find(text, TYPE).map_or(&[][..], |at| &text[at + TYPE.len()..]);
    let kind = &kind[..memchr::memchr(b'"', kind).unwrap_or(0)];
    let seq = || memchr::memmem::find(text, SEQ).map_or(0, |at| digits(&text[at + SEQ.len()..]).0);
    match kind {
        NEW_MESSAGE => Said::Message(seq(), run.due(text)),
        b"ACK" => {
            const ID: &[u8] = b"\"id\":\"";
            let id = memchr::memmem::find(text, ID).map(|at| &text[at + ID.len()..]);
            let ours = id.filter(|id| id.starts_with(&run.0[1..]));
            Said::Ack(ours.and_then(|id| id.get(24..36)).and_then(number), seq())
        }
        kind => Said::Other(kind),
    }
}

#[inline]
pub(super) fn digits(text: &[u8]) -> (u64, &[u8]) {
    let mut number = 0_u64;
    let mut at = 0;
    while let Some(digit @ b'0'..=b'9') = text.get(at) {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    (number, &text[at..])
}

pub(super) fn hex(mut number: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

#[inline]
pub(super) fn number(hex: &[u8]) -> Option<u64> {
    hex.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(digit))
    })
}

/// `CONNECT`, for a new guest or for one that comes back.
pub fn connect(out: &mut Vec<u8>, back: Option<Back<'_>>) {
    out.clear();
    out.extend_from_slice(b"{\"type\":\"CONNECT\"");
    if let Some(Back { session, room, epoch, seq }) = back {
        // Neither has a character that JSON would escape: one is a JWT, the other is checked when it comes.
        let _ = write!(
            out,
            ",\"session\":\"{session}\",\"resume\":{{\"roomId\":{room},\"epoch\":\"{epoch}\",\"seq\":{seq}}}"
        );
    }
    out.push(b'}');
}

/// Where a client was.
#[derive(Debug, Clone, Copy)]
pub struct Back<'a> {
    /// Who it is.
    pub session: &'a str,
    /// In which room.
    pub room: u64,
    /// In which life of it.
    pub epoch: &'a str,
    /// What it saw last.
    pub seq: u64,
}

/// `CREATE_ROOM`.
pub fn create_room(out: &mut Vec<u8>, number: usize) {
    out.clear();
    let _ = write!(out, "{{\"type\":\"CREATE_ROOM\",\"name\":\"load {number}\"}}");
}

/// `JOIN_ROOM`.
pub fn join_room(out: &mut Vec<u8>, room: u64) {
    out.clear();
    let _ = write!(out, "{{\"type\":\"JOIN_ROOM\",\"roomId\":{room}}}");
}

/// `CONNECT`, from the server.
#[derive(Debug, Deserialize)]
pub struct Connected<'a> {
    /// What brings this client back.
    #[serde(borrow)]
    pub session: Cow<'a, str>,
    /// Where it is.
    #[serde(borrow, rename = "nodeId")]
    pub node: Cow<'a, str>,
}

/// `ROOM_JOINED`, without what does not matter here.
#[derive(Debug, Deserialize)]
pub struct Joined<'a> {
    /// Which room.
    pub room: Room,
    /// Which life of it.
    #[serde(borrow)]
    pub epoch: Cow<'a, str>,
    /// Its newest position.
    pub seq: u64,
    /// Positions of what was missed, or of the newest.
    #[serde(borrow, default)]
    pub messages: Vec<Position<'a>>,
    /// What cannot be had any more.
    pub gap: Option<Gap>,
}

/// A room.
#[derive(Debug, Deserialize)]
pub struct Room {
    /// Its number.
    #[serde(rename = "roomId")]
    pub id: u64,
}

/// A message's place.
#[derive(Debug, Clone, Deserialize)]
pub struct Position<'a> {
    /// The place.
    pub seq: u64,
    /// Its body.
    #[serde(borrow)]
    pub body: Cow<'a, str>,
}

/// `RECONNECT`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Reconnect {
    /// When to.
    #[serde(rename = "afterMs")]
    pub after_ms: u64,
}

/// `USER_EVENT` and `PRESENCE`: of how many.
#[derive(Debug, Deserialize)]
pub struct Told {
    /// Who came.
    #[serde(default)]
    pub joined: Vec<IgnoredAny>,
    /// Who left.
    #[serde(default)]
    pub left: Vec<IgnoredAny>,
    /// Whose connection was lost.
    #[serde(default)]
    pub reconnecting: Vec<IgnoredAny>,
}

/// Places that are gone.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Gap {
    /// The last of them.
    pub to: u64,
}

/// `ERROR`.
#[derive(Debug, Deserialize)]
pub struct Refusal<'a> {
    /// What was refused, if the server knows.
    #[serde(borrow)]
    pub id: Option<Cow<'a, str>>,
    /// Why.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    /// When to ask again.
    #[serde(rename = "retryAfterMs")]
    pub retry_after_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{ClientCommand, ServerEvent, sample};

    const DUE: u64 = 0x0123_4567_89ab;

    fn sent(bytes: usize) -> (String, String) {
        let mut out = Vec::new();
        Run::new(0xbeef).send_message(&mut out, 70_000, 48_151, bytes, DUE);
        let ClientCommand::SendMessage(message) = serde_json::from_slice(&out).unwrap() else { panic!("no message") };
        (message.id.to_string(), message.body.0)
    }

    #[test]
    fn a_message_is_one_of_the_contract() {
        let (id, body) = sent(120);
        assert_eq!((body.len(), id.len()), (120, 36));
        assert!(body.starts_with("xxx") && body.ends_with("~beef0123456789ab"), "{body}");
        assert_eq!(sent(STAMP).1, "~beef0123456789ab");
    }

    #[test]
    fn a_delivery_is_read_in_any_order_of_its_keys() {
        let run = Run::new(0xbeef);
        let body = sent(60).1;
        let ours = format!(
            r#"{{"seq":4711,"sentAt":1700000000123,"type":"NEW_MESSAGE","roomId":1,"id":"i","sender":{{"clientId":2,"username":"\"seq\":1"}},"body":"{body}"}}"#
        );
        let other = format!(
            r#"{{"type":"NEW_MESSAGE","body":"{body}","sender":{{"username":"~bee"}},"sentAt":1700000000123,"seq":4711}}"#
        );
        for text in [&ours, &other] {
            assert_eq!(said(run, text.as_bytes()), Said::Message(4711, Some(DUE)), "{text}");
            assert_eq!(said(Run::new(1), text.as_bytes()), Said::Message(4711, None), "another run's {text}");
        }
    }

    #[test]
    fn acknowledgements_say_when_their_message_was_due() {
        let run = Run::new(0xbeef);
        let id = sent(20).0;
        let text = format!(r#"{{"type":"ACK","id":"{id}","roomId":1,"seq":42,"sentAt":1,"duplicate":false}}"#);
        assert_eq!(said(run, text.as_bytes()), Said::Ack(Some(DUE), 42));
        assert_eq!(said(Run::new(2), text.as_bytes()), Said::Ack(None, 42));
    }

    #[test]
    fn every_event_of_the_contract_is_known_by_its_type() {
        for event in sample::events() {
            let text = serde_json::to_vec(&event).unwrap();
            let kind = serde_json::to_value(&event).unwrap()["type"].as_str().unwrap().to_owned();
            match (said(Run::new(1), &text), event) {
                (Said::Message(seq, None), ServerEvent::NewMessage(message)) => {
                    assert_eq!(serde_json::to_value(message.seq).unwrap(), seq);
                }
                (Said::Ack(None, 42), ServerEvent::Ack(_)) => {}
                (Said::Other(found), _) => assert_eq!(found, kind.as_bytes()),
                (said, event) => panic!("{said:?} for {event:?}"),
            }
        }
    }

    #[test]
    fn nonsense_is_nothing() {
        for text in [&b""[..], b"{", b"null", b"{\"type\":\"", b"{\"seq\":", b"{\"seq\":12", b"{\"type\":\"NEW"] {
            assert!(matches!(said(Run::new(1), text), Said::Other(_)), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn commands_are_those_of_the_contract() {
        let mut out = Vec::new();
        let back = Back { session: "a.b.c", room: 48_151, epoch: "5f1c9e", seq: 41 };
        connect(&mut out, Some(back));
        let ClientCommand::Connect(command) = serde_json::from_slice(&out).unwrap() else { panic!("no CONNECT") };
        assert_eq!(command.session.as_deref(), Some("a.b.c"));
        assert_eq!(serde_json::to_value(command.resume.unwrap()).unwrap()["seq"], 41);
        connect(&mut out, None);
        assert!(matches!(serde_json::from_slice(&out).unwrap(), ClientCommand::Connect(c) if c.resume.is_none()));
        create_room(&mut out, 99_999);
        let ClientCommand::CreateRoom(command) = serde_json::from_slice(&out).unwrap() else { panic!("no room") };
        assert!(command.name.0.len() <= 16);
        join_room(&mut out, 10_000);
        assert!(matches!(serde_json::from_slice(&out).unwrap(), ClientCommand::JoinRoom(_)));
    }

    #[test]
    fn replies_are_those_of_the_contract() {
        for event in sample::events() {
            let text = serde_json::to_string(&event).unwrap();
            match event {
                ServerEvent::Connected(_) => {
                    assert_eq!(
                        serde_json::from_str::<Connected<'_>>(&text).unwrap().session,
                        "header.payload.signature"
                    );
                }
                ServerEvent::Reconnect(asked) => {
                    let after_ms = serde_json::from_str::<Reconnect>(&text).unwrap().after_ms;
                    assert_eq!(serde_json::to_value(asked.after_ms).unwrap(), after_ms);
                }
                ServerEvent::UserEvent(event) => {
                    let told: Told = serde_json::from_str(&text).unwrap();
                    assert_eq!((told.joined.len(), told.left.len()), (event.joined.len(), event.left.len()));
                }
                ServerEvent::RoomJoined(event) => {
                    let joined: Joined<'_> = serde_json::from_str(&text).unwrap();
                    assert_eq!(
                        (joined.room.id, joined.seq, joined.epoch.as_ref()),
                        (48_151, event.seq.get(), "5f1c9e")
                    );
                    let seqs = joined.messages.iter().map(|message| message.seq);
                    assert!(seqs.eq(event.messages.iter().map(|message| message.seq.get())));
                    assert_eq!(joined.gap.unwrap().to, event.gap.unwrap().to.get());
                }
                ServerEvent::CommandError(_) => {
                    let refusal: Refusal<'_> = serde_json::from_str(&text).unwrap();
                    assert_eq!((refusal.code.as_ref(), refusal.id.as_deref()), ("rate_limited", Some("c-1")));
                    assert!(refusal.retry_after_ms.is_some());
                }
                _ => {}
            }
        }
    }
}
