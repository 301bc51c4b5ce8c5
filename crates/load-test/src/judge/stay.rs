//! One connection in one room, from `ROOM_JOINED` to whatever ended it.

use super::violation::Kind;
use protocol::{
    ClientId, CorrelationId, Epoch, RoomId, Seq,
    event::{Gap, LeaveReason, Member},
};
use std::{collections::HashMap, time::Duration};

/// What a stay is of.
#[derive(Debug, Clone)]
pub struct Open {
    /// Whose.
    pub actor: u32,
    /// On which connection.
    pub connection: u32,
    /// Under which id.
    pub client: Option<ClientId>,
    /// In which room.
    pub room: RoomId,
    /// In which life of it.
    pub epoch: Epoch,
}

/// What a member was told of the members.
#[derive(Debug, Clone)]
pub enum View {
    /// All of them, and how many they are.
    All(Vec<Member>, u32),
    /// Somebody came.
    Came(Member),
    /// Somebody left.
    Went(ClientId),
    /// Somebody has another name.
    Renamed(Member),
    /// How many they are.
    Count(u32),
}

/// One connection in one room.
#[derive(Debug, Clone)]
pub struct Stay {
    /// Whose.
    pub actor: u32,
    /// On which connection.
    pub connection: u32,
    /// Under which id.
    pub client: Option<ClientId>,
    /// In which room.
    pub room: RoomId,
    /// In which life of it.
    pub epoch: Epoch,
    /// `ROOM_JOINED` came.
    pub from: Duration,
    /// It left, or the connection ended.
    pub until: Duration,
    /// From when on the client may have left, by a command of its own or by another connection, whatever it hears.
    pub doubt: Option<(Duration, Option<CorrelationId>)>,
    /// Why it left, when it was told that it did.
    pub left: Option<LeaveReason>,
    /// It is to be shown all positions above this one.
    pub after: Seq,
    /// The newest position that it was shown, or told of.
    pub last: Seq,
    /// When each position came.
    pub seen: HashMap<Seq, Duration>,
    /// What it was told to be gone.
    pub told: Vec<Gap>,
    /// What it was told of the members, in order.
    pub views: Vec<(Duration, View)>,
    /// Positions passed over that may still come.
    missing: Vec<Gap>,
}

impl Stay {
    /// Begins after a position.
    #[must_use]
    pub fn new(open: Open, from: Duration, after: Seq) -> Self {
        let Open { actor, connection, client, room, epoch } = open;
        Self {
            actor,
            connection,
            client,
            room,
            epoch,
            from,
            until: Duration::MAX,
            doubt: None,
            left: None,
            after,
            last: after,
            seen: HashMap::new(),
            told: Vec::new(),
            views: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Until when the client was a member for certain.
    #[must_use]
    pub fn certain_until(&self) -> Duration {
        self.doubt.as_ref().map_or(self.until, |(since, _)| self.until.min(*since))
    }

    /// Whether it was a member for certain all the time between two moments.
    #[must_use]
    pub fn covers(&self, from: Duration, until: Duration) -> bool {
        self.from <= from && self.certain_until() >= until
    }

    /// Whether it was told that a position is gone.
    #[must_use]
    pub fn told_gone(&self, seq: Seq) -> bool {
        self.told.iter().any(|gap| (gap.from..=gap.to).contains(&seq))
    }

    pub(super) fn doubt(&mut self, at: Duration, by: Option<CorrelationId>) {
        self.doubt.get_or_insert((at, by));
    }

    pub(super) fn undoubt(&mut self, by: &CorrelationId) {
        if self.doubt.as_ref().is_some_and(|(_, id)| id.as_ref() == Some(by)) {
            self.doubt = None;
        }
    }

    /// Takes a position, and says what is wrong with it.
    pub(super) fn take(&mut self, seq: Seq) -> Option<Kind> {
        if seq == self.last.next() {
            self.last = seq;
            return None;
        }
        if seq > self.last {
            self.pass(seq.prev());
            self.last = seq;
            return Some(Kind::Hole);
        }
        let Some(at) = self.missing.iter().position(|gap| (gap.from..=gap.to).contains(&seq)) else {
            return Some(Kind::Repeated);
        };
        let hole = self.missing.swap_remove(at);
        let parts = [Gap { from: hole.from, to: seq.prev() }, Gap { from: seq.next(), to: hole.to }];
        self.missing.extend(parts.into_iter().filter(|part| part.from <= part.to));
        Some(Kind::OutOfOrder)
    }

    /// Passes over all up to a position.
    pub(super) fn pass(&mut self, to: Seq) {
        self.missing.push(Gap { from: self.last.next(), to });
        self.last = to;
    }
}
