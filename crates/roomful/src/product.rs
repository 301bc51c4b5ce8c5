//! The whole product in one process, behind one port.

use crate::{
    assets::{Assets, AssetsError},
    config::Config,
};
use admin_api::{AdminApi, LIVE_PATH};
use chat_node::Node;
use engine::{
    Ports,
    clock::{Clock, Entropy},
    interest::MAX_WORKERS,
};
use gateway::Gateway;
use protocol::NodeId;
use runtime::{
    health::Health,
    lifecycle::Lifecycle,
    metrics::Metrics,
    ops,
    server::{HttpServer, Upgrade},
};
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
    /// The admin API cannot be built.
    #[error(transparent)]
    AdminApi(#[from] admin_api::StartError),
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
    admin_api: AdminApi,
    assets: Assets,
    health: Health,
    metrics: Metrics,
}

/// What the services stand on.
pub struct Backends {
    /// The chat-node's and the gateway's.
    pub node: Ports,
    /// The admin API's, and the name that these are of: to the chat-node it is another process.
    pub admin: (NodeId, Ports),
}

/// Builds everything over `backends`; `health` may have checks of them already. `listener` is bound by the caller, so that tests and `main` start it the same way.
///
/// # Errors
/// As [`StartError`] says.
pub async fn build(
    config: Config,
    backends: Backends,
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
    let Backends { node: ports, admin: (admin_id, admin_ports) } = backends;
    let node = Node::new(config.chat_node, ports.clone(), clock.clone(), entropy.clone(), &metrics, &health).await?;
    let gateway = Gateway::new(config.gateway, node_id, ports, clock.clone(), health.clone(), VERSION)
        .as_part_of(NAME)
        .describing(admin_api::document(VERSION));
    let admin_api = AdminApi::new(config.admin_api, admin_id, admin_ports, clock, entropy).await?;
    // Where services tell the same, such as what their limits refuse, each has policies of its own.
    gateway.show(&metrics);
    admin_api.show(&metrics);
    Ok(Product { listener, workers, node, gateway, admin_api, assets, health, metrics })
}

impl Product {
    /// Where its figures are shown, for what it stands on to add its own.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

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
            // Before the admin API, for the dashboard is a file: what is none goes on.
            .routes(self.assets.routes())
            .routes(self.admin_api.routes())
            .upgrade(upgrade(self.node.upgrade(lifecycle), self.admin_api.upgrade()));
        let node = lifecycle.spawn(self.node.run(NAME, lifecycle.clone()));
        let (gateway, admin_api) = (self.gateway, self.admin_api);
        let background = {
            let lifecycle = lifecycle.clone();
            async move { tokio::join!(gateway.run(&lifecycle), admin_api.run(&lifecycle)) }
        };
        lifecycle.spawn(background);
        let served = http.run(lifecycle, stop_accept).await;
        // Also when the server could not be started: nothing is to go on without it.
        lifecycle.soft.cancel();
        let _ = node.await;
        served
    }
}

/// Every WebSocket request comes to one place.
fn upgrade(chat: Upgrade, live: Upgrade) -> Upgrade {
    Arc::new(
        move |request, framed| if request.path() == LIVE_PATH { live(request, framed) } else { chat(request, framed) },
    )
}
