//! What is known of one connection. There are thousands, so it is small, and owns memory only for what is half there.

use super::{line::Line, moving::Mover};
use rustix::fd::OwnedFd;

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// Its turn has not come.
    #[default]
    Asleep,
    /// TCP is on its way.
    Dialing,
    /// The handshake is.
    Upgrading,
    /// `CONNECT` is.
    Greeting,
    /// Its room does not exist yet.
    Queued,
    /// The way into the room is.
    Joining,
    /// In its room.
    Live,
    /// Its socket is gone, and the next one is not in the room yet.
    Between,
    /// Was told to say `CONNECT` again later.
    Told,
    /// Waits for the next attempt.
    Resting,
    /// Will not come any more.
    Ended,
}

impl State {
    /// Whether it is on its way into its room.
    pub(super) fn is_setup(self) -> bool {
        matches!(self, Self::Dialing | Self::Upgrading | Self::Greeting | Self::Told | Self::Queued | Self::Joining)
    }
}

/// One connection, or the place of one.
#[derive(Debug, Default)]
pub(super) struct Connection {
    pub(super) socket: Option<OwnedFd>,
    /// Tells an event of this socket from one of the socket before.
    pub(super) generation: u32,
    pub(super) room: u32,
    pub(super) state: State,
    /// Attempts that failed since it was last in its room.
    pub(super) attempt: u16,
    /// Messages that it sent and that have no answer.
    pub(super) unanswered: u32,
    /// Where it is in the timeline.
    pub(super) line: Line,
    /// Where it was when it joined.
    pub(super) first: u64,
    /// When it was cut, or began to connect.
    pub(super) since: u64,
    /// Who it is, if it may have to come back.
    pub(super) identity: Option<Box<Identity>>,
    /// What it needs to know to move.
    pub(super) mover: Option<Box<Mover>>,
    /// Whether it was cut, so that it comes back.
    pub(super) cut: bool,
    /// The beginning of a frame.
    pub(super) half: Vec<u8>,
    /// What the socket would not take yet.
    pub(super) pending: Vec<u8>,
}

/// What brings a client back to where it was.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) session: String,
    pub(super) epoch: String,
}

impl Connection {
    /// Ends the socket, and what belongs to it.
    pub(super) fn hang_up(&mut self) {
        self.socket = None;
        self.generation = self.generation.wrapping_add(1);
        self.half = Vec::new();
        self.pending = Vec::new();
    }
}
