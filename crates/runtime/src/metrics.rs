//! One registry a process, for Prometheus. Nothing is global: two services in one process, or two tests, do not mix.
//!
//! A service counts with prometheus's own types and [`Metrics::register`], or in any way it likes, and shows that when
//! it is asked: [`Metrics::show`]. All names are described in `docs/metrics.md`.

mod process;
mod sheet;

pub use sheet::{Labels, Sheet};

use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, Result,
    TextEncoder, core::Collector,
};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// From what memory answers to what is too slow, in seconds.
const BUCKETS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// From what a timer's own granularity is to what everybody notices, in seconds.
const LAG_BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// Writes down what it knows.
type Source = Box<dyn Fn(&mut Sheet) + Send + Sync>;

/// The metrics of one service. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    sources: Arc<RwLock<Vec<Source>>>,
    requests: IntCounterVec,
    durations: HistogramVec,
    pub(crate) connections: IntGauge,
    pub(crate) upgrades: IntCounter,
    pub(crate) lag: Histogram,
}

impl Metrics {
    /// A registry with what every process has to tell. It fails only on a name that is no metric name.
    pub fn new(service: &str, version: &str) -> Result<Self> {
        let registry = Registry::new();

        let build = GaugeVec::new(
            Opts::new("app_build_info", "Always 1; its labels tell what runs."),
            &["service", "version"],
        )?;
        build.with_label_values(&[service, version]).set(1.0);
        registry.register(Box::new(build))?;

        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("http_requests_total", "HTTP requests that were answered, by the route's pattern."),
                &["method", "path", "status"],
            )?,
            durations: HistogramVec::new(
                HistogramOpts::new("http_request_duration_seconds", "From the request's head to the answer's.")
                    .buckets(BUCKETS.to_vec()),
                &["method", "path"],
            )?,
            connections: IntGauge::new("http_connections", "Open HTTP connections, without upgraded ones.")?,
            upgrades: IntCounter::new("http_upgrades_total", "Requests that were handed over as a raw socket.")?,
            lag: Histogram::with_opts(
                HistogramOpts::new("event_loop_lag_seconds", "How late a timer was on a thread that serves.")
                    .buckets(LAG_BUCKETS.to_vec()),
            )?,
            registry,
            sources: Arc::default(),
        };
        metrics.register(metrics.requests.clone())?;
        metrics.register(metrics.durations.clone())?;
        metrics.register(metrics.connections.clone())?;
        metrics.register(metrics.upgrades.clone())?;
        metrics.register(metrics.lag.clone())?;
        let started = Instant::now();
        metrics.show(move |sheet| {
            sheet.gauge("app_uptime_seconds", "Since this service was made.", &[], started.elapsed().as_secs_f64());
            process::show(sheet);
        });
        Ok(metrics)
    }

    /// The registry, for a service's own metrics.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Registers `collector` and hands it back: `let sent = metrics.register(IntCounter::new("sent_total", "…")?)?`.
    pub fn register<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C> {
        self.registry.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    /// Has `source` asked at each scrape. It answers at once, from what it has at hand: it neither waits nor asks others.
    pub fn show(&self, source: impl Fn(&mut Sheet) + Send + Sync + 'static) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(source));
    }

    /// All metrics as Prometheus reads them.
    pub fn render(&self) -> String {
        let mut sheet = Sheet::default();
        self.sources.read().unwrap_or_else(PoisonError::into_inner).iter().for_each(|source| source(&mut sheet));
        sheet.add(self.registry.gather());
        TextEncoder::new().encode_to_string(&sheet.into_families()).unwrap_or_else(|error| {
            tracing::error!(%error, "metrics cannot be rendered");
            String::new()
        })
    }

    /// Counts one answered request. Every label is from a small set: a client can choose neither a path nor a method
    /// that would become a series of its own.
    pub(crate) fn request(&self, method: &str, pattern: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[method, pattern, &status.to_string()]).inc();
        self.durations.with_label_values(&[method, pattern]).observe(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_of_the_process() {
        let text = Metrics::new("chat-node", "1.2.3").unwrap().render();
        assert!(text.contains(r#"app_build_info{service="chat-node",version="1.2.3"} 1"#), "{text}");
        for name in [
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_max_fds",
            "app_uptime_seconds",
            "process_threads",
            "process_start_time_seconds",
        ] {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect(name);
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() > 0.0, "{line}");
        }
        assert!(text.contains("# TYPE process_cpu_seconds_total counter"));
        let started = text.lines().find_map(|line| line.strip_prefix("process_start_time_seconds ")).unwrap();
        let age = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64() - started.parse::<f64>().unwrap();
        assert!((-2.0..24.0 * 3600.0).contains(&age), "started {age} s ago");
    }

    #[test]
    fn sources_are_asked_at_each_scrape() {
        let metrics = Metrics::new("test", "0").unwrap();
        let asked = std::sync::atomic::AtomicU64::new(0);
        metrics.show(move |sheet| {
            let n = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            sheet.count("asked_total", "How often.", &[("by", "one")], n);
            sheet.histogram("took_seconds", "How long.", &[], &[(0.5, 2), (1.0, 0), (f64::INFINITY, n)], 7.5);
        });
        metrics.show(|sheet| sheet.count("asked_total", "How often.", &[("by", "another")], 7));
        metrics.render();
        let text = metrics.render();
        for line in [
            "# TYPE asked_total counter",
            r#"asked_total{by="one"} 2"#,
            r#"asked_total{by="another"} 7"#,
            "# TYPE took_seconds histogram",
            r#"took_seconds_bucket{le="0.5"} 2"#,
            r#"took_seconds_bucket{le="1"} 2"#,
            r#"took_seconds_bucket{le="+Inf"} 4"#,
            "took_seconds_sum 7.5",
            "took_seconds_count 4",
        ] {
            assert_eq!(text.lines().filter(|has| *has == line).count(), 1, "{line}\n{text}");
        }
    }

    #[test]
    fn counts_requests() {
        let metrics = Metrics::new("test", "0").unwrap();
        metrics.request("GET", "/api/rooms", 200, Duration::from_millis(2));
        metrics.request("GET", "/api/rooms", 200, Duration::from_millis(2));
        let text = metrics.render();
        assert!(text.contains(r#"http_requests_total{method="GET",path="/api/rooms",status="200"} 2"#), "{text}");
        assert!(text.contains(r#"http_request_duration_seconds_count{method="GET",path="/api/rooms"} 2"#));
    }

    #[test]
    fn registries_do_not_mix() {
        let (a, b) = (Metrics::new("a", "0").unwrap(), Metrics::new("b", "0").unwrap());
        a.register(IntCounter::new("only_here_total", "x").unwrap()).unwrap().inc();
        assert!(a.render().contains("only_here_total 1"));
        assert!(!b.render().contains("only_here_total"));
        assert!(a.register(IntCounter::new("only_here_total", "x").unwrap()).is_err());
    }
}
