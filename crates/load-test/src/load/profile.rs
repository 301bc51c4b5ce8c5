//! What a run is: how many clients, in which rooms, who sends how much, and what happens meanwhile. Pure.

use super::dialect::Dialect;
use serde::Serialize;
use std::{fmt, str::FromStr, time::Duration};

/// What kind of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Connections that say nothing.
    Idle,
    /// Rooms of the same size, a steady stream of messages.
    Rooms,
    /// One big room, one message a second.
    Broadcast,
    /// All connections are lost at once, and come back.
    Storm,
    /// Clients come and go.
    Churn,
    /// Rooms of all sizes, messages, and clients that come and go.
    Mixed,
    /// All chat-nodes are replaced, one after the other, and clients move without being away.
    Rollout,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Idle, Self::Rooms, Self::Broadcast, Self::Storm, Self::Churn, Self::Mixed, Self::Rollout];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Rooms => "rooms",
            Self::Broadcast => "broadcast",
            Self::Storm => "storm",
            Self::Churn => "churn",
            Self::Mixed => "mixed",
            Self::Rollout => "rollout",
        }
    }

    /// What it is unless something else is asked for.
    #[must_use]
    pub fn load(self) -> Load {
        let seconds = Duration::from_secs;
        let rooms = Load {
            profile: self,
            dialect: Dialect::Roomful,
            clients: 1000,
            rooms: 20,
            senders: 100,
            rate: Rate::Deliveries(25_000.0),
            bytes: 120,
            ramp: 1000.0,
            warmup: seconds(3),
            duration: seconds(15),
            churn: 0.0,
            kill: false,
            others: 0,
            in_place: false,
            fresh: 0,
            window: 2,
            threads: 1,
            seed: 1,
        };
        match self {
            Self::Rooms => rooms,
            Self::Idle => Load { clients: 10_000, rooms: 200, senders: 0, rate: Rate::Messages(0.0), ..rooms },
            Self::Broadcast => Load { clients: 10_000, rooms: 1, senders: 1, rate: Rate::Messages(1.0), ..rooms },
            Self::Storm => Load { clients: 10_000, rooms: 200, senders: 200, rate: Rate::Deliveries(5000.0), ..rooms },
            Self::Rollout => Load {
                clients: 10_000,
                rooms: 200,
                senders: 200,
                rate: Rate::Deliveries(5000.0),
                duration: seconds(10),
                fresh: 3000,
                ..rooms
            },
            Self::Churn => Load { churn: 100.0, rate: Rate::Deliveries(10_000.0), ..rooms },
            Self::Mixed => {
                Load { clients: 2000, rooms: 100, senders: 200, churn: 20.0, rate: Rate::Deliveries(20_000.0), ..rooms }
            }
        }
    }
}

impl FromStr for Profile {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|profile| profile.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.map(Self::name).to_vec();
            format!("expected one of {}", names.join(", "))
        })
    }
}

/// How much is sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rate {
    /// So many deliveries a second, whatever number of messages that takes.
    Deliveries(f64),
    /// So many messages a second.
    Messages(f64),
    /// As much as the server takes: each sender has a few messages under way, and sends another one for each that is
    /// acknowledged.
    Max,
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected deliveries a second (50000, 50k), messages a second (10msg), or max".to_owned();
        if text == "max" {
            return Ok(Self::Max);
        }
        let (number, messages) = text.strip_suffix("msg").map_or((text, false), |number| (number, true));
        let (number, factor) = number.strip_suffix('k').map_or((number, 1.0), |number| (number, 1000.0));
        let rate = number.parse::<f64>().map_err(|_| expected())? * factor;
        if !(0.0..=1e7).contains(&rate) {
            return Err(expected());
        }
        Ok(if messages { Self::Messages(rate) } else { Self::Deliveries(rate) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deliveries(rate) => write!(f, "{rate:.0} deliveries/s"),
            Self::Messages(rate) => write!(f, "{rate} messages/s"),
            Self::Max => f.write_str("as much as the server takes"),
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    /// What kind.
    pub profile: Profile,
    /// What is spoken.
    pub dialect: Dialect,
    /// Connections.
    pub clients: usize,
    /// Rooms that they are in, each in one.
    pub rooms: usize,
    /// Those of them that send, the same number in each room if it can be divided.
    pub senders: usize,
    /// How much they send together.
    pub rate: Rate,
    /// Characters of a message's body.
    pub bytes: usize,
    /// New connections a second, at the start.
    pub ramp: f64,
    /// How long it runs before anything is measured.
    #[serde(rename = "warmupSeconds", serialize_with = "seconds")]
    pub warmup: Duration,
    /// How long it is measured; of a rollout, before it begins.
    #[serde(rename = "durationSeconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// Clients that are replaced or come back a second.
    pub churn: f64,
    /// A storm is made by killing the node that has all clients, not by cutting every connection.
    pub kill: bool,
    /// Then: those who are on the other nodes, and talk meanwhile in rooms of their own.
    pub others: usize,
    /// A rollout starts each node again where it was, instead of starting new ones first.
    pub in_place: bool,
    /// Clients that come when a rollout is over; their numbers are the last.
    pub fresh: usize,
    /// Messages that each sender has under way, at [`Rate::Max`].
    pub window: usize,
    /// Threads that read and write.
    pub threads: usize,
    /// What chance is drawn from.
    pub seed: u64,
}

/// Members of a room of those who are not lost.
const ROOM: usize = 50;

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl Load {
    /// The same with the storm made by killing a node. Whoever is on another one talks: the others, and a witness in each
    /// room of the lost, who says what they miss.
    #[must_use]
    pub fn killing(self, others: usize) -> Self {
        let killing = Self { kill: true, others, ..self };
        Self { senders: killing.staying(), ..killing }
    }

    /// Those who are not on the node that is killed; their numbers are the first.
    #[must_use]
    pub fn staying(&self) -> usize {
        if self.kill { self.rooms + self.others } else { 0 }
    }

    /// All connections of the beginning.
    #[must_use]
    pub fn first(&self) -> usize {
        self.clients + self.staying()
    }

    /// All connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.first() + self.fresh
    }

    /// All rooms.
    #[must_use]
    pub fn all_rooms(&self) -> usize {
        self.rooms + if self.kill { self.others.div_ceil(ROOM) } else { 0 }
    }

    /// What cannot be, all of it.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |good: bool, fault: String| {
            if !good {
                faults.push(fault);
            }
        };
        let (clients, rooms, senders) = (self.clients, self.rooms, self.senders);
        check(rooms <= clients, format!("--rooms {rooms}: each needs a client, and there are {clients}"));
        check(senders <= self.first(), format!("--senders {senders}: there are only {} clients", self.first()));
        let least = self.dialect.least_bytes();
        check(
            self.bytes >= least,
            format!("--bytes {}: expected {least} at least, for the time of sending", self.bytes),
        );
        check(self.threads <= clients, format!("--threads {}: there are only {clients} clients", self.threads));
        let sends = !matches!(self.rate, Rate::Messages(rate) | Rate::Deliveries(rate) if rate == 0.0);
        check(!sends || senders > 0, "--senders 0: somebody has to send at that --rate (or --rate 0)".to_owned());
        let storm = self.profile == Profile::Storm;
        check(!self.kill || storm, "--kill: only the profile storm kills a node".to_owned());
        let rollout = self.profile == Profile::Rollout;
        let kept = !storm && !rollout || self.rate != Rate::Max;
        check(kept, format!("--rate max: a {} needs a rate that can be kept", self.profile.name()));
        check(!self.in_place || rollout, "--in-place: only the profile rollout starts nodes again".to_owned());
        check(self.fresh == 0 || rollout, "--fresh: only a rollout is followed by new clients".to_owned());
        check(
            self.dialect == Dialect::Roomful || self.constant() && self.profile != Profile::Mixed,
            format!("--dialect {}: only for clients that stay, in rooms of one size", self.dialect.name()),
        );
        let leavers = clients.saturating_sub(senders.max(rooms));
        check(self.churn == 0.0 || leavers > 0, "--churn: all clients send, so that none may leave".to_owned());
        faults
    }

    /// The room of each client. The first client of each room makes it, so the first so many clients are in different
    /// rooms; senders are the first clients.
    #[must_use]
    pub fn seats(&self) -> Vec<u32> {
        if self.kill {
            let (rooms, own) = (self.rooms, self.all_rooms() - self.rooms);
            let witnesses = 0..rooms;
            let others = (0..self.others).map(|other| rooms + other % own);
            let lost = (0..self.clients).map(|client| client % rooms);
            return witnesses.chain(others).chain(lost).map(|room| room as u32).collect();
        }
        let even = (0..self.connections()).map(|client| (client % self.rooms) as u32);
        if self.profile != Profile::Mixed {
            return even.collect();
        }
        // Sizes as they are in life: the second biggest has half of the biggest, the third a third.
        let floor = self.rooms.max(self.senders);
        let weights: Vec<f64> = (1..=self.rooms).map(|rank| 1.0 / rank as f64).collect();
        let total: f64 = weights.iter().sum();
        let mut chance = fastrand::Rng::with_seed(self.seed);
        let mut drawn = || {
            let mut left = chance.f64() * total;
            let room = weights.iter().position(|weight| {
                left -= weight;
                left < 0.0
            });
            room.unwrap_or(0) as u32
        };
        even.enumerate().map(|(client, even)| if client < floor { even } else { drawn() }).collect()
    }

    /// Deliveries of one message, on average over the senders.
    #[must_use]
    pub fn fan_out(&self, seats: &[u32]) -> f64 {
        let mut sizes = vec![0_u64; self.all_rooms()];
        seats.iter().take(self.first()).for_each(|room| sizes[*room as usize] += 1);
        let reached: u64 = seats.iter().take(self.senders).map(|room| sizes[*room as usize]).sum();
        reached as f64 / self.senders.max(1) as f64
    }

    /// Messages a second, unless it is as many as the server takes.
    #[must_use]
    pub fn messages(&self, seats: &[u32]) -> Option<f64> {
        match self.rate {
            Rate::Messages(rate) => Some(rate),
            Rate::Deliveries(0.0) => Some(0.0),
            Rate::Deliveries(rate) => Some(rate / self.fan_out(seats)),
            Rate::Max => None,
        }
    }

    /// Whether the same clients are there all the time, so that deliveries can be foretold.
    #[must_use]
    pub fn constant(&self) -> bool {
        self.churn == 0.0 && !matches!(self.profile, Profile::Storm | Profile::Rollout)
    }

    /// Whether clients come back, for which they have to keep who they are.
    #[must_use]
    pub fn comes_back(&self) -> bool {
        !self.constant()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        assert_eq!("50000".parse(), Ok(Rate::Deliveries(50_000.0)));
        assert_eq!("50k".parse(), Ok(Rate::Deliveries(50_000.0)));
        assert_eq!("0.5msg".parse(), Ok(Rate::Messages(0.5)));
        assert_eq!("max".parse(), Ok(Rate::Max));
        for bad in ["", "x", "-1", "1e9", "NaN", "k", "msg"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_profiles_can_be() {
        for profile in Profile::ALL {
            let load = profile.load();
            assert_eq!((load.profile, load.faults()), (profile, Vec::new()));
            assert_eq!(profile.name().parse(), Ok(profile));
            let seats = load.seats();
            assert_eq!((seats.len(), load.first()), (load.connections(), load.clients));
            let first: Vec<u32> = (0..load.rooms as u32).collect();
            assert_eq!(seats[..load.rooms], first, "the first clients make the rooms");
        }
        assert!("x".parse::<Profile>().unwrap_err().contains("idle, rooms"));
    }

    #[test]
    fn deliveries_become_messages() {
        let load = Profile::Rooms.load();
        let seats = load.seats();
        assert_eq!((load.fan_out(&seats), load.messages(&seats)), (50.0, Some(500.0)));
        let load = Load { rate: Rate::Messages(7.0), ..load };
        assert_eq!(load.messages(&seats), Some(7.0));
    }

    #[test]
    fn mixed_rooms_have_all_sizes_and_are_the_same_for_a_seed() {
        let load = Profile::Mixed.load();
        let seats = load.seats();
        assert_eq!(seats, load.seats());
        assert_ne!(seats, Load { seed: 2, ..load.clone() }.seats());
        let size = |room| seats.iter().filter(|seat| **seat == room).count();
        assert!(size(0) > 10 * size(90), "{} and {}", size(0), size(90));
        let messages = load.messages(&seats).unwrap();
        assert!((messages * load.fan_out(&seats) - 20_000.0).abs() < 1.0);
    }

    #[test]
    fn a_node_is_killed_with_all_clients_and_nobody_else() {
        let load = Profile::Storm.load().killing(1000);
        assert_eq!((load.staying(), load.connections(), load.all_rooms()), (1200, 11_200, 220));
        assert_eq!((load.senders, load.faults()), (1200, Vec::new()));
        let seats = load.seats();
        assert_eq!(seats.len(), 11_200);
        let first: Vec<u32> = (0..220).collect();
        assert_eq!(seats[..220], first, "the first clients make the rooms");
        let size = |room| seats.iter().filter(|seat| **seat == room).count();
        assert_eq!((size(0), size(199), size(200), size(219)), (51, 51, 50, 50));
        assert!(seats[1200..].iter().all(|seat| *seat < 200), "the lost are among themselves, but for a witness");
    }

    #[test]
    fn a_rollout_is_followed_by_new_clients_in_the_same_rooms() {
        let load = Profile::Rollout.load();
        assert_eq!((load.first(), load.connections(), load.constant()), (10_000, 13_000, false));
        let seats = load.seats();
        assert_eq!(load.messages(&seats), Some(100.0), "of the rate that was asked for while it lasts");
        assert!(seats[10_000..].iter().all(|seat| *seat < 200));
        let elsewhere = Load { profile: Profile::Rooms, in_place: true, ..load.clone() };
        assert_eq!(elsewhere.faults().len(), 2);
        assert_eq!(Load { rate: Rate::Max, ..load }.faults().len(), 1);
    }

    #[test]
    fn faults_are_told_together() {
        let bad =
            Load { clients: 10, rooms: 20, senders: 31, bytes: 3, threads: 11, kill: true, ..Profile::Rooms.load() };
        assert_eq!(bad.faults().len(), 5);
        let silent = Load { senders: 0, ..Profile::Rooms.load() };
        assert_eq!(silent.faults().len(), 1);
        let all_send = Load { senders: 1000, churn: 1.0, ..Profile::Rooms.load() };
        assert_eq!(all_send.faults().len(), 1);
    }
}
