//! One room on one worker: who of it is here, and how far they are.

use super::mark;
use crate::{connection::Connection, fold::Fold, frame, outbox::Wire, router::Item, view::RoomView};
use bytes::Bytes;
use protocol::{ClientId, Epoch, RoomId, Seq, ServerEvent};
use std::rc::Rc;

/// What a member that is coming in may hold back; one that needs longer is too slow.
const HELD: usize = 10_000;

/// A frame on its way to a member.
#[derive(Debug, Clone)]
pub(super) enum Held {
    Entry(Seq, Bytes),
    Other(Bytes),
}

impl Held {
    pub(super) fn frame(self) -> Bytes {
        match self {
            Self::Entry(_, frame) | Self::Other(frame) => frame,
        }
    }
}

pub(super) struct Member<W> {
    pub(super) connection: Rc<Connection<W>>,
    /// It has seen all up to here by reading the log; the bus may still be behind.
    pub(super) after: Seq,
    /// What came while it was coming in.
    pub(super) held: Option<Vec<Held>>,
}

impl<W> Member<W> {
    pub(super) fn new(connection: Rc<Connection<W>>) -> Self {
        Self { connection, after: Seq::ZERO, held: Some(Vec::new()) }
    }
}

pub(super) struct Feed<W> {
    pub(super) members: Vec<Member<W>>,
    pub(super) epoch: Option<Epoch>,
    /// The newest position that was handed on: the next one proves itself by following it.
    pub(super) last: Option<Seq>,
    /// What came while the room is being read again.
    pub(super) repairing: Option<Vec<Item>>,
    pub(super) fold: Fold,
}

impl<W> Default for Feed<W> {
    fn default() -> Self {
        Self { members: Vec::new(), epoch: None, last: None, repairing: None, fold: Fold::default() }
    }
}

impl<W: Wire> Feed<W> {
    pub(super) fn member(&mut self, connection: u64) -> Option<&mut Member<W>> {
        self.members.iter_mut().find(|m| m.connection.id == connection)
    }

    pub(super) fn remove(&mut self, connection: u64) {
        if let Some(at) = self.members.iter().position(|m| m.connection.id == connection) {
            self.members.swap_remove(at);
        }
    }

    pub(super) fn begin_repair(&mut self, room: RoomId, broken: &mut Vec<RoomId>) {
        if self.repairing.is_none() {
            self.repairing = Some(Vec::new());
            broken.push(room);
        }
    }

    /// Puts a frame on every member's queue. Gives back those whose queue is full, and how many took it.
    pub(super) fn deliver(
        &mut self,
        item: &Held,
        except: Option<ClientId>,
        limit: usize,
        dirty: &mut Vec<Rc<Connection<W>>>,
    ) -> (Vec<Rc<Connection<W>>>, u64) {
        let (mut slow, mut delivered) = (Vec::new(), 0);
        for member in &mut self.members {
            let connection = &member.connection;
            if except.is_some() && connection.client() == except {
                continue;
            }
            if let Some(held) = &mut member.held {
                if held.len() < HELD {
                    held.push(item.clone());
                } else {
                    slow.push(connection.clone());
                }
                continue;
            }
            let frame = match item {
                Held::Entry(seq, _) if *seq <= member.after => continue,
                Held::Entry(_, frame) | Held::Other(frame) => frame.clone(),
            };
            if connection.outbox.borrow_mut().push(frame, limit).is_ok() {
                delivered += 1;
                mark(dirty, connection);
            } else {
                slow.push(connection.clone());
            }
        }
        (slow, delivered)
    }

    /// Hands on what was read again: each missed message as it would have come, then the room as it is now, for
    /// membership changes may have been missed as well. A gap is told as a gap.
    pub(super) fn show(&mut self, view: &RoomView, dirty: &mut Vec<Rc<Connection<W>>>) -> u64 {
        let mut event = view.event(None);
        if view.recovered {
            event.messages.clear();
        }
        let shown = frame::text(ServerEvent::from(event).encode().as_bytes());
        let missed: Vec<_> =
            view.entries.iter().map(|e| Held::Entry(e.seq, frame::entry(e.seq, e.sent_at, &e.payload))).collect();
        let mut delivered = 0;
        for member in &mut self.members {
            if let Some(held) = &mut member.held {
                held.extend(missed.iter().cloned());
                continue;
            }
            // Not bounded by the queue's limit: it is at most a room's log, and less than what a resume would cost.
            let mut outbox = member.connection.outbox.borrow_mut();
            if view.recovered {
                for item in &missed {
                    if let Held::Entry(seq, frame) = item
                        && *seq > member.after
                    {
                        outbox.push_last(frame.clone());
                        delivered += 1;
                    }
                }
            }
            outbox.push_last(shown.clone());
            drop(outbox);
            mark(dirty, &member.connection);
        }
        self.epoch = Some(view.epoch.clone());
        self.last = Some(view.seq);
        self.fold = Fold::default();
        delivered
    }
}
