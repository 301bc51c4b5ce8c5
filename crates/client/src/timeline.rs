//! Whether what one client was told is what the contract promises.

use protocol::{
    Epoch, RoomId, Seq, ServerEvent,
    command::Resume,
    event::{Gap, Message, RoomJoined},
};
use std::collections::HashMap;
use thiserror::Error;

/// A promise that was not kept. Each tells the room, and the position that proves it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// A position that had come already.
    #[error("room {room}: {seq} came twice; the newest was {last}")]
    Duplicate {
        /// Which room.
        room: RoomId,
        /// What came again.
        seq: Seq,
        /// The newest before it.
        last: Seq,
    },
    /// A position that came after a later one.
    #[error("room {room}: {seq} came after {last}")]
    OutOfOrder {
        /// Which room.
        room: RoomId,
        /// What came late.
        seq: Seq,
        /// The newest before it.
        last: Seq,
    },
    /// Positions that were passed over in silence.
    #[error("room {room}: {} to {} are missing, and nobody said so", .missing.from, .missing.to)]
    Hole {
        /// Which room.
        room: RoomId,
        /// What is missing.
        missing: Gap,
    },
    /// A `ROOM_JOINED` that contradicts itself.
    #[error("room {room}: ROOM_JOINED at {seq}: {what}")]
    Snapshot {
        /// Which room.
        room: RoomId,
        /// Its `seq`.
        seq: Seq,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A message of a room that the client is not in.
    #[error("room {room}: {seq} came to a client that is not in it")]
    NotAMember {
        /// Which room.
        room: RoomId,
        /// What came.
        seq: Seq,
    },
}

/// Follows one client through its rooms, from every event that it is told. After a reconnect the same timeline goes on:
/// what a resume brings must follow what came before.
///
/// A `ROOM_JOINED` without an `id` counts as a resume, for the server sends it by itself; one with an `id` is the answer
/// to a command, and a fresh look at the room.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    rooms: HashMap<RoomId, Place>,
    /// What the server said cannot be had any more; that is no fault.
    pub gaps: Vec<(RoomId, Gap)>,
    /// How many messages came in their place.
    pub messages: u64,
}

/// Where the client is in one room.
#[derive(Debug, Clone)]
struct Place {
    room: RoomId,
    epoch: Epoch,
    last: Seq,
    /// What a [`Fault::Hole`] told of and has not come since.
    missing: Vec<Gap>,
}

impl Timeline {
    /// A client that was told nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event. After a fault it goes on from where the event leads, so that each fault is told once.
    ///
    /// # Errors
    /// The first [`Fault`] that the event proves.
    pub fn feed(&mut self, event: &ServerEvent) -> Result<(), Fault> {
        match event {
            ServerEvent::NewMessage(message) => self.message(message),
            ServerEvent::RoomJoined(joined) => self.joined(joined),
            ServerEvent::RoomLeft(left) => {
                self.rooms.remove(&left.room_id);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What to resume a room from.
    #[must_use]
    pub fn position(&self, room: RoomId) -> Option<Resume> {
        self.rooms.get(&room).map(|place| Resume { room_id: room, epoch: place.epoch.clone(), seq: place.last })
    }

    /// The rooms that the client is in, in no order.
    pub fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.keys().copied()
    }

    fn message(&mut self, message: &Message) -> Result<(), Fault> {
        let (room, seq) = (message.room_id, message.seq);
        let place = self.rooms.get_mut(&room).ok_or(Fault::NotAMember { room, seq })?;
        place.take(seq)?;
        self.messages += 1;
        Ok(())
    }

    fn joined(&mut self, joined: &RoomJoined) -> Result<(), Fault> {
        let (room, resumes) = (joined.room.room_id, joined.id.is_none());
        let known = self.rooms.remove(&room).filter(|place| place.epoch == joined.epoch);
        let mut checked = is_sound(joined);
        let was_known = known.is_some();
        let mut place = known.unwrap_or_else(|| Place::before(joined));

        if let Some(gap) = joined.gap {
            self.gaps.push((room, gap));
            // What is gone begins where the client was: a position between the two would be lost without a word.
            if was_known && gap.from <= place.last.next() {
                place.last = place.last.max(gap.to);
            }
        }
        for message in &joined.messages {
            // Another look at a room shows again what one has seen; a resume must not.
            if !resumes && message.seq <= place.last {
                continue;
            }
            let taken = place.take(message.seq);
            self.messages += u64::from(taken.is_ok());
            checked = checked.and(taken);
        }
        if place.last != joined.seq {
            checked = checked.and(place.jump(joined.seq));
        }
        self.rooms.insert(room, place);
        checked
    }
}

impl Place {
    /// Just before what a fresh look at a room shows.
    fn before(joined: &RoomJoined) -> Self {
        let last = joined.messages.first().map_or(joined.seq, |first| first.seq.prev());
        Self { room: joined.room.room_id, epoch: joined.epoch.clone(), last, missing: Vec::new() }
    }

    /// One message.
    fn take(&mut self, seq: Seq) -> Result<(), Fault> {
        if seq == self.last.next() {
            self.last = seq;
            return Ok(());
        }
        if seq > self.last {
            let fault = self.jump(seq.prev());
            self.last = seq;
            return fault;
        }
        let (room, last) = (self.room, self.last);
        match self.missing.iter().position(|gap| (gap.from..=gap.to).contains(&seq)) {
            Some(at) => {
                // The rest of the hole may still come.
                let hole = self.missing.swap_remove(at);
                let parts = [Gap { from: hole.from, to: seq.prev() }, Gap { from: seq.next(), to: hole.to }];
                self.missing.extend(parts.into_iter().filter(|part| part.from <= part.to));
                Err(Fault::OutOfOrder { room, seq, last })
            }
            None => Err(Fault::Duplicate { room, seq, last }),
        }
    }

    /// Goes to a position without having seen what lies between.
    fn jump(&mut self, to: Seq) -> Result<(), Fault> {
        let (room, last) = (self.room, self.last);
        self.last = to;
        if to < last {
            return Err(Fault::Snapshot { room, seq: to, what: "the room is older than what was seen of it" });
        }
        let missing = Gap { from: last.next(), to };
        self.missing.push(missing);
        Err(Fault::Hole { room, missing })
    }
}

/// Whether a `ROOM_JOINED` agrees with itself.
fn is_sound(joined: &RoomJoined) -> Result<(), Fault> {
    let (room, seq) = (joined.room.room_id, joined.seq);
    let seqs = || joined.messages.iter().map(|message| message.seq);
    let fault = |what| Err(Fault::Snapshot { room, seq, what });
    if joined.messages.iter().any(|message| message.room_id != room) {
        return fault("a message is of another room");
    }
    if seqs().zip(seqs().skip(1)).any(|(a, b)| b != a.next()) {
        return fault("its messages do not follow each other");
    }
    if seqs().next_back().is_some_and(|last| last != seq) {
        return fault("its last message is not its newest position");
    }
    match joined.gap {
        Some(_) if joined.recovered => fault("it has a gap and says that nothing is missing"),
        Some(gap) if gap.from > gap.to || seqs().next().unwrap_or(seq.next()) != gap.to.next() => {
            fault("its messages do not begin where its gap ends")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
