//! What a process is told about its Redis by its environment.

use crate::{RedisCluster, RedisConfig, tls};
use async_trait::async_trait;
use runtime::{
    env::{Reader, Secret, Value, Variable},
    health::Check,
};
use std::path::PathBuf;

/// `REDIS_URL`.
pub const REDIS_URL: Variable = Variable::new(
    "REDIS_URL",
    "Where the processes of a cluster meet. Without it the product in one process keeps everything in memory.",
)
.unit(
    "redis://[[user]:password@]host:port, redis-cluster://…?node=host:port, \
     redis-sentinel://…?node=host:port&sentinelServiceName=name; rediss for TLS",
)
.secret();
/// `REDIS_ENDPOINT`.
pub const REDIS_ENDPOINT: Variable =
    Variable::new("REDIS_ENDPOINT", "The same as a bare host, where REDIS_URL is not set.").unit("host or host:port");
/// `REDIS_CA_FILE`.
pub const REDIS_CA_FILE: Variable = Variable::new(
    "REDIS_CA_FILE",
    "With TLS: who must have signed Redis' certificate. Without it, whom the system trusts.",
)
.unit("file of certificates, PEM");
/// `REDIS_PREFIX`.
pub const REDIS_PREFIX: Variable = Variable::new(
    "REDIS_PREFIX",
    "What every key begins with: clusters with different ones know nothing of each other.",
)
.default("rf:")
.unit("text without braces");

/// Every variable that is read here.
pub const VARIABLES: &[Variable] = &[REDIS_URL, REDIS_ENDPOINT, REDIS_CA_FILE, REDIS_PREFIX];

impl RedisConfig {
    /// Reads it; `None` when neither variable names a Redis.
    pub fn read_optional(r: &mut Reader<'_>) -> Value<Option<Self>> {
        let url = r.optional_with(&REDIS_URL, checked);
        let endpoint = r.optional_with(&REDIS_ENDPOINT, |host| match has_port(host) {
            _ if host.contains(['/', '@', ' ']) => Err("this is more than a host".to_owned()),
            true => checked(&format!("redis://{host}")),
            false => checked(&format!("redis://{host}:6379")),
        });
        let ca_file = r.optional_with(&REDIS_CA_FILE, |file| {
            let file = PathBuf::from(file);
            tls::authorities(&file).map(|_| file)
        });
        let prefix = r.parse_with(&REDIS_PREFIX, |prefix| match prefix {
            prefix if prefix.contains(['{', '}', '\n']) => Err("the braces of a key are its hash tag"),
            prefix => Ok(prefix.to_owned()),
        });
        Value::build(|| {
            let (url, ca_file, prefix) = (url.get()?.or(endpoint.get()?), ca_file.get()?, prefix.get()?);
            Ok(url.map(|url| Self { ca_file, prefix, ..Self::new(url.expose()) }))
        })
    }

    /// The same for a process that is nothing without one.
    pub fn read(r: &mut Reader<'_>) -> Value<Self> {
        let config = Self::read_optional(r);
        if matches!(config.peek(), Some(None)) {
            r.fault(&REDIS_URL, "it is required: this process meets the others there");
        }
        Value::build(|| Ok(config.get()?.unwrap_or_else(|| Self::new(""))))
    }
}

/// An address that fred can make something of, and means what it says: it takes any scheme for `redis`.
fn checked(url: &str) -> Result<Secret, String> {
    const SCHEMES: [&str; 6] =
        ["redis", "rediss", "redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"];
    if !url.split_once("://").is_some_and(|(scheme, _)| SCHEMES.contains(&scheme)) {
        return Err("there is no such scheme".to_owned());
    }
    RedisConfig::new(url).checked().map(|()| Secret::new(url)).map_err(|e| e.to_string())
}

/// Whether the host has a port behind it; an IPv6 address has its colons in brackets.
fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) && !host.ends_with(']')
}

#[async_trait]
impl Check for RedisCluster {
    async fn check(&self) -> Result<(), String> {
        Self::check(self).await.map_err(|e| {
            tracing::warn!(error = %e, "Redis is away");
            // It may name hosts, and /api/health shows this to everybody.
            "it cannot be reached".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::env::{ConfigError, MapEnv};

    fn read(pairs: &[(&str, &str)]) -> Result<RedisConfig, ConfigError> {
        let env = MapEnv::from_iter(pairs.iter().copied());
        let mut r = Reader::new(&env);
        let config = RedisConfig::read(&mut r);
        r.finish()?;
        config.get()
    }

    #[test]
    fn a_redis_has_a_url_or_a_host() {
        for (variable, value, url) in [
            ("REDIS_URL", "redis://:secret@redis:6380", "redis://:secret@redis:6380"),
            ("REDIS_ENDPOINT", "redis", "redis://redis:6379"),
            ("REDIS_ENDPOINT", "redis:6380", "redis://redis:6380"),
            ("REDIS_ENDPOINT", "[::1]", "redis://[::1]:6379"),
        ] {
            assert_eq!(read(&[(variable, value)]).unwrap().url, url);
        }
        let both = read(&[("REDIS_URL", "redis://a:1"), ("REDIS_ENDPOINT", "b"), ("REDIS_PREFIX", "x:")]).unwrap();
        assert_eq!((both.url.as_str(), both.prefix.as_str()), ("redis://a:1", "x:"));
    }

    #[test]
    fn what_cannot_be_one_is_told_without_its_password() {
        for (pairs, variable) in [
            (&[][..], "REDIS_URL"),
            (&[("REDIS_URL", "http://:hunter2@redis")], "REDIS_URL"),
            (&[("REDIS_URL", "redis:hunter2")], "REDIS_URL"),
            (&[("REDIS_ENDPOINT", "redis host")], "REDIS_ENDPOINT"),
            (&[("REDIS_URL", "redis-sentinel://:hunter2@a:1,b:2?sentinelServiceName=x")], "REDIS_URL"),
            (&[("REDIS_URL", "redis-sentinel://:hunter2@a:1")], "REDIS_URL"),
            (&[("REDIS_URL", "rediss://a:1"), ("REDIS_CA_FILE", "/nowhere.pem")], "REDIS_CA_FILE"),
            (&[("REDIS_URL", "redis://a:1"), ("REDIS_PREFIX", "{x}")], "REDIS_PREFIX"),
        ] {
            let faults = read(pairs).unwrap_err();
            assert_eq!(faults.faults()[0].variable, variable, "{faults}");
            assert!(!faults.to_string().contains("hunter2"), "{faults}");
        }
    }
}
