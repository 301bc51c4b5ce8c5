//! Socket.IO's packets, by byte position: `4` for a message of Engine.IO, `2` for an event or `3` for its answer, the number
//! of that answer, and JSON, of which nothing is parsed. There is no `seq`, so a message says at the end of its text who
//! sent it and as which of its messages; behind that stands when it was to be sent, as in `text.rs`.
//!
//! The servers this is for put `text` last: `42["message",{…,"text":"xxx#<sender><count>~<run><time>"}]`.

use super::text::{Run, STAMP, digits, hex, number};
use std::io::Write as _;

/// `#`, six digits for the sender and eight for the count.
const MARK: usize = 15;
const SENDER: usize = 6;
/// What stands at the end of each text.
pub const TAIL: usize = MARK + STAMP;

/// What the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet {
    /// A message of this run: who sent it, as which, and when it was to be sent.
    Message {
        /// The sender's number.
        sender: u64,
        /// 1 for its first message.
        count: u64,
        /// When it was due.
        due: u64,
    },
    /// A message of somebody else.
    Foreign,
    /// The answer to the event of that number.
    Ack(u64),
    /// Engine.IO is ready.
    Open,
    /// The namespace has let us in.
    Connected,
    /// A sign of life is wanted.
    Ping,
    /// The end, or a refusal.
    Refused,
    /// Anything else.
    Other,
}

const MESSAGE: &[u8] = b"42[\"message\",";
const CLOSING: &[u8] = b"\"}]";

/// Looks at a packet.
#[inline]
#[must_use]
pub fn packet(run: Run, text: &[u8]) -> Packet {
    if text.starts_with(MESSAGE) {
        return message(run, text).unwrap_or(Packet::Foreign);
    }
    match text {
        [b'4', b'3', rest @ ..] => Packet::Ack(digits(rest).0),
        [b'4', b'0', ..] => Packet::Connected,
        [b'4', b'1' | b'4', ..] | [b'1', ..] => Packet::Refused,
        [b'2', ..] => Packet::Ping,
        [b'0', ..] => Packet::Open,
        _ => Packet::Other,
    }
}

#[inline]
fn message(run: Run, text: &[u8]) -> Option<Packet> {
    let tail = text.strip_suffix(CLOSING)?;
    let tail = &tail[tail.len().checked_sub(TAIL)?..];
    let mark = tail[..MARK].strip_prefix(b"#")?;
    let (sender, count) = (number(&mark[..SENDER])?, number(&mark[SENDER..])?);
    Some(Packet::Message { sender, count, due: run.stamped(&tail[MARK..])? })
}

/// What the client says first.
pub fn connect(out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"40");
}

/// The sign of life.
pub fn pong(out: &mut Vec<u8>) {
    out.clear();
    out.push(b'3');
}

/// Goes into a room. It is the event number 0; messages have the time when they are due.
pub fn join(out: &mut Vec<u8>, room: u64) {
    out.clear();
    let _ = write!(out, "420[\"join\",\"{room}\"]");
}

/// Sends a message. The text has `bytes` characters, all of one byte.
pub fn send(out: &mut Vec<u8>, run: Run, (sender, count): (u64, u64), room: u64, bytes: usize, due: u64) {
    out.clear();
    let _ = write!(out, "42{due}[\"message\",{{\"room\":\"{room}\",\"id\":\"");
    out.extend_from_slice(&run.id(sender, due));
    out.extend_from_slice(b"\",\"text\":\"");
    out.resize(out.len() + bytes.saturating_sub(TAIL), b'x');
    let mut mark = *b"#00000000000000";
    hex(sender, &mut mark[1..=SENDER]);
    hex(count, &mut mark[1 + SENDER..]);
    out.extend_from_slice(&mark);
    run.stamp(out, due);
    out.extend_from_slice(CLOSING);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn sent(bytes: usize) -> (u64, Value) {
        let mut out = Vec::new();
        send(&mut out, Run::new(0xbeef), (99, 7), 5, bytes, 0x1234);
        let text = String::from_utf8(out).unwrap();
        let (number, json) = digits(text.strip_prefix("42").unwrap().as_bytes());
        (number, serde_json::from_slice(json).unwrap())
    }

    #[test]
    fn a_message_comes_back_as_it_went() {
        let (number, event) = sent(120);
        let text = event[1]["text"].as_str().unwrap();
        assert_eq!((number, event[0].as_str(), text.len()), (0x1234, Some("message"), 120));
        assert_eq!(sent(TAIL).1[1]["text"].as_str().unwrap().len(), TAIL);
        let came = format!(r##"42["message",{{"room":"5","id":"i","sender":{{"username":"#~"}},"text":"{text}"}}]"##);
        let message = Packet::Message { sender: 99, count: 7, due: 0x1234 };
        assert_eq!(packet(Run::new(0xbeef), came.as_bytes()), message);
        assert_eq!(packet(Run::new(1), came.as_bytes()), Packet::Foreign);
    }

    #[test]
    fn packets_are_told_apart() {
        let all = [
            (r#"0{"sid":"a"}"#, Packet::Open),
            (r#"40{"sid":"b"}"#, Packet::Connected),
            (r#"430[true]"#, Packet::Ack(0)),
            (r#"434660[{"id":"x"}]"#, Packet::Ack(4660)),
            ("2", Packet::Ping),
            ("1", Packet::Refused),
            ("41", Packet::Refused),
            (r#"44{"message":"no"}"#, Packet::Refused),
            (r#"42["other"]"#, Packet::Other),
            (r#"42["message",{"text":"short"}]"#, Packet::Foreign),
            (r#"42["message","#, Packet::Foreign),
            ("", Packet::Other),
            ("4", Packet::Other),
        ];
        for (text, expected) in all {
            assert_eq!(packet(Run::new(1), text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn what_else_is_said() {
        let mut out = Vec::new();
        join(&mut out, 3);
        assert_eq!(out, br#"420["join","3"]"#);
        connect(&mut out);
        assert_eq!(out, b"40");
        pong(&mut out);
        assert_eq!(out, b"3");
    }
}
