//! What Prometheus is told about a node's sockets and messages.

use crate::admission::Gauges;
use engine::Engine;
use prometheus::{
    IntCounter, IntCounterVec, IntGauge, Opts,
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
        })
    }
}

impl Collector for EngineCollector {
    fn desc(&self) -> Vec<&Desc> {
        [&self.connections, &self.received, &self.delivered, &self.slow].into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let stats = &self.engine.stats;
        let mut families = Vec::new();
        for (gauge, value, counter) in [
            (&self.connections, &stats.connections, false),
            (&self.received, &stats.received, true),
            (&self.delivered, &stats.delivered, true),
            (&self.slow, &stats.slow, true),
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

/// The engine's numbers only grow, but prometheus's counters cannot be set: shown as what they are.
fn as_counter(family: &mut MetricFamily) {
    family.set_field_type(prometheus::proto::MetricType::COUNTER);
    for metric in family.mut_metric() {
        let mut counter = prometheus::proto::Counter::default();
        counter.set_value(metric.get_gauge().get_value());
        metric.set_counter(counter);
    }
}
