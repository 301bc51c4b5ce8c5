//! What a Redis says of itself: for whoever looks at a deployment, not for the backend.

use crate::{
    config::{ConnectError, RedisConfig},
    dial::{Life, explain},
};
use fred::{
    error::{Error, ErrorKind},
    interfaces::ClientLike,
    types::{CustomCommand, FromValue, Value},
};
use std::collections::BTreeMap;

/// What is asked with `CONFIG GET`, one at a time: several at once are too new for what is looked at.
const SETTINGS: [&str; 8] =
    ["appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy", "protected-mode", "bind", "maxclients"];

/// What was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// `INFO`, by field.
    pub info: BTreeMap<String, String>,
    /// How it is set up; empty when it does not tell.
    pub config: BTreeMap<String, String>,
    /// `cluster_state` of `CLUSTER INFO`, where it is one.
    pub cluster_state: Option<String>,
    /// When it was asked for the time, what it said, and when that was here: milliseconds since 1970.
    pub clock: (u64, u64, u64),
}

impl RedisConfig {
    /// Asks one server: the only one, the primary that sentinels name, or any of a cluster. Nothing is changed, and no
    /// secret is asked for. `now`: milliseconds since 1970.
    ///
    /// # Errors
    /// Why it does not say anything.
    pub async fn inspect(&self, now: &(dyn Fn() -> u64 + Sync)) -> Result<Inspection, ConnectError> {
        let life = Life::begin(self, self.subscriber(0, None)?, None, 32).await?;
        let found = inspect(&life, now).await;
        life.quit().await;
        found.map_err(|e| explain(&e))
    }

    /// Where it is, as `host:port`; never a password.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let hosts = self.parsed().map(|config| config.server.hosts()).unwrap_or_default();
        hosts.into_iter().map(|server| format!("{}:{}", server.host, server.port)).collect()
    }
}

async fn inspect(life: &Life, now: &(dyn Fn() -> u64 + Sync)) -> Result<Inspection, Error> {
    let info = fields(&ask::<String>(life, "INFO", &[]).await?);
    let asked = now();
    let time: Vec<u64> = ask(life, "TIME", &[]).await?;
    let answered = now();
    let said = match time[..] {
        [seconds, micros] => seconds * 1000 + micros / 1000,
        _ => return Err(Error::new(ErrorKind::Parse, "TIME is not answered with two numbers")),
    };
    let mut config = BTreeMap::new();
    for name in SETTINGS {
        // One that is rented may refuse them; an older one may lack some.
        match ask::<BTreeMap<String, String>>(life, "CONFIG", &["GET", name]).await {
            Ok(found) => config.extend(found),
            Err(e) if *e.kind() == ErrorKind::IO || *e.kind() == ErrorKind::Timeout => return Err(e),
            Err(_) => {}
        }
    }
    let is_cluster = info.get("cluster_enabled").is_some_and(|enabled| enabled == "1");
    let cluster_state = match is_cluster {
        true => fields(&ask::<String>(life, "CLUSTER", &["INFO"]).await?).remove("cluster_state"),
        false => None,
    };
    Ok(Inspection { info, config, cluster_state, clock: (asked, said, answered) })
}

async fn ask<T: FromValue>(life: &Life, command: &'static str, arguments: &[&str]) -> Result<T, Error> {
    let arguments: Vec<Value> = arguments.iter().map(|argument| (*argument).into()).collect();
    life.client.custom(CustomCommand::new_static(command, None, false), arguments).await
}

/// `name:value`, a line each.
fn fields(text: &str) -> BTreeMap<String, String> {
    let fields = text.lines().filter_map(|line| line.trim().split_once(':'));
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
