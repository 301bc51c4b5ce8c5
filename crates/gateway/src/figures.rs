//! How many there are in the whole cluster. A gateway counts, and not each node, for those would all tell the same.

use engine::{
    Ports, Unavailable,
    port::{Census, Directory},
};
use runtime::metrics::Sheet;
use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, timeout};

/// How often it counts. A scrape never waits for that.
const EACH: Duration = Duration::from_secs(10);
/// How long the backend may take for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was counted last; nothing while that could not be done.
#[derive(Debug, Default)]
pub(crate) struct Figures(RwLock<Option<Counted>>);

#[derive(Debug, Clone, Copy)]
struct Counted {
    nodes: u64,
    rooms: u64,
    clients: u64,
}

impl Figures {
    /// Counts until it is dropped.
    pub(crate) async fn keep_counting(&self, ports: &Ports) {
        let mut ticks = tokio::time::interval(EACH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let counted = timeout(PATIENCE, count(ports.directory.as_ref(), ports.census.as_ref())).await;
            // What was true before an outage need not be true now.
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = counted.ok().and_then(Result::ok);
        }
    }

    /// Writes down what is known.
    #[allow(clippy::cast_precision_loss)] // as everywhere in Prometheus
    pub(crate) fn show(&self, sheet: &mut Sheet) {
        let Some(counted) = *self.0.read().unwrap_or_else(PoisonError::into_inner) else { return };
        for (name, help, value) in [
            ("cluster_nodes", "Nodes that hold a lease, as counted within the last seconds.", counted.nodes),
            ("cluster_rooms", "Rooms of the whole cluster.", counted.rooms),
            ("cluster_clients", "Clients of the whole cluster that a connection speaks for.", counted.clients),
        ] {
            sheet.gauge(name, help, &[], value as f64);
        }
    }
}

async fn count(directory: &dyn Directory, census: &dyn Census) -> Result<Counted, Unavailable> {
    let (nodes, counts) = tokio::try_join!(directory.nodes(), census.counts())?;
    Ok(Counted { nodes: nodes.len() as u64, rooms: counts.rooms, clients: counts.clients })
}
