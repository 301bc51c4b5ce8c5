//! What a node says of itself, each second and once a minute, for operators.

use crate::node::Node;
use engine::{
    limiter::TOLD,
    port::{Document, Table},
};
use protocol::{
    Timestamp,
    admin::{Canary, NodeMinute, Server},
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, timeout};

/// How often it is told how it is now.
const EVERY: Duration = Duration::from_secs(1);
/// What was told longer ago is not true any more: so long, or the node's lease if that is shorter.
const VALID: Duration = Duration::from_secs(10);
/// Milliseconds of a minute.
const MINUTE: u64 = 60_000;
/// How long minutes are kept: the last hour's, and the one that is under way.
const MINUTES_KEPT: Duration = Duration::from_secs(61 * 60);

/// Tells until it is dropped.
pub(crate) async fn keep(node: Arc<Node>, service: &'static str, version: &'static str) {
    let mut reporter = Reporter::new(node, service, version);
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        reporter.tell().await;
    }
}

struct Reporter {
    node: Arc<Node>,
    service: &'static str,
    version: &'static str,
    host: String,
    started_at: Timestamp,
    round_trip: Duration,
    minute: Minute,
}

/// The minute that is under way: where the counters stood at its beginning, and the worst within it.
#[derive(Default)]
struct Minute {
    at: u64,
    before: Counts,
    lag_ms: f64,
    round_trip_ms: f64,
}

/// What is counted since the start.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    received: u64,
    delivered: u64,
    bytes_received: u64,
    bytes_sent: u64,
    slow: u64,
}

impl Reporter {
    fn new(node: Arc<Node>, service: &'static str, version: &'static str) -> Self {
        let started_at = node.engine.now();
        // What the kernel calls this machine, in a container its id.
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        let minute = Minute { at: started_at.0 / MINUTE, ..Minute::default() };
        Self { node, service, version, host, started_at, round_trip: Duration::ZERO, minute }
    }

    async fn tell(&mut self) {
        let now = self.node.engine.now();
        let server = self.describe(now);
        self.minute.lag_ms = self.minute.lag_ms.max(server.event_loop_lag_ms);
        self.minute.round_trip_ms = self.minute.round_trip_ms.max(server.round_trip_ms);
        let valid = VALID.min(self.node.config.engine.lease);
        self.put(Table::Reports, server.node_id.to_string(), &server, valid).await;
        if now.0 / MINUTE != self.minute.at {
            self.tell_minute(&server, now).await;
        }
    }

    async fn tell_minute(&mut self, server: &Server, now: Timestamp) {
        let counts = self.counts();
        let Minute { at, before, lag_ms, round_trip_ms } = std::mem::take(&mut self.minute);
        let minute = NodeMinute {
            node_id: server.node_id.clone(),
            connections: server.connections,
            rooms: server.rooms,
            messages_received: counts.received - before.received,
            messages_delivered: counts.delivered - before.delivered,
            bytes_received: counts.bytes_received - before.bytes_received,
            bytes_sent: counts.bytes_sent - before.bytes_sent,
            slow_consumers_closed: counts.slow - before.slow,
            queued_bytes: server.queued_bytes,
            event_loop_lag_ms: lag_ms,
            round_trip_ms,
            delivery_ms: server.delivery_ms,
        };
        let id = format!("{:013}:{}", at * MINUTE, server.node_id);
        self.put(Table::Minutes, id, &minute, MINUTES_KEPT).await;
        self.minute = Minute { at: now.0 / MINUTE, before: counts, ..Minute::default() };
    }

    /// What cannot be told now is not told later: the next report says more.
    async fn put(&mut self, table: Table, id: String, value: &impl serde::Serialize, ttl: Duration) {
        let Ok(body) = serde_json::to_vec(value) else { return };
        let asked = Instant::now();
        let put = self.node.engine.ports().records.put(table, Document { id, body: body.into() }, Some(ttl));
        match timeout(self.node.config.engine.call_timeout, put).await {
            Ok(Ok(())) => self.round_trip = asked.elapsed(),
            Ok(Err(e)) => tracing::debug!(error = %e, "could not report"),
            Err(_) => tracing::debug!("could not report in time"),
        }
    }

    fn counts(&self) -> Counts {
        let stats = &self.node.engine.stats;
        Counts {
            received: stats.received.load(Ordering::Relaxed),
            delivered: stats.delivered.load(Ordering::Relaxed),
            bytes_received: stats.bytes_received.load(Ordering::Relaxed),
            bytes_sent: stats.bytes_sent.load(Ordering::Relaxed),
            slow: stats.slow.load(Ordering::Relaxed),
        }
    }

    fn describe(&self, now: Timestamp) -> Server {
        let (node, counts, instant) = (&self.node, self.counts(), Instant::now());
        let (engine, canary) = (&node.engine, node.engine.canary());
        let ways = canary.ways(instant.into());
        let ways = ways.into_iter().map(|way| Canary {
            node_id: way.node,
            delivery_ms: way.delivery.map(millis),
            silent_ms: u64::try_from(way.silent.as_millis()).unwrap_or(u64::MAX),
            lost: way.lost,
        });
        Server {
            node_id: engine.node.clone(),
            service: self.service.to_owned(),
            host: self.host.clone(),
            version: self.version.to_owned(),
            started_at: self.started_at,
            last_seen_at: now,
            draining: node.draining(),
            connections: engine.stats.connections.load(Ordering::Relaxed),
            rooms: engine.rooms_heard() as u64,
            messages_received: counts.received,
            messages_delivered: counts.delivered,
            bytes_received: counts.bytes_received,
            bytes_sent: counts.bytes_sent,
            slow_consumers_closed: counts.slow,
            queued_bytes: engine.stats.queued.load(Ordering::Relaxed),
            event_loop_lag_ms: millis(engine.stats.take_lag()),
            round_trip_ms: millis(self.round_trip),
            delivery_ms: canary.mean(instant.into()).map(millis),
            canary: ways.collect(),
            limited: node.limiter.refusals().limited(TOLD, now),
        }
    }
}

/// With three digits: a report is read by people.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
