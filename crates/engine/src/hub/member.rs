//! One connection in one room, and all of those in a room.

use super::feed::Held;
use crate::{connection::Connection, frame, outbox::Wire};
use bytes::Bytes;
use protocol::{ClientId, RoomId, Seq, ServerEvent, event::UserEvent};
use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

pub(super) struct Member<W> {
    pub(super) connection: Rc<Connection<W>>,
    /// The newest position that it was handed, or that was in what it was shown.
    pub(super) after: Seq,
    /// It was shown the room.
    pub(super) entered: bool,
    /// How many there are, by what it was told.
    pub(super) count: u32,
    /// What came while it was coming in.
    pub(super) held: Option<Vec<Held>>,
    /// It may have missed something: a reading with a higher number than this must show it the room again.
    pub(super) stale: Option<u64>,
}

impl<W: Wire> Member<W> {
    pub(super) fn new(connection: Rc<Connection<W>>) -> Self {
        Self { connection, after: Seq::ZERO, entered: false, count: 0, held: Some(Vec::new()), stale: None }
    }

    pub(super) fn live(&self) -> bool {
        self.entered && self.held.is_none()
    }

    /// What it is told of a membership change. Who came learns it from `ROOM_JOINED`, and who left from `ROOM_LEFT`, so
    /// of its own coming and going it is told nothing but the count, if it has another one: changes that are older than
    /// the `ROOM_JOINED` may have come after it, and this one ends them.
    pub(super) fn membership(
        &mut self,
        room: RoomId,
        about: Option<ClientId>,
        member_count: u32,
        frame: &Bytes,
    ) -> Option<Bytes> {
        let known = std::mem::replace(&mut self.count, member_count);
        if about.is_none() || self.connection.client() != about {
            return Some(frame.clone());
        }
        (known != member_count).then(|| {
            let (joined, left, renamed) = (Vec::new(), Vec::new(), Vec::new());
            let event = UserEvent { room_id: room, member_count, joined, left, renamed };
            frame::text(ServerEvent::from(event).encode().as_bytes())
        })
    }

    /// Passes on what was held back: the positions in their order, whatever order they came in. False when one is
    /// missing.
    pub(super) fn pass_on(&mut self, delivered: &mut u64) -> bool {
        let mut ahead = BTreeMap::new();
        let connection = self.connection.clone();
        let mut outbox = connection.outbox.borrow_mut();
        for held in self.held.take().unwrap_or_default() {
            match held {
                Held::Entry(seq, frame, taken) => {
                    if seq > self.after {
                        ahead.insert(seq, (frame, taken));
                    }
                    while let Some((frame, taken)) = ahead.remove(&self.after.next()) {
                        outbox.push_last_message(frame, taken);
                        self.after = self.after.next();
                        *delivered += 1;
                    }
                }
                Held::Membership { room, about, member_count, frame } => {
                    if let Some(frame) = self.membership(room, about, member_count, &frame) {
                        outbox.push_last(frame);
                    }
                }
                Held::Other(frame) => outbox.push_last(frame),
            }
        }
        ahead.is_empty()
    }
}

/// Those of a room, found by their connection: in a room of thousands nobody is searched for.
pub(super) struct Members<W> {
    all: Vec<Member<W>>,
    places: HashMap<u64, usize>,
}

impl<W> Default for Members<W> {
    fn default() -> Self {
        Self { all: Vec::new(), places: HashMap::new() }
    }
}

impl<W> Members<W> {
    pub(super) fn get(&mut self, connection: u64) -> Option<&mut Member<W>> {
        self.all.get_mut(*self.places.get(&connection)?)
    }

    /// One that is not among them yet.
    pub(super) fn add(&mut self, member: Member<W>) {
        self.places.insert(member.connection.id, self.all.len());
        self.all.push(member);
    }

    pub(super) fn remove(&mut self, connection: u64) {
        let Some(place) = self.places.remove(&connection) else { return };
        self.all.swap_remove(place);
        if let Some(moved) = self.all.get(place) {
            self.places.insert(moved.connection.id, place);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member<W>> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member<W>> {
        self.all.iter_mut()
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = Member<W>> {
        self.all.into_iter()
    }
}
