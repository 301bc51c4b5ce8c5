//! The command line.

use super::{figures::Asked, system::System};
use crate::load::{
    dialect::Dialect,
    options::{Given, beside_this_program},
    profile::{Load, Profile},
};
use std::{path::PathBuf, time::Duration};

/// What `--help` says.
pub const HELP: &str = "\
load-test bench [options]

Runs our server and others in turn, A B C D A B C D, each as two node processes on loopback and, if it uses one, a fresh
Redis of its own, and loads each with the same clients, rooms and messages. It prints what each delivery cost, and ratios of
ours to theirs with their spread over the rounds.

  roomful     our chat-nodes
  floor       writes ready-made frames to sockets, and does nothing else: nobody can be cheaper (bench/peers/floor)
  ws          ws from npm and Redis pub/sub, with our wire format and our append script (bench/peers/ws)
  socket.io   Socket.IO 4 with its Redis adapter (bench/peers/socketio)

What is measured:
  --systems <name>,...  which of them (default roomful,floor,ws,socket.io)
  --rates <rate>,...    deliveries a second: 10000, 10k; or max: as much as it takes (default 10k,25k,50k,max)
  --rounds <n>          how often all of that (default 3)
  --warmup <time>       before anything is measured, in each run: 3s, 500ms (default 3s)
  --duration <time>     for how long it is measured, in each run (default 8s)
  --clients <n>         connections, half of them on each node (default 1000)
  --rooms <n>           rooms of the same size (default 20)
  --senders <n>         clients that send, spread over the rooms (default 100)
  --bytes <n>           characters of a message (default 120)
  --window <n>          at max: messages that each sender has under way (default 2)

Where things are:
  --binaries <dir>      chat-node and bench-floor (default: beside this program)
  --peers <dir>         the others, with their packages installed (default bench/peers)
  --dir <dir>           logs, and the report as report.json (default .run/bench)
  --readme <path>       write the tables between `<!-- bench:begin -->` and `<!-- bench:end -->` there

The defaults take about 12 minutes. Exit status: 0 it was measured, whatever the result; 2 it could not be; 64 wrong options.
`make bench ROUNDS=3 BENCH='--rates 25k'` builds what is needed and does the same.";

const NAMES: [&str; 14] = [
    "--systems",
    "--rates",
    "--rounds",
    "--warmup",
    "--duration",
    "--clients",
    "--rooms",
    "--senders",
    "--bytes",
    "--window",
    "--binaries",
    "--peers",
    "--dir",
    "--readme",
];

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// Say how this is used.
    Help,
    /// Measure.
    Bench(Box<Options>),
}

/// What is measured, and where things are.
#[derive(Debug, Clone)]
pub struct Options {
    /// In this order.
    pub systems: Vec<System>,
    /// In this order.
    pub rates: Vec<Asked>,
    /// How often all of that.
    pub rounds: usize,
    /// Of each run.
    pub warmup: Duration,
    /// Of each run.
    pub duration: Duration,
    /// Connections.
    pub clients: usize,
    /// Rooms.
    pub rooms: usize,
    /// Clients that send.
    pub senders: usize,
    /// Characters of a message.
    pub bytes: usize,
    /// Messages that each sender has under way, at saturation.
    pub window: usize,
    /// Where our programs are.
    pub binaries: PathBuf,
    /// Where the others are.
    pub peers: PathBuf,
    /// Where logs and the report are left.
    pub dir: PathBuf,
    /// Where the tables are to be put.
    pub readme: Option<PathBuf>,
}

impl Options {
    /// Where the report is left.
    #[must_use]
    pub fn json(&self) -> PathBuf {
        self.dir.join("report.json")
    }
}

/// Reads the arguments after `bench`.
///
/// # Errors
/// What is wrong with them, all of it, a line each.
pub fn read(args: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let Some(mut given) = Given::read(args, &NAMES, &[]) else { return Ok(Command::Help) };
    let usual = Profile::Rooms.load();
    let rates = vec![Asked::Rate(10_000), Asked::Rate(25_000), Asked::Rate(50_000), Asked::Max];
    let options = Options {
        systems: given.parsed("--systems", System::ALL.to_vec(), list),
        rates: given.parsed("--rates", rates, list),
        rounds: given.number("--rounds", 3, 1, 100),
        warmup: given.time("--warmup", usual.warmup),
        duration: given.time("--duration", Duration::from_secs(8)),
        clients: given.number("--clients", usual.clients, 2, 100_000),
        rooms: given.number("--rooms", usual.rooms, 1, 10_000),
        senders: given.number("--senders", usual.senders, 1, 100_000),
        bytes: given.number("--bytes", usual.bytes, 1, 2000),
        window: given.number("--window", usual.window, 1, 1000),
        binaries: given.take("--binaries").map_or_else(beside_this_program, PathBuf::from),
        peers: given.take("--peers").map_or_else(|| PathBuf::from("bench/peers"), PathBuf::from),
        dir: given.take("--dir").map_or_else(|| PathBuf::from(".run/bench"), PathBuf::from),
        readme: given.take("--readme").map(PathBuf::from),
    };
    let Options { clients, rooms, senders, bytes, .. } = options;
    // The dialect that needs most.
    let load = Load { dialect: Dialect::SocketIo, clients, rooms, senders, bytes, ..usual };
    given.faults.extend(load.faults());
    given.done(Command::Bench(Box::new(options)))
}

fn list<T: std::str::FromStr<Err = String>>(text: &str) -> Result<Vec<T>, String> {
    text.split(',').map(|one| one.trim().parse()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bench(args: &str) -> Result<Options, String> {
        match read(args.split_whitespace().map(ToOwned::to_owned))? {
            Command::Bench(options) => Ok(*options),
            Command::Help => Err("help".to_owned()),
        }
    }

    #[test]
    fn what_is_asked_for() {
        let options = bench("--systems roomful,ws --rates 25k,max --rounds=1 --duration 500ms").unwrap();
        assert_eq!(options.systems, [System::Roomful, System::Ws]);
        assert_eq!(options.rates, [Asked::Rate(25_000), Asked::Max]);
        assert_eq!((options.rounds, options.duration), (1, Duration::from_millis(500)));
        let usual = bench("").unwrap();
        assert_eq!((usual.systems.len(), usual.rates.len(), usual.clients), (4, 4, 1000));
    }

    #[test]
    fn faults_are_told_together() {
        let faults = bench("--systems x --rates 1y --rounds 0 --bytes 20 --what 1").unwrap_err();
        assert_eq!(faults.lines().count(), 5, "{faults}");
    }

    #[test]
    fn help_tells_every_option() {
        assert!(matches!(read(["--help".to_owned()]), Ok(Command::Help)));
        for name in NAMES {
            assert!(HELP.contains(&format!("  {name} ")), "{name}");
        }
        for system in System::ALL {
            assert!(HELP.contains(system.name()));
        }
    }
}
