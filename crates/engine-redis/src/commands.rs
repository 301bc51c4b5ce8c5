//! The connections that carry commands: a time limit for each, one attempt, and a new connection when the old one
//! is silent.

use crate::{
    config::{ConnectError, RedisConfig},
    reply::Reply,
    script::Script,
};
use engine::Unavailable;
use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientLike, ClusterInterface, LuaInterface, PubsubInterface},
    types::{
        Builder, Key, Value,
        cluster::ClusterRouting,
        config::{ReconnectPolicy, Server},
    },
};
use std::{
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    time::Duration,
};

/// What fred's own time limit is given in addition, for the case that it is fred that is stuck.
const MARGIN: Duration = Duration::from_millis(250);

/// The connections.
#[derive(Debug)]
pub struct Commands {
    connections: Vec<Connection>,
    next: AtomicUsize,
    time_limit: Duration,
    timeouts_before_reconnect: u32,
}

#[derive(Debug)]
struct Connection {
    client: Client,
    timeouts: AtomicU32,
}

impl Commands {
    /// Connects all.
    pub async fn connect(config: &RedisConfig) -> Result<Self, ConnectError> {
        let mut builder = Builder::from_config(config.commands()?);
        builder
            .set_performance_config(config.performance())
            .set_connection_config(config.connection())
            .set_policy(ReconnectPolicy::new_exponential(0, 50, 1000, 2));
        let mut connections = Vec::new();
        for _ in 0..config.connections.max(1) {
            let client = builder.build().map_err(|e| ConnectError::Config(e.to_string()))?;
            client.init().await.map_err(|e| ConnectError::Unreachable(e.to_string()))?;
            connections.push(Connection { client, timeouts: AtomicU32::new(0) });
        }
        Ok(Self {
            connections,
            next: AtomicUsize::new(0),
            time_limit: config.command_timeout,
            timeouts_before_reconnect: config.timeouts_before_reconnect.max(1),
        })
    }

    /// Runs a script: by its hash, and with its text where the server does not know it yet.
    pub async fn run(&self, script: &Script, keys: Vec<Key>, args: Vec<Value>) -> Result<Reply, Unavailable> {
        let connection = self.pick();
        let client = &connection.client;
        let call = async {
            match client.evalsha::<Value, _, _, _>(script.hash.as_str(), keys.clone(), args.clone()).await {
                Err(e) if e.details().starts_with("NOSCRIPT") => client.eval(script.text.as_str(), keys, args).await,
                result => result,
            }
        };
        let result = self.limit(connection, call).await;
        result.map(Reply::new).map_err(|e| {
            if is_ours(&e) {
                tracing::error!(script = script.name, error = e.details(), "a script failed");
            }
            Unavailable(format!("{}: {e}", script.name))
        })
    }

    /// Publishes.
    pub async fn publish(&self, channel: &str, message: bytes::Bytes) -> Result<(), Unavailable> {
        let connection = self.pick();
        let call = connection.client.publish::<i64, _, _>(channel, Value::Bytes(message));
        self.limit(connection, call).await.map(|_| ()).map_err(|e| Unavailable(format!("PUBLISH: {e}")))
    }

    /// Which server of a cluster has a key, as far as is known.
    pub fn server_of(&self, key: &Key) -> Option<Server> {
        let slots = self.connections.first()?.client.cached_cluster_state()?;
        slots.get_server(ClusterRouting::hash_key(key.as_bytes())).cloned()
    }

    /// Whether there is a connection now, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.connections.iter().any(|connection| connection.client.is_connected())
    }

    /// Asks for an answer.
    pub async fn ping(&self) -> Result<(), Unavailable> {
        let connection = self.pick();
        let call = connection.client.ping::<Value>(None);
        self.limit(connection, call).await.map(|_| ()).map_err(|e| Unavailable(format!("PING: {e}")))
    }

    /// Closes all.
    pub async fn quit(&self) {
        for connection in &self.connections {
            let _ = tokio::time::timeout(MARGIN, connection.client.quit()).await;
        }
    }

    fn pick(&self) -> &Connection {
        let (n, len) = (self.next.fetch_add(1, Ordering::Relaxed), self.connections.len());
        let in_turn = || (0..len).map(|i| &self.connections[n.wrapping_add(i) % len]);
        // There is at least one. Without any that is connected, the call waits for one of them to be.
        in_turn().find(|connection| connection.client.is_connected()).unwrap_or(&self.connections[n % len])
    }

    async fn limit<T>(
        &self,
        connection: &Connection,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let result = match tokio::time::timeout(self.time_limit + MARGIN, call).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(ErrorKind::Timeout, "no answer in time")),
        };
        if !matches!(&result, Err(e) if *e.kind() == ErrorKind::Timeout) {
            connection.timeouts.store(0, Ordering::Relaxed);
            return result;
        }
        // fred does not notice by itself that a connection has gone silent.
        if connection.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= self.timeouts_before_reconnect {
            connection.timeouts.store(0, Ordering::Relaxed);
            tracing::warn!(timeouts = self.timeouts_before_reconnect, "Redis is silent: connecting anew");
            let client = connection.client.clone();
            tokio::spawn(async move { client.force_reconnection().await });
        }
        result
    }
}

/// Whether the fault is in a script rather than between us and the server.
fn is_ours(error: &Error) -> bool {
    let details = error.details();
    details.contains("user_script") || details.starts_with("CROSSSLOT") || details.starts_with("WRONGTYPE")
}
