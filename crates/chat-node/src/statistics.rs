//! What Prometheus is told about a node's sockets and messages. What the engine counts in atomics of its own is written
//! down when it is asked for, so that counting costs nothing more. All names are described in `docs/metrics.md`.

use crate::{admission::Gauges, node::Node};
use engine::stats::Stats;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts};
use protocol::{CloseCode, ErrorCode};
use runtime::metrics::{Metrics, Sheet};
use std::sync::atomic::Ordering;

/// Why a request did not become a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// It was no handshake, or not at `/ws`.
    Bad,
    /// From a page of another site.
    Origin,
    /// The node ends.
    Draining,
    /// There are as many connections as there may be.
    Full,
    /// Too many from that address.
    Limited,
}

impl Turned {
    const ALL: [Self; 5] = [Self::Bad, Self::Origin, Self::Draining, Self::Full, Self::Limited];

    const fn name(self) -> &'static str {
        match self {
            Self::Bad => "bad_request",
            Self::Origin => "origin",
            Self::Draining => "draining",
            Self::Full => "full",
            Self::Limited => "rate_limited",
        }
    }
}

/// What became of a client's wish to go on where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resumed {
    /// It got all that it had missed.
    Recovered,
    /// Some of it is gone from the log.
    Gap,
    /// The room, or the life of it that it knew, is over, or it may not come in.
    Lost,
}

impl Resumed {
    const ALL: [Self; 3] = [Self::Recovered, Self::Gap, Self::Lost];

    const fn name(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Gap => "gap",
            Self::Lost => "lost",
        }
    }
}

/// Counters of a node.
#[derive(Clone)]
pub(crate) struct Statistics {
    pub(crate) connects: IntCounter,
    pub(crate) admissions: Gauges,
    closes: IntCounterVec,
    refused: IntCounterVec,
    turned: IntCounterVec,
    resumes: IntCounterVec,
}

impl Statistics {
    pub(crate) fn new(metrics: &Metrics) -> prometheus::Result<Self> {
        let vec = |name: &str, help: &str, label: &str| {
            metrics.register(IntCounterVec::new(Opts::new(name, help), &[label])?)
        };
        let statistics = Self {
            connects: metrics.register(IntCounter::new(
                "websocket_connects_total",
                "CONNECT commands that were accepted: WebSockets that began to speak for a client.",
            )?)?,
            closes: vec(
                "websocket_closes_total",
                "WebSockets that ended, by close code; 0 when the peer just went.",
                "code",
            )?,
            refused: vec("commands_refused_total", "Commands answered with ERROR, by its code.", "code")?,
            turned: vec("websocket_upgrades_refused_total", "Requests that did not become a WebSocket.", "reason")?,
            resumes: vec(
                "resumes_total",
                "Clients that wanted to go on where they were, by what they got.",
                "outcome",
            )?,
            admissions: Gauges {
                under_way: metrics
                    .register(IntGauge::new("admissions_under_way", "Clients that are being let in.")?)?,
                waiting: metrics
                    .register(IntGauge::new("admissions_waiting", "Clients that wait for their turn to be let in.")?)?,
                refused: metrics.register(IntCounter::new(
                    "admissions_refused_total",
                    "Clients that could not be let in soon, and were asked to come back later.",
                )?)?,
            },
        };
        statistics.begin();
        Ok(statistics)
    }

    /// Every series is there before the first event: of one that begins with 1, Prometheus sees no increase.
    fn begin(&self) {
        let codes = CloseCode::ALL.into_iter().map(CloseCode::get).chain([0]);
        codes.for_each(|code| drop(self.closes.with_label_values(&[&code.to_string()])));
        ErrorCode::ALL.into_iter().for_each(|code| drop(self.refused.with_label_values(&[&label(code)])));
        Turned::ALL.into_iter().for_each(|reason| drop(self.turned.with_label_values(&[reason.name()])));
        Resumed::ALL.into_iter().for_each(|outcome| drop(self.resumes.with_label_values(&[outcome.name()])));
    }

    /// A WebSocket has ended; none: the peer just went.
    pub(crate) fn closed(&self, code: Option<CloseCode>) {
        self.closes.with_label_values(&[&code.map_or(0, CloseCode::get).to_string()]).inc();
    }

    /// A command was refused.
    pub(crate) fn refused(&self, code: ErrorCode) {
        self.refused.with_label_values(&[&label(code)]).inc();
    }

    /// A request did not become a WebSocket.
    pub(crate) fn turned(&self, reason: Turned) {
        self.turned.with_label_values(&[reason.name()]).inc();
    }

    /// A client wanted to go on where it was.
    pub(crate) fn resumed(&self, outcome: Resumed) {
        self.resumes.with_label_values(&[outcome.name()]).inc();
    }
}

/// As clients read it.
fn label(code: ErrorCode) -> String {
    serde_json::to_value(code).ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Writes down what the engine counts.
pub(crate) fn show(node: &Node, sheet: &mut Sheet) {
    let stats = &node.engine.stats;
    show_counters(stats, sheet);
    show_gauges(node, sheet);
    let (buckets, sum) = stats.delivery.read_seconds();
    let help = "From when the timeline took a message to when the kernel took its frame, once for each member.";
    sheet.histogram("message_delivery_seconds", help, &[], &buckets, sum);
    let (buckets, sum) = stats.fan_out.read(1.0);
    sheet.histogram("message_fan_out", "Members on this node that one message reached.", &[], &buckets, sum);

    // Anew each time, so that nodes that are gone leave no series behind.
    for way in node.engine.canary().ways(tokio::time::Instant::now()) {
        let labels = [("node", way.node.as_str())];
        if let Some(time) = way.delivery {
            let help = "From publishing here to delivery at that node: half of there and back.";
            sheet.gauge("canary_delivery_seconds", help, &labels, time.as_secs_f64());
        }
        let help = "Since that node answered last, or was first asked.";
        sheet.gauge("canary_silence_seconds", help, &labels, way.silent.as_secs_f64());
    }
    for (policy, layer, count) in node.limiter.refused() {
        let labels = [("policy", policy.name()), ("layer", layer.name())];
        sheet.count("limiter_refusals_total", "What the limits refused, by policy and layer.", &labels, count);
    }
}

fn show_counters(stats: &Stats, sheet: &mut Sheet) {
    for (name, help, counter) in [
        ("messages_received_total", "Messages taken into a timeline.", &stats.received),
        ("messages_delivered_total", "Messages put on the queues of members.", &stats.delivered),
        ("slow_consumers_closed_total", "Clients disconnected because they could not keep up.", &stats.slow),
        ("websocket_received_bytes_total", "Bytes that came from WebSockets.", &stats.bytes_received),
        ("websocket_sent_bytes_total", "Bytes that WebSockets took.", &stats.bytes_sent),
        ("node_leases_reaped_total", "Dead nodes that this one reaped.", &stats.nodes_reaped),
        ("members_reaped_total", "Members whose grace was over, reaped by this node.", &stats.members_reaped),
        ("node_fenced_total", "How often this node lost its lease, and every connection with it.", &stats.fenced),
        ("connection_doubts_total", "Connections that were to be compared with the directory.", &stats.doubts),
        ("timeline_repairs_total", "Rooms that a worker read again, for messages were missing.", &stats.repairs),
        ("timeline_epochs_renewed_total", "Timelines begun anew, for the store had lost some.", &stats.renewed),
    ] {
        sheet.count(name, help, &[], counter.load(Ordering::Relaxed));
    }
}

#[allow(clippy::cast_precision_loss)] // as everywhere in Prometheus
fn show_gauges(node: &Node, sheet: &mut Sheet) {
    let stats = &node.engine.stats;
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed) as f64;
    for (name, help, value) in [
        ("websocket_connections_active", "WebSockets that are open.", read(&stats.connections)),
        ("websocket_queued_bytes", "Bytes that wait for WebSockets.", read(&stats.queued)),
        ("rooms_heard", "Rooms with a member on this node.", node.engine.rooms_heard() as f64),
        ("members_here", "Memberships of clients that are connected to this node.", read(&stats.members)),
        ("bans_active", "Bans that this node enforces.", read(&stats.bans)),
        ("draining", "Whether this node sends its clients elsewhere.", f64::from(node.draining())),
    ] {
        sheet.gauge(name, help, &[], value);
    }
}
