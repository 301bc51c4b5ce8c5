//! What the gateway can be told.

use protocol::policy::{Bucket, Quota, Window};
use runtime::{
    client_addr::{TRUSTED_PROXIES, TrustedProxies},
    env::{Reader, Value, Variable},
};

/// How many requests one address may make of this process.
pub const LIMIT_HTTP_NODE: Variable =
    Variable::new("LIMIT_HTTP_NODE", "HTTP requests that one address may make, counted by each process for itself.")
        .default("40,100ms")
        .unit("<burst>,<interval of one more>, or off");

/// How many requests one address may make of the whole cluster.
pub const LIMIT_HTTP_CLUSTER: Variable =
    Variable::new("LIMIT_HTTP_CLUSTER", "HTTP requests that one address may make of the whole cluster.")
        .default("600/60s")
        .unit("<count>/<window>, or off");

/// The gateway's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// [`LIMIT_HTTP_NODE`].
    pub limit_node: Quota<Bucket>,
    /// [`LIMIT_HTTP_CLUSTER`].
    pub limit_cluster: Quota<Window>,
    /// [`TRUSTED_PROXIES`].
    pub trusted_proxies: TrustedProxies,
}

impl Config {
    /// Every variable that it reads.
    pub const VARIABLES: &[Variable] = &[LIMIT_HTTP_NODE, LIMIT_HTTP_CLUSTER, TRUSTED_PROXIES];

    /// Reads all of it.
    pub fn read(r: &mut Reader<'_>) -> Value<Self> {
        let limit_node = r.parse(&LIMIT_HTTP_NODE);
        let limit_cluster = r.parse(&LIMIT_HTTP_CLUSTER);
        let trusted_proxies = r.parse(&TRUSTED_PROXIES);
        Value::build(|| {
            Ok(Self {
                limit_node: limit_node.get()?,
                limit_cluster: limit_cluster.get()?,
                trusted_proxies: trusted_proxies.get()?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::env::MapEnv;
    use std::time::Duration;

    #[test]
    fn the_defaults_are_the_contracts() {
        let env = MapEnv::default();
        let config = Config::read(&mut Reader::new(&env)).get().unwrap();
        assert_eq!(config.limit_node, Quota::On(Bucket { burst: 40, interval: Duration::from_millis(100) }));
        assert_eq!(config.limit_cluster, Quota::On(Window { count: 600, window: Duration::from_secs(60) }));
        assert_eq!(config.trusted_proxies, TrustedProxies::none());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faulty = [("LIMIT_HTTP_NODE", "many"), ("LIMIT_HTTP_CLUSTER", "600"), ("TRUSTED_PROXIES", "nginx")];
        let env = MapEnv::from_iter(faulty);
        let mut r = Reader::new(&env);
        assert!(Config::read(&mut r).get().is_err());
        let error = r.finish().unwrap_err();
        let variables: Vec<_> = error.faults().iter().map(|fault| fault.variable.as_str()).collect();
        assert_eq!(variables, faulty.map(|(name, _)| name));
    }
}
