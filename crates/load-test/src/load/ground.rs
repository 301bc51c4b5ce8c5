//! The server under load: a cluster of our own, one that is described, or somebody's.

use super::{
    dialect::Dialect,
    options::{Options, Place, duration},
    procfs::Watched,
    profile::Profile,
    shared::Target,
};
use cluster::{Cluster, Description, Signal};
use std::{fs, net::ToSocketAddrs, path::Path, time::Duration};
use tokio::runtime::Runtime;

/// Limits are for people; and nobody has to be sent elsewhere at the end.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    ("LIMIT_CONNECT_NODE", "off"),
    ("LIMIT_CONNECT_CLUSTER", "off"),
    ("LIMIT_MESSAGE_NODE", "off"),
    ("LIMIT_MESSAGE_CLUSTER", "off"),
    ("LIMIT_ROOM_CREATE_NODE", "off"),
    ("LIMIT_ROOM_CREATE_CLUSTER", "off"),
    ("LIMIT_TYPING_NODE", "off"),
    ("LIMIT_COMMAND_NODE", "off"),
    ("LIMIT_HTTP_NODE", "off"),
    ("LIMIT_HTTP_CLUSTER", "off"),
    ("DRAIN_WINDOW", "0s"),
];

/// But in a rollout: the services' own default.
const DRAIN: (&str, &str) = ("DRAIN_WINDOW", "10s");

/// A server, and what of it can be measured.
pub(super) struct Ground {
    /// Over how long the nodes of a cluster of our own send their clients elsewhere, where that is of interest.
    pub(super) drain_window: Duration,
    pub(super) targets: Vec<Target>,
    pub(super) watched: Vec<Watched>,
    pub(super) about: String,
    pub(super) own: Option<(Cluster, Runtime)>,
}

impl Ground {
    /// Starts it, or finds it.
    pub(super) fn find(options: &Options, tell: &mut dyn FnMut(&str)) -> Result<Self, String> {
        let dialect = options.load.dialect;
        match &options.place {
            Place::Urls { urls, pids } => {
                let targets = urls.iter().map(|url| target(url, dialect)).collect::<Result<_, _>>()?;
                let watched = pids.iter().map(|(name, pid)| Watched { name: name.clone(), pid: *pid }).collect();
                Ok(Self { targets, watched, about: urls.join(", "), drain_window: Duration::ZERO, own: None })
            }
            Place::Described(path) => {
                let text = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
                let description = serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))?;
                Self::described(&description, options, None)
            }
            Place::Own { nodes, binaries, dir } => Self::start(options, *nodes, binaries, dir, tell),
        }
    }

    fn start(
        options: &Options,
        nodes: usize,
        binaries: &Path,
        dir: &Path,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Self, String> {
        // One thread, which only waits: it takes nothing from what is measured.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|e| e.to_string())?;
        let mut wanted = cluster::Options::new(binaries);
        (wanted.nodes, wanted.dir) = (nodes, dir.to_owned());
        // What somebody set for this run is for the servers.
        let rollout = options.load.profile == Profile::Rollout;
        let window = std::env::var(DRAIN.0).unwrap_or_else(|_| if rollout { DRAIN.1 } else { "0s" }.to_owned());
        let drain_window = duration(&window).ok_or_else(|| format!("{}={window}: expected a time as 10s", DRAIN.0))?;
        wanted.env = vec![(DRAIN.0.to_owned(), window)];
        let unset = ENVIRONMENT.iter().filter(|(name, _)| *name != DRAIN.0 && std::env::var_os(name).is_none());
        wanted.env.extend(unset.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let cluster = runtime.block_on(Cluster::start(wanted, tell)).map_err(|e| e.to_string())?;
        let ground = Self::described(&cluster.description(), options, Some((cluster, runtime)))?;
        Ok(Self { drain_window, ..ground })
    }

    fn described(
        description: &Description,
        options: &Options,
        own: Option<(Cluster, Runtime)>,
    ) -> Result<Self, String> {
        let (direct, dialect) = (options.direct, options.load.dialect);
        let nodes = &description.chat_nodes;
        let urls = if direct {
            nodes.iter().map(|node| format!("http://127.0.0.1:{}", node.port)).collect()
        } else {
            vec![description.url.clone()]
        };
        let targets = urls.iter().map(|url| target(url, dialect)).collect::<Result<_, _>>()?;
        let nodes = nodes.iter().map(|node| (node.node_id.as_str(), node.pid));
        let others =
            [("gateway", description.gateway.pid), ("nginx", description.nginx.pid), ("redis", description.redis.pid)];
        let watched = nodes.chain(others).map(|(name, pid)| Watched { name: name.to_owned(), pid }).collect();
        let way = if direct { "directly" } else { "through nginx" };
        let about = format!("{} chat-nodes and Redis, {way}", description.chat_nodes.len());
        Ok(Self { targets, watched, about, drain_window: Duration::ZERO, own })
    }

    /// Kills the first chat-node of a cluster of our own.
    pub(super) fn kill(&mut self) {
        if let Some((cluster, _)) = &mut self.own {
            cluster.node(0).signal(Signal::KILL);
        }
    }

    /// Ends what was started.
    pub(super) fn stop(self) {
        if let Some((cluster, runtime)) = self.own {
            runtime.block_on(cluster.stop());
        }
    }
}

/// Where a URL leads: of a site, the place for WebSockets is meant.
fn target(url: &str, dialect: Dialect) -> Result<Target, String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    if !matches!(scheme, "http" | "ws") {
        return Err(format!("{url}: expected http:// or ws://; what is behind TLS is loaded in front of it"));
    }
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    let path = if path.is_empty() { dialect.path().to_owned() } else { format!("/{path}") };
    let named = if host.rsplit_once(']').map_or(host, |(_, port)| port).contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let address = named.to_socket_addrs().map_err(|e| format!("{url}: {e}"))?.next();
    Ok(Target { address: address.ok_or_else(|| format!("{url}: it has no address"))?, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let of = |url| target(url, Dialect::Roomful).map(|target| (target.address.to_string(), target.path));
        let here = |path: &str| Ok(("127.0.0.1:8080".to_owned(), path.to_owned()));
        assert_eq!(of("http://127.0.0.1:8080"), here("/ws"));
        assert_eq!(of("127.0.0.1:8080/"), here("/ws"));
        assert_eq!(of("ws://127.0.0.1:8080/other"), here("/other"));
        assert_eq!(of("http://127.0.0.1").map(|(address, _)| address), Ok("127.0.0.1:80".to_owned()));
        assert_eq!(of("http://[::1]:9").map(|(address, _)| address), Ok("[::1]:9".to_owned()));
        let path = target("http://127.0.0.1:1", Dialect::SocketIo).map(|target| target.path);
        assert_eq!(path.as_deref(), Ok(Dialect::SocketIo.path()));
        assert!(of("https://127.0.0.1").is_err() && of("http://").is_err());
    }
}
