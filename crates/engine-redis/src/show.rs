//! What is told to Prometheus.

use crate::{
    RedisCluster,
    server_info::{Known, ServerInfo},
    stats::{Fault, Kind, Operation, Stats},
};
use engine::stats::Histogram;
use runtime::metrics::{Labels, Metrics, Sheet};
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, timeout};

/// How often the server is asked how it is.
const EACH: Duration = Duration::from_secs(10);

impl RedisCluster {
    /// Shows what this process sees of Redis.
    pub fn show(&self, metrics: &Metrics) {
        let shared = &self.0;
        // Not the whole: what shows figures keeps no connection alive.
        let (stats, commands, hears) = (shared.stats.clone(), shared.commands.clone(), shared.subscriber.hearing());
        metrics.show(move |sheet| {
            show(&stats, sheet);
            let connected = [(Kind::Commands, commands.is_connected()), (Kind::Subscriber, hears())];
            for (kind, is_connected) in connected {
                let help = "Whether there is a connection of that kind, as far as is known.";
                sheet.gauge("redis_connected", help, &[("connection", kind.name())], f64::from(is_connected));
            }
        });
    }

    /// Shows how the server is, for one process of a cluster; [`keep_asking_server`](Self::keep_asking_server) keeps
    /// that up to date.
    pub fn show_server(&self, metrics: &Metrics) {
        let known = self.0.server.clone();
        metrics.show(move |sheet| known.read().show(sheet));
    }

    /// Asks the server how it is, until it is dropped.
    pub async fn keep_asking_server(&self) {
        let mut ticks = tokio::time::interval(EACH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let asked = timeout(EACH, self.0.commands.info(&self.0.keys.a_key_of_membership())).await;
            self.0.server.set(match asked {
                Ok(Ok(text)) => Known::Up(ServerInfo::of(&text)),
                Ok(Err(e)) if !e.is_away() => {
                    tracing::warn!(error = %e, "Redis does not say how it is: its user may need INFO");
                    Known::Up(ServerInfo::default())
                }
                Ok(Err(_)) | Err(_) => Known::Down,
            });
        }
    }
}

fn show(stats: &Stats, sheet: &mut Sheet) {
    for (operation, time, faults) in stats.operations() {
        let labels = [("operation", operation.name())];
        let help = "From asking to Redis' answer, with the wait for a turn on our side.";
        histogram(sheet, "redis_command_duration_seconds", help, &labels, time);
        for (fault, count) in faults {
            let labels = [("operation", Operation::name(operation)), ("error", Fault::name(fault))];
            sheet.count("redis_command_errors_total", "Commands that failed.", &labels, count);
        }
    }
    for kind in Kind::ALL {
        let help = "Connections that were lost, or of no use, and are back.";
        sheet.count("redis_reconnects_total", help, &[("connection", kind.name())], stats.reconnects(kind));
    }
    let help = "From publishing to this process's own channel to hearing it.";
    histogram(sheet, "redis_pubsub_lag_seconds", help, &[], &stats.pubsub_lag);
    let help = "Commands that Redis did not carry out, for they came after their deadline by its clock.";
    sheet.count("redis_deadlines_refused_total", help, &[], stats.late());
}

fn histogram(sheet: &mut Sheet, name: &str, help: &str, labels: Labels<'_>, histogram: &Histogram) {
    let (buckets, sum) = histogram.read_seconds();
    sheet.histogram(name, help, labels, &buckets, sum);
}

impl Known {
    fn show(&self, sheet: &mut Sheet) {
        let is_up = match self {
            Self::Nothing => return,
            Self::Down => false,
            Self::Up(info) => {
                info.show(sheet);
                true
            }
        };
        sheet.gauge("redis_server_up", "Whether Redis answered when it was asked last.", &[], f64::from(is_up));
    }
}

impl ServerInfo {
    fn show(&self, sheet: &mut Sheet) {
        for (name, help, value) in [
            ("redis_server_memory_used_bytes", "Memory that Redis has allocated.", self.memory_used),
            ("redis_server_memory_max_bytes", "Memory that Redis may use; 0: all there is.", self.memory_max),
            ("redis_server_connected_clients", "Connections to Redis.", self.clients),
            ("redis_server_aof_enabled", "Whether Redis writes its log (AOF).", self.aof_enabled),
            ("redis_server_aof_last_write_ok", "Whether the last write to the log succeeded.", self.aof_write_ok),
            ("redis_server_uptime_seconds", "Since Redis was started.", self.uptime),
        ] {
            if let Some(value) = value {
                sheet.gauge(name, help, &[], value);
            }
        }
        for (name, help, value) in [
            ("redis_server_commands_processed_total", "Commands that Redis has carried out.", self.commands),
            ("redis_server_evicted_keys_total", "Keys that Redis threw away for want of memory.", self.evicted),
            ("redis_server_rejected_connections_total", "Connections beyond Redis' maxclients.", self.rejected),
        ] {
            if let Some(value) = value {
                sheet.counter(name, help, &[], value);
            }
        }
    }
}

/// What was learned last, for whoever shows it.
#[derive(Debug, Clone, Default)]
pub struct Server(Arc<std::sync::RwLock<Known>>);

impl Server {
    fn set(&self, known: Known) {
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = known;
    }

    fn read(&self) -> Known {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
