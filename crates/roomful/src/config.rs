//! What can be set for the whole product in one process.

use crate::{assets::FRONTEND_DIR, compose};
use engine_redis::RedisConfig;
use runtime::{
    env::{ConfigError, Env, MapEnv, Reader, Variable},
    program::Program,
    server::{HOST, PORT},
    telemetry::Telemetry,
    traces::TracesConfig,
};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use uuid::Uuid;

/// The program.
pub const PROGRAM: Program = Program {
    name: "roomful",
    version: crate::product::VERSION,
    about: "multi-room chat in the browser, in one process",
    sections,
    more: &[
        ("--dev", "the same, with the secrets made up that are not set; they change with each start"),
        ("doctor [--help]", "look at a deployment, and say what to change and where"),
    ],
};

/// Everything that the process reads.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub address: SocketAddr,
    /// The built front end.
    pub frontend: PathBuf,
    /// How it logs.
    pub telemetry: Telemetry,
    /// Where its traces go, if anywhere.
    pub traces: Option<TracesConfig>,
    /// Where it meets others; without, it keeps everything in memory.
    pub redis: Option<RedisConfig>,
    /// Of the sockets.
    pub chat_node: chat_node::Config,
    /// Of `/api`.
    pub gateway: gateway::Config,
    /// Of `/admin`.
    pub admin_api: admin_api::Config,
}

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// All faults together.
    pub fn from_env(env: &dyn Env, fresh_node: Uuid) -> Result<Self, ConfigError> {
        let mut r = Reader::new(env);
        let (host, port) = (r.parse::<IpAddr>(&HOST), r.parse::<u16>(&PORT));
        let frontend = r.parse::<PathBuf>(&FRONTEND_DIR);
        let (telemetry, traces) = (Telemetry::read(&mut r), TracesConfig::read(&mut r));
        let redis = RedisConfig::read_optional(&mut r);
        let chat_node = chat_node::Config::read(&mut r, fresh_node);
        let gateway = gateway::Config::read(&mut r);
        let admin_api = admin_api::Config::read(&mut r);
        r.reject_unknown("LIMIT_", protocol::policy::limit_variables().iter().map(String::as_str));
        r.finish()?;

        let (mut chat_node, redis) = (chat_node.get()?, redis.get()?);
        if redis.is_none() {
            alone(&mut chat_node);
        }
        Ok(Self {
            address: SocketAddr::new(host.get()?, port.get()?),
            frontend: frontend.get()?,
            telemetry: telemetry.get()?,
            traces: traces.get()?,
            redis: redis
                .map(|redis| redis.for_nodes(chat_node.retention, chat_node.engine.lease, chat_node.engine.heartbeat)),
            chat_node,
            gateway: gateway.get()?,
            admin_api: admin_api.get()?,
        })
    }
}

/// What differs for a node that is the whole cluster.
fn alone(chat_node: &mut chat_node::Config) {
    // There is no other node to go to: closing at once lets everybody come back as soon as the process does.
    chat_node.drain_window = Duration::ZERO;
    // Nor is there anybody to take a dead node's members over. A lease would only end every room when the machine
    // sleeps, or its clock is set.
    chat_node.engine.lease = Duration::from_secs(365 * 24 * 3600);
}

fn limit_variables() -> Vec<Variable> {
    let mut limits = chat_node::config::limit_variables();
    limits.extend(gateway::Config::VARIABLES.iter().filter(|v| v.name.starts_with("LIMIT_")).copied());
    limits.extend_from_slice(admin_api::Config::LIMITS);
    limits
}

/// What the admin API reads and nobody else does.
fn admin_variables() -> Vec<Variable> {
    let others = chat_node::config::VARIABLES;
    let is_new = |v: &&Variable| others.iter().all(|other| other.name != v.name);
    admin_api::Config::VARIABLES.iter().filter(is_new).copied().collect()
}

/// An environment in which nothing is missing.
#[derive(Debug)]
pub struct MadeUp {
    /// The environment.
    pub env: MapEnv,
    /// The admin's password, if it was made up: somebody has to be told.
    pub password: Option<String>,
}

/// `env`, with what is missing made up: for a developer's machine, where a restart may log everybody out.
pub fn with_made_up_secrets(env: &dyn Env, secret: [Uuid; 2], password: Uuid) -> MadeUp {
    let is_missing = |name: &str| env.var(name).is_none_or(|value| value.trim().is_empty());
    let mut made_up = Vec::new();
    let secret_name = runtime::signing::JWT_SECRET.name;
    if is_missing(secret_name) {
        made_up.push((secret_name.to_owned(), format!("{}{}", secret[0].simple(), secret[1].simple())));
    }
    let password_name = admin_api::ADMIN_PASS.name;
    let needs_password = is_missing(password_name) && is_missing(admin_api::ADMIN_PASS_HASH.name);
    // Short enough to be typed: the signing-in is limited.
    let password = needs_password.then(|| password.simple().to_string()[..16].to_owned());
    made_up.extend(password.iter().map(|password| (password_name.to_owned(), password.clone())));
    let given = env.names().into_iter().filter_map(|name| env.var(&name).map(|value| (name, value)));
    let given: Vec<_> = given.filter(|(name, _)| made_up.iter().all(|(other, _)| other != name)).collect();
    MadeUp { env: MapEnv::from_iter(given.into_iter().chain(made_up)), password }
}

/// Where it is described what it reads.
#[must_use]
pub fn sections() -> Vec<(&'static str, Vec<Variable>)> {
    vec![
        ("The page", vec![FRONTEND_DIR]),
        ("Where the processes of a cluster meet", engine_redis::env::VARIABLES.to_vec()),
        ("Clients and their sockets", chat_node::config::VARIABLES.to_vec()),
        ("Whoever steers it", admin_variables()),
        ("Limits that protect the cluster", limit_variables()),
        ("Containers: what docker-compose.yml reads beside all these", compose::VARIABLES.to_vec()),
    ]
}

/// The text of `.env.example`.
#[must_use]
pub fn example() -> String {
    PROGRAM.example()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_made_up_only_where_they_are_missing() {
        let made_up = |env: MapEnv| {
            let made_up = with_made_up_secrets(&env, [1, 2].map(Uuid::from_u128), Uuid::from_u128(u128::MAX));
            let (secret, password) = (made_up.env.var("JWT_SECRET").unwrap(), made_up.env.var("ADMIN_PASS"));
            (secret, password, made_up.password)
        };
        let (secret, password, told) = made_up(MapEnv::from_iter([("PORT", "1"), ("ADMIN_PASS", " ")]));
        assert_eq!((secret.len(), password.as_deref(), told), (64, Some("ffffffffffffffff"), password.clone()));
        let given = [("JWT_SECRET", "mine"), ("ADMIN_PASS", "mine, too")];
        assert_eq!(made_up(MapEnv::from_iter(given)), ("mine".into(), Some("mine, too".into()), None));
        assert_eq!(made_up(MapEnv::from_iter([("ADMIN_PASS_HASH", "$argon2id$")])).1, None);
    }

    #[test]
    fn nothing_starts_without_a_secret() {
        let error = Config::from_env(&MapEnv::from_iter([("PORT", "http")]), Uuid::nil()).unwrap_err();
        let names: Vec<_> = error.faults().iter().map(|f| f.variable.as_str()).collect();
        assert_eq!(names, ["PORT", "JWT_SECRET", "ADMIN_PASS"]);
    }

    #[test]
    fn a_machine_may_sleep_without_ending_its_rooms() {
        let secret = "s".repeat(32);
        let env = MapEnv::from_iter([("JWT_SECRET", secret.as_str()), ("ADMIN_PASS", "a password of tests")]);
        let config = Config::from_env(&env, Uuid::nil()).unwrap();
        assert!(config.chat_node.engine.lease > Duration::from_secs(30 * 24 * 3600));
        assert!(config.chat_node.engine.heartbeat < Duration::from_secs(60));
    }

    #[test]
    fn the_example_is_what_the_declarations_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example");
        assert_eq!(std::fs::read_to_string(path).unwrap(), example(), "run `cargo xtask codegen`");
    }
}
