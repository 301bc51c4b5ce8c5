//! What a run has shown: the same figures as text, as JSON, and as a page.

mod page;
mod plot;
mod rollout;
mod text;

use super::{
    dialect::Dialect,
    figures::{Counters, Times},
    procfs,
    profile::Load,
    run::{Measured, Point, Sample},
};
pub use rollout::{Drain, Rollout, Spread};
use serde::Serialize;
use std::collections::BTreeMap;
pub(crate) use text::grouped;

/// All figures of a run. Times are in milliseconds unless their name says otherwise.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Of this program.
    pub version: &'static str,
    /// What it ran on.
    pub machine: String,
    /// The server, in words.
    pub server: String,
    /// What was asked for.
    pub load: Load,
    /// Why the run is not good; empty when it is.
    pub problems: Vec<String>,
    /// How the connections came about.
    pub setup: Setup,
    /// What was sent and delivered while it was measured.
    pub traffic: Traffic,
    /// From when a message was due until a member had it.
    pub delivery: Latency,
    /// Until its sender had the acknowledgement.
    pub ack: Latency,
    /// Until its last member had it (of each thread's members).
    pub last_delivery: Latency,
    /// The storm, or the churn.
    pub comeback: Option<Comeback>,
    /// The rollout.
    pub rollout: Option<Rollout>,
    /// What went wrong, over the whole run.
    pub faults: Faults,
    /// Each process that was watched, and their sums.
    pub processes: Vec<Process>,
    /// The load tester itself.
    pub tester: Process,
    /// Second by second.
    pub timeline: Vec<Second>,
    /// The delivery's latency by quantile.
    pub quantiles: Vec<Quantile>,
}

/// How the connections came about.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// In their rooms in the end.
    pub connections: u64,
    /// How long that took.
    pub seconds: f64,
    /// Connections a second.
    pub per_second: f64,
    /// From the first packet until in the room.
    pub latency: Latency,
}

/// What was sent and delivered while it was measured.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// How long that was.
    pub seconds: f64,
    /// Messages a second that were to be sent; none: as many as the server takes.
    pub target_messages_per_second: Option<f64>,
    /// Messages.
    pub messages: u64,
    /// A second.
    pub messages_per_second: f64,
    /// Deliveries.
    pub deliveries: u64,
    /// A second.
    pub deliveries_per_second: f64,
    /// Bytes that came, without TCP's own.
    pub bytes_received: u64,
    /// For each delivery.
    pub bytes_per_delivery: f64,
    /// Bytes that went.
    pub bytes_sent: u64,
    /// Deliveries that one read brought.
    pub deliveries_per_read: f64,
}

/// Times, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Half of them are shorter.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// All but one of 100.
    pub p99: f64,
    /// All but one of 1,000.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl From<&Times> for Latency {
    fn from(times: &Times) -> Self {
        let of = |quantile| times.quantile(quantile);
        Self {
            count: times.len(),
            mean: times.mean(),
            p50: of(0.5),
            p90: of(0.9),
            p99: of(0.99),
            p999: of(0.999),
            max: times.max(),
        }
    }
}

/// Connections that were lost on purpose, and came back.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comeback {
    /// Lost.
    pub cut: u64,
    /// Back.
    pub back: u64,
    /// Attempts that failed meanwhile.
    pub retried: u64,
    /// Messages that came with the answer to coming back.
    pub recovered: u64,
    /// From the storm until nobody was missing any more; none, if somebody still is.
    pub seconds: Option<f64>,
    /// Attempts that were told to ask again later.
    pub deferred: u64,
    /// From being cut until in the room again.
    pub latency: Latency,
    /// From due to delivered to those whom the storm left alone, while it lasted.
    pub others: Latency,
}

/// What went wrong, over the whole run.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Faults {
    /// Deliveries that never came.
    pub lost: u64,
    /// That came twice.
    pub doubled: u64,
    /// That came after later ones.
    pub reordered: u64,
    /// Of which the server said that they are gone.
    pub gaps: u64,
    /// Connections that did not come about.
    pub failed: u64,
    /// That ended without being asked to.
    pub dropped: u64,
    /// Messages that were refused.
    pub refused: u64,
    /// That have no answer though their connection lives.
    pub unacknowledged: u64,
    /// That were not sent, because their sender had no connection.
    pub withheld: u64,
    /// That had no answer when their sender's connection was cut, so that it is not known what became of them.
    pub unanswered: u64,
    /// Deliveries that there had to be, where that is known.
    pub expected: Option<u64>,
    /// All deliveries.
    pub delivered: u64,
    /// All messages that were acknowledged.
    pub acknowledged: u64,
    /// Why connections failed or were dropped, and messages refused.
    pub reasons: BTreeMap<String, u64>,
}

/// What a process has cost.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Which.
    pub name: String,
    /// Its id, if it is one process.
    pub pid: Option<u32>,
    /// CPU while it was measured, of one core.
    pub cpu_percent: f64,
    /// The same for each delivery.
    pub cpu_us_per_delivery: f64,
    /// And for each message.
    pub cpu_us_per_message: f64,
    /// CPU that a connection cost from its first packet until in its room.
    pub cpu_us_per_connection: f64,
    /// Resident before the first connection.
    pub resident_empty: u64,
    /// With all connections, which say nothing.
    pub resident_connected: u64,
    /// At the end.
    pub resident_end: u64,
    /// What it adds for each connection of the run, in bytes.
    pub resident_per_connection: f64,
    /// Context switches because it waited, a second.
    pub voluntary_per_second: f64,
    /// Because its time was up.
    pub involuntary_per_second: f64,
}

/// One second.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Second {
    /// Its end, from the run's beginning.
    pub at: f64,
    /// Connections in their rooms.
    pub connections: u64,
    /// Deliveries a second.
    pub deliveries: f64,
    /// Latency of what came in it.
    pub p50: f64,
    /// All but one of 100.
    pub p99: f64,
    /// The longest.
    pub max: f64,
    /// CPU of each process, in percent of a core; the last is the load tester.
    pub cpu: Vec<f64>,
    /// Resident bytes of each process, likewise.
    pub resident: Vec<u64>,
}

/// A point of the latency's distribution.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Quantile {
    /// Of all deliveries, from 0 to 1.
    pub quantile: f64,
    /// Are not later than this.
    pub ms: f64,
}

/// The points that are plotted: even on a scale of how few are later.
const QUANTILES: [f64; 17] =
    [0.0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 0.99999];

impl Report {
    /// Of what was measured.
    #[must_use]
    pub(super) fn new(load: &Load, measured: &Measured) -> Self {
        let faults = faults(load, measured);
        let counters = &measured.last.counters;
        let all_back = measured.storm && counters.failed == 0 && counters.back == counters.cut;
        let comeback = (counters.cut > 0).then(|| Comeback {
            cut: counters.cut,
            back: counters.back,
            retried: counters.retried,
            recovered: counters.recovered,
            seconds: all_back.then(|| measured.back.max() / 1000.0),
            deferred: counters.deferred,
            latency: Latency::from(&measured.back),
            others: Latency::from(&measured.others),
        });
        let rollout = measured.rolled.as_ref().map(|rolled| Rollout::new(measured, rolled));
        let mut problems = faults.problems();
        problems.extend(rollout.iter().flat_map(Rollout::problems));
        let seconds = seconds(&measured.empty, &measured.connected);
        let connections = measured.connected.live;
        Self {
            version: env!("CARGO_PKG_VERSION"),
            machine: procfs::machine(),
            server: measured.about.clone(),
            load: load.clone(),
            problems,
            setup: Setup {
                connections,
                seconds,
                per_second: connections as f64 / seconds,
                latency: Latency::from(&measured.setup),
            },
            traffic: traffic(measured),
            delivery: Latency::from(&measured.delivery),
            ack: Latency::from(&measured.ack),
            last_delivery: Latency::from(&measured.lasts),
            comeback,
            rollout,
            faults,
            processes: processes(measured),
            tester: cost(measured, "load tester", None, &|sample| Some(sample.ours)),
            timeline: timeline(measured),
            quantiles: QUANTILES
                .into_iter()
                .take_while(|quantile| (1.0 - quantile) * measured.delivery.len() as f64 >= 1.0)
                .map(|quantile| Quantile { quantile, ms: measured.delivery.quantile(quantile) })
                .collect(),
        }
    }

    /// As text.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// As a page that needs nothing else.
    #[must_use]
    pub fn page(&self) -> String {
        page::page(self)
    }
}

impl Faults {
    /// What of it makes a run a bad one.
    fn problems(&self) -> Vec<String> {
        let all = [
            (self.lost, "deliveries were lost"),
            (self.doubled, "deliveries came twice"),
            (self.reordered, "deliveries came out of order"),
            (self.gaps, "messages were gone when their receivers came back"),
            (self.failed, "connections did not come about"),
            (self.dropped, "connections ended by themselves"),
            (self.refused, "messages were refused"),
            (self.unacknowledged, "messages were not answered"),
        ];
        let mut problems: Vec<_> =
            all.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        if let Some(expected) = self.expected.filter(|expected| *expected != self.delivered)
            && problems.is_empty()
        {
            problems.push(format!("{} deliveries instead of {expected}", self.delivered));
        }
        problems
    }
}

fn faults(load: &Load, measured: &Measured) -> Faults {
    let counters = &measured.last.counters;
    Faults {
        lost: counters.lost,
        doubled: counters.doubled,
        reordered: counters.reordered,
        gaps: counters.gaps,
        failed: counters.failed,
        dropped: counters.dropped,
        refused: counters.refused,
        unacknowledged: measured.last.outstanding,
        withheld: counters.withheld,
        unanswered: counters.unanswered,
        expected: (load.constant() && load.dialect != Dialect::Listen).then_some(measured.last.expected),
        delivered: counters.delivered,
        acknowledged: counters.acked,
        reasons: measured.last.reasons.clone(),
    }
}

fn seconds(from: &Sample, to: &Sample) -> f64 {
    (to.at.saturating_sub(from.at) as f64 / 1e9).max(1e-9)
}

fn traffic(measured: &Measured) -> Traffic {
    let seconds = seconds(&measured.begin, &measured.end);
    let counters = measured.end.counters.since(&measured.begin.counters);
    let Counters { delivered, sent, received, wrote, reads, .. } = counters;
    let per_delivery = |n: u64| if delivered == 0 { 0.0 } else { n as f64 / delivered as f64 };
    Traffic {
        seconds,
        target_messages_per_second: measured.messages,
        messages: sent,
        messages_per_second: sent as f64 / seconds,
        deliveries: delivered,
        deliveries_per_second: delivered as f64 / seconds,
        bytes_received: received,
        bytes_per_delivery: per_delivery(received),
        bytes_sent: wrote,
        deliveries_per_read: if reads == 0 { 0.0 } else { delivered as f64 / reads as f64 },
    }
}

type Pick<'a> = &'a dyn Fn(&Sample) -> Option<procfs::Usage>;

fn cost(measured: &Measured, name: &str, pid: Option<u32>, pick: Pick<'_>) -> Process {
    let usage = |sample: &Sample| pick(sample).unwrap_or_default();
    let [empty, connected, calm, begin, end] =
        [&measured.empty, &measured.connected, &measured.calm, &measured.begin, &measured.end].map(usage);
    // What a process had cost before it was ended counts as well.
    let until = || measured.points.iter().rev().find_map(|point| pick(&point.sample));
    let spent = pick(&measured.end).or_else(until).unwrap_or_default();
    let seconds = seconds(&measured.begin, &measured.end);
    let (spent, setup) = (spent.since(&begin), connected.since(&empty));
    let counters = measured.end.counters.since(&measured.begin.counters);
    let each = |total: f64, count: u64| if count == 0 { 0.0 } else { total / count as f64 };
    let us = spent.cpu_nanoseconds as f64 / 1000.0;
    let connections = measured.calm.live;
    Process {
        name: name.to_owned(),
        pid,
        cpu_percent: us / seconds / 1e4,
        cpu_us_per_delivery: each(us, counters.delivered),
        cpu_us_per_message: each(us, counters.sent),
        cpu_us_per_connection: each(setup.cpu_nanoseconds as f64 / 1000.0, measured.connected.counters.joined),
        resident_empty: empty.resident_bytes,
        resident_connected: calm.resident_bytes,
        resident_end: end.resident_bytes,
        resident_per_connection: each(calm.resident_bytes as f64 - empty.resident_bytes as f64, connections),
        voluntary_per_second: spent.voluntary as f64 / seconds,
        involuntary_per_second: spent.involuntary as f64 / seconds,
    }
}

fn processes(measured: &Measured) -> Vec<Process> {
    let mut all: Vec<_> = measured
        .watched
        .iter()
        .enumerate()
        .map(|(n, watched)| {
            cost(measured, &watched.name, Some(watched.pid), &|sample| sample.processes.get(n).copied().flatten())
        })
        .collect();
    // Chat-nodes share the work, so it is their sum that a delivery costs.
    let is_node = |process: &Process| process.name.starts_with("chat-node");
    let behind = all.iter().rposition(is_node).map_or(0, |last| last + 1);
    let nodes = all.iter().filter(|process| is_node(process));
    let (count, sum) = nodes.fold((0, Process::default()), |(count, sum), node| (count + 1, sum.and(node)));
    if count > 1 {
        all.insert(behind, Process { name: "all chat-nodes".to_owned(), ..sum });
    }
    all
}

impl Process {
    fn and(self, other: &Self) -> Self {
        Self {
            name: self.name,
            pid: None,
            cpu_percent: self.cpu_percent + other.cpu_percent,
            cpu_us_per_delivery: self.cpu_us_per_delivery + other.cpu_us_per_delivery,
            cpu_us_per_message: self.cpu_us_per_message + other.cpu_us_per_message,
            cpu_us_per_connection: self.cpu_us_per_connection + other.cpu_us_per_connection,
            resident_empty: self.resident_empty + other.resident_empty,
            resident_connected: self.resident_connected + other.resident_connected,
            resident_end: self.resident_end + other.resident_end,
            resident_per_connection: self.resident_per_connection + other.resident_per_connection,
            voluntary_per_second: self.voluntary_per_second + other.voluntary_per_second,
            involuntary_per_second: self.involuntary_per_second + other.involuntary_per_second,
        }
    }
}

fn timeline(measured: &Measured) -> Vec<Second> {
    let before = std::iter::once(&measured.calm).chain(measured.points.iter().map(|point| &point.sample));
    before.zip(&measured.points).map(|(before, point)| second(before, point)).collect()
}

fn second(before: &Sample, point: &Point) -> Second {
    let now = &point.sample;
    let seconds = seconds(before, now);
    let share = |now: &procfs::Usage, then: &procfs::Usage| now.since(then).cpu_nanoseconds as f64 / seconds / 1e7;
    let pairs = now.processes.iter().zip(&before.processes);
    let cpu = pairs.map(|(now, then)| share(&now.unwrap_or_default(), &then.unwrap_or_default()));
    let resident = now.processes.iter().map(|usage| usage.unwrap_or_default().resident_bytes);
    Second {
        at: now.at as f64 / 1e9,
        connections: now.live,
        deliveries: now.counters.since(&before.counters).delivered as f64 / seconds,
        p50: point.delivery.quantile(0.5),
        p99: point.delivery.quantile(0.99),
        max: point.delivery.max(),
        cpu: cpu.chain([share(&now.ours, &before.ours)]).collect(),
        resident: resident.chain([now.ours.resident_bytes]).collect(),
    }
}
