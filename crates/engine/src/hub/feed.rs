//! One room on one worker: who of it is here, and how far each is.
//!
//! That nobody is handed a position twice, or one too early, is not a matter of trusting the bus: each member has a
//! position of its own, and only the next one is handed to it. A member for whom that cannot be is *stale*: the room is
//! read again, and it is shown what it missed.

use super::{mark, member::Members};
use crate::{connection::Connection, fold::Fold, frame, outbox::Wire, router::Item, stats::Taken, view::RoomView};
use bytes::Bytes;
use protocol::{ClientId, Epoch, RoomId, Seq, ServerEvent, Timestamp, event::Gap};
use std::{collections::BTreeMap, rc::Rc};

/// What a member that is coming in, or a room that is being read again, may hold back. A member that needs longer is too
/// slow; a room is read once more.
pub(super) const HELD: usize = 10_000;

/// A frame on its way to a member.
#[derive(Debug, Clone)]
pub(super) enum Held {
    Entry(Seq, Bytes, Taken),
    /// A membership change, with the count after it. It is not told to the one whom it is about.
    Membership {
        room: RoomId,
        about: Option<ClientId>,
        member_count: u32,
        frame: Bytes,
    },
    Other(Bytes),
}

/// What handing something to every member came to.
pub(super) struct Handed<W> {
    /// Whose queue is full.
    pub(super) slow: Vec<Rc<Connection<W>>>,
    /// How many took it.
    pub(super) delivered: u64,
    /// Of these, to whom it is written already.
    pub(super) written: u64,
    /// Somebody could not be handed it, for something is missing before it.
    pub(super) left_out: bool,
}

/// How a frame is handed to members.
#[derive(Clone, Copy)]
pub(super) struct How {
    /// Bytes that may wait for one.
    pub(super) limit: usize,
    /// Past the queue where nothing waits in it: there is nothing else to be written together with it.
    pub(super) through: bool,
}

pub(super) struct Feed<W> {
    pub(super) members: Members<W>,
    pub(super) epoch: Option<Epoch>,
    /// The newest position that came: the next one proves itself by following it.
    pub(super) last: Option<Seq>,
    /// The newest one that was seen itself, and its time: another time at that position is another message.
    pub(super) mark: Option<(Seq, Timestamp)>,
    /// What came while the room is being read again.
    pub(super) waiting: Option<Vec<Item>>,
    /// The reading that is under way, and from which position on it reads.
    pub(super) reading: Option<(u64, Seq)>,
    pub(super) fold: Fold,
}

impl<W> Default for Feed<W> {
    fn default() -> Self {
        Self {
            members: Members::default(),
            epoch: None,
            last: None,
            mark: None,
            waiting: None,
            reading: None,
            fold: Fold::default(),
        }
    }
}

impl<W: Wire> Feed<W> {
    /// Something may be missing for everybody; `readings` is the number of the newest reading that has begun. Who is
    /// coming in may have read the room before or after that, so it is shown it again when it is in.
    pub(super) fn doubt(&mut self, readings: u64) {
        self.members.iter_mut().for_each(|member| member.stale = Some(readings));
    }

    /// Has the room read again if somebody needs that, and keeps back what comes until then. False when nobody does.
    pub(super) fn repair(&mut self, room: RoomId, broken: &mut Vec<RoomId>) -> bool {
        if self.waiting.is_some() {
            return true;
        }
        let needed = self.members.iter().any(|m| m.live() && m.stale.is_some());
        if needed {
            self.waiting = Some(Vec::new());
            broken.push(room);
        }
        needed
    }

    /// From where on somebody misses something.
    pub(super) fn behind(&self) -> Option<Seq> {
        self.members.iter().filter(|m| m.live() && m.stale.is_some()).map(|m| m.after).min()
    }

    /// Puts a frame on every member's queue, or writes it past those in which nothing waits.
    pub(super) fn deliver(
        &mut self,
        item: &Held,
        except: Option<ClientId>,
        how: How,
        readings: u64,
        dirty: &mut Vec<Rc<Connection<W>>>,
    ) -> Handed<W> {
        let mut handed = Handed { slow: Vec::new(), delivered: 0, written: 0, left_out: false };
        let taken = if let Held::Entry(_, _, taken) = item { *taken } else { Taken::NOT };
        for member in self.members.iter_mut() {
            if except.is_some() && member.connection.client() == except {
                continue;
            }
            if let Some(held) = &mut member.held {
                if held.len() < HELD {
                    held.push(item.clone());
                } else {
                    handed.slow.push(member.connection.clone());
                }
                continue;
            }
            let own;
            let frame = match item {
                Held::Entry(seq, ..) if *seq <= member.after => continue,
                Held::Entry(seq, ..) if *seq != member.after.next() => {
                    member.stale = Some(readings);
                    handed.left_out = true;
                    continue;
                }
                Held::Entry(_, frame, _) | Held::Other(frame) => frame,
                Held::Membership { room, about, member_count, frame } => {
                    let Some(frame) = member.membership(*room, *about, *member_count, frame) else { continue };
                    own = frame;
                    &own
                }
            };
            let connection = &member.connection;
            if how.through && connection.is_free() {
                handed.written += u64::from(connection.write_through(frame, taken));
            } else if connection.outbox.borrow_mut().push_message(frame.clone(), taken, how.limit).is_ok() {
                mark(dirty, connection);
            } else {
                handed.slow.push(connection.clone());
                continue;
            }
            if let Held::Entry(seq, ..) = item {
                member.after = *seq;
            }
            handed.delivered += 1;
        }
        handed
    }

    /// Hands on what was read again to those who need it: each missed message as it would have come, then the room as
    /// it is now, for membership changes may have been missed as well. A gap is told as a gap.
    pub(super) fn show(
        &mut self,
        view: &RoomView,
        (reading, since): (u64, Seq),
        limit: usize,
        dirty: &mut Vec<Rc<Connection<W>>>,
    ) -> Handed<W> {
        let same = self.epoch.as_ref() == Some(&view.epoch);
        if !same {
            // The room has begun another life: what anybody knew says nothing.
            self.doubt(reading);
            self.members.iter_mut().filter(|m| m.live()).for_each(|m| m.stale = Some(0));
        }
        let missed: Vec<_> = view.entries.iter().map(|e| (e.seq, frame::entry(e.seq, e.sent_at, &e.payload))).collect();
        let whole = view.event(None);
        let refreshed = {
            let mut event = whole.clone();
            (event.messages, event.recovered, event.gap) = (Vec::new(), true, None);
            frame::text(ServerEvent::from(event).encode().as_bytes())
        };
        // Those who miss the same are shown the same.
        let mut with_gap: BTreeMap<Option<Seq>, Bytes> = BTreeMap::new();
        let mut handed = Handed { slow: Vec::new(), delivered: 0, written: 0, left_out: false };
        let mut all = true;
        for member in self.members.iter_mut().filter(|m| m.live()) {
            // Whoever came in by a later reading than this one has nothing to learn from it. And whoever was on its way when
            // it began, and is back, may be further behind than it reaches: the next one is for that.
            let reaches = !same || (since..=view.seq).contains(&member.after);
            let shown = member.stale.is_some_and(|stale| stale < reading) && reaches;
            if !shown {
                all = false;
                continue;
            }
            let mut outbox = member.connection.outbox.borrow_mut();
            // Only then is it too much: what is shown is at most a room's log, and less than what a resume would cost.
            if outbox.bytes() >= limit {
                handed.slow.push(member.connection.clone());
                continue;
            }
            let first = missed.iter().map(|(seq, _)| *seq).find(|seq| *seq > member.after);
            let first = first.unwrap_or(view.seq.next());
            if same && first == member.after.next() {
                for (_, frame) in missed.iter().filter(|(seq, _)| *seq > member.after) {
                    outbox.push_last(frame.clone());
                    handed.delivered += 1;
                }
                outbox.push_last(refreshed.clone());
            } else {
                let after = same.then_some(member.after);
                let frame = with_gap.entry(after).or_insert_with(|| {
                    let mut event = whole.clone();
                    event.recovered = false;
                    event.gap = None;
                    if let Some(after) = after {
                        event.messages.retain(|m| m.seq > after);
                        event.gap = Some(Gap { from: after.next(), to: first.prev() });
                    }
                    frame::text(ServerEvent::from(event).encode().as_bytes())
                });
                outbox.push_last(frame.clone());
            }
            drop(outbox);
            (member.after, member.count) = (view.seq, view.room.member_count);
            member.stale = None;
            mark(dirty, &member.connection);
        }
        self.last = self.last.filter(|_| same).max(Some(view.seq));
        let newest = view.entries.last().map(|entry| (entry.seq, entry.sent_at));
        self.mark = self.mark.filter(|_| same).max(newest);
        self.epoch = Some(view.epoch.clone());
        if all {
            // What was gathered is in what was shown.
            self.fold = Fold::default();
        }
        handed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::Peer,
        hub::member::Member,
        port::Entry,
        stats::{Stats, Tally},
    };
    use protocol::{RoomName, event::Room};
    use std::io::{self, IoSlice};
    use tokio::time::Instant;

    struct Nowhere;

    impl Wire for Nowhere {
        fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
            Ok(bufs.iter().map(|buf| buf.len()).sum())
        }
    }

    fn view(messages: std::ops::RangeInclusive<u64>) -> RoomView {
        let room = Room {
            room_id: RoomId::new(12_345).unwrap(),
            name: RoomName::parse(&"Tea".into(), 16).unwrap(),
            owner_id: ClientId::new(10_000).unwrap(),
            created_at: Timestamp(0),
            member_count: 2,
        };
        let entry = |seq| Entry { seq: Seq::new(seq), sent_at: Timestamp(seq), payload: Bytes::from_static(b"{}") };
        let newest = Seq::new(*messages.end());
        RoomView {
            room,
            members: Vec::new(),
            reconnecting: Vec::new(),
            epoch: "e".parse().unwrap(),
            seq: newest,
            newest,
            entries: messages.map(entry).collect(),
            recovered: true,
            gap: None,
        }
    }

    /// One comes back from a move that failed while the room is being read again, from where the others are.
    #[test]
    fn a_reading_tells_nobody_of_a_gap_that_it_did_not_look_at() {
        let mut feed = Feed { epoch: Some("e".parse().unwrap()), ..Feed::default() };
        let tally = Rc::new(Tally::new(Stats::default().delivery));
        for (id, after) in [(1, 265), (2, 261)] {
            let connection = Rc::new(Connection::new(id, Nowhere, Peer::default(), tally.clone(), Instant::now()));
            let member = Member::new(connection);
            feed.members.add(Member { after: Seq::new(after), entered: true, held: None, stale: Some(0), ..member });
        }
        let waits = |feed: &mut Feed<Nowhere>, id| {
            let member = feed.members.get(id).unwrap();
            let bytes = member.connection.outbox.borrow().bytes();
            (member.after.get(), member.stale.is_some(), bytes > 0)
        };
        feed.show(&view(266..=266), (1, Seq::new(265)), 1 << 20, &mut Vec::new());
        assert_eq!((waits(&mut feed, 1), waits(&mut feed, 2)), ((266, false, true), (261, true, false)));
        assert_eq!(feed.behind(), Some(Seq::new(261)), "the next reading is for it");
        feed.show(&view(262..=266), (2, Seq::new(261)), 1 << 20, &mut Vec::new());
        assert_eq!(waits(&mut feed, 2), (266, false, true));
        // What is gone from the log is a gap, to whom the reading was for.
        feed.doubt(2);
        feed.show(&view(300..=301), (3, Seq::new(266)), 1 << 20, &mut Vec::new());
        assert_eq!(waits(&mut feed, 2), (301, false, true));
    }
}
