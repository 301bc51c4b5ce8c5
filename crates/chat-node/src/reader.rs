//! From bytes to messages. A frame's header is checked as soon as it is there, before memory is taken for what it
//! claims to bring; the reader owns memory only for a frame that is not complete yet.

use actix_http::ws::{OpCode, Parser};
use bytes::{Bytes, BytesMut};
use protocol::CloseCode;
use std::{cell::RefCell, io};
use tokio::net::TcpStream;

/// What one read takes at most; each worker thread has one such buffer for all of its connections.
const SCRATCH: usize = 16 * 1024;
/// Control frames may carry this much (RFC 6455 §5.5).
const CONTROL_MAX: u64 = 125;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH]);
}

/// What a peer sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Text(Bytes),
    Binary,
    Ping(Bytes),
    Pong,
    Close,
}

/// What a read gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Some,
    /// As much as one read takes: there is probably more.
    Full,
    Nothing,
    End,
}

/// Reads one socket.
pub(crate) struct Reader {
    bytes: BytesMut,
    /// A message in several frames, as far as it has come.
    fragments: Option<Box<Fragments>>,
    limit: usize,
    taken: usize,
}

struct Fragments {
    text: bool,
    bytes: BytesMut,
    /// How many there were: a message of empty ones would otherwise never be too big, nor ever end.
    count: usize,
}

impl Reader {
    /// Begins with what came behind the handshake.
    pub(crate) fn new(bytes: BytesMut, limit: usize) -> Self {
        let taken = bytes.len();
        Self { bytes, fragments: None, limit, taken }
    }

    /// Reads what is there.
    pub(crate) fn fill(&mut self, socket: &TcpStream) -> io::Result<Read> {
        BUFFER.with_borrow_mut(|buffer| match socket.try_read(buffer) {
            Ok(0) => Ok(Read::End),
            Ok(n) => {
                self.bytes.extend_from_slice(&buffer[..n]);
                self.taken += n;
                Ok(if n == SCRATCH { Read::Full } else { Read::Some })
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(Read::Nothing),
            Err(e) => Err(e),
        })
    }

    /// Bytes that came since this was asked last.
    pub(crate) fn take_count(&mut self) -> usize {
        std::mem::take(&mut self.taken)
    }

    /// Reads what is there and throws it away.
    pub(crate) fn discard(socket: &TcpStream) -> io::Result<Read> {
        let mut none = Self::new(BytesMut::new(), 0);
        none.fill(socket)
    }

    /// The next whole message; `None` when more must be read first.
    ///
    /// # Errors
    /// The code to close with, when the peer breaks the rules.
    pub(crate) fn next(&mut self) -> Result<Option<Message>, CloseCode> {
        loop {
            check_header(&self.bytes, self.limit)?;
            let parsed = Parser::parse(&mut self.bytes, true, self.limit).map_err(|_| CloseCode::ProtocolError)?;
            let Some((fin, opcode, payload)) = parsed else {
                if self.bytes.is_empty() {
                    self.bytes = BytesMut::new();
                }
                return Ok(None);
            };
            let payload = payload.unwrap_or_default();
            match opcode {
                OpCode::Ping => return Ok(Some(Message::Ping(payload.freeze()))),
                OpCode::Pong => return Ok(Some(Message::Pong)),
                OpCode::Close => {
                    Parser::try_parse_close_payload(&payload).map_err(|_| CloseCode::ProtocolError)?;
                    return Ok(Some(Message::Close));
                }
                OpCode::Text | OpCode::Binary => {
                    if self.fragments.is_some() {
                        return Err(CloseCode::ProtocolError);
                    }
                    let text = opcode == OpCode::Text;
                    if fin {
                        return whole(text, payload).map(Some);
                    }
                    // A copy: the parser's slice would keep the whole read alive.
                    self.fragments = Some(Box::new(Fragments { text, bytes: BytesMut::from(&payload[..]), count: 1 }));
                }
                OpCode::Continue => {
                    let Some(mut fragments) = self.fragments.take() else { return Err(CloseCode::ProtocolError) };
                    fragments.count += 1;
                    if fragments.bytes.len() + payload.len() > self.limit || fragments.count > self.limit {
                        return Err(CloseCode::TooBig);
                    }
                    fragments.bytes.extend_from_slice(&payload);
                    if fin {
                        return whole(fragments.text, fragments.bytes).map(Some);
                    }
                    self.fragments = Some(fragments);
                }
                OpCode::Bad => return Err(CloseCode::ProtocolError),
            }
        }
    }
}

fn whole(text: bool, payload: BytesMut) -> Result<Message, CloseCode> {
    if !text {
        return Ok(Message::Binary);
    }
    match std::str::from_utf8(&payload) {
        Ok(_) => Ok(Message::Text(payload.freeze())),
        Err(_) => Err(CloseCode::InvalidUtf8),
    }
}

/// Looks at as much of a header as has come: the parser itself would wait for, and keep, all that it claims.
fn check_header(bytes: &[u8], limit: usize) -> Result<(), CloseCode> {
    let [first, second, rest @ ..] = bytes else { return Ok(()) };
    let (fin, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
    let control = opcode >= 8;
    if second & 0x80 == 0 || reserved != 0 || !matches!(opcode, 0..=2 | 8..=10) || (control && !fin) {
        return Err(CloseCode::ProtocolError);
    }
    let length = match (second & 0x7f, rest) {
        (126, [a, b, ..]) => u64::from(u16::from_be_bytes([*a, *b])),
        (127, [a, b, c, d, e, f, g, h, ..]) => u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        (126 | 127, _) if control => return Err(CloseCode::ProtocolError),
        (126 | 127, _) => return Ok(()),
        (length, _) => length.into(),
    };
    if control && length > CONTROL_MAX {
        return Err(CloseCode::ProtocolError);
    }
    if length > limit as u64 {
        return Err(CloseCode::TooBig);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        Parser::write_message(&mut out, payload, OpCode::Text, true, true);
        out[0] = first;
        out.to_vec()
    }

    fn read_all(bytes: &[u8], step: usize) -> Vec<Result<Message, CloseCode>> {
        let mut reader = Reader::new(BytesMut::new(), 1000);
        let mut out = Vec::new();
        for part in bytes.chunks(step) {
            reader.bytes.extend_from_slice(part);
            loop {
                match reader.next() {
                    Ok(Some(message)) => out.push(Ok(message)),
                    Ok(None) => break,
                    Err(code) => {
                        out.push(Err(code));
                        return out;
                    }
                }
            }
        }
        out
    }

    #[test]
    fn messages_in_any_pieces() {
        let mut bytes = frame(0x81, b"one");
        bytes.extend(frame(0x01, b"tw"));
        bytes.extend(frame(0x89, b"hi"));
        bytes.extend(frame(0x00, b"o"));
        bytes.extend(frame(0x80, b""));
        bytes.extend(frame(0x82, b"x"));
        bytes.extend(frame(0x81, &[b'y'; 1000]));
        bytes.extend(frame(0x88, b""));
        let expected = vec![
            Ok(Message::Text(Bytes::from_static(b"one"))),
            Ok(Message::Ping(Bytes::from_static(b"hi"))),
            Ok(Message::Text(Bytes::from_static(b"two"))),
            Ok(Message::Binary),
            Ok(Message::Text(Bytes::from(vec![b'y'; 1000]))),
            Ok(Message::Close),
        ];
        for step in [1, 2, 3, 7, 100, 10_000] {
            assert_eq!(read_all(&bytes, step), expected, "in steps of {step}");
        }
    }

    #[test]
    fn a_header_is_refused_before_its_payload_comes() {
        let refused = |bytes: &[u8]| read_all(bytes, bytes.len()).pop().unwrap().unwrap_err();
        // 512 MiB, 1001 bytes, and a length with its top bit set: nothing of them has arrived.
        assert_eq!(refused(&[0x81, 0xff, 0, 0, 0, 0, 0x20, 0, 0, 0]), CloseCode::TooBig);
        assert_eq!(refused(&[0x81, 0xfe, 0x03, 0xe9]), CloseCode::TooBig);
        assert_eq!(refused(&[0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0]), CloseCode::TooBig);
        for bad in [[0x81, 0x05], [0xc1, 0x85], [0x83, 0x85], [0x8b, 0x85], [0x09, 0x80], [0x88, 0xfe]] {
            assert_eq!(refused(&bad), CloseCode::ProtocolError, "{bad:x?}");
        }
    }

    #[test]
    fn fragments_are_bounded_and_in_order() {
        let last = |bytes: Vec<u8>| read_all(&bytes, 4096).pop().unwrap();
        assert_eq!(last([frame(0x01, &[b'a'; 600]), frame(0x80, &[b'a'; 401])].concat()), Err(CloseCode::TooBig));
        // As many as the message may have bytes, and no more, even of nothing.
        let empty = |count| [frame(0x01, b""), frame(0x00, b"").repeat(count), frame(0x80, b"x")].concat();
        assert_eq!(last(empty(998)), Ok(Message::Text(Bytes::from_static(b"x"))));
        assert_eq!(last(empty(999)), Err(CloseCode::TooBig));
        assert_eq!(last(frame(0x80, b"x")), Err(CloseCode::ProtocolError));
        assert_eq!(last([frame(0x01, b"x"), frame(0x81, b"x")].concat()), Err(CloseCode::ProtocolError));
        assert_eq!(last(frame(0x81, &[0xff, 0xfe])), Err(CloseCode::InvalidUtf8));
        // A character cut in two by fragments is one all the same.
        assert_eq!(
            last([frame(0x01, &"é".as_bytes()[..1]), frame(0x80, &"é".as_bytes()[1..])].concat()),
            Ok(Message::Text(Bytes::from_static("é".as_bytes())))
        );
    }

    #[test]
    fn an_idle_reader_owns_no_memory() {
        let mut reader = Reader::new(BytesMut::new(), 1000);
        reader.bytes.extend_from_slice(&frame(0x81, b"x"));
        while reader.next().unwrap().is_some() {}
        assert_eq!(reader.bytes.capacity(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_messages_or_a_close(bytes in prop::collection::vec(any::<u8>(), 0..400), step in 1_usize..50) {
            read_all(&bytes, step);
        }
    }
}
