//! The admin API as a process of its own.

use crate::{AdminApi, Config, StartError};
use engine::{
    Ports,
    clock::{Clock, Entropy},
};
use protocol::NodeId;
use runtime::{health::Health, lifecycle::Lifecycle, metrics::Metrics, ops, server::HttpServer};
use std::{io, net::TcpListener, sync::Arc};

/// What it is called.
const NAME: &str = "admin-api";

/// An admin API and what serves it, not running yet.
pub struct Server {
    api: AdminApi,
    health: Health,
    http: HttpServer,
    metrics: Metrics,
}

/// A server on `listener` with the admin API's routes, and those of [`runtime::ops`].
///
/// # Errors
/// As [`StartError`] says.
#[allow(clippy::too_many_arguments)] // each is another thing that tests replace
pub async fn build(
    config: Config,
    node_id: NodeId,
    ports: Ports,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    health: Health,
    version: &str,
    listener: TcpListener,
) -> Result<Server, StartError> {
    let metrics = Metrics::new(NAME, version).map_err(io::Error::other)?;
    let api = AdminApi::new(config, node_id, ports, clock, entropy).await?;
    api.show(&metrics);
    let http = HttpServer::new(NAME, listener, metrics.clone())
        .routes(api.routes())
        .routes(ops::routes(health.clone(), metrics.clone()));
    Ok(Server { api, health, http, metrics })
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

    /// The same with live feeds on raw sockets, as they are in a process with other WebSockets.
    #[must_use]
    pub fn with_raw_feeds(mut self) -> Self {
        self.http = self.http.upgrade(self.api.upgrade());
        self
    }

    /// Serves until it is asked to end, and has.
    ///
    /// # Errors
    /// When the server cannot be started.
    pub async fn run(self, lifecycle: &Lifecycle) -> io::Result<()> {
        let Self { api, health, http, .. } = self;
        let background = lifecycle.clone();
        lifecycle.spawn(async move { api.run(&background).await });
        health.set_ready(true);
        http.run(lifecycle, lifecycle.soft.clone()).await
    }
}
