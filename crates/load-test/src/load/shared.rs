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
    /// Where a connection goes with its n-th attempt. A node that is to be killed has all that are to be lost, and nobody
    /// else; and nobody comes back to it, as behind a proxy that knows who lives.
    pub(super) fn target(&self, number: usize, attempt: usize, killed: bool) -> &Target {
        let (all, staying) = (self.targets.len(), self.load.staying());
        if !self.load.kill || all < 2 {
            return &self.targets[(place(number, self.rooms.len()) + attempt) % all];
        }
        let stays = number < staying || killed;
        &self.targets[if stays { 1 + (number + attempt) % (all - 1) } else { 0 }]
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
    /// A rollout begins: who is told to move does, and nobody else comes or leaves.
    Roll,
    /// It is over: connect those who are new.
    Fresh,
    /// Send nothing any more that would be due from then on.
    Finish(u64),
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
    use super::{super::profile::Profile, *};

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

    #[test]
    fn the_killed_node_has_the_lost_and_nobody_else() {
        let load = Profile::Storm.load().killing(100);
        let target = |port| Target { address: SocketAddr::from(([127, 0, 0, 1], port)), path: "/ws".to_owned() };
        let mut shared = Shared {
            run: Run::new(1),
            base: Instant::now(),
            targets: (0..3).map(target).collect(),
            seats: load.seats(),
            rooms: (0..load.all_rooms()).map(|_| Room::default()).collect(),
            senders: Vec::new(),
            load,
        };
        let of = |shared: &Shared, number, attempt, killed| shared.target(number, attempt, killed).address.port();
        let staying = shared.load.staying();
        for number in [0, 1, staying - 1] {
            assert_ne!(of(&shared, number, 0, false), 0, "{number} stays");
        }
        for attempt in 0..4 {
            assert_eq!(of(&shared, staying, attempt, false), 0);
            assert_ne!(of(&shared, staying, attempt, true), 0, "nobody comes back to it");
        }
        shared.load = Profile::Storm.load();
        let turns: Vec<_> = (0..4).map(|attempt| of(&shared, 0, attempt, true)).collect();
        assert_eq!(turns, [0, 1, 2, 0]);
    }
}
