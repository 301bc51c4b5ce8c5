//! What this crate counts, in plain atomics; `show` shows them.

use engine::stats::Histogram;
use fred::error::{Error, ErrorKind};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// From a Redis on the same machine to the longest that anybody waits for one, in microseconds.
const BOUNDS: &[u64] =
    &[250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000];

macro_rules! operations {
    ($($name:ident = $label:literal, $($script:literal)|*;)*) => {
        /// What Redis is asked to do, by what the ports call it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operation {
            $($name),*
        }

        impl Operation {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in metrics.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $label),*
                }
            }

            /// What a script is for.
            pub fn of(script: &str) -> Self {
                match script {
                    $($($script)|* => Self::$name,)*
                    // A test has an eye on that.
                    _ => Self::Other,
                }
            }
        }
    };
}

operations! {
    Append = "append", "append";
    Read = "read", "read";
    Publish = "publish", "publish";
    Take = "take", "take";
    Register = "register", "register";
    Heartbeat = "heartbeat", "heartbeat";
    Deregister = "deregister", "deregister";
    Nodes = "nodes", "nodes";
    Attach = "attach", "attach";
    Detach = "detach", "detach";
    Rename = "rename", "rename";
    CreateRoom = "create_room", "create";
    Join = "join", "join";
    Leave = "leave", "leave";
    EndRoom = "end_room", "end_room";
    RoomsOf = "rooms_of", "rooms_of";
    Room = "room", "room";
    Members = "members", "members";
    Rooms = "rooms", "rooms";
    Sweep = "sweep", "sweep";
    // The beginning, the upkeep and the end of timelines.
    Timeline = "timeline", "renew" | "open" | "close" | "closed" | "life" | "touch";
    Census = "census", "counts" | "clients" | "client" | "expel" | "participants" | "positions";
    Records = "records",
        "record_put" | "record_get" | "record_remove" | "record_list" | "record_append" | "record_log";
    // Whether it is there, what time it is there, and how it is.
    Check = "check", "alive" | "clock" | "info";
    Other = "other", "other";
}

/// Why a command failed, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No answer in time, or nobody waited any longer.
    Timeout,
    /// No connection, or it was lost.
    Io,
    /// Too many commands were waiting on our side.
    Backpressure,
    /// Redis refused it.
    Refused,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Timeout, Self::Io, Self::Backpressure, Self::Refused];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Io => "io",
            Self::Backpressure => "backpressure",
            Self::Refused => "other",
        }
    }

    /// What an error of fred's is.
    pub fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::IO | ErrorKind::Canceled => Self::Io,
            ErrorKind::Backpressure => Self::Backpressure,
            _ => Self::Refused,
        }
    }
}

/// The kinds of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Those that carry commands.
    Commands,
    /// The one that hears.
    Subscriber,
}

impl Kind {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Commands, Self::Subscriber];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Subscriber => "subscriber",
        }
    }
}

/// What one process has seen of Redis since it started.
#[derive(Debug)]
pub struct Stats {
    operations: Vec<(Histogram, [AtomicU64; Fault::ALL.len()])>,
    reconnects: [AtomicU64; Kind::ALL.len()],
    /// From saying something to oneself to hearing it.
    pub pubsub_lag: Histogram,
    late: AtomicU64,
}

impl Default for Stats {
    fn default() -> Self {
        let operation = |_| (Histogram::new(BOUNDS), Default::default());
        Self {
            operations: Operation::ALL.iter().map(operation).collect(),
            reconnects: Default::default(),
            pubsub_lag: Histogram::new(BOUNDS),
            late: AtomicU64::new(0),
        }
    }
}

impl Stats {
    /// A command has ended.
    pub fn ended(&self, operation: Operation, took: Duration, error: Option<&Error>) {
        self.note(operation, took, error.map(Fault::of));
    }

    /// Nobody waits for it any longer; that is the fault of whoever did not answer, if it had its time.
    pub fn given_up(&self, operation: Operation, after: Duration, limit: Duration) {
        if after >= limit - limit / 10 {
            self.note(operation, after, Some(Fault::Timeout));
        }
    }

    fn note(&self, operation: Operation, took: Duration, fault: Option<Fault>) {
        let Some((time, faults)) = self.operations.get(operation as usize) else { return };
        time.observe_time(took);
        if let Some(fault) = fault {
            faults[fault as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A connection that was lost is back.
    pub fn reconnected(&self, kind: Kind) {
        self.reconnects[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Redis found that a command had come too late.
    pub fn was_late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was.
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// How often that was.
    pub fn reconnects(&self, kind: Kind) -> u64 {
        self.reconnects[kind as usize].load(Ordering::Relaxed)
    }

    /// What is known of each operation: how long it took, and how often it failed and why.
    pub fn operations(&self) -> impl Iterator<Item = (Operation, &Histogram, impl Iterator<Item = (Fault, u64)>)> {
        Operation::ALL.iter().zip(&self.operations).map(|(operation, (time, faults))| {
            let faults = Fault::ALL.into_iter().zip(faults.iter().map(|count| count.load(Ordering::Relaxed)));
            (*operation, time, faults)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_few_and_each_is_one() {
        let names: std::collections::BTreeSet<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        assert_eq!(names.len(), Operation::ALL.len());
        for (n, operation) in Operation::ALL.iter().enumerate() {
            assert_eq!(*operation as usize, n);
        }
        assert!(names.len() < 32, "each is a histogram");
    }

    #[test]
    fn who_stops_waiting_early_says_nothing_of_redis() {
        let (stats, second) = (Stats::default(), Duration::from_secs(1));
        stats.given_up(Operation::Append, second / 2, second);
        stats.given_up(Operation::Append, second, second);
        stats.ended(Operation::Append, second / 100, None);
        stats.ended(Operation::Append, second / 100, Some(&Error::new(ErrorKind::Canceled, "x")));
        let (_, time, faults) = stats.operations().next().unwrap();
        assert_eq!(time.read(1.0).0.iter().map(|(_, count)| count).sum::<u64>(), 3);
        assert_eq!(faults.map(|(_, count)| count).collect::<Vec<_>>(), [1, 1, 0, 0]);
    }
}
