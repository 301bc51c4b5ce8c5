//! One life of the subscriber's connection. When anything about it is doubtful it ends, and another one begins: that
//! way there is one path to a good state, and it is used often enough to be right.

use crate::{
    commands::Commands,
    config::{ConnectError, RedisConfig},
    dial::{Life, explain},
    envelope,
    routes::Routes,
};
use fred::{
    error::{Error, ErrorKind},
    interfaces::{ClientLike, EventInterface, PubsubInterface},
    types::{Message, Value, config::Server},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

/// Channels of one SUBSCRIBE.
const BATCH: usize = 512;

/// What a node asks of the subscriber. What counts is what the routes say when it is looked at.
#[derive(Debug)]
pub enum Request {
    /// Hear this channel, and say when it is heard.
    Subscribe(String, oneshot::Sender<()>),
    /// Nobody wants to hear this one.
    Unsubscribe(String),
}

/// The newest probe that was heard, and when.
type Heard = (u64, Instant);

/// A connection that hears what the routes say.
pub struct Link {
    life: Life,
    reader: JoinHandle<()>,
    heard: watch::Receiver<Heard>,
    subscribed: HashSet<String>,
    routes: Arc<Routes>,
    time_limit: Duration,
}

impl Link {
    /// Connects, and hears every channel that is wanted; nothing that is published from then on is missed.
    pub async fn open(
        config: &RedisConfig,
        attempt: usize,
        preferred: Option<Server>,
        routes: Arc<Routes>,
        probe_channel: &str,
    ) -> Result<Self, ConnectError> {
        // Without a policy fred does not reconnect: its own resubscription puts an error into the next reply, and
        // says nothing of what was missed.
        let life = Life::begin(config, config.subscriber(attempt, preferred)?, None, config.inbox).await?;
        let messages = life.client.message_rx();
        let (tell, heard) = watch::channel((0, Instant::now()));
        let reader = tokio::spawn(read(messages, routes.clone(), probe_channel.to_owned(), tell));
        let time_limit = config.command_timeout;
        let mut link = Self { life, reader, heard, subscribed: HashSet::new(), routes, time_limit };
        let mut wanted = link.routes.channels();
        wanted.push(probe_channel.to_owned());
        for batch in wanted.chunks(BATCH) {
            if let Err(e) = link.subscribe(batch.to_vec()).await {
                link.close().await;
                return Err(explain(&e));
            }
        }
        Ok(link)
    }

    /// Does what it is asked, until there is a reason to begin anew.
    pub async fn serve(
        &mut self,
        requests: &mut mpsc::Receiver<Request>,
        commands: &Commands,
        probe_channel: &str,
        config: &RedisConfig,
    ) -> &'static str {
        let deaf = probe(commands, probe_channel, config, self.heard.clone(), self.routes.clone());
        tokio::pin!(deaf);
        loop {
            tokio::select! {
                () = &mut deaf => return "it hears nothing",
                () = self.life.ended() => return "the connection is lost",
                Some(request) = requests.recv() => {
                    let mut batch = vec![request];
                    while batch.len() < BATCH && let Ok(request) = requests.try_recv() {
                        batch.push(request);
                    }
                    if self.handle(batch).await.is_err() {
                        return "a subscription failed";
                    }
                }
            }
        }
    }

    /// Ends the connection. Nothing is delivered from it any more when this returns: the next one's deliveries must
    /// not mix with what this one still had.
    pub async fn close(&mut self) {
        self.reader.abort();
        // It may have been closed before.
        if !self.reader.is_finished() {
            let _ = (&mut self.reader).await;
        }
        self.life.quit().await;
    }

    async fn handle(&mut self, batch: Vec<Request>) -> Result<(), Error> {
        let (mut coming, mut going, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for request in batch {
            let channel = match request {
                Request::Subscribe(channel, done) => {
                    waiting.push(done);
                    channel
                }
                Request::Unsubscribe(channel) => channel,
            };
            // The same channel may be in a batch several times.
            match (self.routes.wants(&channel), self.subscribed.contains(&channel)) {
                (true, false) if !coming.contains(&channel) => coming.push(channel),
                (false, true) if !going.contains(&channel) => going.push(channel),
                _ => {}
            }
        }
        // A channel that became wanted meanwhile must not be given up after it was asked for.
        coming.retain(|channel| !going.contains(channel));
        if !going.is_empty() {
            for channel in &going {
                self.subscribed.remove(channel);
            }
            limit(self.time_limit, self.life.client.unsubscribe(going.clone())).await?;
            coming.extend(going.into_iter().filter(|channel| self.routes.wants(channel)));
        }
        if !coming.is_empty() {
            self.subscribe(coming).await?;
        }
        for done in waiting {
            let _ = done.send(());
        }
        Ok(())
    }

    async fn subscribe(&mut self, channels: Vec<String>) -> Result<(), Error> {
        limit(self.time_limit, self.life.client.subscribe(channels.clone())).await?;
        // fred's SUBSCRIBE returns when it was sent; the answer to a PING behind it means that it was done.
        limit(self.time_limit, self.life.client.ping::<Value>(None)).await?;
        self.subscribed.extend(channels);
        Ok(())
    }
}

async fn limit<T>(time: Duration, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(time, call).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(ErrorKind::Timeout, "no answer in time")),
    }
}

async fn read(
    mut messages: broadcast::Receiver<Message>,
    routes: Arc<Routes>,
    probe: String,
    heard: watch::Sender<Heard>,
) {
    loop {
        match messages.recv().await {
            Ok(message) => {
                let bytes = match message.value {
                    Value::Bytes(bytes) => bytes,
                    Value::String(text) => text.into_inner(),
                    _ => continue,
                };
                if *message.channel != *probe {
                    routes.deliver(&message.channel, &bytes);
                } else if let Some(n) = envelope::decode_probe(&bytes) {
                    heard.send_replace((n, Instant::now()));
                }
            }
            Err(broadcast::error::RecvError::Lagged(lost)) => {
                tracing::warn!(lost, "messages came faster than they could be delivered: reading the rooms again");
                routes.missed();
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Speaks to itself, and returns when it cannot hear itself: a subscriber whose server stopped, or whose packets
/// vanish, notices nothing by itself.
///
/// When commands go on after an outage, then perhaps on another server, which never got what the former one gave.
/// Whoever knows more than the store must look again, also if nothing was to be noticed here; but not before it is
/// certain that this hears what is said there.
async fn probe(
    commands: &Commands,
    channel: &str,
    config: &RedisConfig,
    mut heard: watch::Receiver<Heard>,
    routes: Arc<Routes>,
) {
    let mut doubtful = false;
    for n in 1_u64.. {
        tokio::select! {
            () = tokio::time::sleep(config.probe_interval) => {}
            () = commands.back() => doubtful = true,
        }
        // If it cannot be said, that it is not heard means nothing.
        let asked = Instant::now();
        if commands.publish(channel, envelope::probe(n)).await.is_ok() {
            let answer = heard.wait_for(|(heard, _)| *heard >= n);
            let answer = tokio::time::timeout(config.probe_timeout, answer).await;
            // Longer than that it may have taken as well.
            let at =
                answer.as_ref().ok().and_then(|heard| heard.as_ref().ok()).map_or_else(Instant::now, |heard| heard.1);
            commands.stats().pubsub_lag.observe_time(at.saturating_duration_since(asked));
            if answer.is_err() {
                return;
            }
            drop(answer);
            if std::mem::take(&mut doubtful) {
                routes.missed();
            }
        }
    }
}
