//! The live feed: what a dashboard shows, each second.
//!
//! One poller reads the figures for all (`poll.rs`), and only while somebody listens. `feed.rs` speaks the protocol with
//! one listener over a [`Carrier`]; what carries it is either actix-ws, behind a route of this service's own server
//! (`web.rs`), or the raw socket, in a process whose sockets are all taken before they get to a route (`raw.rs`).

mod feed;
mod frames;
mod poll;
mod raw;
mod web;

pub(crate) use feed::run;
pub(crate) use poll::Poller;
pub(crate) use raw::upgrade;
pub(crate) use web::Web;

use actix_http::ws::{Frame, ProtocolError};
use bytes::Bytes;
use std::future::Future;

/// Where the feed is.
pub const LIVE_PATH: &str = "/admin/live";

/// The largest frame that a listener may send, in bytes.
pub(crate) const FRAME_MAX: usize = 4096;

/// The connection is gone.
#[derive(Debug)]
pub(crate) struct Gone;

/// What a listener gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// Figures, as JSON. It is text, shared by all who get it.
    Figures(Bytes),
    Ping,
    Pong(Bytes),
    /// And then nothing more.
    Close(protocol::CloseCode),
}

/// A WebSocket, past its handshake.
pub(crate) trait Carrier {
    /// The next frame; none when there are no more. Nothing is lost when it is not waited for to the end.
    fn next(&mut self) -> impl Future<Output = Option<Result<Frame, ProtocolError>>>;

    /// Sends one, as soon as the socket takes it.
    fn send(&mut self, outgoing: Outgoing) -> impl Future<Output = Result<(), Gone>>;
}
