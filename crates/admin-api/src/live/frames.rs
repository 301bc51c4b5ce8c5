//! Frames, out of a buffer that never holds more than one of them.

use super::{FRAME_MAX, Outgoing};
use actix_codec::{Decoder, Encoder};
use actix_http::ws::{CloseReason, Codec, Frame, Message, ProtocolError};
use bytes::BytesMut;

/// The longest header of a client's frame.
const HEADER_MAX: usize = 14;

/// actix's codec, which by itself would wait for the whole of a frame before it looks at its size.
pub(super) struct Frames(Codec);

impl Frames {
    pub(super) fn new() -> Self {
        Self(Codec::new().max_size(FRAME_MAX))
    }
}

impl Decoder for Frames {
    type Item = Frame;
    type Error = ProtocolError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        match self.0.decode(buffer)? {
            None if buffer.len() > FRAME_MAX + HEADER_MAX => Err(ProtocolError::Overflow),
            frame => Ok(frame),
        }
    }
}

impl Encoder<Outgoing> for Frames {
    type Error = ProtocolError;

    fn encode(&mut self, outgoing: Outgoing, buffer: &mut BytesMut) -> Result<(), ProtocolError> {
        let message = match outgoing {
            // It was made from text.
            Outgoing::Figures(json) => Message::Text(json.try_into().unwrap_or_default()),
            Outgoing::Ping => Message::Ping(bytes::Bytes::new()),
            Outgoing::Pong(bytes) => Message::Pong(bytes),
            Outgoing::Close(code) => {
                Message::Close(Some(CloseReason { code: code.get().into(), description: Some(code.reason().into()) }))
            }
        };
        self.0.encode(message, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_claims_to_be_large_is_refused_before_it_is_there() {
        // Text, masked, of 2^40 bytes, of which some have come.
        let mut buffer = BytesMut::from(&[0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4][..]);
        assert!(matches!(Frames::new().decode(&mut buffer), Ok(None)));
        buffer.extend_from_slice(&[0; FRAME_MAX + 1]);
        assert!(matches!(Frames::new().decode(&mut buffer), Err(ProtocolError::Overflow)));
    }

    #[test]
    fn a_frame_of_the_largest_size_is_taken() {
        let mut buffer = BytesMut::from(&[0x82, 0xfe, 0x10, 0x00, 0, 0, 0, 0][..]);
        buffer.extend_from_slice(&[0; FRAME_MAX]);
        assert!(matches!(Frames::new().decode(&mut buffer), Ok(Some(Frame::Binary(b))) if b.len() == FRAME_MAX));
    }
}
