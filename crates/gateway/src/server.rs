//! The gateway as a process of its own.

use crate::{Config, Gateway};
use engine::{Ports, clock::Clock};
use protocol::NodeId;
use runtime::{health::Health, lifecycle::Lifecycle, metrics::Metrics, ops, server::HttpServer};
use std::{io, net::TcpListener, sync::Arc};
use utoipa::openapi::OpenApi;

/// A gateway and what serves it, not running yet.
pub struct Server {
    gateway: Gateway,
    health: Health,
    http: HttpServer,
    metrics: Metrics,
}

/// A server on `listener` with the gateway's routes, and those of [`runtime::ops`].
///
/// # Errors
/// When the metrics cannot be made, which takes a `version` that is no label.
pub fn build(
    config: Config,
    node_id: NodeId,
    ports: Ports,
    clock: Arc<dyn Clock>,
    health: Health,
    version: &str,
    listener: TcpListener,
) -> io::Result<Server> {
    let metrics = Metrics::new("gateway", version).map_err(io::Error::other)?;
    let gateway = Gateway::new(config, node_id, ports, clock, health.clone(), version);
    gateway.show(&metrics);
    let routes = ops::routes(health.clone(), metrics.clone());
    let http = HttpServer::new("gateway", listener, metrics.clone()).routes(routes);
    Ok(Server { gateway, health, http, metrics })
}

impl Server {
    /// Where its figures are shown, for what it stands on to add its own.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The same with as many worker threads.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.http = self.http.workers(workers);
        self
    }

    /// The same, describing the calls of another service of the product as well.
    #[must_use]
    pub fn describing(mut self, other: OpenApi) -> Self {
        self.gateway = self.gateway.describing(other);
        self
    }

    /// Serves until it is asked to end, and has.
    ///
    /// # Errors
    /// When the server cannot be started.
    pub async fn run(self, lifecycle: &Lifecycle) -> io::Result<()> {
        let Self { gateway, health, http, .. } = self;
        let http = http.routes(gateway.routes());
        let background = lifecycle.clone();
        lifecycle.spawn(async move { gateway.run(&background).await });
        health.set_ready(true);
        http.run(lifecycle, lifecycle.soft.clone()).await
    }
}
