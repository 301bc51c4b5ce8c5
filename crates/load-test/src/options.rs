//! The command line.

use std::{path::PathBuf, time::Duration};

/// What `--help` says.
pub const HELP: &str = "\
load-test audit [options]

Starts a cluster (or takes yours), lets many clients talk through it while it is killed, paused, cut off and restarted,
then reads every room's log and judges: acknowledged but missing, doubled, out of order, undetected gaps, ghost members,
ids used twice, and more. Everything is drawn from the seed.

  --seed <n>            what everything is drawn from (default 1)
  --duration <time>     how long clients are busy: 240s, 4m (default 240s); faults are added while they have time to heal
  --clients <n>         clients, 20 at least (default 72)
  --url <url>,...       audit a running cluster instead: the site's URL, or ws:// URLs of its nodes. Then only clients'
                        connections are cut and blackholed
  --log-max <n>         with --url: positions that a room's log keeps there (default 1000, as ROOM_LOG_MAX; 0: not known)
  --nodes <n>           chat-nodes of the cluster that is started (default 3)
  --plan <plan>         full; storm: two faults at a time; short: one SIGKILL of a node and one restart of Redis in 30 s;
                        calm: no faults (default full)
  --compose <dir>       audit docker-compose.yml in that directory instead: its images are built, its stack is started,
                        scaled, rolled out anew, killed and restarted as operators do it, and removed at the end
  --binaries <dir>      where chat-node and gateway are (default: beside this program)
  --out <dir>           where audit.json, audit.md and the cluster's logs go (default .run/audit)

Exit status: 0 all zero; 1 violations, with their evidence in the report; 2 the audit could not be carried out;
64 wrong options. `make audit SEED=2 DURATION=300s URL=http://127.0.0.1:8080` does the same.";

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// Say how this is used.
    Help,
    /// Audit a cluster.
    Audit(Options),
}

/// What happens to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Everything, for as long as asked.
    Full,
    /// The same, two at a time.
    Storm,
    /// One SIGKILL of a node, one restart of Redis.
    Short,
    /// Nothing.
    Calm,
}

/// How to audit.
#[derive(Debug)]
pub struct Options {
    /// What everything is drawn from.
    pub seed: u64,
    /// How long clients are busy.
    pub duration: Duration,
    /// How many there are.
    pub clients: u32,
    /// Where a running cluster is; none: a cluster of our own.
    pub urls: Vec<String>,
    /// What a room's log keeps there.
    pub log_max: Option<u64>,
    /// Where the docker-compose.yml is that is to be audited.
    pub compose: Option<PathBuf>,
    /// Nodes of our own cluster.
    pub nodes: usize,
    /// What happens to it.
    pub shape: Shape,
    /// Where its programs are.
    pub binaries: PathBuf,
    /// Where the report goes.
    pub out: PathBuf,
}

/// Reads the arguments.
///
/// # Errors
/// What is wrong with them.
pub fn read(args: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut args = args.into_iter();
    match args.next().as_deref() {
        Some("audit") => {}
        Some("--help" | "-h" | "help") => return Ok(Command::Help),
        Some(other) => return Err(format!("{other}: expected audit")),
        None => return Err("expected audit".to_owned()),
    }
    let mut options = Options {
        seed: 1,
        duration: Duration::from_secs(240),
        clients: 72,
        urls: Vec::new(),
        log_max: Some(1000),
        compose: None,
        nodes: 3,
        shape: Shape::Full,
        binaries: beside_this_program(),
        out: PathBuf::from(".run/audit"),
    };
    while let Some(name) = args.next() {
        if matches!(name.as_str(), "--help" | "-h") {
            return Ok(Command::Help);
        }
        let value = args.next().ok_or_else(|| format!("{name}: expected a value"))?;
        let number = |least: u64, most: u64| {
            let number = value.parse::<u64>().ok().filter(|n| (least..=most).contains(n));
            number.ok_or_else(|| format!("{name} {value}: expected a number from {least} to {most}"))
        };
        match name.as_str() {
            "--seed" => options.seed = number(0, u64::MAX)?,
            "--duration" => options.duration = duration(&value).ok_or_else(|| wrong(&name, &value, "240s or 4m"))?,
            "--clients" => options.clients = u32::try_from(number(20, 5000)?).unwrap_or(72),
            "--url" => options.urls = value.split(',').map(|url| url.trim().to_owned()).collect(),
            "--log-max" => options.log_max = Some(number(0, u64::MAX)?).filter(|max| *max > 0),
            "--nodes" => options.nodes = usize::try_from(number(1, 64)?).unwrap_or(3),
            "--plan" => {
                options.shape = match value.as_str() {
                    "full" => Shape::Full,
                    "storm" => Shape::Storm,
                    "short" => Shape::Short,
                    "calm" => Shape::Calm,
                    _ => return Err(wrong(&name, &value, "full, storm, short or calm")),
                }
            }
            "--compose" => options.compose = Some(value.into()),
            "--binaries" => options.binaries = value.into(),
            "--out" => options.out = value.into(),
            _ => return Err(format!("{name}: no such option")),
        }
    }
    Ok(Command::Audit(options))
}

fn wrong(name: &str, value: &str, expected: &str) -> String {
    format!("{name} {value}: expected {expected}")
}

/// `240s`, `4m`, `1500ms`; a bare number is seconds.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number = digits.parse::<u64>().ok().filter(|n| (1..=1_000_000_000).contains(n))?;
    match &text[digits.len()..] {
        "" | "s" => Some(Duration::from_secs(number)),
        "ms" => Some(Duration::from_millis(number)),
        "m" => Some(Duration::from_secs(number * 60)),
        "h" => Some(Duration::from_secs(number * 3600)),
        _ => None,
    }
}

/// Cargo puts all programs of the workspace into one directory.
fn beside_this_program() -> PathBuf {
    let here = std::env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from));
    here.unwrap_or_else(|| PathBuf::from("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(args: &[&str]) -> Result<Options, String> {
        let args = ["audit"].iter().chain(args).map(ToString::to_string);
        match read(args)? {
            Command::Audit(options) => Ok(options),
            Command::Help => Err("help".to_owned()),
        }
    }

    #[test]
    fn options_are_read() {
        let options = audit(&["--seed", "7", "--duration", "4m", "--url", "ws://a/ws, ws://b/ws", "--plan", "short"]);
        let options = options.unwrap();
        assert_eq!((options.seed, options.duration, options.shape), (7, Duration::from_secs(240), Shape::Short));
        assert_eq!(options.urls, ["ws://a/ws", "ws://b/ws"]);
        assert_eq!(audit(&[]).unwrap().duration, Duration::from_secs(240));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for bad in [&["--seed"][..], &["--seed", "x"], &["--duration", "1d"], &["--plan", "x"], &["--x", "1"]] {
            assert!(audit(bad).is_err(), "{bad:?}");
        }
        assert!(read(["load".to_owned()]).is_err());
        assert!(matches!(read(["--help".to_owned()]), Ok(Command::Help)));
    }
}
