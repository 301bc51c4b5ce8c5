//! Keeps a [`Link`] to Redis, whatever happens, and says so whenever something may have been missed.

use crate::{
    commands::Commands,
    config::{ConnectError, RedisConfig},
    keys::Keys,
    link::{Link, Request},
    routes::Routes,
    stats::Kind,
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
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
};
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
    host: watch::Sender<Host>,
}

/// On whose runtime the connection lives; none: where it began.
type Host = Option<Handle>;

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
        let host = watch::Sender::new(None);
        let subscriber =
            Self { requests, time_limit: config.command_timeout, hears: hears.clone(), host: host.clone() };
        let (probe_channel, membership) = (keys.probe(Uuid::new_v4()), keys.a_key_of_membership());
        let inbox = tokio::sync::Mutex::new(inbox);
        let keeper = Arc::new(Keeper { config, commands, routes, probe_channel, membership, hears, inbox, end });
        let link = keeper.open(0).await?;
        tokio::spawn(keeper.run(link, host));
        Ok(subscriber)
    }

    /// Has the connection live on this thread's runtime, if it is on no other worker's yet: what it hears is then with
    /// this worker's clients without another thread being woken.
    pub fn settle(&self, thread: Handle) {
        self.host.send_if_modified(|host| host.is_none() && host.replace(thread).is_none());
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

    /// The same for whoever asks later.
    pub fn hearing(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let hears = self.hears.clone();
        move || hears.load(Ordering::Relaxed)
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
    /// Held by whoever has the connection.
    inbox: tokio::sync::Mutex<mpsc::Receiver<Request>>,
    end: CancellationToken,
}

impl Keeper {
    /// Sees to it that there is a connection, on one host after the other. A worker's thread ends before the process
    /// does, or another node's does: then it lives here again.
    async fn run(self: Arc<Self>, first: Link, hosts: watch::Sender<Host>) {
        let mut link = Some(first);
        let mut host = hosts.subscribe();
        while !self.end.is_cancelled() {
            let at = host.borrow_and_update().clone();
            let stay = self.clone().stay(link.take(), host.clone());
            match at {
                None => stay.await,
                Some(thread) => {
                    if thread.spawn(stay).await.is_err() {
                        hosts.send_replace(None);
                    }
                }
            }
        }
    }

    /// Has the connection, until the end or until it is to be elsewhere.
    async fn stay(self: Arc<Self>, first: Option<Link>, mut host: watch::Receiver<Host>) {
        let mut inbox = self.inbox.lock().await;
        let mut next = first;
        let mut was_lost = false;
        loop {
            let mut link = match next.take() {
                Some(link) => link,
                None => {
                    let Some(link) = self.end.run_until_cancelled(self.connect()).await else { return };
                    // To another thread it only moves.
                    if was_lost {
                        self.commands.stats().reconnected(Kind::Subscriber);
                    }
                    link
                }
            };
            let why = tokio::select! {
                () = self.end.cancelled() => None,
                Ok(()) = host.changed() => None,
                why = link.serve(&mut inbox, &self.commands, &self.probe_channel, &self.config) => Some(why),
            };
            was_lost = why.is_some();
            if let Some(why) = why {
                self.hears.store(false, Ordering::Relaxed);
                tracing::warn!(why, "the subscriber begins anew");
            }
            link.close().await;
            if why.is_none() {
                return;
            }
            // One that ends as soon as it begins is no reason to hurry.
            let pause = tokio::time::sleep(Duration::from_millis(*PAUSE.start()));
            if self.end.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    async fn open(&self, attempt: usize) -> Result<Link, ConnectError> {
        let preferred = self.commands.server_of(&self.membership);
        Link::open(&self.config, attempt, preferred, self.routes.clone(), &self.probe_channel).await
    }

    /// Connects, whenever that is possible, and tells everybody that something may have been missed.
    async fn connect(&self) -> Link {
        let mut pause = *PAUSE.start();
        for attempt in 0.. {
            match self.open(attempt).await {
                Ok(link) => {
                    self.hears.store(true, Ordering::Relaxed);
                    // That covers commands which are back already.
                    let _ = tokio::time::timeout(Duration::ZERO, self.commands.back()).await;
                    // Only now: whatever is read because of this is read after the subscriptions are in force.
                    self.routes.missed();
                    tracing::info!("the subscriber hears again");
                    return link;
                }
                Err(e) => tracing::debug!(attempt, error = %e, "the subscriber cannot connect"),
            }
            self.hears.store(false, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            pause = (pause * 2).min(*PAUSE.end());
        }
        // Nobody waits for 2^64 tries.
        std::future::pending().await
    }
}
