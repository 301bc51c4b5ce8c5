//! One registry a service, for Prometheus. Nothing is global: two services in one process, or two tests, do not mix.

use prometheus::{
    Counter, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, PullingGauge, Registry,
    Result, TextEncoder, core::Collector, core::Desc, proto::MetricFamily,
};
use std::{
    fs,
    time::{Duration, Instant},
};

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// From what memory answers to what is too slow, in seconds.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0];

/// The metrics of one service. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    pub(crate) connections: IntGauge,
    pub(crate) upgrades: IntCounter,
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

        let started = Instant::now();
        pull(&registry, "app_uptime_seconds", "Since this service was made.", move || started.elapsed().as_secs_f64())?;
        pull(&registry, "process_resident_memory_bytes", "Resident memory.", resident_bytes)?;
        pull(&registry, "process_open_fds", "Open file descriptors.", open_fds)?;
        pull(&registry, "process_max_fds", "How many file descriptors may be open.", max_fds)?;
        registry.register(Box::new(CpuSeconds::new()?))?;

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
            registry,
        };
        metrics.register(metrics.requests.clone())?;
        metrics.register(metrics.durations.clone())?;
        metrics.register(metrics.connections.clone())?;
        metrics.register(metrics.upgrades.clone())?;
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

    /// All metrics as Prometheus reads them.
    pub fn render(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_else(|error| {
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

fn pull(registry: &Registry, name: &str, help: &str, read: impl Fn() -> f64 + Send + Sync + 'static) -> Result<()> {
    registry.register(Box::new(PullingGauge::new(name, help, Box::new(read))?))
}

/// CPU time is a counter that somebody else counts, so it is made anew for every scrape.
struct CpuSeconds(Counter);

impl CpuSeconds {
    fn new() -> Result<Self> {
        Counter::new("process_cpu_seconds_total", "User and system CPU time.").map(Self)
    }
}

impl Collector for CpuSeconds {
    fn desc(&self) -> Vec<&Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Ok(now) = Self::new() else { return Vec::new() };
        now.0.inc_by(cpu_seconds());
        now.0.collect()
    }
}

// What /proc tells. Elsewhere than on Linux these are 0: a missing figure must not cost the others.

fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).and_then(first_number);
    kilobytes.unwrap_or_default() * 1024.0
}

fn open_fds() -> f64 {
    // Linux 6.2 and later give the count as the directory's size; walking it costs tens of milliseconds with 100,000
    // sockets open.
    match fs::metadata("/proc/self/fd").map(|fds| fds.len()) {
        Ok(0) => fs::read_dir("/proc/self/fd").map_or(0.0, |fds| fds.count() as f64 - 1.0),
        Ok(count) => count as f64,
        Err(_) => 0.0,
    }
}

fn max_fds() -> f64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    limits.lines().find_map(|line| line.strip_prefix("Max open files")).and_then(first_number).unwrap_or_default()
}

fn cpu_seconds() -> f64 {
    /// The kernel's `USER_HZ`, fixed for user space on every architecture that Rust runs on.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in parentheses and may hold anything, so counting begins after it: utime
    // and stime are fields 14 and 15.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_of_the_process() {
        let text = Metrics::new("chat-node", "1.2.3").unwrap().render();
        assert!(text.contains(r#"app_build_info{service="chat-node",version="1.2.3"} 1"#), "{text}");
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_max_fds", "app_uptime_seconds"] {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect(name);
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() > 0.0, "{line}");
        }
        assert!(text.contains("# TYPE process_cpu_seconds_total counter"));
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
