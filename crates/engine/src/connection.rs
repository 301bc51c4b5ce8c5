//! One socket as the hub sees it. The task that reads the socket and the hub share it, on one thread.

use crate::{
    bans::BanList,
    hub::Receipt,
    outbox::{Flushed, Outbox, Wire},
    router::ATTEMPT_BITS,
    stats::{Taken, Tally},
};
use bytes::Bytes;
use protocol::{ClientId, CloseCode, RoomId, Timestamp};
use std::{
    cell::{Cell, RefCell},
    fmt, io,
    net::IpAddr,
    rc::Rc,
};
use tokio::{sync::Notify, time::Instant};

/// One socket.
pub struct Connection<W> {
    /// Unique on its node, in one life of it; the worker is in its top bits, and the lowest are empty.
    pub id: u64,
    /// The socket.
    pub wire: W,
    /// Where it comes from.
    pub peer: Peer,
    /// Wakes the task that reads: to close, or to wait until the socket can be written again.
    pub wake: Notify,
    pub(crate) outbox: RefCell<Outbox>,
    /// Its worker's.
    tally: Rc<Tally>,
    pub(crate) rooms: RefCell<Vec<RoomId>>,
    /// Attempts to speak for a client.
    attempts: Cell<u8>,
    client: Cell<Option<ClientId>>,
    /// Since when the client's id is its own, at the latest; 0 for one that it had before.
    since: Cell<Timestamp>,
    closing: Cell<Option<Closing>>,
    /// It was found to hear other rooms than its client is in.
    pub(crate) astray: Cell<bool>,
    pub(crate) dirty: Cell<bool>,
    /// Messages that were accepted from it.
    pub(crate) sent: Cell<u64>,
    /// Bytes that came from it and are not in the node's sum yet.
    pub(crate) received: Cell<u64>,
    /// Who wants to know when its close is written.
    pub(crate) receipts: RefCell<Vec<Receipt>>,
    blocked_since: Cell<Option<Instant>>,
    heard: Cell<Instant>,
    pub(crate) pinged: Cell<Instant>,
}

/// A connection's id as logs have it: in hexadecimal, in which its worker and its number can be told apart, and as text,
/// because not every reader of JSON keeps so large a number exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    /// Of the connection that made this attempt to speak for a client.
    pub(crate) fn of_attempt(attempt: u64) -> Self {
        Self(attempt >> ATTEMPT_BITS << ATTEMPT_BITS)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its address, if that is known.
    pub address: Option<IpAddr>,
    /// Whether that is a trusted proxy's: then anybody may be behind it, and no ban of an address means it.
    pub is_proxy: bool,
}

impl Peer {
    pub(crate) fn is_banned_by(self, bans: &BanList, client: Option<(ClientId, Timestamp)>) -> bool {
        bans.hits(client, self.address, |_| self.is_proxy)
    }
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// We close it, with this code.
    Ours(CloseCode),
    /// The peer has gone, or the socket failed.
    Gone,
}

impl<W: Wire> Connection<W> {
    pub(crate) fn new(id: u64, wire: W, peer: Peer, tally: Rc<Tally>, now: Instant) -> Self {
        Self {
            id,
            wire,
            peer,
            sent: Cell::new(0),
            received: Cell::new(0),
            receipts: RefCell::default(),
            wake: Notify::new(),
            outbox: RefCell::default(),
            tally,
            rooms: RefCell::default(),
            attempts: Cell::new(0),
            client: Cell::new(None),
            since: Cell::new(Timestamp(0)),
            closing: Cell::new(None),
            astray: Cell::new(false),
            dirty: Cell::new(false),
            blocked_since: Cell::new(None),
            heard: Cell::new(now),
            pinged: Cell::new(now),
        }
    }

    /// A number for one more attempt to speak for a client. What became of an earlier one is not known if its answer was
    /// lost; when that is given up later, it must not take this one along. `None`: there were too many.
    pub(crate) fn attempt(&self) -> Option<u64> {
        self.attempts.set(self.attempts.get().checked_add(1)?);
        Some(self.attempted())
    }

    /// The number of the newest attempt.
    pub(crate) fn attempted(&self) -> u64 {
        self.id | u64::from(self.attempts.get())
    }

    /// The connection that an attempt belongs to.
    pub(crate) fn id_of(attempt: u64) -> u64 {
        attempt >> ATTEMPT_BITS << ATTEMPT_BITS
    }

    /// Who it speaks for, once connected.
    pub fn client(&self) -> Option<ClientId> {
        self.client.get()
    }

    pub(crate) fn set_client(&self, client: ClientId, since: Timestamp) {
        self.client.set(Some(client));
        self.since.set(since);
    }

    /// Somebody who could not be let in is to ask again then: until that moment its time for that does not run.
    pub fn excuse(&self, until: Instant) {
        self.pinged.set(until);
    }

    pub(crate) fn is_banned_by(&self, bans: &BanList) -> bool {
        self.peer.is_banned_by(bans, self.client().map(|client| (client, self.since.get())))
    }

    /// Bytes came from the peer.
    pub fn read(&self, bytes: usize) {
        self.received.set(self.received.get() + bytes as u64);
    }

    /// One more message of it was accepted.
    pub fn posted(&self) {
        self.sent.set(self.sent.get() + 1);
    }

    /// Its close is written, or will never be: whoever waits for that is told.
    pub fn took_leave(&self) {
        self.receipts.take();
    }

    /// The rooms whose events it gets.
    pub fn rooms(&self) -> Vec<RoomId> {
        self.rooms.borrow().clone()
    }

    /// Something came from the peer.
    pub fn hear(&self, now: Instant) {
        self.heard.set(now);
    }

    pub(crate) fn heard(&self) -> Instant {
        self.heard.get()
    }

    /// Why it ends, once that is decided.
    pub fn closing(&self) -> Option<Closing> {
        self.closing.get()
    }

    /// Decides that it ends; the first reason counts.
    pub(crate) fn set_closing(&self, why: Closing) -> bool {
        let first = self.closing.get().is_none();
        if first {
            self.closing.set(Some(why));
            self.wake.notify_one();
        }
        first
    }

    /// Whether the kernel's buffer is full; the reading task then waits until it is not.
    pub fn blocked(&self) -> bool {
        self.blocked_since.get().is_some()
    }

    pub(crate) fn blocked_since(&self) -> Option<Instant> {
        self.blocked_since.get()
    }

    /// Writes what waits, as far as the kernel takes it.
    ///
    /// # Errors
    /// When the socket failed.
    pub fn flush(&self) -> io::Result<Flushed> {
        let flushed = self.flush_in_turn();
        self.tally.settle();
        flushed
    }

    /// The same as a part of a turn, at whose end the tally is settled.
    pub(crate) fn flush_in_turn(&self) -> io::Result<Flushed> {
        let (flushed, progress) = {
            let mut outbox = self.outbox.borrow_mut();
            let before = outbox.bytes();
            let flushed = outbox.flush(&self.wire, &self.tally)?;
            (flushed, outbox.bytes() < before)
        };
        self.note(flushed, progress);
        Ok(flushed)
    }

    /// Whether a frame may be written past the queue.
    pub(crate) fn is_free(&self) -> bool {
        self.closing().is_none() && !self.blocked() && self.outbox.borrow().is_empty()
    }

    /// Writes a frame past the queue of a connection that is free. Says whether the kernel took all of it at once.
    pub(crate) fn write_through(&self, frame: &Bytes, taken: Taken) -> bool {
        match self.outbox.borrow_mut().write_through(frame, taken, &self.wire, &self.tally) {
            Ok(None) => true,
            Ok(Some(flushed)) => {
                self.note(flushed, true);
                false
            }
            Err(_) => {
                self.set_closing(Closing::Gone);
                false
            }
        }
    }

    fn note(&self, flushed: Flushed, progress: bool) {
        match flushed {
            Flushed::All => self.blocked_since.set(None),
            // A reader that is behind but reads has not stalled; how far behind it may be is the queue's limit.
            Flushed::Blocked if self.blocked() && progress => self.blocked_since.set(Some(Instant::now())),
            Flushed::Blocked if self.blocked() => {}
            Flushed::Blocked => {
                self.blocked_since.set(Some(Instant::now()));
                self.wake.notify_one();
            }
        }
    }

    /// Whether everything is written.
    pub fn drained(&self) -> bool {
        self.outbox.borrow().bytes() == 0
    }
}
