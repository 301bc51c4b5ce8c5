//! What is published: a line of its own version, kind and numbers, and after it bytes that nobody here looks into.
//! The scripts write the same (`lua/append.lua`, `lua/membership.lua`).
//!
//! ```text
//! 1 e <seq> <sent at> <µs> <trace>\n<payload>
//!                                         a position of the timeline; how many µs later it was, or `-`; and what follows
//!                                         the message from node to node, if anything does
//! 1 j <members> <client>\n<name>          joined; r: renamed; l: left, without a name
//! 1 a <members> <client>\n                its connection is lost; b: it is back
//! 1 x <client or 0>\n<payload>            an ephemeral event, and who need not hear it
//! 1 d\n                                   the room was ended
//! 1 m\n                                   the timeline is another one: read it again
//! 1 o\n<order>                            an order
//! 1 p <n>\n                               a process speaks to itself
//! ```
//!
//! What follows in a line the reader passes over: so an older version takes a message that is followed for any other.

use crate::names;
use bytes::Bytes;
use engine::port::{Change, Delivery, Entry};
use protocol::{ClientId, RoomId, Seq, Timestamp, event::Member};
use tokio::time::Instant;

/// What an ephemeral event is published as.
pub fn ephemeral(except: Option<ClientId>, payload: &[u8]) -> Bytes {
    with_head(&format!("1 x {}\n", except.map_or(0, ClientId::get)), payload)
}

/// What an order is published as.
pub fn order(order: &[u8]) -> Bytes {
    with_head("1 o\n", order)
}

/// What a process tells itself.
pub fn probe(n: u64) -> Bytes {
    with_head(&format!("1 p {n}\n"), &[])
}

fn with_head(head: &str, payload: &[u8]) -> Bytes {
    [head.as_bytes(), payload].concat().into()
}

/// What came on a control channel.
pub fn decode_order(message: &Bytes) -> Option<Bytes> {
    let (head, rest) = split(message)?;
    (head == "1 o").then_some(rest)
}

/// The number of a probe.
pub fn decode_probe(message: &Bytes) -> Option<u64> {
    split(message)?.0.strip_prefix("1 p ")?.parse().ok()
}

/// What came on a room's channel. None: it cannot be read, for a newer version wrote it.
///
/// `here`: which moment here was that one there, in microseconds.
pub fn decode(room: RoomId, message: &Bytes, here: impl FnOnce(u64) -> Option<Instant>) -> Option<Delivery> {
    let (head, rest) = split(message)?;
    let mut fields = head.split(' ');
    if fields.next() != Some("1") {
        return None;
    }
    let kind = fields.next()?;
    let mut number = || fields.next()?.parse::<u64>().ok();
    Some(match kind {
        "e" => {
            let (seq, sent_at) = (Seq::new(number()?), Timestamp(number()?));
            let taken = number().and_then(|micros| here(sent_at.0.saturating_mul(1000).saturating_add(micros)));
            let trace = fields.next().and_then(|trace| trace.parse().ok());
            Delivery::Entry { room, entry: Entry { seq, sent_at, payload: rest }, taken, trace }
        }
        "j" | "l" | "r" | "a" | "b" => {
            let member_count = u32::try_from(number()?).ok()?;
            let client_id = ClientId::new(number()?).ok()?;
            let member = || {
                let username = names::username(client_id, std::str::from_utf8(&rest).ok()?)?;
                Some(Member { client_id, username })
            };
            let change = match kind {
                "j" => Change::Joined(member()?),
                "r" => Change::Renamed(member()?),
                "a" => Change::Lost(client_id),
                "b" => Change::Back(client_id),
                _ => Change::Left(client_id),
            };
            Delivery::Membership { room, change, member_count }
        }
        "x" => Delivery::Ephemeral { room, except: ClientId::new(number()?).ok(), payload: rest },
        "d" => Delivery::RoomEnded { room },
        "m" => Delivery::Missed(Some(room)),
        _ => return None,
    })
}

fn split(message: &Bytes) -> Option<(&str, Bytes)> {
    let end = memchr::memchr(b'\n', message)?;
    Some((std::str::from_utf8(&message[..end]).ok()?, message.slice(end + 1..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> RoomId {
        RoomId::new(12345).unwrap()
    }

    #[test]
    fn payloads_are_opaque() {
        let payload = Bytes::from_static(b"\n\x00\xff 1 e\n");
        let message = ephemeral(None, &payload);
        assert_eq!(
            decode(room(), &message, |_| None),
            Some(Delivery::Ephemeral { room: room(), except: None, payload: payload.clone() })
        );
        assert_eq!(decode_order(&order(&payload)), Some(payload));
        assert_eq!(decode_probe(&probe(7)), Some(7));
    }

    #[test]
    fn when_a_message_was_taken_may_be_absent() {
        let now = Instant::now();
        for (text, expected) in [("1 e 7 9 1\nx", Some(now)), ("1 e 7 9\nx", None), ("1 e 7 9 soon\nx", None)] {
            let message = Bytes::from_static(text.as_bytes());
            let decoded = decode(room(), &message, |micros| (micros == 9001).then_some(now));
            assert!(matches!(decoded, Some(Delivery::Entry { taken, .. }) if taken == expected), "{text:?}");
        }
    }

    #[test]
    fn a_trace_is_read_if_there_is_one_and_more_is_passed_over() {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for (head, known) in [
            ("1 e 7 9 3".to_owned(), false),
            (format!("1 e 7 9 3 {trace}"), true),
            (format!("1 e 7 9 3 {trace} and more"), true),
            ("1 e 7 9 3 01-of-another-version".to_owned(), false),
        ] {
            let message = format!("{head}\n{{}}").into();
            let Some(Delivery::Entry { entry, trace: read, .. }) = decode(room(), &message, |_| None) else {
                panic!("{head}")
            };
            assert_eq!((entry.seq.get(), entry.sent_at.0, &entry.payload[..]), (7, 9, &b"{}"[..]));
            assert_eq!(read.map(|trace| trace.to_string()), known.then(|| trace.to_owned()), "{head}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_none() {
        for bad in ["", "\n", "1", "1 e\n", "1 e x y\n", "2 e 1 2\n", "1 z\n", "1 j 1 5\nx", "1 e 1", "\u{fffd}"] {
            assert_eq!(decode(room(), &Bytes::from(bad.to_owned()), |_| None), None, "{bad:?}");
        }
    }
}
