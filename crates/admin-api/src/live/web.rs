//! The feed behind a route: actix-ws makes the handshake and writes, and frames are read as everywhere.

use super::{Carrier, Gone, Outgoing, frames::Frames};
use actix_codec::Decoder;
use actix_http::ws::{CloseReason, Frame, ProtocolError};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, dev::Payload, web};
use actix_ws::Session;
use bytes::BytesMut;
use futures_util::StreamExt;

/// A WebSocket in actix's care.
pub(crate) struct Web {
    /// None once it was closed.
    session: Option<Session>,
    payload: Payload,
    buffer: BytesMut,
    frames: Frames,
}

impl Web {
    /// Answers the handshake, which was checked before.
    pub(crate) fn accept(request: &HttpRequest, payload: web::Payload) -> Result<(HttpResponse, Self), Error> {
        // actix-ws keeps all of a frame that it is sent, whatever it may have: it reads from an empty body, and we from
        // the real one.
        let nothing = web::Payload::from_request(request, &mut Payload::None).into_inner()?;
        let (response, session, _) = actix_ws::handle(request, nothing)?;
        let payload = payload.into_inner();
        Ok((response, Self { session: Some(session), payload, buffer: BytesMut::new(), frames: Frames::new() }))
    }
}

impl Carrier for Web {
    async fn next(&mut self) -> Option<Result<Frame, ProtocolError>> {
        loop {
            match self.frames.decode(&mut self.buffer) {
                Ok(Some(frame)) => return Some(Ok(frame)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
            // Whatever goes wrong here, there is nobody any more.
            self.buffer.extend_from_slice(&self.payload.next().await?.ok()?);
        }
    }

    async fn send(&mut self, outgoing: Outgoing) -> Result<(), Gone> {
        let session = self.session.as_mut().ok_or(Gone)?;
        let sent = match outgoing {
            // It was made from text.
            Outgoing::Figures(json) => {
                let text = String::from_utf8(json.to_vec()).unwrap_or_default();
                session.text(text).await
            }
            Outgoing::Ping => session.ping(b"").await,
            Outgoing::Pong(bytes) => session.pong(&bytes).await,
            Outgoing::Close(code) => {
                let reason = CloseReason { code: code.get().into(), description: Some(code.reason().into()) };
                self.session.take().ok_or(Gone)?.close(Some(reason)).await
            }
        };
        sent.map_err(|_| Gone)
    }
}
