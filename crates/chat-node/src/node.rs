//! The service: built from a configuration and ports, the same way by tests and by `main`.

use crate::{
    SERVICE, VERSION,
    admission::Gate,
    config::Config,
    report,
    session::Sessions,
    statistics::{self, Statistics},
    trace::Deliveries,
    upgrade::upgrade,
};
use engine::{
    Engine, Hub, Limiter, Ports, Unavailable,
    clock::{Clock, Entropy},
    interest::MAX_WORKERS,
};
use protocol::CloseCode;
use runtime::{
    health::{Check, Health},
    http::{Problem, only_get},
    lifecycle::Lifecycle,
    metrics::Metrics,
    ops,
    server::{HttpServer, Routes, Upgrade},
    traces,
};
use std::{
    cell::RefCell,
    io,
    net::TcpListener,
    rc::{Rc, Weak},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// How often the limiter forgets.
const LIMITER_SWEEP: Duration = Duration::from_secs(60);
/// How long closed clients get to take notice, after the drain window.
const FAREWELL: Duration = Duration::from_secs(3);
/// Connections from which one worker reads a request at once; the others wait in the kernel, which is made for it. A worker
/// that took thousands at once would have nobody written to until it was through with all of them. (What has become a
/// WebSocket does not count; plain requests come only from whoever watches the node, and whole ones from a proxy.)
const REQUESTS: usize = 64;
/// The end of the drain window in which nobody is told to leave any more, at most: whoever was told last is then on the
/// way elsewhere, and would be closed before getting there. It is never more than half of the window.
const LAST_ONES: Duration = Duration::from_secs(2);
/// How often the drain looks whether everybody has gone.
const LOOK: Duration = Duration::from_millis(50);

/// Why a node cannot be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The backend cannot be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A metric could not be registered.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
}

thread_local! {
    /// The hub of this worker thread. Weak, since it belongs to its run loop; a worker thread serves one node.
    static HUB: RefCell<Weak<Hub<TcpStream>>> = const { RefCell::new(Weak::new()) };
}

/// A chat-node without a server around it.
pub struct Node {
    pub(crate) config: Config,
    pub(crate) engine: Arc<Engine>,
    pub(crate) limiter: Limiter,
    pub(crate) sessions: Sessions,
    pub(crate) statistics: Statistics,
    pub(crate) gate: Arc<Gate>,
    health: Health,
    draining: AtomicBool,
    /// From when on no more sockets are accepted: after the drain, so that `/readyz` can be read until then.
    stop_accept: CancellationToken,
    /// Ends the hubs; after the last connection, for they write its farewell.
    hubs: CancellationToken,
}

impl Node {
    /// Registers a node in the cluster.
    ///
    /// # Errors
    /// When the backend cannot be reached.
    pub async fn new(
        config: Config,
        ports: Ports,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        metrics: &Metrics,
        health: &Health,
    ) -> Result<Arc<Self>, BuildError> {
        let limiter = Limiter::new(&config.quotas, ports.throttle.clone(), config.engine.call_timeout);
        let engine =
            Engine::start(config.node_id.clone(), ports, config.engine.clone(), clock, entropy.clone()).await?;
        if traces::is_on() {
            engine.follow_with(Arc::new(Deliveries));
        }
        health.add_check("engine", Arc::new(EngineCheck(engine.clone())));
        let statistics = Statistics::new(metrics)?;
        let sessions = Sessions::new(&config.jwt_secret, config.session_ttl);
        let gate = Gate::new(config.admission, entropy, statistics.admissions.clone());
        let node = Arc::new(Self {
            config,
            engine,
            limiter,
            sessions,
            statistics,
            gate,
            health: health.clone(),
            draining: AtomicBool::new(false),
            stop_accept: CancellationToken::new(),
            hubs: CancellationToken::new(),
        });
        let shown = node.clone();
        metrics.show(move |sheet| statistics::show(&shown, sheet));
        Ok(node)
    }

    /// Takes WebSockets.
    pub fn upgrade(self: &Arc<Self>, lifecycle: &Lifecycle) -> Upgrade {
        let (node, lifecycle) = (self.clone(), lifecycle.clone());
        Arc::new(move |request, framed| Box::pin(upgrade(node.clone(), lifecycle.clone(), request, framed)))
    }

    /// Tells a server when to accept no more: once everybody was sent away. New sockets are refused before that, by
    /// the node itself, with 503, which a proxy takes for a reason to go elsewhere.
    pub fn stop_accept(&self) -> CancellationToken {
        self.stop_accept.clone()
    }

    /// What a plain request gets at `/ws`.
    pub fn routes() -> Routes {
        Arc::new(|cfg| {
            cfg.service(only_get("/ws", || async {
                Err::<&str, _>(Problem::upgrade_required("this is a WebSocket: connect with one"))
            }));
        })
    }

    /// The hub of this worker thread, made on first use.
    pub(crate) fn hub(&self, lifecycle: &Lifecycle) -> Option<Rc<Hub<TcpStream>>> {
        HUB.with_borrow_mut(|slot| {
            if let Some(hub) = slot.upgrade() {
                return Some(hub);
            }
            let (hub, queue) = Hub::new(self.engine.clone(), self.config.hub)?;
            *slot = Rc::downgrade(&hub);
            lifecycle.spawn_local(hub.clone().run(queue, self.hubs.clone()));
            Some(hub)
        })
    }

    pub(crate) fn draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Lives in the cluster until `lifecycle.soft`, then sends the clients elsewhere and gives the lease back. Operators
    /// see it as a `service`.
    pub async fn run(self: Arc<Self>, service: &'static str, lifecycle: Lifecycle) {
        let membership = CancellationToken::new();
        let engine = lifecycle.spawn(self.engine.clone().run(membership.clone()));
        self.health.set_ready(true);
        let report = lifecycle.spawn(report::keep(self.clone(), service, VERSION));
        let mut sweep = tokio::time::interval(LIMITER_SWEEP);
        loop {
            tokio::select! {
                () = lifecycle.soft.cancelled() => break,
                // Whoever is to end after that is for whoever runs the process to say.
                () = self.engine.drain_asked() => drop(lifecycle.spawn(self.clone().drain_once())),
                _ = sweep.tick() => self.limiter.sweep(),
            }
        }
        self.drain().await;
        report.abort();
        self.stop_accept.cancel();
        self.hubs.cancel();
        membership.cancel();
        let _ = engine.await;
    }

    /// For an operator, who may ask again.
    async fn drain_once(self: Arc<Self>) {
        if !self.draining() {
            self.drain().await;
        }
    }

    /// Unready, then `RECONNECT` spread over the window but for its end, then 1012 for whoever is still here.
    async fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.health.set_draining();
        let connections = || self.engine.stats.connections.load(Ordering::Relaxed);
        tracing::info!(connections = connections(), window = ?self.config.drain_window, "draining");
        if !self.config.drain_window.is_zero() && connections() > 0 {
            self.engine.ask_to_reconnect(leaving(self.config.drain_window));
            self.wait_until_empty(self.config.drain_window).await;
        }
        self.engine.close_all(CloseCode::Restart);
        self.wait_until_empty(FAREWELL).await;
        if connections() > 0 {
            tracing::warn!(connections = connections(), "connections that did not take their leave");
        }
    }

    async fn wait_until_empty(&self, at_most: Duration) {
        let empty = async {
            while self.engine.stats.connections.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        let _ = tokio::time::timeout(at_most, empty).await;
    }
}

/// Over how long clients are told to leave, of a drain window.
fn leaving(window: Duration) -> Duration {
    window.saturating_sub(LAST_ONES.min(window / 2))
}

struct EngineCheck(Arc<Engine>);

#[async_trait::async_trait]
impl Check for EngineCheck {
    async fn check(&self) -> Result<(), String> {
        if !self.0.reachable() {
            return Err("the backend did not answer the last heartbeat".into());
        }
        self.0.in_time().map_err(|_| "this node holds no lease".into())
    }
}

/// A node with a server of its own.
pub struct Server {
    node: Arc<Node>,
    listener: TcpListener,
    metrics: Metrics,
    health: Health,
    workers: Option<usize>,
}

/// Builds a node that listens on `listener`. `health` may have checks of the backend already.
///
/// # Errors
/// When the backend cannot be reached.
pub async fn build(
    config: Config,
    ports: Ports,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    health: Health,
    listener: TcpListener,
) -> Result<Server, BuildError> {
    let metrics = Metrics::new(SERVICE, VERSION)?;
    let node = Node::new(config, ports, clock, entropy, &metrics, &health).await?;
    let workers = node.config.workers;
    Ok(Server { node, listener, metrics, health, workers })
}

impl Server {
    /// The same with as many worker threads.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Where its figures are shown, for what it stands on to add its own.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Serves until `lifecycle.soft` and the drain after it.
    ///
    /// # Errors
    /// When the server cannot be started.
    pub async fn run(self, lifecycle: &Lifecycle) -> io::Result<()> {
        let stop_accept = self.node.stop_accept();
        let mut http = HttpServer::new(SERVICE, self.listener, self.metrics.clone())
            .routes(ops::routes(self.health, self.metrics))
            .routes(Node::routes())
            .upgrade(self.node.upgrade(lifecycle));
        http.max_connections = REQUESTS;
        http.workers = self.workers.unwrap_or(http.workers).min(MAX_WORKERS);
        let node = lifecycle.spawn(self.node.run(SERVICE, lifecycle.clone()));
        let served = http.run(lifecycle, stop_accept).await;
        // Also when the server could not be started: nothing is to go on without it.
        lifecycle.soft.cancel();
        let _ = node.await;
        served
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use engine::{
        MemoryCluster, Retention,
        clock::{SystemClock, SystemEntropy},
    };
    use runtime::env::{MapEnv, Reader};

    #[test]
    fn whoever_leaves_last_has_time_to_arrive() {
        let ms = Duration::from_millis;
        for (window, told) in [(0, 0), (600, 300), (4000, 2000), (10_000, 8000), (60_000, 58_000)] {
            assert_eq!(leaving(ms(window)).as_millis(), told, "{window}");
        }
    }

    /// A node without a server.
    pub(crate) async fn node() -> Arc<Node> {
        let env = MapEnv::from_iter([("JWT_SECRET", "a secret of the tests, 32 bytes long or more")]);
        let config = Config::read(&mut Reader::new(&env), uuid::Uuid::nil()).get().unwrap();
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let ports = MemoryCluster::new(clock.clone(), entropy.clone(), Retention::default()).node("n".parse().unwrap());
        let metrics = Metrics::new(SERVICE, "0").unwrap();
        Node::new(config, ports, clock, entropy, &metrics, &Health::new()).await.unwrap()
    }
}
