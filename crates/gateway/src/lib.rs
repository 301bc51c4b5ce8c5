//! The gateway: everything of Roomful that is asked over plain HTTP and is no admin's business.
//!
//! | call | file |
//! | --- | --- |
//! | `GET /api/health` | `route/health.rs` |
//! | `GET /api/rooms` | `route/rooms.rs` |
//! | `GET /api/rooms/{id}` | `route/room.rs` |
//! | `GET /api/instance` | `route/instance.rs` |
//! | `GET /api/openapi.json` | `route/openapi.rs` |
//!
//! It has no state of its own: it reads the cluster's directory through the engine's ports, and answers even when these
//! do not. [`Gateway`] is what a process with several services takes in; [`build`] makes a server of it alone.
//!
//! **Adding a call**: a file in `route/` with a handler and its `utoipa::path`, one line in `route/mod.rs`, and one in
//! `openapi.rs`.

mod config;
mod figures;
mod openapi;
mod route;
mod server;

pub use config::{Config, LIMIT_HTTP_CLUSTER, LIMIT_HTTP_NODE};
pub use openapi::document;
pub use server::{Server, build};

use engine::{Limiter, Ports, Quotas, clock::Clock};
use figures::Figures;
use protocol::{NodeId, policy::Policy};
use runtime::{client_addr::TrustedProxies, health::Health, lifecycle::Lifecycle, metrics::Metrics, server::Routes};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::MissedTickBehavior;
use utoipa::openapi::OpenApi;

/// How long the cluster's part of a limit may hold up a request. Health, which must answer within 2 s, waits for this
/// and then for its checks, which take a second at most.
const LIMIT_TIMEOUT: Duration = Duration::from_millis(250);

/// How often the limiter forgets addresses that it needs no more.
const SWEEP: Duration = Duration::from_secs(60);

/// The service, without a server.
pub struct Gateway {
    state: Arc<State>,
    document: OpenApi,
}

/// What the handlers share.
struct State {
    node_id: NodeId,
    service: &'static str,
    version: String,
    started: Instant,
    ports: Ports,
    clock: Arc<dyn Clock>,
    health: Health,
    limiter: Limiter,
    trusted_proxies: TrustedProxies,
    figures: Figures,
}

impl Gateway {
    /// A gateway of the process `node_id`, over `ports`. `health` is the process's; the gateway shows what it says.
    #[must_use]
    pub fn new(
        config: Config,
        node_id: NodeId,
        ports: Ports,
        clock: Arc<dyn Clock>,
        health: Health,
        version: &str,
    ) -> Self {
        let quotas = Quotas::from([(Policy::Http, (config.limit_node, config.limit_cluster))]);
        let limiter = Limiter::new(&quotas, ports.throttle.clone(), LIMIT_TIMEOUT);
        let state = State {
            node_id,
            service: "gateway",
            version: version.to_owned(),
            started: Instant::now(),
            ports,
            clock,
            health,
            limiter,
            trusted_proxies: config.trusted_proxies,
            figures: Figures::default(),
        };
        Self { state: Arc::new(state), document: document(version) }
    }

    /// The same, as a part of a process that is called otherwise.
    #[must_use]
    pub fn as_part_of(mut self, service: &'static str) -> Self {
        if let Some(state) = Arc::get_mut(&mut self.state) {
            state.service = service;
        }
        self
    }

    /// The same, describing the calls of another service of the product as well.
    #[must_use]
    pub fn describing(mut self, other: OpenApi) -> Self {
        self.document.merge(other);
        self
    }

    /// Shows the gateway's figures. One that is a part of something is to have become so before.
    pub fn show(&self, metrics: &Metrics) {
        let state = self.state.clone();
        metrics.show(move |sheet| {
            state.figures.show(sheet);
            for (policy, layer, count) in state.limiter.refused() {
                let labels = [("policy", policy.name()), ("layer", layer.name())];
                sheet.count("limiter_refusals_total", "What the limits refused, by policy and layer.", &labels, count);
            }
        });
    }

    /// What it answers.
    #[must_use]
    pub fn routes(&self) -> Routes {
        route::routes(self.state.clone(), &self.document)
    }

    /// Its work in the background; ends when it is asked to, softly.
    pub async fn run(&self, lifecycle: &Lifecycle) {
        let mut ticks = tokio::time::interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let sweep = async {
            loop {
                ticks.tick().await;
                self.state.limiter.sweep();
            }
        };
        let State { limiter, node_id, ports, clock, .. } = &*self.state;
        let tell = limiter.refusals().keep_telling(node_id, ports.records.as_ref(), clock.as_ref());
        let count = self.state.figures.keep_counting(ports);
        lifecycle.soft.run_until_cancelled(async { tokio::join!(sweep, tell, count) }).await;
    }
}

impl State {
    fn uptime_seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}
