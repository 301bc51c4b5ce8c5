//! Membership changes of a crowded room, folded over time: ten thousand who join within a second would otherwise cost
//! fifty million deliveries.

use crate::port::Change;
use protocol::{
    ClientId, RoomId,
    event::{Member, UserEvent},
};
use std::collections::HashMap;
use tokio::time::{Duration, Instant};

/// From this many members on, a room is crowded.
pub const CROWD: u32 = 50;
/// How long changes are gathered then.
pub const GATHER: Duration = Duration::from_millis(500);
/// Changes in one event, so that its frame stays small.
const CHUNK: usize = 250;

/// What became of each client since the last event; the last change of a client is the one that counts.
#[derive(Default)]
pub struct Fold {
    changes: HashMap<ClientId, Fate>,
    member_count: u32,
    due: Option<Instant>,
}

enum Fate {
    Joined(Member),
    Left,
    Renamed(Member),
}

impl Fold {
    /// When the gathered changes are to be told.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Adds a change.
    pub fn add(&mut self, change: Change, member_count: u32, now: Instant) {
        self.member_count = member_count;
        self.due.get_or_insert(now + GATHER);
        match change {
            Change::Joined(member) => self.changes.insert(member.client_id, Fate::Joined(member)),
            Change::Left(client) => self.changes.insert(client, Fate::Left),
            Change::Renamed(member) => {
                let came = matches!(self.changes.get(&member.client_id), Some(Fate::Joined(_)));
                let fate = if came { Fate::Joined(member.clone()) } else { Fate::Renamed(member.clone()) };
                self.changes.insert(member.client_id, fate)
            }
        };
    }

    /// The gathered changes, as few events as they fit into.
    pub fn take(&mut self, room: RoomId) -> Vec<UserEvent> {
        self.due = None;
        let empty = || UserEvent {
            room_id: room,
            member_count: self.member_count,
            joined: Vec::new(),
            left: Vec::new(),
            renamed: Vec::new(),
        };
        let mut events = Vec::new();
        let mut event = empty();
        for (n, (client, fate)) in std::mem::take(&mut self.changes).into_iter().enumerate() {
            if n > 0 && n % CHUNK == 0 {
                events.push(std::mem::replace(&mut event, empty()));
            }
            match fate {
                Fate::Joined(member) => event.joined.push(member),
                Fate::Left => event.left.push(client),
                Fate::Renamed(member) => event.renamed.push(member),
            }
        }
        events.push(event);
        events
    }
}

/// One change as an event of its own.
#[must_use]
pub fn single(room: RoomId, change: Change, member_count: u32) -> UserEvent {
    let mut event =
        UserEvent { room_id: room, member_count, joined: Vec::new(), left: Vec::new(), renamed: Vec::new() };
    match change {
        Change::Joined(member) => event.joined.push(member),
        Change::Left(client) => event.left.push(client),
        Change::Renamed(member) => event.renamed.push(member),
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Username;

    fn member(id: u64, name: &str) -> Member {
        Member { client_id: ClientId::new(id).unwrap(), username: Username::parse(&name.into(), 16).unwrap() }
    }

    #[test]
    fn the_last_change_of_a_client_counts() {
        let (room, now) = (RoomId::new(10_000).unwrap(), Instant::now());
        let mut fold = Fold::default();
        fold.add(Change::Joined(member(10_001, "a")), 51, now);
        fold.add(Change::Renamed(member(10_001, "b")), 51, now);
        fold.add(Change::Joined(member(10_002, "c")), 52, now);
        fold.add(Change::Left(member(10_002, "c").client_id), 51, now);
        fold.add(Change::Renamed(member(10_003, "d")), 51, now);
        assert_eq!(fold.due(), Some(now + GATHER));
        let events = fold.take(room);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].member_count, 51);
        assert_eq!(events[0].joined, [member(10_001, "b")]);
        assert_eq!(events[0].left, [member(10_002, "c").client_id]);
        assert_eq!(events[0].renamed, [member(10_003, "d")]);
        assert_eq!(fold.due(), None);
    }

    #[test]
    fn a_large_fold_is_told_in_several_events() {
        let now = Instant::now();
        let mut fold = Fold::default();
        for id in 0..600 {
            fold.add(Change::Joined(member(10_000 + id, "x")), 600, now);
        }
        let events = fold.take(RoomId::new(10_000).unwrap());
        assert_eq!(events.iter().map(|e| e.joined.len()).collect::<Vec<_>>(), [250, 250, 100]);
    }
}
