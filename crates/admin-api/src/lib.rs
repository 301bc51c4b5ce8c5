//! The admin API: everything of Roomful that an operator asks for, under `/admin`.
//!
//! | call | file |
//! | --- | --- |
//! | `POST /admin/login`, `/admin/logout`, `/admin/password` | `route/login.rs`, `route/logout.rs`, `route/password.rs` |
//! | `GET /admin/servers`, `POST /admin/servers/{nodeId}/drain` | `route/servers.rs`, `route/drain.rs` |
//! | `GET /admin/client`, `GET`, `DELETE /admin/client/{id}` | `route/clients.rs`, `route/client.rs`, `route/client_remove.rs` |
//! | `GET /admin/room`, `GET`, `DELETE /admin/room/{id}` | `route/rooms.rs`, `route/room.rs`, `route/room_delete.rs` |
//! | `GET /admin/room/{id}/messages`, `DELETE /admin/room/{id}/messages/{seq}` | `route/messages.rs`, `route/message_delete.rs` |
//! | `POST`, `GET /admin/bans`, `DELETE /admin/bans/{id}` | `route/ban.rs`, `route/bans.rs`, `route/ban_lift.rs` |
//! | `POST /admin/notices` | `route/notice.rs` |
//! | `GET /admin/audit` | `route/audit.rs` |
//! | `GET /admin/stats`, `/admin/limits`, `/admin/live` | `route/stats.rs`, `route/limits.rs`, `route/live.rs` |
//!
//! It has no state that matters: what it knows lies in the engine's ports, and any number of replicas answer alike.
//! [`AdminApi`] is what a process with several services takes in; [`build`] makes a server of it alone.
//!
//! | part | what it does |
//! | --- | --- |
//! | `auth` | the password, tokens, and the extractors by which a handler's signature says who may call it |
//! | `audit` | the log, and `perform`, without which nothing is done that it should know of |
//! | `live` | the live feed, over two carriers |
//! | `reports` | what processes say of themselves |
//!
//! **Adding a call**: a file in `route/` with a handler and its `utoipa::path`, one line in `route/mod.rs`, and one in
//! `openapi.rs`. One that changes something goes through `audit::perform`.

mod ask;
mod audit;
mod auth;
mod config;
mod cursor;
mod figures;
mod live;
mod mac;
mod openapi;
mod reports;
mod route;
mod server;

pub use config::{
    ADMIN_PASS, ADMIN_PASS_HASH, ADMIN_TOKEN_TTL, ADMIN_USER, AUDIT_LOG_MAX, Config, HashCost,
    LIMIT_ADMIN_LOGIN_CLUSTER, LIMIT_ADMIN_LOGIN_NODE, Password,
};
pub use live::LIVE_PATH;
pub use openapi::document;
pub use server::{Server, build};

use auth::{Credentials, Passwords, Tokens, hash_now};
use engine::{
    Desk, Limiter, Ports, Quotas, Unavailable,
    clock::{Clock, Entropy},
};
use figures::Figures;
use live::Poller;
use mac::Mac;
use protocol::{NodeId, policy::Policy};
use route::{Failures, Refusals};
use runtime::{
    client_addr::TrustedProxies,
    lifecycle::Lifecycle,
    metrics::Metrics,
    server::{Routes, Upgrade},
};
use std::{sync::Arc, time::Duration};
use thiserror::Error;
use tokio::time::{Interval, MissedTickBehavior};

/// How long nodes get to say that they did something.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the cluster's part of a limit may hold up a request.
const LIMIT_TIMEOUT: Duration = Duration::from_millis(250);
/// How often the limiter forgets addresses that it needs no more.
const SWEEP: Duration = Duration::from_secs(60);

/// Why it cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The backend is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The configured password cannot be hashed.
    #[error("the password cannot be hashed: {0}")]
    Password(String),
    /// The server's metrics cannot be made.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The service, without a server.
pub struct AdminApi {
    state: Arc<State>,
}

/// What the handlers share.
pub(crate) struct State {
    node_id: NodeId,
    ports: Ports,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    desk: Desk,
    mac: Arc<Mac>,
    tokens: Tokens,
    credentials: Credentials,
    passwords: Passwords,
    limiter: Limiter,
    refusals: Refusals,
    failures: Failures,
    trusted_proxies: TrustedProxies,
    allowed_origins: Vec<String>,
    audit_log_max: usize,
    live: Poller,
    figures: Figures,
}

impl AdminApi {
    /// The admin API of the process that `node_id` names. `ports` are that name's: no chat-node may have the same, not
    /// even the one in the same process, for nodes' answers come back to it.
    ///
    /// # Errors
    /// When the backend cannot be reached, or the password not be hashed.
    pub async fn new(
        config: Config,
        node_id: NodeId,
        ports: Ports,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        let mac = Arc::new(Mac::new(&config.jwt_secret));
        let (source, phc) = match config.password {
            Password::Hash(hash) => (hash.clone(), hash.expose().to_owned()),
            Password::Plain(plain) => {
                let (cost, salt, password) = (config.hash_cost, entropy.uuid().into_bytes(), plain.clone());
                let hashing = tokio::task::spawn_blocking(move || hash_now(cost, salt, password.expose()));
                let hashed = hashing.await.map_err(|e| StartError::Password(e.to_string()))?;
                (plain, hashed.map_err(|e| StartError::Password(e.to_string()))?)
            }
        };
        let credentials = Credentials::new(&config.user, &source, phc, ports.records.clone(), mac.clone());
        let quotas = Quotas::from([(Policy::AdminLogin, (config.limit_node, config.limit_cluster))]);
        let state = State {
            desk: Desk::open(node_id.clone(), ports.clone(), PATIENCE).await?,
            node_id,
            limiter: Limiter::new(&quotas, ports.throttle.clone(), LIMIT_TIMEOUT),
            refusals: Refusals::default(),
            failures: Failures::default(),
            tokens: Tokens::new(&config.user, &config.jwt_secret, &mac, config.token_ttl),
            passwords: Passwords::new(config.hash_cost, entropy.clone()),
            credentials,
            mac,
            ports,
            clock,
            entropy,
            trusted_proxies: config.trusted_proxies,
            allowed_origins: config.allowed_origins,
            audit_log_max: config.audit_log_max,
            live: Poller::new(),
            figures: Figures::default(),
        };
        Ok(Self { state: Arc::new(state) })
    }

    /// Shows the service's figures.
    pub fn show(&self, metrics: &Metrics) {
        let state = self.state.clone();
        metrics.show(move |sheet| figures::show(&state, sheet));
    }

    /// What it answers.
    #[must_use]
    pub fn routes(&self) -> Routes {
        route::routes(self.state.clone())
    }

    /// The live feed for a process that takes WebSocket requests before they get to a route: give it those for
    /// [`LIVE_PATH`]. In a server without an [`Upgrade`] the route does the same.
    #[must_use]
    pub fn upgrade(&self) -> Upgrade {
        let state = self.state.clone();
        Arc::new(move |request, framed| Box::pin(live::upgrade(state.clone(), request, framed)))
    }

    /// Its work in the background; ends when it is asked to, softly, and closes its live feeds then.
    pub async fn run(&self, lifecycle: &Lifecycle) {
        let (state, soft) = (&self.state, &lifecycle.soft);
        let sweep = async {
            let mut ticks = every(SWEEP);
            loop {
                ticks.tick().await;
                state.limiter.sweep();
                state.refusals.sweep(state.clock.now());
                if let Some(count) = state.failures.take_left_out(state.clock.now()) {
                    route::note_left_out(state, count).await;
                }
            }
        };
        let until_asked = async {
            let refusals = state.limiter.refusals();
            let tell = refusals.keep_telling(&state.node_id, state.ports.records.as_ref(), state.clock.as_ref());
            soft.run_until_cancelled(async { tokio::join!(sweep, tell, state.live.run(state)) }).await;
            state.live.ending.cancel();
        };
        // Not ended where it stands: an act that it has taken out is to be in the log.
        let settle = async {
            let mut ticks = every(audit::SETTLE_EVERY);
            while soft.run_until_cancelled(ticks.tick()).await.is_some() {
                if let Err(problem) = audit::settle(state, soft).await {
                    tracing::warn!(error = %problem, "abandoned acts wait to be settled");
                }
            }
        };
        tokio::join!(until_asked, settle);
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
