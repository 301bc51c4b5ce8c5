//! What can be set. Read whole before a port is bound.

use crate::admission::Admission;
use engine::{EngineConfig, HubConfig, Quotas, Retention, port::RoomRules};
use protocol::{
    Limits, NodeId,
    policy::{Bucket, Policy, Quota, Window},
};
use runtime::{
    client_addr::TrustedProxies,
    env::{DURATION, Reader, Secret, Value, Variable, format_duration},
    program::{NODE_ID, node_id},
    signing,
    websocket::{ALLOWED_ORIGINS, allowed_origins},
};
use std::{num::NonZeroU32, time::Duration};
use uuid::Uuid;

const BYTES: &str = "bytes";
const COUNT: &str = "count";
const BUCKET: &str = "<burst>,<interval of one more>: 20,200ms; or off";
const WINDOW: &str = "<count>/<window>: 300/60s; or off";

pub use runtime::signing::JWT_SECRET;

const SESSION_TTL: Variable =
    Variable::new("SESSION_TTL", "How long a client's session is valid.").default("30d").unit(DURATION);
const TRUSTED_PROXIES: Variable = runtime::client_addr::TRUSTED_PROXIES;

const MAX_MESSAGE_CHARS: Variable =
    Variable::new("MAX_MESSAGE_CHARS", "The longest message.").default("2000").unit("Unicode scalar values");
const MAX_USERNAME_CHARS: Variable =
    Variable::new("MAX_USERNAME_CHARS", "The longest name of a user.").default("16").unit("Unicode scalar values");
const MAX_ROOM_NAME_CHARS: Variable =
    Variable::new("MAX_ROOM_NAME_CHARS", "The longest name of a room.").default("16").unit("Unicode scalar values");
const MAX_FRAME_BYTES: Variable =
    Variable::new("MAX_FRAME_BYTES", "The largest WebSocket message from a client.").default("16384").unit(BYTES);
const MAX_ROOMS_PER_CLIENT: Variable = Variable::new(
    "MAX_ROOMS_PER_CLIENT",
    "Rooms that a client may be in at once. With 1, joining another one leaves the former.",
)
.default("1")
.unit(COUNT);
const MAX_ROOM_MEMBERS: Variable =
    Variable::new("MAX_ROOM_MEMBERS", "Members that a room may have.").default("100000").unit(COUNT);
const MAX_CONNECTIONS: Variable =
    Variable::new("MAX_CONNECTIONS", "WebSockets that one node holds at once.").default("50000").unit(COUNT);
/// Worker threads.
pub const WORKERS: Variable = Variable::new(
    "WORKERS",
    "Threads that serve sockets. 0: one a core. Where several nodes share a machine, fewer cost less.",
)
.default("0")
.unit(COUNT);
const ADMISSIONS_AT_ONCE: Variable = Variable::new(
    "ADMISSIONS_AT_ONCE",
    "Clients that one node lets in at once: the scripts that connect them and show them their rooms. More keep the store \
     no busier, and make everybody else wait.",
)
.default("128")
.unit(COUNT);
const ADMISSIONS_WAITING: Variable =
    Variable::new("ADMISSIONS_WAITING", "Clients that wait for that in turn; more are asked to come back later.")
        .default("10000")
        .unit(COUNT);
const ADMISSION_WAIT: Variable = Variable::new(
    "ADMISSION_WAIT",
    "How long they may wait. Whoever would wait longer is asked at once to come back later.",
)
.default("3s")
.unit(DURATION);
const OUTBOX_BYTES: Variable = Variable::new(
    "OUTBOX_BYTES",
    "What may wait for one client; one that lets more pile up is too slow, and is disconnected.",
)
.default("1048576")
.unit(BYTES);

const ROOM_LOG_MAX: Variable =
    Variable::new("ROOM_LOG_MAX", "Messages that a room keeps for those who come back.").default("1000").unit(COUNT);
const ROOM_LOG_TTL: Variable = Variable::new("ROOM_LOG_TTL", "For how long.").default("24h").unit(DURATION);

const HEARTBEAT: Variable =
    Variable::new("HEARTBEAT", "How often a client is pinged. One that is silent for two of them is disconnected.")
        .default("25s")
        .unit(DURATION);
const CONNECT_TIMEOUT: Variable =
    Variable::new("CONNECT_TIMEOUT", "How long a client may take to send CONNECT.").default("10s").unit(DURATION);
const STALL_TIMEOUT: Variable = Variable::new(
    "STALL_TIMEOUT",
    "How long a client may read nothing of what waits for it before it is disconnected.",
)
.default("15s")
.unit(DURATION);
const DRAIN_WINDOW: Variable = Variable::new(
    "DRAIN_WINDOW",
    "Over how long the clients of a node that ends are sent elsewhere. 0s: they are closed at once, as they always are by \
     a product in one process.",
)
.default("10s")
.unit(DURATION);
const RESUME_GRACE: Variable =
    Variable::new("RESUME_GRACE", "How long a client whose connection is lost stays a member.")
        .default("10s")
        .unit(DURATION);
const NODE_LEASE: Variable = Variable::new("NODE_LEASE", "A node that is silent for this long is dead to the others.")
    .default("10s")
    .unit(DURATION);

const LIMITS: [(Policy, Variable, Option<Variable>); 5] = [
    (
        Policy::Connect,
        Variable::new("LIMIT_CONNECT_NODE", "New WebSockets, per address.").default("20,200ms").unit(BUCKET),
        Some(Variable::new("LIMIT_CONNECT_CLUSTER", "The same over all nodes.").default("300/60s").unit(WINDOW)),
    ),
    (
        Policy::Message,
        Variable::new("LIMIT_MESSAGE_NODE", "Messages, per client.").default("20,200ms").unit(BUCKET),
        Some(Variable::new("LIMIT_MESSAGE_CLUSTER", "The same over all nodes.").default("300/60s").unit(WINDOW)),
    ),
    (
        Policy::RoomCreate,
        Variable::new("LIMIT_ROOM_CREATE_NODE", "New rooms, per client.").default("4,5s").unit(BUCKET),
        Some(Variable::new("LIMIT_ROOM_CREATE_CLUSTER", "The same over all nodes.").default("20/60s").unit(WINDOW)),
    ),
    (
        Policy::Typing,
        Variable::new("LIMIT_TYPING_NODE", "Typing notices, per client.").default("2,2s").unit(BUCKET),
        None,
    ),
    (
        Policy::Command,
        Variable::new("LIMIT_COMMAND_NODE", "Every other command, per client.").default("200,20ms").unit(BUCKET),
        None,
    ),
];

/// Every variable of a chat-node, for `.env.example`.
pub const VARIABLES: &[Variable] = &[
    NODE_ID,
    JWT_SECRET,
    SESSION_TTL,
    ALLOWED_ORIGINS,
    TRUSTED_PROXIES,
    MAX_MESSAGE_CHARS,
    MAX_USERNAME_CHARS,
    MAX_ROOM_NAME_CHARS,
    MAX_FRAME_BYTES,
    MAX_ROOMS_PER_CLIENT,
    MAX_ROOM_MEMBERS,
    MAX_CONNECTIONS,
    WORKERS,
    ADMISSIONS_AT_ONCE,
    ADMISSIONS_WAITING,
    ADMISSION_WAIT,
    OUTBOX_BYTES,
    ROOM_LOG_MAX,
    ROOM_LOG_TTL,
    HEARTBEAT,
    CONNECT_TIMEOUT,
    STALL_TIMEOUT,
    DRAIN_WINDOW,
    RESUME_GRACE,
    NODE_LEASE,
];

/// The limits among the variables: a policy's node layer, and its cluster layer if it has one.
pub fn limit_variables() -> Vec<Variable> {
    LIMITS.into_iter().flat_map(|(_, node, cluster)| [Some(node), cluster]).flatten().collect()
}

/// A chat-node's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its name.
    pub node_id: NodeId,
    /// Signs sessions.
    pub jwt_secret: Secret,
    /// How long a session is valid.
    pub session_ttl: Duration,
    /// Origins that may connect; none: the site's own.
    pub allowed_origins: Vec<String>,
    /// Whose word about the client's address counts.
    pub trusted_proxies: TrustedProxies,
    /// What clients are told.
    pub limits: Limits,
    /// How much of the timelines is kept.
    pub retention: Retention,
    /// WebSockets at once.
    pub max_connections: u64,
    /// Threads that serve sockets; none: one a core.
    pub workers: Option<usize>,
    /// How many of them come in at once.
    pub admission: Admission,
    /// Over how long clients are sent elsewhere at the end.
    pub drain_window: Duration,
    /// Rates.
    pub quotas: Quotas,
    /// How the node behaves in the cluster.
    pub engine: EngineConfig,
    /// How a worker treats its connections.
    pub hub: HubConfig,
}

impl Config {
    /// Reads everything. `fresh` names the process when nothing else does.
    pub fn read(r: &mut Reader<'_>, fresh: Uuid) -> Value<Self> {
        let node_id = node_id::<NodeId>(r, fresh);
        let jwt_secret = signing::jwt_secret(r);
        let (session_ttl, origins) = (r.duration(&SESSION_TTL), allowed_origins(r));
        let proxies = r.parse::<TrustedProxies>(&TRUSTED_PROXIES);
        let message_chars = r.parse::<NonZeroU32>(&MAX_MESSAGE_CHARS);
        let username_chars = r.parse::<NonZeroU32>(&MAX_USERNAME_CHARS);
        let room_name_chars = r.parse::<NonZeroU32>(&MAX_ROOM_NAME_CHARS);
        let frame_bytes = r.parse::<NonZeroU32>(&MAX_FRAME_BYTES);
        if let (Some(frame), Some(chars)) = (frame_bytes.peek(), message_chars.peek())
            && u64::from(frame.get()) < 4 * u64::from(chars.get()) + 512
        {
            r.fault(
                &MAX_FRAME_BYTES,
                "expected at least 4 × MAX_MESSAGE_CHARS + 512, or the longest message would not fit",
            );
        }
        let rooms = r.parse::<NonZeroU32>(&MAX_ROOMS_PER_CLIENT);
        let members = r.parse::<NonZeroU32>(&MAX_ROOM_MEMBERS);
        let (connections, outbox) = (r.parse::<NonZeroU32>(&MAX_CONNECTIONS), r.parse::<NonZeroU32>(&OUTBOX_BYTES));
        let workers = r.parse::<usize>(&WORKERS);
        let (at_once, waiting) = (r.parse::<NonZeroU32>(&ADMISSIONS_AT_ONCE), r.parse::<u32>(&ADMISSIONS_WAITING));
        let patience = r.duration(&ADMISSION_WAIT);
        let (log_max, log_ttl) = (r.parse::<NonZeroU32>(&ROOM_LOG_MAX), r.duration(&ROOM_LOG_TTL));
        let heartbeat = r.duration(&HEARTBEAT);
        let (connect_timeout, stall) = (r.duration(&CONNECT_TIMEOUT), r.duration(&STALL_TIMEOUT));
        let (drain_window, grace, lease) =
            (r.duration(&DRAIN_WINDOW), r.duration(&RESUME_GRACE), r.duration(&NODE_LEASE));
        for (variable, value, least) in [
            (&SESSION_TTL, &session_ttl, Duration::from_secs(1)),
            (&HEARTBEAT, &heartbeat, Duration::from_millis(100)),
            (&CONNECT_TIMEOUT, &connect_timeout, Duration::from_millis(100)),
            (&STALL_TIMEOUT, &stall, Duration::from_millis(100)),
            (&NODE_LEASE, &lease, Duration::from_secs(1)),
        ] {
            if value.peek().is_some_and(|value| *value < least) {
                r.fault(variable, format!("expected at least {}", format_duration(least)));
            }
        }
        let quotas = LIMITS.map(|(policy, node, cluster)| {
            let node = r.parse::<Quota<Bucket>>(&node);
            (policy, node, cluster.map(|cluster| r.parse::<Quota<Window>>(&cluster)))
        });

        Value::build(|| {
            let mut rates = Quotas::new();
            for (policy, node, cluster) in quotas {
                let cluster = cluster.map_or(Ok(Quota::Off), Value::get)?;
                rates.insert(policy, (node.get()?, cluster));
            }
            let lease = lease.get()?;
            let (rooms, members) = (rooms.get()?.get() as usize, members.get()?.get());
            Ok(Self {
                node_id: node_id.get()?,
                jwt_secret: jwt_secret.get()?,
                session_ttl: session_ttl.get()?,
                allowed_origins: origins.get()?,
                trusted_proxies: proxies.get()?,
                limits: Limits {
                    message_chars: message_chars.get()?.get() as usize,
                    username_chars: username_chars.get()?.get() as usize,
                    room_name_chars: room_name_chars.get()?.get() as usize,
                    frame_bytes: frame_bytes.get()?.get() as usize,
                },
                retention: Retention {
                    messages: log_max.get()?.get() as usize,
                    time: log_ttl.get()?,
                    ..Retention::default()
                },
                max_connections: connections.get()?.get().into(),
                workers: Some(workers.get()?).filter(|workers| *workers > 0),
                admission: Admission {
                    at_once: at_once.get()?.get() as usize,
                    waiting: waiting.get()? as usize,
                    patience: patience.get()?,
                },
                drain_window: drain_window.get()?,
                quotas: rates,
                engine: EngineConfig {
                    lease,
                    heartbeat: lease * 3 / 10,
                    grace: grace.get()?,
                    rules: RoomRules { rooms_per_client: rooms, members_per_room: members },
                    ..EngineConfig::default()
                },
                hub: HubConfig {
                    outbox_bytes: outbox.get()?.get() as usize,
                    heartbeat: heartbeat.get()?,
                    connect_timeout: connect_timeout.get()?,
                    stall: stall.get()?,
                },
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::env::MapEnv;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, runtime::env::ConfigError> {
        let env = MapEnv::from_iter(pairs.iter().copied());
        let mut r = Reader::new(&env);
        let config = Config::read(&mut r, Uuid::nil());
        r.finish()?;
        config.get()
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let config = read(&[("JWT_SECRET", &"x".repeat(32))]).unwrap();
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.hub.heartbeat, Duration::from_secs(25));
        assert_eq!(config.engine.grace, Duration::from_secs(10));
        assert_eq!(config.engine.rules.rooms_per_client, 1);
        assert_eq!(
            config.quotas[&Policy::Message],
            (
                Quota::On(Bucket { burst: 20, interval: Duration::from_millis(200) }),
                Quota::On(Window { count: 300, window: Duration::from_secs(60) })
            )
        );
    }

    #[test]
    fn faults_are_told_together() {
        let faults = read(&[
            ("JWT_SECRET", "short"),
            ("ALLOWED_ORIGINS", "chat.example.org"),
            ("MAX_FRAME_BYTES", "100"),
            ("LIMIT_MESSAGE_NODE", "many"),
        ])
        .unwrap_err();
        let names: Vec<_> = faults.faults().iter().map(|f| f.variable.as_str()).collect();
        assert_eq!(names, ["JWT_SECRET", "ALLOWED_ORIGINS", "MAX_FRAME_BYTES", "LIMIT_MESSAGE_NODE"]);
    }
}
