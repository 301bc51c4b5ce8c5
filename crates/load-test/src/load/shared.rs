//! What the threads of one run share.

use super::{figures::Slice, profile::Load, text::Run};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Where connections go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) path: String,
}

/// Constant, or atomic.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) load: Load,
    pub(super) run: Run,
    /// The time of the beginning.
    pub(super) base: Instant,
    /// Taken in turn.
    pub(super) targets: Vec<Target>,
    /// Each client's room.
    pub(super) seats: Vec<u32>,
    pub(super) rooms: Vec<Room>,
    /// How much each sender has said, where there is no timeline to say so.
    pub(super) senders: Vec<Newest>,
}

/// A room, as all threads know it.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Its number; 0 before it exists.
    id: AtomicU64,
    /// The newest position of which anybody knows.
    newest: Newest,
}

/// The newest of which anybody knows.
#[derive(Debug, Default)]
pub(super) struct Newest(AtomicU64);

impl Room {
    pub(super) fn id(&self) -> Option<u64> {
        Some(self.id.load(Ordering::Acquire)).filter(|id| *id != 0)
    }

    pub(super) fn exists(&self, id: u64) {
        self.id.store(id, Ordering::Release);
    }

    pub(super) fn newest(&self) -> u64 {
        self.newest.get()
    }

    pub(super) fn reached(&self, seq: u64) {
        self.newest.reached(seq);
    }
}

impl Newest {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn reached(&self, number: u64) {
        self.0.fetch_max(number, Ordering::Relaxed);
    }
}

impl Shared {
    /// Where a client's attempt goes.
    pub(super) fn target(&self, number: usize, attempt: usize) -> &Target {
        &self.targets[(place(number, self.rooms.len()) + attempt) % self.targets.len()]
    }

    /// Nanoseconds since the beginning.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A client's place among all servers: the members of a room take them in turn, and so do the rooms. Client after client in
/// turn would not do: with an even number of rooms, all members of a room would be on the same one of two servers.
fn place(number: usize, rooms: usize) -> usize {
    let rooms = rooms.max(1);
    number % rooms + number / rooms
}

/// What a thread is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// Connect all.
    Connect,
    /// Send from `start` to `end`, and note the times of what is due from `measured` to `end`.
    Send { start: u64, measured: u64, end: u64 },
    /// From now on a connection that is lost comes back; `cut`: lose all of them now.
    Storm { cut: bool },
    /// Say how it is.
    Report(Asked),
    /// End.
    End,
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// What costs next to nothing.
    Briefly,
    /// And what has to be counted over all connections.
    Fully,
}

/// A thread's answer.
pub(super) type Reply = Slice;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_a_room_and_senders_are_on_all_servers() {
        for (rooms, servers) in [(20, 2), (5, 2), (6, 3), (1, 2), (4, 4)] {
            let server = |number| place(number, rooms) % servers;
            for room in 0..rooms {
                let members = (0..12).map(|k| server(room + k * rooms));
                for one in 0..servers {
                    let there = members.clone().filter(|server| *server == one).count();
                    assert_eq!(there, 12 / servers, "room {room} of {rooms} on {one} of {servers}");
                }
            }
        }
    }
}
