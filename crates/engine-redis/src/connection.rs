//! One of the connections that carry commands. When it is lost or of no use, it is made from nothing.

use crate::{
    config::{ConnectError, RedisConfig},
    dial::Life,
    stats::{Kind, Stats},
};
use fred::{
    clients::Client,
    interfaces::{ClientLike, EventInterface},
    types::config::Server,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// What fred may have to tell of a connection that nothing is published to.
const EVENTS: usize = 32;
/// Pauses between tries to connect.
const PAUSE: std::ops::RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(1);
/// A connection that was of no use after a shorter time than this is no reason to hurry with the next.
const SHORT: Duration = Duration::from_secs(2);

/// Commands that one connection carries at once; the others wait here and not in fred or in a socket's buffer, where their
/// time would run out without anybody knowing that it was not Redis that was slow. Many more than one at a time, so that
/// the way there and back costs nothing; few enough that what is sent is answered within milliseconds.
const UNDER_WAY: usize = 256;

/// What the connections of a process have in common.
#[derive(Clone)]
pub struct Common {
    pub config: RedisConfig,
    /// Told when connections are back.
    pub back: Arc<Notify>,
    pub end: CancellationToken,
    /// How many connections are away.
    pub away: Arc<AtomicUsize>,
    pub stats: Arc<Stats>,
}

/// What there is, and since when; none while it is made anew.
type Present = Option<(Client, Instant)>;

/// A connection, or the expectation of one.
#[derive(Debug)]
pub struct Connection {
    present: Arc<watch::Sender<Present>>,
    silence: Silence,
    turns: Semaphore,
}

impl Connection {
    /// Connects once, and goes on for itself until the end.
    pub async fn start(common: Common) -> Result<Self, ConnectError> {
        let life = begin(&common.config, 0).await?;
        Ok(Self::kept(common, life))
    }

    fn kept(common: Common, life: Life) -> Self {
        let present = Arc::new(watch::Sender::new(Some((life.client.clone(), Instant::now()))));
        tokio::spawn(keep(common, life, present.clone()));
        Self { present, silence: Silence::default(), turns: Semaphore::new(UNDER_WAY) }
    }

    /// The same on the runtime that this is called on, once there is anything to connect to; none at the end.
    pub async fn when_there(common: Common) -> Option<Self> {
        let life = common.end.run_until_cancelled(again(&common.config, Duration::ZERO)).await?;
        Some(Self::kept(common, life))
    }

    /// A turn to send something, if there is one now.
    pub fn try_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.try_acquire().ok()
    }

    /// Waits for one, behind those who wait already.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// What there is now.
    pub fn now(&self) -> Option<Client> {
        self.present.borrow().as_ref().map(|(client, _)| client.clone())
    }

    /// Whether there is one that works, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.present.borrow().as_ref().is_some_and(|(client, _)| client.is_connected())
    }

    /// Waits until there is one; for ever when it has ended.
    pub async fn wait(&self) -> Client {
        let mut present = self.present.subscribe();
        if let Ok(present) = present.wait_for(Option::is_some).await
            && let Some((client, _)) = &*present
        {
            return client.clone();
        }
        std::future::pending().await
    }

    /// What was there at this time was of no use: from now on nobody gets it, and it is made anew. What has come since
    /// is another one.
    pub fn doubt(&self, at: Instant) {
        self.present.send_if_modified(|present| {
            let is_it = present.as_ref().is_some_and(|(_, since)| *since <= at);
            if is_it {
                *present = None;
            }
            is_it
        });
    }

    /// There was an answer.
    pub fn answered(&self, by: impl FnOnce() -> Option<Server>) {
        self.silence.broken(by);
    }

    /// There was none in time to what was asked at this time; so many in a row are too many.
    pub fn silent(&self, by: Option<Server>, limit: u32, at: Instant) {
        if self.silence.one_more(by) >= limit {
            self.silence.forget();
            tracing::warn!(timeouts = limit, "Redis is silent: connecting anew");
            self.doubt(at);
        }
    }
}

/// Time-outs in a row of each server: in a cluster one may be silent while the others answer.
#[derive(Debug, Default)]
struct Silence {
    any: AtomicBool,
    timeouts: Mutex<HashMap<Option<Server>, u32>>,
}

impl Silence {
    fn broken(&self, by: impl FnOnce() -> Option<Server>) {
        if self.any.load(Ordering::Relaxed) {
            let mut timeouts = self.timeouts.lock().unwrap_or_else(PoisonError::into_inner);
            timeouts.remove(&by());
            self.any.store(!timeouts.is_empty(), Ordering::Relaxed);
        }
    }

    fn one_more(&self, by: Option<Server>) -> u32 {
        let mut timeouts = self.timeouts.lock().unwrap_or_else(PoisonError::into_inner);
        self.any.store(true, Ordering::Relaxed);
        let count = timeouts.entry(by).or_default();
        *count += 1;
        *count
    }

    fn forget(&self) {
        self.timeouts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.any.store(false, Ordering::Relaxed);
    }
}

async fn begin(config: &RedisConfig, attempt: usize) -> Result<Life, ConnectError> {
    Life::begin(config, config.commands(attempt)?, config.policy(), EVENTS).await
}

async fn keep(common: Common, first: Life, present: Arc<watch::Sender<Present>>) {
    let mut life = first;
    let mut pause = *PAUSE.start();
    let mut doubt = present.subscribe();
    loop {
        // Only in a cluster: to another server, or to one that was away. (What came before this is the beginning.)
        let mut more = life.client.reconnect_rx();
        let began = Instant::now();
        let why = loop {
            tokio::select! {
                () = common.end.cancelled() => return life.quit().await,
                () = life.ended() => break "it is lost",
                () = none_left(&mut doubt) => break "it is of no use",
                Ok(_) = more.recv() => {
                    while more.try_recv().is_ok() {}
                    common.stats.reconnected(Kind::Commands);
                    common.back.notify_one();
                }
            }
        };
        tracing::warn!(why, "a connection to Redis begins anew");
        let away = Away::begin(common.away.clone());
        present.send_replace(None);
        pause = if began.elapsed() < SHORT { (pause * 2).min(*PAUSE.end()) } else { *PAUSE.start() };
        // Whoever waits for a reply is told at once that none comes.
        drop(life);
        life = tokio::select! {
            () = common.end.cancelled() => return,
            life = again(&common.config, pause) => life,
        };
        present.send_replace(Some((life.client.clone(), Instant::now())));
        common.stats.reconnected(Kind::Commands);
        // It may be another server, which never got what the former one gave: whoever knows more than the store must
        // look again, although the subscriber may have noticed nothing. Once is enough, when all are back.
        if away.end() {
            common.back.notify_one();
        }
    }
}

/// One connection that is away. It is not for ever when its thread ends meanwhile.
struct Away(Option<Arc<AtomicUsize>>);

impl Away {
    fn begin(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Some(count))
    }

    /// Says whether it was the last one.
    fn end(mut self) -> bool {
        self.0.take().is_some_and(|count| count.fetch_sub(1, Ordering::Relaxed) == 1)
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        if let Some(count) = self.0.take() {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

async fn none_left(present: &mut watch::Receiver<Present>) {
    let _ = present.wait_for(Option::is_none).await;
}

async fn again(config: &RedisConfig, first: Duration) -> Life {
    let mut pause = first;
    for attempt in 0.. {
        tokio::time::sleep(pause).await;
        match begin(config, attempt).await {
            Ok(life) => return life,
            Err(e @ ConnectError::Unreachable(_)) => tracing::debug!(attempt, error = %e, "Redis is away"),
            // An operator must do something.
            Err(e) => tracing::warn!(attempt, error = %e, "Redis is of no use"),
        }
        pause = (pause * 2).min(*PAUSE.end());
    }
    // Nobody waits for 2^64 tries.
    std::future::pending().await
}
