//! Keeps a [`Link`] to Redis, whatever happens, and says so whenever something may have been missed.

use crate::{
    commands::Commands,
    config::{ConnectError, RedisConfig},
    keys::Keys,
    link::{Link, Request},
    routes::Routes,
};
use engine::Unavailable;
use fred::types::Key;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Pauses between tries to connect.
const PAUSE: std::ops::RangeInclusive<u64> = 50..=1000;

/// Asks for subscriptions.
#[derive(Debug)]
pub struct Subscriber {
    requests: mpsc::Sender<Request>,
    time_limit: Duration,
    hears: Arc<AtomicBool>,
}

impl Subscriber {
    /// Connects once, and goes on for itself until `end`.
    pub async fn start(
        config: RedisConfig,
        keys: &Keys,
        commands: Arc<Commands>,
        routes: Arc<Routes>,
        end: CancellationToken,
    ) -> Result<Self, ConnectError> {
        let hears = Arc::new(AtomicBool::new(true));
        let (requests, inbox) = mpsc::channel(config.max_waiting.max(1));
        let subscriber = Self { requests, time_limit: config.command_timeout, hears: hears.clone() };
        let (probe_channel, membership) = (keys.probe(Uuid::new_v4()), keys.a_key_of_membership());
        let keeper = Keeper { config, commands, routes, probe_channel, membership, hears };
        let link = keeper.open(0).await?;
        tokio::spawn(keeper.run(link, inbox, end));
        Ok(subscriber)
    }

    /// Waits until a channel, which the routes want, is heard.
    pub async fn subscribe(&self, channel: String) -> Result<(), Unavailable> {
        let (done, heard) = oneshot::channel();
        let ask = async {
            self.requests.send(Request::Subscribe(channel, done)).await.ok()?;
            heard.await.ok()
        };
        match tokio::time::timeout(self.time_limit, ask).await {
            Ok(Some(())) => Ok(()),
            _ => Err(Unavailable("SUBSCRIBE: no connection".to_owned())),
        }
    }

    /// A channel that the routes do not want any more need not be heard; there is no hurry. (While there is no
    /// connection and the inbox is full, it is forgotten: the next connection hears only what the routes want.)
    pub fn unsubscribe(&self, channel: String) {
        let _ = self.requests.try_send(Request::Unsubscribe(channel));
    }

    /// Whether there is a connection, as far as is known.
    pub fn hears(&self) -> bool {
        self.hears.load(Ordering::Relaxed)
    }
}

struct Keeper {
    config: RedisConfig,
    commands: Arc<Commands>,
    routes: Arc<Routes>,
    probe_channel: String,
    /// Any key of those: it says which server of a cluster to listen to.
    membership: Key,
    hears: Arc<AtomicBool>,
}

impl Keeper {
    async fn run(self, first: Link, mut inbox: mpsc::Receiver<Request>, end: CancellationToken) {
        let mut link = first;
        loop {
            let why = tokio::select! {
                () = end.cancelled() => break,
                why = link.serve(&mut inbox, &self.commands, &self.probe_channel, &self.config) => why,
            };
            self.hears.store(false, Ordering::Relaxed);
            tracing::warn!(why, "the subscriber begins anew");
            link.close().await;
            link = tokio::select! {
                () = end.cancelled() => break,
                link = self.connect() => link,
            };
            self.hears.store(true, Ordering::Relaxed);
            // That covers commands which are back already.
            let _ = tokio::time::timeout(Duration::ZERO, self.commands.back()).await;
            // Only now: whatever is read because of this is read after the subscriptions are in force.
            self.routes.missed();
            tracing::info!("the subscriber hears again");
        }
        link.close().await;
    }

    async fn open(&self, attempt: usize) -> Result<Link, ConnectError> {
        let preferred = self.commands.server_of(&self.membership);
        Link::open(&self.config, attempt, preferred, self.routes.clone(), &self.probe_channel).await
    }

    async fn connect(&self) -> Link {
        let mut pause = *PAUSE.start();
        for attempt in 0.. {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match self.open(attempt).await {
                Ok(link) => return link,
                Err(e) => tracing::debug!(attempt, error = %e, "the subscriber cannot connect"),
            }
            pause = (pause * 2).min(*PAUSE.end());
        }
        // Nobody waits for 2^64 tries.
        std::future::pending().await
    }
}
