//! The whole product in one process, behind one port.

use crate::{
    assets::{Assets, AssetsError},
    config::Config,
};
use chat_node::Node;
use engine::{
    Ports,
    clock::{Clock, Entropy},
    interest::MAX_WORKERS,
};
use gateway::Gateway;
use runtime::{health::Health, lifecycle::Lifecycle, metrics::Metrics, ops, server::HttpServer};
use std::{io, net::TcpListener, sync::Arc};
use thiserror::Error;

const NAME: &str = "roomful";
/// The product's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why it cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The page is not there.
    #[error(transparent)]
    Assets(#[from] AssetsError),
    /// The chat-node cannot be built.
    #[error(transparent)]
    Node(#[from] chat_node::BuildError),
    /// A metric could not be registered.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
}

/// Everything, ready to run.
pub struct Product {
    listener: TcpListener,
    workers: usize,
    node: Arc<Node>,
    gateway: Gateway,
    assets: Assets,
    health: Health,
    metrics: Metrics,
}

/// Builds everything over `ports`; `health` may have checks of them already. `listener` is bound by the caller, so that tests and `main` start it the same way.
///
/// # Errors
/// As [`StartError`] says.
pub async fn build(
    config: Config,
    ports: Ports,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    health: Health,
    listener: TcpListener,
) -> Result<Product, StartError> {
    let assets = Assets::load(&config.frontend)?;
    let metrics = Metrics::new(NAME, VERSION)?;
    let node_id = config.chat_node.node_id.clone();
    let cores = || std::thread::available_parallelism().map_or(2, usize::from);
    let workers = config.chat_node.workers.unwrap_or_else(cores);
    let node = Node::new(config.chat_node, ports.clone(), clock.clone(), entropy, &metrics, &health).await?;
    let gateway = Gateway::new(config.gateway, node_id, ports, clock, health.clone(), VERSION).as_part_of(NAME);
    Ok(Product { listener, workers, node, gateway, assets, health, metrics })
}

impl Product {
    /// Serves until `lifecycle.soft`.
    ///
    /// # Errors
    /// When the server cannot be started.
    pub async fn run(self, lifecycle: &Lifecycle) -> io::Result<()> {
        let stop_accept = self.node.stop_accept();
        let http = HttpServer::new(NAME, self.listener, self.metrics.clone())
            .workers(self.workers.min(MAX_WORKERS))
            .routes(ops::routes(self.health, self.metrics))
            .routes(self.gateway.routes())
            .routes(Node::routes())
            .routes(self.assets.routes())
            .upgrade(self.node.upgrade(lifecycle));
        let node = lifecycle.spawn(self.node.run(NAME, lifecycle.clone()));
        let gateway = self.gateway;
        let background = {
            let lifecycle = lifecycle.clone();
            async move { gateway.run(&lifecycle).await }
        };
        lifecycle.spawn(background);
        let served = http.run(lifecycle, stop_accept).await;
        // Also when the server could not be started: nothing is to go on without it.
        lifecycle.soft.cancel();
        let _ = node.await;
        served
    }
}
