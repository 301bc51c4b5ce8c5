//! Frames as they go on the wire, made once and shared by every queue.

use bytes::{BufMut, Bytes, BytesMut};
use protocol::{CloseCode, Seq, Timestamp};

/// A ping without a payload.
pub const PING: Bytes = Bytes::from_static(&[0x89, 0x00]);

/// A text frame (RFC 6455 §5.2): final, not masked.
#[must_use]
pub fn text(json: &[u8]) -> Bytes {
    frame(0x81, &[json])
}

/// A pong that echoes a ping's payload.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    frame(0x8a, &[payload])
}

/// A close frame.
#[must_use]
pub fn close(code: CloseCode) -> Bytes {
    frame(0x88, &[&code.get().to_be_bytes(), code.reason().as_bytes()])
}

/// The text frame of a timeline position: the payload's object, with `seq` and `sentAt` put in front. The payload was
/// made by the node that took the message, before these two were known; this spares every other node from parsing it.
#[must_use]
pub fn entry(seq: Seq, sent_at: Timestamp, payload: &[u8]) -> Bytes {
    let head = position(seq, sent_at);
    frame(0x81, &[head.as_bytes(), payload.get(1..).unwrap_or(b"}")])
}

/// The JSON text of a timeline position.
#[must_use]
pub fn splice(seq: Seq, sent_at: Timestamp, payload: &[u8]) -> Vec<u8> {
    [position(seq, sent_at).as_bytes(), payload.get(1..).unwrap_or(b"}")].concat()
}

/// The beginning of a timeline position's object: what comes next in it follows.
pub(crate) fn position(seq: Seq, sent_at: Timestamp) -> String {
    format!("{{\"seq\":{seq},\"sentAt\":{},", sent_at.0)
}

#[allow(clippy::cast_possible_truncation)] // each cast is behind the comparison that makes it exact
fn frame(first: u8, parts: &[&[u8]]) -> Bytes {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    let mut out = BytesMut::with_capacity(len + 10);
    out.put_u8(first);
    if len < 126 {
        out.put_u8(len as u8);
    } else if let Ok(len) = u16::try_from(len) {
        out.put_u8(126);
        out.put_u16(len);
    } else {
        out.put_u8(127);
        out.put_u64(len as u64);
    }
    for part in parts {
        out.put_slice(part);
    }
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (len, head) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = text(&vec![b'x'; len]);
            assert_eq!(frame.len(), len + head);
        }
        assert_eq!(&text(&[b'x'; 300])[..4], &[0x81, 126, 1, 44]);
        assert_eq!(&close(CloseCode::TooSlow)[..4], &[0x88, 10, 0x0f, 0xa8]);
    }

    #[test]
    fn a_position_is_put_into_the_object() {
        let json = splice(Seq::new(7), Timestamp(9), br#"{"type":"X","body":"b"}"#);
        assert_eq!(String::from_utf8(json).unwrap(), r#"{"seq":7,"sentAt":9,"type":"X","body":"b"}"#);
    }
}
