//! The engine's ports over Redis or Valkey: any number of nodes, in any number of processes, behave as one.
//!
//! | part | what it does |
//! | --- | --- |
//! | [`config`], [`env`](crate::env), `tls` | how to reach Redis, whom to trust, and how long to wait |
//! | `inspect` | what a Redis says of itself, for the doctor |
//! | `keys` | the only place where a key is spelled |
//! | `script`, `lua/` | all that changes anything, as scripts: each takes effect whole or not at all |
//! | `clock` | until when a command makes sense, by Redis's own clock; and when it was here what it was there |
//! | `dial`, `connection`, `commands`, `reply` | the connections that carry commands |
//! | `subscriber`, `link`, `routes`, `envelope` | the connection that hears, and what is published |
//! | `bus`, `timeline`, `directory`, `throttle`, `census`, `records` | the ports |
//! | `stats`, `server_info`, `show` | what is counted, what Redis says of itself, and how both are shown |
//!
//! fred 10.1 has traps, each of which cost somebody a connection that hung: the comments at the places concerned say
//! which, and `tests/` has one test for each.

mod bus;
mod census;
mod clock;
mod commands;
pub mod config;
mod connection;
mod dial;
mod directory;
pub mod env;
mod envelope;
mod inspect;
mod keys;
mod link;
mod names;
mod records;
mod reply;
mod routes;
mod script;
mod server_info;
mod show;
mod stats;
mod subscriber;
mod throttle;
mod timeline;
mod tls;

pub use config::{ConnectError, RedisConfig};
pub use inspect::Inspection;

use clock::RemoteClock;
use commands::Commands;
use engine::{Ports, Unavailable};
use keys::Keys;
use protocol::NodeId;
use routes::{Routes, Tap};
use show::Server;
use stats::Stats;
use std::{sync::Arc, time::Duration};
use subscriber::Subscriber;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long a process that is started waits for its Redis before it gives up, and whoever started it may try again.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries to reach a Redis that is not there yet.
const PAUSE: Duration = Duration::from_millis(500);

/// A process's connections to a cluster's Redis. They end when the last clone, and the last port, is dropped.
#[derive(Clone)]
pub struct RedisCluster(Arc<Shared>);

struct Shared {
    config: RedisConfig,
    keys: Keys,
    clock: RemoteClock,
    commands: Arc<Commands>,
    subscriber: Subscriber,
    routes: Arc<Routes>,
    stats: Arc<Stats>,
    server: Server,
    _end: DropGuard,
}

impl RedisCluster {
    /// Connects.
    ///
    /// # Errors
    /// When the configuration cannot work, or Redis does not answer. Later Redis may go away and come back.
    pub async fn connect(config: RedisConfig) -> Result<Self, ConnectError> {
        let keys = Keys::new(&config.prefix, config.is_clustered());
        let routes = Arc::new(Routes::default());
        let end = CancellationToken::new();
        // What was begun ends also when something later fails.
        let guard = end.clone().drop_guard();
        let commands = Arc::new(Commands::connect(&config, end.clone()).await?);
        let stats = commands.stats().clone();
        let subscriber =
            Subscriber::start(config.clone(), &keys, commands.clone(), routes.clone(), end.clone()).await?;
        // It may be loading its data, or a replica.
        commands.alive(keys.nothing()).await.map_err(|Unavailable(why)| ConnectError::Unreachable(why))?;
        let (asks, answers) = (commands.clone(), routes.clone());
        tokio::spawn(clock::keep_asking(config.probe_interval, keys.clone(), asks, answers, end.clone()));
        tokio::spawn(timeline::keep_alive(config.clone(), keys.clone(), commands.clone(), routes.clone(), end));
        Ok(Self(Arc::new(Shared {
            config,
            keys,
            clock: RemoteClock::new(),
            commands,
            subscriber,
            routes,
            stats,
            server: Server::default(),
            _end: guard,
        })))
    }

    /// The same for a process that may have been started before its Redis: tries again, for as long as `patience`.
    ///
    /// # Errors
    /// When the configuration cannot work, or Redis does not answer in time.
    pub async fn wait_for(config: RedisConfig, patience: Duration) -> Result<Self, ConnectError> {
        let deadline = Instant::now() + patience;
        loop {
            match Self::connect(config.clone()).await {
                Err(ConnectError::Unreachable(reason)) if Instant::now() + PAUSE < deadline => {
                    tracing::warn!(reason, "waiting for Redis");
                    tokio::time::sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }

    /// The ports of one node.
    #[must_use]
    pub fn node(&self, node: NodeId) -> Ports {
        let tap = Arc::new(Tap::default());
        self.0.routes.add_tap(tap.clone());
        // Subscribed when the node registers; from now on by whatever connection there will be.
        self.0.routes.add(&self.0.keys.everyone(), None, &tap);
        self.0.routes.add(&self.0.keys.node(&node), None, &tap);
        let handle = Arc::new(RedisNode { shared: self.0.clone(), node, tap });
        Ports {
            bus: handle.clone(),
            directory: handle.clone(),
            throttle: handle.clone(),
            census: handle.clone(),
            records: handle,
        }
    }

    /// Whether Redis takes something and is heard, for readiness.
    ///
    /// # Errors
    /// When it does not, or is not.
    pub async fn check(&self) -> Result<(), Unavailable> {
        if !self.0.commands.is_connected() {
            return Err(Unavailable("not connected".to_owned()));
        }
        self.0.commands.alive(self.0.keys.nothing()).await?;
        if self.0.subscriber.hears() { Ok(()) } else { Err(Unavailable("nothing can be heard".to_owned())) }
    }
}

/// One node's handle; all ports in one.
struct RedisNode {
    shared: Arc<Shared>,
    node: NodeId,
    tap: Arc<Tap>,
}

impl Drop for RedisNode {
    fn drop(&mut self) {
        for channel in self.shared.routes.remove_tap(&self.tap) {
            self.shared.subscriber.unsubscribe(channel);
        }
    }
}
