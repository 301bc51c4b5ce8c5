//! What is sent to Redis: a time limit for each command, and one attempt.

use crate::{
    config::{ConnectError, RedisConfig},
    connection::{Common, Connection},
    reply::Reply,
    script::{ALIVE, Script},
    stats::{Fault, Operation, Stats},
};
use engine::Unavailable;
use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientLike, ClusterInterface, LuaInterface, PubsubInterface},
    types::{Key, Value, cluster::ClusterRouting, config::Server},
};
use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore, SemaphorePermit},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// What fred's own time limit is given in addition, for the case that it is fred that is stuck.
const MARGIN: Duration = Duration::from_millis(250);
/// Before something is asked again that another server of the cluster should do.
const DETOUR: Duration = Duration::from_millis(20);

/// A thread's own connection, and whose it is.
struct Own {
    of: Arc<Notify>,
    connection: Arc<Connection>,
}

thread_local! {
    static OWN: RefCell<Option<Own>> = const { RefCell::new(None) };
}

/// The connections that carry commands.
pub struct Commands {
    connections: Vec<Arc<Connection>>,
    common: Common,
    next: AtomicUsize,
    time_limit: Duration,
    timeouts_before_reconnect: u32,
    /// Places for commands that wait for a connection, or for a turn on one.
    places: Semaphore,
}

impl Commands {
    /// Connects all; they go on for themselves until `end`.
    pub async fn connect(config: &RedisConfig, end: CancellationToken) -> Result<Self, ConnectError> {
        let (back, away, stats) = (Arc::new(Notify::new()), Arc::default(), Arc::default());
        let common = Common { config: config.clone(), back, end, away, stats };
        let mut connections = Vec::new();
        for _ in 0..config.connections.max(1) {
            connections.push(Arc::new(Connection::start(common.clone()).await?));
        }
        Ok(Self {
            connections,
            common,
            next: AtomicUsize::new(0),
            time_limit: config.command_timeout,
            timeouts_before_reconnect: config.timeouts_before_reconnect.max(1),
            places: Semaphore::new(config.max_waiting),
        })
    }

    /// Gives this thread a connection of its own, on its own runtime: what it asks goes to Redis and back without any
    /// other thread being woken. Until it is there, and whenever it is not, those that all threads share are used.
    pub fn settle(&self, thread: &Handle) {
        let common = self.common.clone();
        thread.spawn(async move {
            let of = common.back.clone();
            if let Some(connection) = Connection::when_there(common).await {
                OWN.set(Some(Own { of, connection: Arc::new(connection) }));
            }
        });
    }

    /// This thread's, if it works.
    fn own(&self) -> Option<Arc<Connection>> {
        OWN.with_borrow(|own| {
            let own = own.as_ref().filter(|own| Arc::ptr_eq(&own.of, &self.common.back))?;
            own.connection.is_connected().then(|| own.connection.clone())
        })
    }

    /// Runs a script: by its hash, and with its text where the server does not know it yet.
    pub async fn run(&self, script: &Script, keys: Vec<Key>, args: Vec<Value>) -> Result<Reply, Unavailable> {
        let result = self.carry(&Order::Run { script, keys, args }).await;
        result.map(Reply::new).map_err(|e| {
            if is_ours(&e) {
                tracing::error!(script = script.name, error = e.details(), "a script failed");
            }
            Unavailable(format!("{}: {e}", script.name))
        })
    }

    /// What the server says of itself; of a Redis Cluster, the one that has this key.
    pub async fn info(&self, key: &Key) -> Result<String, CommandError> {
        let text = self.carry(&Order::Info { key }).await.map_err(CommandError)?;
        Ok(text.into_string().unwrap_or_default())
    }

    /// What is counted of these and all other connections of the process.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.common.stats
    }

    /// Publishes.
    pub async fn publish(&self, channel: &str, message: bytes::Bytes) -> Result<(), Unavailable> {
        let result = self.carry(&Order::Publish { channel: channel.into(), message }).await;
        result.map(|_| ()).map_err(|e| Unavailable(format!("PUBLISH: {e}")))
    }

    /// Which server of a cluster has a key, as far as is known.
    pub fn server_of(&self, key: &Key) -> Option<Server> {
        server_of(&self.connections.first()?.now()?, Some(key))
    }

    /// Waits until connections that were away are back: perhaps to another server.
    pub async fn back(&self) {
        self.common.back.notified().await;
    }

    /// Whether there is a connection now, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.connections.iter().any(|connection| connection.is_connected())
    }

    /// Whether something can be written. A replica answers a PING as well, and so does a server whose disk is full.
    pub async fn alive(&self, key: Key) -> Result<(), Unavailable> {
        self.run(&ALIVE, vec![key], Vec::new()).await.map(|_| ())
    }

    /// The next one that is there, if any is. (In a cluster fred may be looking for a lost server on its own, and then
    /// keeps everybody waiting, whichever server they want.)
    fn pick(&self) -> &Arc<Connection> {
        let n = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        let mut turn = self.connections.iter().cycle().skip(n).take(self.connections.len());
        // There is at least one.
        turn.find(|connection| connection.is_connected()).unwrap_or(&self.connections[n])
    }

    /// Does it within the time limit. What was certainly not done, for another server should do it, is tried again.
    async fn carry(&self, order: &Order<'_>) -> Result<Value, Error> {
        let asked = Asked::new(&self.common.stats, order.operation(), self.time_limit);
        let deadline = asked.at + self.time_limit;
        loop {
            match self.try_once(deadline, order).await {
                Err(e) if is_elsewhere(&e) && Instant::now() + DETOUR < deadline => tokio::time::sleep(DETOUR).await,
                result => {
                    asked.ended(result.as_ref().err());
                    return result;
                }
            }
        }
    }

    /// A place to wait in.
    fn place(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.places.try_acquire().map_err(|_| Error::new(ErrorKind::Backpressure, "too many wait"))
    }

    async fn try_once(&self, deadline: Instant, order: &Order<'_>) -> Result<Value, Error> {
        let connection = self.own().unwrap_or_else(|| self.pick().clone());
        let client = match connection.now() {
            Some(client) => client,
            None => {
                let _place = self.place()?;
                let waiting = tokio::time::timeout_at(deadline, connection.wait());
                waiting.await.map_err(|_| Error::new(ErrorKind::IO, "not connected"))?
            }
        };
        let _turn = match connection.try_turn() {
            turn @ Some(_) => turn,
            None => {
                let _place = self.place()?;
                let waiting = tokio::time::timeout_at(deadline, connection.turn());
                waiting.await.map_err(|_| Error::new(ErrorKind::Backpressure, "too much is under way"))?
            }
        };
        let at = Instant::now();
        let result = match tokio::time::timeout_at(deadline + MARGIN, order.send(&client)).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(ErrorKind::Timeout, "no answer in time")),
        };
        match &result {
            Err(e) if *e.kind() == ErrorKind::Timeout && !had_time(at.elapsed(), self.time_limit) => {}
            // fred does not notice by itself that a connection has gone silent.
            Err(e) if *e.kind() == ErrorKind::Timeout => {
                connection.silent(server_of(&client, order.key()), self.timeouts_before_reconnect, at);
            }
            // The others go to the same one.
            Err(e) if is_useless(e) => {
                connection.doubt(at);
                self.connections.iter().for_each(|connection| connection.doubt(at));
            }
            _ => connection.answered(|| server_of(&client, order.key())),
        }
        result
    }
}

/// Whether a time-out says something about Redis. What had waited for its turn until there was little time left does not.
fn had_time(sent_for: Duration, limit: Duration) -> bool {
    sent_for >= limit / 2
}

/// What is to be done.
enum Order<'a> {
    Run { script: &'a Script, keys: Vec<Key>, args: Vec<Value> },
    Publish { channel: Key, message: bytes::Bytes },
    Info { key: &'a Key },
}

/// A command that somebody waits for. Who stops waiting says nothing; then this does.
struct Asked<'a> {
    stats: &'a Stats,
    operation: Operation,
    at: Instant,
    limit: Duration,
    is_over: bool,
}

impl<'a> Asked<'a> {
    fn new(stats: &'a Stats, operation: Operation, limit: Duration) -> Self {
        Self { stats, operation, at: Instant::now(), limit, is_over: false }
    }

    fn ended(mut self, error: Option<&Error>) {
        self.is_over = true;
        self.stats.ended(self.operation, self.at.elapsed(), error);
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.stats.given_up(self.operation, self.at.elapsed(), self.limit);
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CommandError(Error);

impl CommandError {
    /// Whether that was for want of a server, rather than because it said no.
    pub fn is_away(&self) -> bool {
        Fault::of(&self.0) != Fault::Refused
    }
}

impl Order<'_> {
    fn operation(&self) -> Operation {
        match self {
            Order::Run { script, .. } => script.operation,
            Order::Publish { .. } => Operation::Publish,
            Order::Info { .. } => Operation::Check,
        }
    }

    /// What decides which server of a cluster does it.
    fn key(&self) -> Option<&Key> {
        match self {
            Order::Run { keys, .. } => keys.first(),
            Order::Publish { channel, .. } => Some(channel),
            Order::Info { key } => Some(key),
        }
    }

    async fn send(&self, client: &Client) -> Result<Value, Error> {
        match self {
            Order::Run { script, keys, args } => {
                match client.evalsha(script.hash.as_str(), keys.clone(), args.clone()).await {
                    Err(e) if e.details().starts_with("NOSCRIPT") => {
                        client.eval(script.text.as_str(), keys.clone(), args.clone()).await
                    }
                    result => result,
                }
            }
            Order::Publish { channel, message } => {
                client.publish(channel.as_str().unwrap_or_default(), Value::Bytes(message.clone())).await
            }
            Order::Info { key } => match server_of(client, Some(key)) {
                Some(server) => client.with_cluster_node(server).info(None).await,
                None => client.info(None).await,
            },
        }
    }
}

fn server_of(client: &Client, key: Option<&Key>) -> Option<Server> {
    let slots = client.cached_cluster_state()?;
    slots.get_server(ClusterRouting::hash_key(key?.as_bytes())).cloned()
}

/// Whether it was not done, and may be asked again: the slot is another server's by now (fred's answer to MOVED, since
/// it is to follow none), or it is just being moved (ASK, TRYAGAIN), which no script of several keys can follow.
fn is_elsewhere(error: &Error) -> bool {
    let details = error.details();
    (*error.kind() == ErrorKind::Routing && details.starts_with("Too many redirections"))
        || ["TRYAGAIN", "MOVED", "ASK "].iter().any(|code| details.starts_with(code))
}

/// Whether this server is one that takes nothing for now, and another may be the master.
fn is_useless(error: &Error) -> bool {
    ["READONLY", "NOREPLICAS", "MASTERDOWN", "NOAUTH"].iter().any(|code| error.details().starts_with(code))
}

/// Whether the fault is in a script rather than between us and the server, or in the server's state.
fn is_ours(error: &Error) -> bool {
    let details = error.details();
    (details.starts_with("ERR") && details.contains("user_script"))
        || details.starts_with("CROSSSLOT")
        || details.starts_with("WRONGTYPE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_had_time_says_that_nobody_answers() {
        let limit = Duration::from_secs(2);
        assert!(had_time(limit, limit) && had_time(limit + MARGIN, limit));
        assert!(!had_time(Duration::ZERO, limit) && !had_time(limit / 4, limit), "it waited with us");
    }
}
