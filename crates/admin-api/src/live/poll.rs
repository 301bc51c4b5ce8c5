//! Reading the figures once a second, for all who listen, and not at all while nobody does.

use crate::{State, reports};
use bytes::Bytes;
use protocol::admin::Live;
use runtime::http::Problem;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// How often.
const EACH: Duration = Duration::from_secs(1);
/// Listeners of one process.
pub(crate) const LISTENERS: usize = 100;

/// What all listeners share.
pub(crate) struct Poller {
    /// The newest figures as JSON. Whoever is slow finds only these.
    figures: watch::Sender<Bytes>,
    somebody: Notify,
    pub(super) places: Semaphore,
    /// Of those who have shown no token yet.
    pub(super) arriving: Semaphore,
    /// The process ends.
    pub(crate) ending: CancellationToken,
}

impl Poller {
    pub(crate) fn new() -> Self {
        Self {
            figures: watch::Sender::new(Bytes::new()),
            somebody: Notify::new(),
            places: Semaphore::new(LISTENERS),
            arriving: Semaphore::new(LISTENERS),
            ending: CancellationToken::new(),
        }
    }

    /// How many listen, having shown a token.
    pub(crate) fn listeners(&self) -> usize {
        LISTENERS.saturating_sub(self.places.available_permits())
    }

    /// Listens from now on.
    pub(super) fn listen(&self) -> watch::Receiver<Bytes> {
        let mut figures = self.figures.subscribe();
        // Those may be from an hour ago.
        figures.mark_unchanged();
        self.somebody.notify_one();
        figures
    }

    /// Reads as long as it is let.
    pub(crate) async fn run(&self, state: &State) {
        loop {
            while self.figures.receiver_count() == 0 {
                self.somebody.notified().await;
            }
            match read(state).await {
                Ok(figures) => {
                    self.figures.send_replace(figures);
                }
                // It was logged; there is nothing new to show.
                Err(_) => tracing::debug!("no live figures"),
            }
            tokio::time::sleep(EACH).await;
        }
    }
}

async fn read(state: &State) -> Result<Bytes, Problem> {
    let servers = reports::servers(state).await?;
    let live = Live { at: state.clock.now(), now: reports::totals(state, &servers).await?, servers };
    serde_json::to_vec(&live).map(Bytes::from).map_err(|_| Problem::internal())
}
