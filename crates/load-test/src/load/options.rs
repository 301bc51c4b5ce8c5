//! The command line.

use super::profile::{Load, Profile, Rate};
use std::{path::PathBuf, str::FromStr, time::Duration};

/// What `--help` says.
pub const HELP: &str = "\
load-test load [options]

Holds thousands of WebSockets from one process, sends at a fixed pace whatever the server does, and says what each
delivery cost: latency from when a message was due to when it came, CPU, memory, context switches, bytes. Each
connection's timeline is checked: what is lost, doubled or out of order is counted.

  --profile <profile>   idle       10,000 clients in 200 rooms that say nothing
                        rooms      1,000 clients in 20 rooms of 50 (default)
                        broadcast  one room of 10,000, one message a second
                        storm      10,000 clients, all lost at once, that come back with session and resume
                        churn      as rooms, and 100 clients a second go, or are lost and come back
                        mixed      2,000 clients in rooms of all sizes, messages and churn
                        rollout    10,000 clients on three nodes, all of which are replaced as a deploy does it, while
                                   messages flow: new ones are started, then each old one drains and ends. Clients open
                                   a new connection before they let go of the old one; nobody may be away, or lose
                                   anything. Then 3,000 new clients come. How all are spread is told

What differs from the profile:
  --clients <n>         connections
  --rooms <n>           rooms; a client is in one
  --senders <n>         clients that send, spread over the rooms
  --rate <rate>         deliveries a second: 50000, 50k; messages a second: 10msg; or max: as much as the server takes
  --window <n>          with --rate max: messages that each sender has under way (default 2)
  --bytes <n>           characters of a message (default 120)
  --ramp <n>            new connections a second, at the start (default 1000)
  --warmup <time>       before anything is measured: 3s, 500ms (default 3s)
  --duration <time>     for how long it is measured (default 15s); rollout: before it begins (default 10s)
  --churn <n>           clients a second that leave for others, or are lost and come back
  --kill                storm: kill the node that has all of them, instead of cutting every connection. Past nginx, on
                        two nodes or more. On the other nodes a witness in each room goes on talking, and the others do
  --others <n>          with --kill: clients on the other nodes, in rooms of 50 (default 1000)
  --in-place            rollout: end and start again each node in turn, where it was, with none beside it
  --fresh <n>           rollout: clients that come when it is over (default 3000)
  --seed <n>            what chance is drawn from (default 1)
  --dialect <dialect>   what the server speaks: roomful (default), socket.io (as in bench/peers/socketio), or listen: nothing
                        is sent, and each text that comes is a delivery

Where:
  --url <url>,...       a running server: the site's URL, or those of its nodes, which are taken in turn. Its limits
                        have to be off (LIMIT_CONNECT_NODE=off, LIMIT_CONNECT_CLUSTER=off, LIMIT_MESSAGE_…)
  --cluster <path>      a running cluster, by its cluster.json (make cluster writes .run/cluster.json)
  --pid <name>=<pid>,...  with --url: processes to measure
  --nodes <n>           chat-nodes of the cluster that is started otherwise (default 2; 3 for a rollout)
  --direct              past nginx, to the nodes in turn
  --binaries <dir>      where chat-node and gateway are (default: beside this program)
  --dir <dir>           where that cluster's logs are (default .run/load)

What else:
  --threads <n>         threads that read and write (default 1, which is enough for what two cores can send)
  --json <path>         write the report as JSON
  --html <path>         write it as a page with plots

Exit status: 0 all well; 1 something was lost, doubled or out of order, connections failed, or a rollout was seen; 2 it could not be carried
out; 64 wrong options. `make load PROFILE=rooms LOAD='--rate 50k'` does the same.";

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// Say how this is used.
    Help,
    /// Load a server.
    Load(Box<Options>),
}

/// Where, how much, and what is left behind.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much.
    pub load: Load,
    /// Where.
    pub place: Place,
    /// Past nginx.
    pub direct: bool,
    /// The report, as JSON.
    pub json: Option<PathBuf>,
    /// And as a page.
    pub html: Option<PathBuf>,
}

/// Which server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A cluster of our own.
    Own {
        /// Its chat-nodes.
        nodes: usize,
        /// Where its programs are.
        binaries: PathBuf,
        /// Where its logs are.
        dir: PathBuf,
    },
    /// One that runs, by its `cluster.json`.
    Described(PathBuf),
    /// Somebody's.
    Urls {
        /// Taken in turn.
        urls: Vec<String>,
        /// Processes to measure.
        pids: Vec<(String, u32)>,
    },
}

impl Options {
    /// A profile as it comes, at these URLs.
    #[must_use]
    pub fn at(load: Load, urls: Vec<String>) -> Self {
        Self { load, place: Place::Urls { urls, pids: Vec::new() }, direct: false, json: None, html: None }
    }
}

/// Reads the arguments after `load`.
///
/// # Errors
/// What is wrong with them, all of it, a line each.
pub fn read(args: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let Some(mut given) = Given::read(args, &NAMES, &FLAGS) else { return Ok(Command::Help) };
    let options = given.options();
    given.faults.extend(options.load.faults());
    given.done(Command::Load(Box::new(options)))
}

const FLAGS: [&str; 3] = ["--kill", "--direct", "--in-place"];
const NAMES: [&str; 27] = [
    "--profile",
    "--dialect",
    "--clients",
    "--rooms",
    "--senders",
    "--rate",
    "--window",
    "--bytes",
    "--ramp",
    "--warmup",
    "--duration",
    "--churn",
    "--kill",
    "--others",
    "--in-place",
    "--fresh",
    "--seed",
    "--url",
    "--cluster",
    "--pid",
    "--nodes",
    "--direct",
    "--binaries",
    "--dir",
    "--threads",
    "--json",
    "--html",
];

/// What was given, and what was wrong with it.
pub(crate) struct Given {
    given: Vec<(String, String)>,
    pub(crate) faults: Vec<String>,
}

impl Given {
    /// Splits arguments into options and their values; none: help is wanted.
    pub(crate) fn read(args: impl IntoIterator<Item = String>, names: &[&str], flags: &[&str]) -> Option<Self> {
        let (mut given, mut faults) = (Vec::new(), Vec::new());
        let mut args = args.into_iter().peekable();
        while let Some(arg) = args.next() {
            if matches!(arg.as_str(), "--help" | "-h" | "help") {
                return None;
            }
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (arg, None),
            };
            if !names.contains(&name.as_str()) {
                faults.push(format!("{name}: no such option"));
                // What follows is its value.
                args.next_if(|next| inline.is_none() && !next.starts_with("--"));
            } else if flags.contains(&name.as_str()) {
                given.push((name, String::new()));
            } else if let Some(value) = inline.or_else(|| args.next()) {
                given.push((name, value));
            } else {
                faults.push(format!("{name}: expected a value"));
            }
        }
        Some(Self { given, faults })
    }

    /// What came of it, unless something was wrong.
    pub(crate) fn done<T>(self, value: T) -> Result<T, String> {
        if self.faults.is_empty() { Ok(value) } else { Err(self.faults.join("\n")) }
    }

    fn options(&mut self) -> Options {
        let profile = self.parsed("--profile", Profile::Rooms, str::parse);
        let usual = profile.load();
        let load = Load {
            profile,
            dialect: self.parsed("--dialect", usual.dialect, str::parse),
            clients: self.number("--clients", usual.clients, 1, 1_000_000),
            rooms: self.number("--rooms", usual.rooms, 1, 1_000_000),
            senders: self.number("--senders", usual.senders, 0, 1_000_000),
            rate: self.parsed("--rate", usual.rate, str::parse),
            window: self.number("--window", usual.window, 1, 1000),
            bytes: self.number("--bytes", usual.bytes, 1, 8000),
            ramp: self.real("--ramp", usual.ramp, 0.1),
            warmup: self.time("--warmup", usual.warmup),
            duration: self.time("--duration", usual.duration),
            churn: self.real("--churn", usual.churn, 0.0),
            kill: false,
            others: 0,
            in_place: self.take("--in-place").is_some(),
            fresh: self.number("--fresh", usual.fresh, 0, 1_000_000),
            threads: self.number("--threads", usual.threads, 1, 64),
            seed: self.number("--seed", usual.seed, 0, u64::MAX),
        };
        let load = self.fit(load);
        let load = self.kill(load);
        // Through a proxy nobody could say who is where.
        let direct = self.take("--direct").is_some() || load.kill;
        let json = self.take("--json").map(PathBuf::from);
        let html = self.take("--html").map(PathBuf::from);
        Options { place: self.place(&load, direct), load, direct, json, html }
    }

    /// What was not asked for follows what was: a run of 10 clients has not 20 rooms.
    fn fit(&self, load: Load) -> Load {
        let asked = |name| self.given.iter().any(|(given, _)| given == name);
        let rooms = if asked("--rooms") { load.rooms } else { load.rooms.min(load.clients) };
        let fresh = if asked("--fresh") { load.fresh } else { load.fresh.min(load.clients) };
        let senders = if asked("--senders") { load.senders } else { load.senders.min(load.clients.div_ceil(2)) };
        Load { rooms, senders, fresh, ..load }
    }

    /// A storm by killing has a layout of its own; and time for all to come back while it is measured.
    fn kill(&mut self, load: Load) -> Load {
        let others = self.number("--others", 1000, 0, 1_000_000);
        if self.take("--kill").is_none() {
            if self.take("--others").is_some() {
                self.faults.push("--others: only with --kill".to_owned());
            }
            return load;
        }
        if self.take("--senders").is_some() {
            self.faults.push("--senders: with --kill those talk who stay".to_owned());
        }
        let asked = |name| self.given.iter().any(|(given, _)| given == name);
        let rate = if asked("--rate") { load.rate } else { Rate::Deliveries(10_000.0) };
        let duration = if asked("--duration") { load.duration } else { Duration::from_secs(25) };
        Load { rate, duration, ..load }.killing(others)
    }

    fn place(&mut self, load: &Load, direct: bool) -> Place {
        let (url, cluster, pids) = (self.take("--url"), self.take("--cluster"), self.take("--pid"));
        let own = ["--nodes", "--binaries", "--dir"].into_iter().find(|name| self.given.iter().any(|(n, _)| n == name));
        // A rollout has twice as many for a while.
        let rollout = load.profile == Profile::Rollout;
        let (usual, most) = if rollout { (3, 32) } else { (2, 64) };
        let nodes = self.number("--nodes", usual, 1, most);
        let binaries = self.take("--binaries").map_or_else(beside_this_program, PathBuf::from);
        let dir = self.take("--dir").map_or_else(|| PathBuf::from(".run/load"), PathBuf::from);
        let pids = self.pids(pids);
        if let (Some(own), true) = (own, url.is_some() || cluster.is_some()) {
            self.faults.push(format!("{own}: only for a cluster that is started, not for one that runs"));
        }
        if load.kill && nodes < 2 {
            self.faults.push(format!("--nodes {nodes}: --kill leaves none of them"));
        }
        if rollout && (url.is_some() || cluster.is_some()) {
            self.faults.push("--profile rollout: only a cluster of its own has nodes to replace".to_owned());
        }
        if rollout && direct {
            self.faults.push("--direct: in a rollout clients go to whatever node nginx gives them".to_owned());
        }
        if load.in_place && nodes < 2 {
            self.faults.push(format!("--nodes {nodes}: --in-place leaves none of them to go to"));
        }
        if load.kill && (url.is_some() || cluster.is_some()) {
            self.faults.push("--kill: only a cluster of its own has nodes to kill".to_owned());
        }
        match (url, cluster) {
            (Some(_), Some(path)) => {
                self.faults.push(format!("--cluster {path}: --url says already where"));
                Place::Described(path.into())
            }
            (Some(_), None) if direct => {
                self.faults.push("--direct: give the nodes' own URLs with --url".to_owned());
                Place::Urls { urls: Vec::new(), pids }
            }
            (Some(urls), None) => {
                Place::Urls { urls: urls.split(',').map(|url| url.trim().to_owned()).collect(), pids }
            }
            (None, Some(path)) => Place::Described(path.into()),
            (None, None) if !pids.is_empty() => {
                self.faults.push("--pid: only with --url; what a cluster consists of is known".to_owned());
                Place::Urls { urls: Vec::new(), pids }
            }
            (None, None) => Place::Own { nodes, binaries, dir },
        }
    }

    fn pids(&mut self, text: Option<String>) -> Vec<(String, u32)> {
        let Some(text) = text else { return Vec::new() };
        let pid = |one: &str| {
            let (name, pid) = one.trim().split_once('=')?;
            Some((name.to_owned(), pid.parse().ok()?))
        };
        let pids: Option<Vec<_>> = text.split(',').map(pid).collect();
        pids.unwrap_or_else(|| {
            self.faults.push(format!("--pid {text}: expected name=pid, as in chat-node=123,redis=456"));
            Vec::new()
        })
    }

    /// The last one counts, as in every program.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.given.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.clone())
    }

    pub(crate) fn parsed<T>(&mut self, name: &str, usual: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let Some(value) = self.take(name) else { return usual };
        parse(&value).unwrap_or_else(|fault| {
            self.faults.push(format!("{name} {value}: {fault}"));
            usual
        })
    }

    pub(crate) fn number<N: FromStr + PartialOrd + std::fmt::Display>(
        &mut self,
        name: &str,
        usual: N,
        least: N,
        most: N,
    ) -> N {
        self.parsed(name, usual, |value| {
            let number = value.parse().ok().filter(|number| (&least..=&most).contains(&number));
            number.ok_or_else(|| format!("expected a number from {least} to {most}"))
        })
    }

    fn real(&mut self, name: &str, usual: f64, least: f64) -> f64 {
        self.parsed(name, usual, |value| {
            let number = value.parse().ok().filter(|number| (least..=1e6).contains(number));
            number.ok_or_else(|| format!("expected a number from {least} to 1000000"))
        })
    }

    pub(crate) fn time(&mut self, name: &str, usual: Duration) -> Duration {
        self.parsed(name, usual, |value| {
            duration(value).ok_or_else(|| "expected a time as in 15s, 500ms or 2m".to_owned())
        })
    }
}

/// `15s`, `500ms`, `2m`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number = digits.parse::<u64>().ok().filter(|n| *n <= 100_000_000)?;
    match &text[digits.len()..] {
        "" | "s" => Some(Duration::from_secs(number)),
        "ms" => Some(Duration::from_millis(number)),
        "m" => Some(Duration::from_secs(number * 60)),
        _ => None,
    }
}

/// Cargo puts all programs of the workspace into one directory.
pub(crate) fn beside_this_program() -> PathBuf {
    let here = std::env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from));
    here.unwrap_or_else(|| PathBuf::from("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(args: &str) -> Result<Options, String> {
        match read(args.split_whitespace().map(ToOwned::to_owned))? {
            Command::Load(options) => Ok(*options),
            Command::Help => Err("help".to_owned()),
        }
    }

    #[test]
    fn a_profile_and_what_differs_from_it() {
        let options = load("--profile broadcast --clients=500 --rate 2msg --warmup 500ms --json a.json").unwrap();
        assert_eq!((options.load.profile, options.load.rooms, options.load.clients), (Profile::Broadcast, 1, 500));
        assert_eq!((options.load.rate, options.load.warmup), (Rate::Messages(2.0), Duration::from_millis(500)));
        assert_eq!(options.json, Some(PathBuf::from("a.json")));
        assert!(matches!(options.place, Place::Own { nodes: 2, .. }));
        assert_eq!(load("").unwrap().load, Profile::Rooms.load());
    }

    #[test]
    fn places() {
        let urls = |args: &str| match load(args).unwrap().place {
            Place::Urls { urls, pids } => (urls, pids),
            place => panic!("{place:?}"),
        };
        let (a, b) = urls("--url http://a:1,ws://b:2/ws --pid node=1,redis=22");
        assert_eq!(a, ["http://a:1", "ws://b:2/ws"]);
        assert_eq!(b, [("node".to_owned(), 1), ("redis".to_owned(), 22)]);
        let described = load("--cluster .run/cluster.json --direct").unwrap();
        assert_eq!((described.place, described.direct), (Place::Described(".run/cluster.json".into()), true));
    }

    #[test]
    fn what_was_not_asked_for_follows() {
        let options = load("--clients 10").unwrap();
        assert_eq!((options.load.rooms, options.load.senders), (10, 5));
        assert!(load("--clients 10 --rooms 20").is_err());
    }

    #[test]
    fn faults_are_told_together() {
        let faults = load("--what 1 --clients x --rate y --duration 1d --pid z --bytes 3 --json").unwrap_err();
        let lines: Vec<_> = faults.lines().collect();
        assert_eq!(lines.len(), 7, "{faults}");
        assert!(
            lines[0].contains("--what: no such option")
                && lines.iter().any(|line| line.contains("--bytes 3: expected 17"))
        );
        for bad in ["--url a --cluster b", "--url a --nodes 2", "--url a --direct", "--pid a=1", "--kill"] {
            assert_eq!(load(bad).unwrap_err().lines().count(), 1, "{bad}");
        }
    }

    #[test]
    fn help_tells_every_option() {
        assert!(matches!(read(["--help".to_owned()]), Ok(Command::Help)));
        for name in NAMES {
            assert!(HELP.contains(&format!("  {name} ")), "{name}");
        }
        for profile in Profile::ALL {
            assert!(HELP.contains(profile.name()));
        }
    }
}
