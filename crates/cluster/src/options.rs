//! What a cluster is to be.

use crate::error::StartError;
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// More chat-nodes than anybody has a use for on one machine.
pub const MAX_NODES: usize = 64;

/// Two of them carry one WebSocket through nginx. More would only cost memory: nginx takes it for all of them at the
/// start.
const OPEN_FILES: u64 = 65_536;

/// Given a process's name and Redis's address: the address that this process is told.
pub type RedisAddress = Box<dyn Fn(&str, SocketAddr) -> SocketAddr + Send + Sync>;

/// What a cluster is to be.
pub struct Options {
    /// Chat-nodes to begin with, 1 to [`MAX_NODES`].
    pub nodes: usize,
    /// Replicas of the admin API, if there is such a program; 1.
    pub admin_apis: usize,
    /// Where the site is on loopback; 0 is any free port.
    pub port: u16,
    /// Where `cluster.json`, logs, configurations and Redis's data are. Made if it is not there; only one cluster at a
    /// time can use it.
    pub dir: PathBuf,
    /// Where the programs `chat-node`, `gateway` and, if there is one, `admin-api` are.
    pub binaries: PathBuf,
    /// The built front end; without it the site has no page.
    pub frontend: Option<PathBuf>,
    /// Variables for every service, on top of those of this process. Addresses, ports and names cannot be set.
    pub env: Vec<(String, String)>,
    /// What the services get as Redis's address instead of its own: a fault injector's proxy.
    pub redis_address: Option<RedisAddress>,
    /// Files that each worker of nginx may have open.
    pub open_files: u64,
    /// How long each process may take until it is ready.
    pub ready_within: Duration,
    /// How long chat-nodes may take to end: longer than `DRAIN_WINDOW`, over which they send their clients elsewhere.
    pub drain_within: Duration,
    /// How long the others may take to end.
    pub end_within: Duration,
}

impl Options {
    /// Three nodes of the programs in `binaries`, on any free port, in `.run`, without a page.
    #[must_use]
    pub fn new(binaries: impl Into<PathBuf>) -> Self {
        Self {
            nodes: 3,
            admin_apis: 1,
            port: 0,
            dir: PathBuf::from(".run"),
            binaries: binaries.into(),
            frontend: None,
            env: Vec::new(),
            redis_address: None,
            // As many as this machine lets a process have.
            open_files: rlimit::Resource::NOFILE.get_hard().map_or(1024, |hard| hard.min(OPEN_FILES)),
            ready_within: Duration::from_secs(30),
            drain_within: Duration::from_secs(20),
            end_within: Duration::from_secs(5),
        }
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        if !(1..=MAX_NODES).contains(&self.nodes) {
            return Err(StartError::Nodes { given: self.nodes, max: MAX_NODES });
        }
        for name in ["chat-node", "gateway"] {
            self.program(name).ok_or_else(|| StartError::NotBuilt(self.binaries.join(name)))?;
        }
        self.frontend.as_deref().map_or(Ok(()), check_frontend)
    }

    /// One of our own programs, if it is there.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        // Absolute: `setpriv` would look for a bare name on the PATH.
        let path = self.binaries.join(name);
        path.is_file().then(|| path.canonicalize().ok())?
    }

    /// Whether a variable reaches the services.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.env.iter().any(|(other, _)| other == name) || std::env::var_os(name).is_some_and(|value| !value.is_empty())
    }

    /// A variable as it reaches the services; an empty one is unset.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let set = self.env.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value.clone());
        set.or_else(|| std::env::var(name).ok()).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }
}

/// The same refusals as those of `roomful`: a slip of one path element would put sources, or a home directory, on the
/// net.
fn check_frontend(path: &Path) -> Result<(), StartError> {
    let because = if !path.join("index.html").is_file() {
        "it has no index.html"
    } else if path.join("package.json").exists() {
        "it holds the sources"
    } else {
        return Ok(());
    };
    Err(StartError::Frontend { path: path.to_owned(), because })
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names of the variables, for their values may be secrets.
        let env: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Options")
            .field("nodes", &self.nodes)
            .field("admin_apis", &self.admin_apis)
            .field("port", &self.port)
            .field("dir", &self.dir)
            .field("binaries", &self.binaries)
            .field("frontend", &self.frontend)
            .field("env", &env)
            .finish_non_exhaustive()
    }
}
