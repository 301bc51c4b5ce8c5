//! What a process must know to use a Redis.

use crate::tls;
use engine::Retention;
use fred::{
    error::ErrorKind,
    types::{
        RespVersion,
        config::{Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy, Server, ServerConfig, TcpConfig},
    },
};
use std::{path::PathBuf, time::Duration};
use thiserror::Error;

/// How to reach Redis, and how long to wait for it.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://`, `rediss://`, `redis-cluster://` or `redis-sentinel://`.
    pub url: String,
    /// Who must have signed the server's certificate, as PEM; without it, whom the system trusts. Only for TLS.
    pub ca_file: Option<PathBuf>,
    /// What every key and channel begins with. Clusters with different prefixes know nothing of each other.
    pub prefix: String,
    /// What is kept, and how long.
    pub retention: Retention,
    /// After this a call fails with `Unavailable`.
    pub command_timeout: Duration,
    /// How many connections carry commands. One more hears.
    pub connections: usize,
    /// Commands that may wait on one connection; more fail at once.
    pub max_waiting: usize,
    /// After so many time-outs in a row on one connection it is made anew.
    pub timeouts_before_reconnect: u32,
    /// Messages that may wait to be delivered; when there are more, what was lost is told as `Missed`.
    pub inbox: usize,
    /// How often a process asks itself whether it hears …
    pub probe_interval: Duration,
    /// … and how long it waits for the answer before it makes its subscriber anew.
    pub probe_timeout: Duration,
    /// Keys that nobody has used for so long are orphans.
    pub orphan_ttl: Duration,
    /// When no node at all was heard of for so long, Redis was away, and no lease runs out for it. Longer than a few
    /// heartbeats.
    pub outage: Duration,
}

/// What an address with TLS begins with.
const TLS: &str = "rediss";

impl RedisConfig {
    /// The defaults for a Redis.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ca_file: None,
            prefix: "rf:".to_owned(),
            retention: Retention::default(),
            command_timeout: Duration::from_secs(2),
            connections: 2,
            max_waiting: 10_000,
            timeouts_before_reconnect: 3,
            inbox: 4_096,
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_secs(3),
            orphan_ttl: Duration::from_secs(67 * 60),
            outage: Duration::from_secs(5),
        }
    }

    /// The same for nodes that keep so much, and their leases for so long: an outage is known as one before any lease has
    /// run out for it, and a few heartbeats that come late are none.
    #[must_use]
    pub fn for_nodes(self, retention: Retention, lease: Duration, heartbeat: Duration) -> Self {
        Self { retention, outage: (heartbeat + Duration::from_secs(1)).min(lease / 2).max(heartbeat * 5 / 4), ..self }
    }

    /// Whether keys have slots.
    pub(crate) fn is_clustered(&self) -> bool {
        self.parsed().is_ok_and(|config| config.server.is_clustered())
    }

    /// Whether the address can be one, before anything is connected.
    pub(crate) fn checked(&self) -> Result<(), ConnectError> {
        self.parsed().map(|_| ())
    }

    /// The address, without what is read from files.
    pub(crate) fn parsed(&self) -> Result<Config, ConnectError> {
        // The first `{…}` of a key is its hash tag.
        if self.prefix.contains(['{', '}', '\n']) {
            return Err(ConnectError::Config("the prefix must have no braces".to_owned()));
        }
        // For `rediss` fred would load the system's certificates each time, also where there is a file of ours.
        let url = match self.url.strip_prefix(TLS) {
            Some(rest) => format!("redis{rest}"),
            None => self.url.clone(),
        };
        let mut config = Config::from_url(&url).map_err(|e| match e.kind() {
            // What fred says of these may contain a part of the address, and so of a password.
            ErrorKind::Url | ErrorKind::Parse => ConnectError::Config(
                "it is not an address; in a password, / ? # @ and % are written as %2F …".to_owned(),
            ),
            _ if e.details().contains("host:port") => ConnectError::Config("node= wants host:port".to_owned()),
            _ => ConnectError::Config(e.details().to_owned()),
        })?;
        // With RESP2 a reply and a message cannot be told apart by their type.
        config.version = RespVersion::RESP3;
        Ok(config)
    }

    /// fred's configuration for commands, for the n-th attempt to connect.
    pub(crate) fn commands(&self, attempt: usize) -> Result<Config, ConnectError> {
        let mut config = self.parsed()?;
        if self.url.starts_with(TLS) {
            config.tls = Some(tls::config(self.ca_file.as_deref())?);
        }
        // fred believes the first sentinel that answers. One that is cut off from the others must not be asked for ever.
        if let ServerConfig::Sentinel { hosts, .. } = &mut config.server {
            let first = attempt % hosts.len().max(1);
            hosts.rotate_left(first);
        }
        Ok(config)
    }

    /// When fred is to connect again by itself: only in a cluster, where the other servers' connections go on.
    /// Elsewhere a connection that is lost is made from nothing, by the addresses that we were given: fred would go on
    /// asking only the sentinels that the last one knew, and not even that one itself
    /// (`update_sentinel_nodes` in its `modules/inner.rs`).
    pub(crate) fn policy(&self) -> Option<ReconnectPolicy> {
        self.is_clustered().then(|| ReconnectPolicy::new_exponential(0, 50, 1000, 2))
    }

    /// How long an attempt to connect may take: each of several hosts may be silent.
    pub(crate) fn patience(&self) -> Duration {
        let hosts = self.parsed().map_or(1, |config| config.server.hosts().len());
        self.command_timeout * u32::try_from(hosts + 1).unwrap_or(2)
    }

    /// fred's configuration for a subscriber: one connection to one server, also in a cluster, where every server hears
    /// what is published on any. One connection is what makes a PING a barrier.
    ///
    /// In a cluster it is the one that serves membership, if it can be had: changes of membership then come before
    /// whatever was appended later, as on a single server.
    pub(crate) fn subscriber(&self, attempt: usize, preferred: Option<Server>) -> Result<Config, ConnectError> {
        let mut config = self.commands(attempt)?;
        if let ServerConfig::Clustered { hosts, .. } = &config.server {
            let any = hosts.get(attempt % hosts.len().max(1)).cloned();
            // After a failure, every other try is with somebody else.
            let server = if attempt.is_multiple_of(2) { preferred.or(any) } else { any.or(preferred) };
            if let Some(server) = server {
                config.server = ServerConfig::Centralized { server };
            }
        }
        Ok(config)
    }

    pub(crate) fn performance(&self, inbox: usize) -> PerformanceConfig {
        PerformanceConfig {
            default_command_timeout: self.command_timeout,
            // fred's 32 would turn every burst into a loss.
            broadcast_channel_capacity: inbox,
            ..PerformanceConfig::default()
        }
    }

    pub(crate) fn connection(&self) -> ConnectionConfig {
        ConnectionConfig {
            connection_timeout: self.command_timeout,
            internal_command_timeout: self.command_timeout,
            // What may have been done must not be done again: the caller knows whether a retry is safe.
            max_command_attempts: 1,
            // MOVED: fred learns who has the slot now, and we ask again (`Commands`). ASK: with one attempt, which is then
            // used up, fred's task ends for good (`process_ask` in its `router/commands.rs`); with more it would take the
            // reply to somebody's earlier command for the answer to its ASKING, and hand everybody the next one's.
            max_redirections: 0,
            max_command_buffer_len: self.max_waiting,
            tcp: TcpConfig { nodelay: Some(true), ..TcpConfig::default() },
            ..ConnectionConfig::default()
        }
    }
}

/// Secrets stay where they are.
impl std::fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisConfig").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Why there is no connection to Redis.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// The configuration cannot work.
    #[error("{0}")]
    Config(String),
    /// It is there, and does not let us in, or is not to be trusted: trying again is no use.
    #[error("{0}")]
    Refused(String),
    /// It does not answer, or cannot be used yet.
    #[error("Redis cannot be reached: {0}")]
    Unreachable(String),
}
