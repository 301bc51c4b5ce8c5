//! WebSockets by hand: the handshake, our masked frames, and a scanner for the server's, which are not masked. Only what
//! a chat server of this contract says is understood: no fragments, no extensions.

use std::net::SocketAddr;

/// A text message.
pub const TEXT: u8 = 1;
/// The end of a connection, with its code.
pub const CLOSE: u8 = 8;
/// A question for a sign of life.
pub const PING: u8 = 9;
/// Its answer.
pub const PONG: u8 = 10;

/// Ours are masked, as they must be; what hides nothing may always be the same.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x1e, 0x97];

/// Bytes in front of a payload in one of our frames, at most.
const HEAD: usize = 14;

/// RFC 6455's own example of a key, and the answer to it: it is the same for all, as no proxy keeps these answers.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The longest head of an answer to a handshake.
const ANSWER: usize = 16 * 1024;

/// The request for a WebSocket.
#[must_use]
pub fn handshake(address: SocketAddr, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: roomful.v1\r\n\r\n"
    )
    .into_bytes()
}

/// What the server said to the handshake.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Not all of it is here.
    Partial,
    /// A WebSocket begins after so many bytes.
    Switched(usize),
    /// Something else; its status.
    Refused(u16),
}

/// Reads the answer to a handshake.
#[must_use]
pub fn answer(bytes: &[u8]) -> Answer {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > ANSWER { Answer::Refused(0) } else { Answer::Partial };
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    match status {
        101 if head.contains(ACCEPT) => Answer::Switched(end + 4),
        status => Answer::Refused(status),
    }
}

/// Appends one of our frames.
pub fn put(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.reserve(payload.len() + HEAD);
    out.push(0x80 | opcode);
    match payload.len() {
        len @ 0..126 => out.push(0x80 | len as u8),
        len @ 126..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    let from = out.len();
    out.extend_from_slice(payload);
    for (byte, key) in out[from..].iter_mut().zip(MASK.iter().cycle()) {
        *byte ^= key;
    }
}

/// What stands at the beginning of what came.
#[derive(Debug, PartialEq, Eq)]
pub enum Scan<'a> {
    /// A whole frame, and how many bytes it took.
    Frame(u8, &'a [u8], usize),
    /// The beginning of one.
    Partial,
    /// Something that this scanner does not understand.
    Bad(&'static str),
}

/// Looks for a frame of the server.
#[inline]
#[must_use]
pub fn scan(bytes: &[u8]) -> Scan<'_> {
    let [first, second, rest @ ..] = bytes else { return Scan::Partial };
    if first & 0xf0 != 0x80 {
        return Scan::Bad("a frame that is compressed, or a fragment");
    }
    let (head, len) = match (second, rest) {
        (len @ 0..126, _) => (2, usize::from(*len)),
        (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            (10, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]).try_into().unwrap_or(usize::MAX))
        }
        (126 | 127, _) => return Scan::Partial,
        _ => return Scan::Bad("a masked frame"),
    };
    if len > 1 << 28 {
        return Scan::Bad("a frame that would not end");
    }
    match bytes.get(head..head + len) {
        Some(payload) => Scan::Frame(first & 0x0f, payload, head + len),
        None => Scan::Partial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server would send.
    fn bare(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            len @ 0..126 => frame.push(len as u8),
            len @ 126..0x1_0000 => frame.extend([126, (len >> 8) as u8, len as u8]),
            len => {
                frame.push(127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    #[test]
    fn frames_of_all_lengths_are_found_and_never_too_early() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let payload = vec![b'x'; len];
            let frame = bare(TEXT, &payload);
            let whole = frame.len();
            assert_eq!(scan(&frame), Scan::Frame(TEXT, &payload, whole));
            for cut in [0, 1, 2, 3, 9, whole - 1].into_iter().filter(|cut| *cut < whole) {
                assert_eq!(scan(&frame[..cut]), Scan::Partial, "{len} cut at {cut}");
            }
        }
    }

    #[test]
    fn only_the_first_frame_is_taken() {
        let bytes = [bare(PING, b"a"), bare(TEXT, b"b")].concat();
        assert_eq!(scan(&bytes), Scan::Frame(PING, b"a", 3));
        assert_eq!(scan(&bytes[3..]), Scan::Frame(TEXT, b"b", 3));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for bytes in [&[0x01, 0][..], &[0xc1, 0], &[0x81, 0x80, 1, 2, 3, 4], &[0x81, 127, 255, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(matches!(scan(bytes), Scan::Bad(_)), "{bytes:?}");
        }
    }

    #[test]
    fn ours_are_masked() {
        for len in [0, 5, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; len];
            let mut frame = Vec::new();
            put(&mut frame, TEXT, &payload);
            let head = frame.len() - len;
            assert!(frame[0] == 0x81 && frame[1] & 0x80 != 0);
            let plain: Vec<u8> = frame[head..].iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            assert_eq!(plain, payload);
            // Without its mask it is what a server would have sent.
            let mut unmasked = [&frame[..head - 4], &plain].concat();
            unmasked[1] &= 0x7f;
            assert_eq!(unmasked, bare(TEXT, &payload));
        }
    }

    #[test]
    fn answers() {
        let good = format!("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n");
        assert_eq!(answer(good.as_bytes()), Answer::Switched(good.len()));
        assert_eq!(answer(&[good.as_bytes(), b"\x81\0"].concat()), Answer::Switched(good.len()));
        assert_eq!(answer(&good.as_bytes()[..30]), Answer::Partial);
        assert_eq!(answer(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), Answer::Refused(101));
        assert_eq!(answer(b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}"), Answer::Refused(503));
        assert_eq!(answer(&[b'x'; ANSWER + 1]), Answer::Refused(0));
    }
}
