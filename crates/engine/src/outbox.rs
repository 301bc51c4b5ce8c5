//! What is still to be written to one socket: bounded in bytes, and without memory of its own while empty.

use crate::stats::{Taken, Tally};
use bytes::{Buf, Bytes};
use socket2::SockRef;
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
};

/// The write side of a socket. A trait so that the hub can be tested without the network.
pub trait Wire {
    /// Writes what the kernel takes at once; `WouldBlock` when that is nothing.
    ///
    /// # Errors
    /// As the operating system says.
    fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;

    /// The same for one, if there is a shorter way.
    ///
    /// # Errors
    /// As the operating system says.
    fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_write_vectored(&[IoSlice::new(buf)])
    }
}

impl Wire for tokio::net::TcpStream {
    fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = SockRef::from(self);
        blocked_is_known(socket.send_vectored(bufs), || Self::try_write_vectored(self, bufs))
    }

    fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        let socket = SockRef::from(self);
        blocked_is_known(socket.send(buf), || Self::try_write(self, buf))
    }
}

/// The kernel is asked past tokio, which would look up each socket's readiness first, and by `send`, which goes a shorter
/// way through it than `write`. Only a socket that takes nothing is asked again by tokio, so that it waits for it.
fn blocked_is_known(asked: io::Result<usize>, again: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
    match asked {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => again(),
        result => result,
    }
}

/// The queue is full: its reader is too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// Whether everything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    /// It is.
    All,
    /// The kernel's buffer is full.
    Blocked,
}

/// Frames handed to one `writev`. More gain nothing and cost stack.
const BATCH: usize = 64;
/// A drained queue gives its memory back above this many slots.
const KEEP: usize = 8;

/// Frames that wait for a socket.
#[derive(Debug, Default)]
pub struct Outbox {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// Of these, what [`push_last`](Self::push_last) brought and is not written yet: it does not count against the limit,
    /// or a long resume would make its reader too slow before it could read.
    exempt: usize,
    /// Whether a part of the first frame is written already.
    partial: bool,
    /// Bytes that the kernel took and that nobody has counted yet.
    written: u64,
    /// Messages that were queued since nothing waited …
    messages: u32,
    /// … and when the first of them was taken.
    taken: Taken,
}

impl Outbox {
    /// Queues a frame, unless `limit` bytes wait already. One frame may be larger than the limit: a long resume is one.
    ///
    /// # Errors
    /// [`Full`] when the reader is too slow.
    pub fn push(&mut self, frame: Bytes, limit: usize) -> Result<(), Full> {
        if self.bytes - self.exempt >= limit {
            return Err(Full);
        }
        self.bytes += frame.len();
        self.frames.push_back(frame);
        Ok(())
    }

    /// The same, of a message that was taken then.
    pub(crate) fn push_message(&mut self, frame: Bytes, taken: Taken, limit: usize) -> Result<(), Full> {
        self.push(frame, limit)?;
        self.note(taken);
        Ok(())
    }

    /// Queues a frame whatever waits already: a close, or what a room is shown with, which the log bounds.
    pub fn push_last(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.exempt += frame.len();
        self.frames.push_back(frame);
    }

    /// The same, of a message that was taken then.
    pub(crate) fn push_last_message(&mut self, frame: Bytes, taken: Taken) {
        self.push_last(frame);
        self.note(taken);
    }

    /// One place for all that wait together, and not one beside each frame: what is queued in a turn is written in a turn,
    /// and a delivery is to cost next to nothing more for being measured.
    #[inline]
    fn note(&mut self, taken: Taken) {
        if self.messages == 0 {
            self.taken = taken;
        }
        self.messages += 1;
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Writes a frame past the queue, in which nothing waits. None: the kernel took all of it at once. What it does not take
    /// is queued.
    ///
    /// # Errors
    /// As the wire says; the connection is dead then.
    pub(crate) fn write_through(
        &mut self,
        frame: &Bytes,
        taken: Taken,
        wire: &impl Wire,
        tally: &Tally,
    ) -> io::Result<Option<Flushed>> {
        let written = match wire.try_write(frame) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                self.written += written as u64;
                if written == frame.len() {
                    return Ok(None);
                }
                written
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            Err(e) => return Err(e),
        };
        self.partial = written > 0;
        self.bytes += frame.len() - written;
        self.frames.push_back(frame.slice(written..));
        self.note(taken);
        self.flush(wire, tally).map(Some)
    }

    /// Drops what waits, but for a frame that is written in part: without its rest nothing after it could be read.
    pub fn abandon(&mut self) {
        self.frames.truncate(usize::from(self.partial));
        self.bytes = self.frames.front().map_or(0, Bytes::len);
        self.exempt = self.exempt.min(self.bytes);
        self.messages = 0;
    }

    /// Bytes that were written since this was asked last.
    pub(crate) fn take_written(&mut self) -> u64 {
        std::mem::take(&mut self.written)
    }

    /// Bytes that wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes as much as the kernel takes. When nothing waits any more, the tally is told of the messages that did.
    ///
    /// # Errors
    /// As the wire says; the connection is dead then.
    pub(crate) fn flush(&mut self, wire: &impl Wire, tally: &Tally) -> io::Result<Flushed> {
        while let Some(first) = self.frames.front() {
            // Nearly always there is one: `send` goes a shorter way through the kernel than `writev`.
            let written = if self.frames.len() == 1 { wire.try_write(first) } else { self.write_several(wire) };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.wrote(written),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        if self.messages > 0 {
            tally.add(self.taken, self.messages.into());
            self.messages = 0;
        }
        if self.frames.capacity() > KEEP {
            self.frames = VecDeque::new();
        }
        Ok(Flushed::All)
    }

    fn write_several(&self, wire: &impl Wire) -> io::Result<usize> {
        let mut slices: [IoSlice<'_>; BATCH] = [IoSlice::new(&[]); BATCH];
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(&self.frames) {
            *slice = IoSlice::new(frame);
            count += 1;
        }
        wire.try_write_vectored(&slices[..count])
    }

    fn wrote(&mut self, mut written: usize) {
        self.written += written as u64;
        self.bytes = self.bytes.saturating_sub(written);
        self.exempt = self.exempt.min(self.bytes);
        while let Some(first) = self.frames.front_mut() {
            if written < first.len() {
                first.advance(written);
                self.partial |= written > 0;
                return;
            }
            written -= first.len();
            self.frames.pop_front();
            self.partial = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Histogram;
    use std::{cell::RefCell, sync::Arc};

    fn tally() -> (Tally, Arc<Histogram>) {
        let delivery = Arc::new(Histogram::new(&[u64::MAX]));
        (Tally::new(delivery.clone()), delivery)
    }

    #[test]
    fn what_is_queued_is_not_written() {
        let (tally, delivery) = tally();
        let delivered = || {
            tally.settle();
            delivery.read(1.0).0[0].1
        };
        let (mut outbox, wire) = (Outbox::default(), Narrow(RefCell::new((7, Vec::new()))));
        let queue = |outbox: &mut Outbox| {
            for frame in ["aaaa", "bbbb"] {
                outbox.push_message(Bytes::from_static(frame.as_bytes()), Taken::at(1), 100).unwrap();
                outbox.push(Bytes::from_static(b"!"), 100).unwrap();
            }
        };
        queue(&mut outbox);
        assert_eq!((outbox.flush(&wire, &tally).unwrap(), delivered()), (Flushed::Blocked, 0), "something still waits");
        wire.0.borrow_mut().0 = 3;
        assert_eq!((outbox.flush(&wire, &tally).unwrap(), delivered()), (Flushed::All, 2));
        // What is dropped never is.
        queue(&mut outbox);
        outbox.abandon();
        wire.0.borrow_mut().0 = 100;
        assert_eq!((outbox.flush(&wire, &tally).unwrap(), delivered()), (Flushed::All, 2));
        // Past the queue: whoever writes to many counts what is written at once.
        let frame = Bytes::from_static(b"eeee");
        wire.0.borrow_mut().0 = 5;
        assert_eq!(outbox.write_through(&frame, Taken::at(1), &wire, &tally).unwrap(), None);
        assert_eq!(outbox.write_through(&frame, Taken::at(1), &wire, &tally).unwrap(), Some(Flushed::Blocked));
        assert_eq!(delivered(), 2);
        wire.0.borrow_mut().0 = 100;
        assert_eq!((outbox.flush(&wire, &tally).unwrap(), delivered()), (Flushed::All, 3));
    }

    /// Every connection has one.
    #[test]
    fn an_idle_queue_is_small() {
        assert!(size_of::<Outbox>() <= 80, "{}", size_of::<Outbox>());
    }

    /// Takes `room` bytes, then blocks.
    struct Narrow(RefCell<(usize, Vec<u8>)>);

    impl Wire for Narrow {
        fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
            let (room, written) = &mut *self.0.borrow_mut();
            if *room == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let before = written.len();
            for buf in bufs {
                let n = buf.len().min(*room);
                written.extend_from_slice(&buf[..n]);
                *room -= n;
            }
            Ok(written.len() - before)
        }
    }

    #[test]
    fn writes_everything_in_order_through_a_narrow_wire() {
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for i in 0..200_u8 {
            let frame = Bytes::from(vec![i; usize::from(i) + 1]);
            expected.extend_from_slice(&frame);
            outbox.push(frame, usize::MAX).unwrap();
        }
        let wire = Narrow(RefCell::new((0, Vec::new())));
        while outbox.flush(&wire, &tally().0).unwrap() == Flushed::Blocked {
            wire.0.borrow_mut().0 = 7;
        }
        assert_eq!(wire.0.borrow().1, expected);
        assert_eq!(outbox.bytes(), 0);
        assert!(outbox.frames.capacity() <= KEEP);
    }

    #[test]
    fn is_bounded_but_takes_one_large_frame() {
        let mut outbox = Outbox::default();
        outbox.push(Bytes::from(vec![0; 1000]), 10).unwrap();
        assert_eq!(outbox.push(Bytes::from_static(b"x"), 10), Err(Full));
    }

    #[test]
    fn a_long_view_does_not_make_its_reader_slow() {
        let mut outbox = Outbox::default();
        outbox.push_last(Bytes::from(vec![0; 1000]));
        for _ in 0..10 {
            outbox.push(Bytes::from_static(b"x"), 10).unwrap();
        }
        assert_eq!(outbox.push(Bytes::from_static(b"x"), 10), Err(Full));
        // Written in part, it is still the view that is in the way.
        let wire = Narrow(RefCell::new((500, Vec::new())));
        outbox.flush(&wire, &tally().0).unwrap();
        outbox.push(Bytes::from_static(b"x"), 20).unwrap();
    }

    #[test]
    fn what_a_wire_does_not_take_at_once_is_queued() {
        let frame = Bytes::from_static(b"aaaabbbb");
        for room in [0, 3, 8] {
            let (mut outbox, wire) = (Outbox::default(), Narrow(RefCell::new((room, Vec::new()))));
            let flushed = outbox.write_through(&frame, Taken::NOT, &wire, &tally().0).unwrap();
            assert_eq!(flushed.is_none(), room == 8);
            assert_eq!((outbox.bytes(), outbox.is_empty()), (8 - room, room == 8));
            // Without its rest, nothing after a frame that was begun could be read.
            outbox.abandon();
            outbox.push_last(Bytes::from_static(b"X"));
            wire.0.borrow_mut().0 = 100;
            outbox.flush(&wire, &tally().0).unwrap();
            let expected: &[u8] = if room == 0 { b"X" } else { b"aaaabbbbX" };
            assert_eq!(wire.0.borrow().1, expected);
        }
    }

    #[test]
    fn abandoning_keeps_the_rest_of_a_started_frame() {
        let mut outbox = Outbox::default();
        for frame in ["aaaa", "bbbb", "cccc"] {
            outbox.push(Bytes::from_static(frame.as_bytes()), 100).unwrap();
        }
        let wire = Narrow(RefCell::new((6, Vec::new())));
        assert_eq!(outbox.flush(&wire, &tally().0).unwrap(), Flushed::Blocked);
        outbox.abandon();
        outbox.push_last(Bytes::from_static(b"X"));
        assert_eq!(outbox.bytes(), 3);
        wire.0.borrow_mut().0 = 100;
        outbox.flush(&wire, &tally().0).unwrap();
        assert_eq!(wire.0.borrow().1, b"aaaabbbbX");
    }
}
