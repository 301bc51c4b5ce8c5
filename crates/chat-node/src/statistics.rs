//! What Prometheus is told about a node's sockets and messages.

use crate::admission::Gauges;
use engine::Engine;
use prometheus::{
    GaugeVec, IntCounter, IntCounterVec, IntGauge, Opts,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use std::sync::{Arc, atomic::Ordering};

/// Counters of a node.
#[derive(Clone)]
pub(crate) struct Statistics {
    pub(crate) closes: IntCounterVec,
    pub(crate) refused: IntCounterVec,
    pub(crate) admissions: Gauges,
}

impl Statistics {
    pub(crate) fn new(metrics: &runtime::metrics::Metrics, engine: &Arc<Engine>) -> prometheus::Result<Self> {
        metrics.register(EngineCollector::new(engine.clone())?)?;
        metrics.register(CanaryCollector(engine.clone()))?;
        Ok(Self {
            closes: metrics.register(IntCounterVec::new(
                Opts::new("websocket_closes_total", "WebSockets that ended, by close code; 0 when the peer just went."),
                &["code"],
            )?)?,
            refused: metrics.register(IntCounterVec::new(
                Opts::new("commands_refused_total", "Commands answered with ERROR, by its code."),
                &["code"],
            )?)?,
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
        })
    }
}

/// Shows the engine's own counters when it is asked, so that counting costs nothing more.
#[derive(Clone)]
struct EngineCollector {
    engine: Arc<Engine>,
    connections: IntGauge,
    received: IntGauge,
    delivered: IntGauge,
    slow: IntGauge,
    bytes_received: IntGauge,
    bytes_sent: IntGauge,
    queued: IntGauge,
}

impl EngineCollector {
    fn new(engine: Arc<Engine>) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| IntGauge::new(name, help);
        Ok(Self {
            engine,
            connections: gauge("websocket_connections_active", "WebSockets that are open.")?,
            received: gauge("messages_received_total", "Messages taken into a timeline.")?,
            delivered: gauge("messages_delivered_total", "Messages put on the queues of members.")?,
            slow: gauge("slow_consumers_closed_total", "Clients disconnected because they could not keep up.")?,
            bytes_received: gauge("websocket_received_bytes_total", "Bytes that came from WebSockets.")?,
            bytes_sent: gauge("websocket_sent_bytes_total", "Bytes that WebSockets took.")?,
            queued: gauge("websocket_queued_bytes", "Bytes that wait for WebSockets.")?,
        })
    }
}

impl Collector for EngineCollector {
    fn desc(&self) -> Vec<&Desc> {
        let all = [
            &self.connections,
            &self.received,
            &self.delivered,
            &self.slow,
            &self.bytes_received,
            &self.bytes_sent,
            &self.queued,
        ];
        all.into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let stats = &self.engine.stats;
        let mut families = Vec::new();
        for (gauge, value, counter) in [
            (&self.connections, &stats.connections, false),
            (&self.received, &stats.received, true),
            (&self.delivered, &stats.delivered, true),
            (&self.slow, &stats.slow, true),
            (&self.bytes_received, &stats.bytes_received, true),
            (&self.bytes_sent, &stats.bytes_sent, true),
            (&self.queued, &stats.queued, false),
        ] {
            gauge.set(i64::try_from(value.load(Ordering::Relaxed)).unwrap_or(i64::MAX));
            for mut family in gauge.collect() {
                if counter {
                    as_counter(&mut family);
                }
                families.push(family);
            }
        }
        families
    }
}

/// The ways to other nodes. Made anew each time, so that nodes that are gone leave no series behind.
#[derive(Clone)]
struct CanaryCollector(Arc<Engine>);

impl CanaryCollector {
    fn gauges() -> prometheus::Result<[GaugeVec; 2]> {
        let gauge = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &["node"]);
        Ok([
            gauge("canary_delivery_seconds", "From publishing here to delivery at that node: half of there and back.")?,
            gauge("canary_silence_seconds", "Since that node answered last, or was first asked.")?,
        ])
    }
}

impl Collector for CanaryCollector {
    fn desc(&self) -> Vec<&Desc> {
        // Nothing else registers under these names, and it is only asked for them to find that out.
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Ok([delivery, silence]) = Self::gauges() else { return Vec::new() };
        for way in self.0.canary().ways(tokio::time::Instant::now()) {
            if let Some(time) = way.delivery {
                delivery.with_label_values(&[way.node.as_str()]).set(time.as_secs_f64());
            }
            silence.with_label_values(&[way.node.as_str()]).set(way.silent.as_secs_f64());
        }
        [delivery, silence].iter().flat_map(Collector::collect).collect()
    }
}

/// The engine's numbers only grow, but prometheus's counters cannot be set: shown as what they are.
fn as_counter(family: &mut MetricFamily) {
    family.set_field_type(prometheus::proto::MetricType::COUNTER);
    for metric in family.mut_metric() {
        let mut counter = prometheus::proto::Counter::default();
        counter.set_value(metric.get_gauge().get_value());
        metric.set_counter(counter);
    }
}
