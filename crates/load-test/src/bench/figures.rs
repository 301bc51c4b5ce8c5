//! What was measured, how ours compares, and what was to be reached. Pure.

use super::system::System;
use crate::load::report::{Process, Report, grouped};
use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// As much of a rate has to be delivered for it to count as reached.
const REACHED: f64 = 0.98;

/// How much was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// So many deliveries a second.
    Rate(u64),
    /// As many as it takes.
    Max,
}

impl Asked {
    fn reached(self, rate: f64) -> bool {
        match self {
            Self::Rate(asked) => rate >= asked as f64 * REACHED,
            Self::Max => rate > 0.0,
        }
    }
}

impl FromStr for Asked {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let (number, factor) = text.strip_suffix('k').map_or((text, 1), |number| (number, 1000));
        let rate = number.parse().ok().and_then(|number: u64| number.checked_mul(factor));
        let rate = rate.filter(|rate| (1..=10_000_000).contains(rate));
        rate.map(Self::Rate).ok_or_else(|| "expected deliveries a second (25000, 25k), or max".to_owned())
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) if rate.is_multiple_of(1000) => write!(f, "{},000/s", rate / 1000),
            Self::Rate(rate) => write!(f, "{rate}/s"),
            Self::Max => f.write_str("saturation"),
        }
    }
}

impl Serialize for Asked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Rate(rate) => serializer.serialize_u64(*rate),
            Self::Max => serializer.serialize_str("max"),
        }
    }
}

/// What all runs share.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Connections.
    pub clients: usize,
    /// Rooms of the same size.
    pub rooms: usize,
    /// Clients that send.
    pub senders: usize,
    /// Characters of a message.
    pub bytes: usize,
    /// Messages that each sender has under way, at saturation.
    pub window: usize,
    /// Processes of each system.
    pub nodes: usize,
    /// How often everything was measured.
    pub rounds: usize,
    /// Before each measurement.
    pub warmup_seconds: f64,
    /// Of each measurement.
    pub duration_seconds: f64,
}

/// One system at one rate, in one round.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// From 1 on.
    pub round: usize,
    /// Which.
    pub system: System,
    /// Deliveries a second.
    pub asked: Asked,
    /// What was delivered, a second.
    pub deliveries_per_second: f64,
    /// Whether that is what was asked for.
    pub reached: bool,
    /// CPU of both processes for each delivery, in µs.
    pub node_us_per_delivery: f64,
    /// Of Redis.
    pub redis_us_per_delivery: Option<f64>,
    /// From when a message was due until a member had it, in ms.
    pub p50_ms: Option<f64>,
    /// All but one of 100.
    pub p99_ms: Option<f64>,
    /// Resident memory of both processes at the end.
    pub resident_bytes: u64,
    /// Deliveries that never came, where that can be known.
    pub lost: Option<u64>,
    /// CPU of the load tester, in percent of a core.
    pub tester_percent: f64,
    /// What else was wrong.
    pub problems: Vec<String>,
}

impl Run {
    /// Of what the load tester measured.
    #[must_use]
    pub(super) fn new(round: usize, system: System, asked: Asked, report: &Report) -> Self {
        let rate = report.traffic.deliveries_per_second;
        let is_redis = |process: &&Process| process.name == "redis";
        let nodes = || report.processes.iter().filter(|process| process.pid.is_some() && !is_redis(process));
        let latency = |ms: f64| (report.delivery.count > 0).then_some(ms);
        Self {
            round,
            system,
            asked,
            deliveries_per_second: rate,
            reached: asked.reached(rate),
            node_us_per_delivery: nodes().map(|node| node.cpu_us_per_delivery).sum(),
            redis_us_per_delivery: report.processes.iter().find(is_redis).map(|redis| redis.cpu_us_per_delivery),
            p50_ms: latency(report.delivery.p50),
            p99_ms: latency(report.delivery.p99),
            resident_bytes: nodes().map(|node| node.resident_end).sum(),
            lost: report.faults.expected.map(|_| report.faults.lost),
            tester_percent: report.tester.cpu_percent,
            problems: report.problems.clone(),
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deliveries_per_second: rate, node_us_per_delivery: us, .. } = self;
        write!(f, "{}: {rate:.0} deliveries/s, {us:.2} µs each", self.system.name())?;
        if let (Some(p50), Some(p99)) = (self.p50_ms, self.p99_ms) {
            write!(f, ", p50 {p50:.2} p99 {p99:.2} ms")?;
        }
        if self.problems.is_empty() { Ok(()) } else { write!(f, "; {}", self.problems.join("; ")) }
    }
}

/// The middle of several, and how far they are apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The middle.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The biggest.
    pub max: f64,
}

impl Spread {
    /// None of nothing.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
        Some(Self { median, min, max })
    }
}

/// One system at one rate, over all rounds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Which.
    pub system: System,
    /// At what.
    pub asked: Asked,
    /// Whether the median is what was asked for: one busy minute of the machine does not make a system slow.
    pub reached: bool,
    /// Deliveries a second.
    pub deliveries_per_second: Spread,
    /// CPU of both processes for each delivery, in µs.
    pub node_us_per_delivery: Spread,
    /// Of Redis.
    pub redis_us_per_delivery: Option<Spread>,
    /// In ms.
    pub p50_ms: Option<Spread>,
    /// In ms.
    pub p99_ms: Option<Spread>,
    /// Of both processes.
    pub resident_bytes: Spread,
    /// Over all rounds.
    pub lost: Option<u64>,
}

/// Ours by theirs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ratio {
    /// Whose.
    pub peer: System,
    /// At what.
    pub asked: Asked,
    /// CPU for each delivery, of the rounds in which both delivered what was asked for; none, if there was no such round.
    pub cpu: Option<Spread>,
    /// Deliveries a second, at saturation.
    pub throughput: Option<Spread>,
}

/// Something that was to be reached.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// What.
    pub what: String,
    /// The limit, in words.
    pub wanted: String,
    /// What was measured; none, if it was not.
    pub measured: Option<f64>,
    /// Whether that is enough.
    pub reached: Option<bool>,
}

/// Systems and rates in the order in which they were measured first.
fn pairs(runs: &[Run]) -> Vec<(Asked, System)> {
    let mut pairs = Vec::new();
    for run in runs {
        let pair = (run.asked, run.system);
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
}

/// Over all rounds.
#[must_use]
pub fn summaries(runs: &[Run]) -> Vec<Summary> {
    let of = |(asked, system)| {
        let all = || runs.iter().filter(move |run| (run.asked, run.system) == (asked, system));
        let rate = Spread::of(all().map(|run| run.deliveries_per_second))?;
        Some(Summary {
            system,
            asked,
            reached: asked.reached(rate.median),
            deliveries_per_second: rate,
            node_us_per_delivery: Spread::of(all().map(|run| run.node_us_per_delivery))?,
            redis_us_per_delivery: Spread::of(all().filter_map(|run| run.redis_us_per_delivery)),
            p50_ms: Spread::of(all().filter_map(|run| run.p50_ms)),
            p99_ms: Spread::of(all().filter_map(|run| run.p99_ms)),
            resident_bytes: Spread::of(all().map(|run| run.resident_bytes as f64))?,
            lost: all().map(|run| run.lost).sum(),
        })
    };
    pairs(runs).into_iter().filter_map(of).collect()
}

/// Each of ours by the one of the same round: the machine was the same, give or take a minute.
#[must_use]
pub fn ratios(runs: &[Run]) -> Vec<Ratio> {
    let of = |(asked, peer)| {
        let theirs = runs.iter().filter(move |run| (run.asked, run.system) == (asked, peer));
        let both: Vec<_> = theirs
            .filter_map(|theirs| {
                let same = |run: &&Run| (run.round, run.asked, run.system) == (theirs.round, asked, System::Roomful);
                Some((runs.iter().find(same)?, theirs))
            })
            .collect();
        if both.is_empty() {
            return None;
        }
        let by = |pick: fn(&Run) -> f64| {
            let good = |(ours, theirs): &&(&Run, &Run)| ours.reached && theirs.reached && pick(theirs) > 0.0;
            Spread::of(both.iter().filter(good).map(|(ours, theirs)| pick(ours) / pick(theirs)))
        };
        let (cpu, throughput) = (by(|run| run.node_us_per_delivery), by(|run| run.deliveries_per_second));
        Some(Ratio { peer, asked, cpu, throughput: throughput.filter(|_| asked == Asked::Max) })
    };
    pairs(runs).into_iter().filter(|(_, system)| *system != System::Roomful).filter_map(of).collect()
}

fn in_words(limit: f64) -> String {
    if limit >= 1000.0 { grouped(limit) } else { limit.to_string() }
}

/// What was to be reached, and whether it was.
#[must_use]
pub fn targets(summaries: &[Summary], ratios: &[Ratio]) -> Vec<Target> {
    const AT: Asked = Asked::Rate(25_000);
    const FAST: Asked = Asked::Rate(50_000);
    let ratio = |peer, asked| ratios.iter().find(|ratio| (ratio.peer, ratio.asked) == (peer, asked));
    let ours = |asked| summaries.iter().find(|one| (one.system, one.asked) == (System::Roomful, asked));
    let mut targets = Vec::new();
    let mut target = |what: String, most: bool, limit: f64, unit: &str, measured: Option<f64>| {
        targets.push(Target {
            what,
            wanted: format!("{} {}{unit}", if most { "≤" } else { "≥" }, in_words(limit)),
            measured,
            reached: measured.map(|measured| if most { measured <= limit } else { measured >= limit }),
        });
    };
    for (peer, limit) in [(System::Floor, 1.15), (System::SocketIo, 0.5), (System::Ws, 0.7)] {
        let measured = ratio(peer, AT).and_then(|ratio| ratio.cpu).map(|cpu| cpu.median);
        target(format!("CPU of a delivery at {AT}, by that of {}", peer.title()), true, limit, "", measured);
    }
    for (peer, limit) in [(System::SocketIo, 4.0), (System::Ws, 2.0)] {
        let measured = ratio(peer, Asked::Max).and_then(|ratio| ratio.throughput).map(|rate| rate.median);
        target(format!("deliveries/s at saturation, by those of {}", peer.title()), false, limit, "", measured);
    }
    let cpu = ours(Asked::Max).map(|ours| ours.node_us_per_delivery.median);
    target("CPU of a delivery at saturation".to_owned(), true, 3.3, " µs", cpu);
    let rate = ours(Asked::Max).map(|ours| ours.deliveries_per_second.median);
    target("deliveries at saturation".to_owned(), false, 200_000.0, "/s", rate);
    // Latency means something only where the rate was reached.
    let fast = ours(FAST).map(|ours| (ours, ours.reached));
    let latency = |pick: fn(&Summary) -> Option<Spread>| {
        let (ours, reached) = fast?;
        let median = pick(ours)?.median;
        Some(if reached { median } else { f64::INFINITY })
    };
    target(format!("p50 at {FAST}"), true, 3.0, " ms", latency(|ours| ours.p50_ms));
    target(format!("p99 at {FAST}"), true, 20.0, " ms", latency(|ours| ours.p99_ms));
    target(format!("lost at {FAST}"), true, 0.0, "", fast.and_then(|(ours, _)| ours.lost).map(|lost| lost as f64));
    targets
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn run(round: usize, system: System, asked: Asked, rate: f64, us: f64) -> Run {
        let floor = system == System::Floor;
        Run {
            round,
            system,
            asked,
            deliveries_per_second: rate,
            reached: !matches!(asked, Asked::Rate(asked) if rate < asked as f64),
            node_us_per_delivery: us,
            redis_us_per_delivery: (!floor).then_some(1.5),
            p50_ms: (!floor).then_some(0.5),
            p99_ms: (!floor).then_some(2.5),
            resident_bytes: 64 << 20,
            lost: (!floor).then_some(0),
            tester_percent: 20.0,
            problems: Vec::new(),
        }
    }

    #[test]
    fn rates() {
        assert_eq!(
            ["25k".parse(), "max".parse(), "700".parse()].map(|asked: Result<Asked, _>| asked.unwrap()),
            [Asked::Rate(25_000), Asked::Max, Asked::Rate(700)]
        );
        assert_eq!(Asked::Rate(25_000).to_string(), "25,000/s");
        for bad in ["", "0", "k", "-1", "1e3", "99999999999999999999k"] {
            assert!(bad.parse::<Asked>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_middle_and_the_ends() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let at = Asked::Rate(25_000);
        let runs = [
            run(1, System::Roomful, at, 25_000.0, 8.0),
            run(1, System::Ws, at, 25_000.0, 16.0),
            // A busy minute, for both.
            run(2, System::Roomful, at, 25_000.0, 24.0),
            run(2, System::Ws, at, 25_000.0, 40.0),
        ];
        let [ratio] = &ratios(&runs)[..] else { panic!("one peer") };
        assert_eq!(ratio.cpu, Some(Spread { median: 0.55, min: 0.5, max: 0.6 }));
        assert_eq!(ratio.throughput, None);
    }

    #[test]
    fn who_cannot_has_no_ratio() {
        let at = Asked::Rate(50_000);
        let runs = [run(1, System::Roomful, at, 50_000.0, 8.0), run(1, System::SocketIo, at, 31_000.0, 30.0)];
        assert_eq!(ratios(&runs)[0].cpu, None);
        let summaries = summaries(&runs);
        assert!(summaries[0].reached && !summaries[1].reached);
    }

    #[test]
    fn one_busy_minute_is_forgiven() {
        let at = Asked::Rate(25_000);
        let of = |round, rate| [run(round, System::Roomful, at, 25_000.0, 8.0), run(round, System::Ws, at, rate, 16.0)];
        let runs = [of(1, 25_000.0), of(2, 14_000.0), of(3, 25_000.0)].concat();
        assert!(summaries(&runs).iter().all(|summary| summary.reached));
        assert_eq!(ratios(&runs)[0].cpu, Some(Spread { median: 0.5, min: 0.5, max: 0.5 }));
    }

    #[test]
    fn targets_are_reached_or_not_or_were_not_measured() {
        let runs = [
            run(1, System::Roomful, Asked::Max, 240_000.0, 3.0),
            run(1, System::Ws, Asked::Max, 100_000.0, 15.0),
            run(1, System::SocketIo, Asked::Max, 80_000.0, 20.0),
        ];
        let targets = targets(&summaries(&runs), &ratios(&runs));
        let reached = |what: &str| targets.iter().find(|target| target.what.contains(what)).unwrap().reached;
        assert_eq!(reached("by those of plain ws"), Some(true));
        assert_eq!(reached("by those of Socket.IO"), Some(false));
        assert_eq!((reached("CPU of a delivery at saturation"), reached("p99")), (Some(true), None));
        assert_eq!(targets.len(), 10);
    }

    #[test]
    fn latencies_of_a_rate_that_was_not_reached_are_none_to_boast_of() {
        let runs = [run(1, System::Roomful, Asked::Rate(50_000), 20_000.0, 3.0)];
        let targets = targets(&summaries(&runs), &[]);
        assert!(targets.iter().filter(|target| target.what.starts_with("p")).all(|t| t.reached == Some(false)));
    }
}
