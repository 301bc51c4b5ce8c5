//! A cluster of our own, to which everything can be done.

use super::{Ground, environment};
use crate::{
    plan::Fault,
    proxy::{Proxy, Weather},
};
use async_trait::async_trait;
use cluster::{Cluster, Options, Process, ProcessError, Programs, Signal};
use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::runtime::Handle;

/// How long a process may take to be there again.
const READY: Duration = Duration::from_secs(30);
/// How long a node may take to drain, and Redis to write its file.
const END: Duration = Duration::from_secs(30);
/// What each way takes longer when a link is slow: so much that a few round trips make a command late.
const SLOW: Duration = Duration::from_millis(150);

/// Redis as each process sees it.
type Links = Arc<Mutex<HashMap<String, Proxy>>>;

/// Redis, nginx, a gateway and chat-nodes, with a proxy in front of nginx and one before Redis for each of the others.
pub struct Own {
    cluster: Cluster,
    clients: Proxy,
    links: Links,
    directory: PathBuf,
}

impl Own {
    /// Starts everything, out of the programs in `binaries`; logs and Redis's files are under `directory`.
    ///
    /// # Errors
    /// When something is not installed, not built, or does not start.
    pub async fn start(
        nodes: usize,
        binaries: &Path,
        directory: &Path,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, String> {
        let links = Links::default();
        let (for_options, runtime) = (links.clone(), Handle::current());
        let mut options = Options::new(binaries);
        options.nodes = nodes;
        options.dir = directory.to_owned();
        options.env = environment();
        options.redis_address = Some(Box::new(move |name, address| link(&for_options, &runtime, name, address)));
        // What an earlier run left would be judged with this one.
        let _ = fs::remove_dir_all(directory);
        let cluster = Cluster::start(options, &mut |line| tell(line)).await.map_err(|e| e.to_string())?;
        let site = cluster.url();
        let address = site.trim_start_matches("http://").parse::<SocketAddr>().map_err(|e| format!("{site}: {e}"))?;
        let clients = Proxy::start(&Handle::current(), address).map_err(|e| format!("a proxy for the clients: {e}"))?;
        Ok(Self { cluster, clients, links, directory: directory.to_owned() })
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.cluster.stop().await;
    }

    /// Does something to the link between a node and Redis.
    fn link(&mut self, node: usize, act: impl FnOnce(&Proxy)) -> Result<(), String> {
        let name = self.cluster.node(node).name().to_owned();
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(&name).map(act).ok_or_else(|| format!("{name} was not given an address of Redis"))
    }
}

/// The address that a process gets for Redis: a proxy's of its own.
fn link(links: &Links, runtime: &Handle, name: &str, redis: SocketAddr) -> SocketAddr {
    let mut links = links.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(proxy) = links.get(name) {
        return proxy.address;
    }
    match Proxy::start(runtime, redis) {
        Ok(proxy) => {
            let address = proxy.address;
            links.insert(name.to_owned(), proxy);
            address
        }
        // Then faults of this link are refused, and the audit is void.
        Err(_) => redis,
    }
}

/// What a program says that it is, on either of its outputs.
fn version(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).lines().next().map(|line| line.trim().to_owned())
}

async fn again(process: &mut Process) -> Result<(), String> {
    let started: Result<(), ProcessError> = async {
        process.start().await?;
        process.ready(READY).await
    }
    .await;
    started.map_err(|e| e.to_string())
}

async fn ended(process: &Process) -> Result<(), String> {
    match process.wait(END).await {
        Some(_) => Ok(()),
        None => Err(format!("{} does not end within {END:?}", process.name())),
    }
}

#[async_trait]
impl Ground for Own {
    fn urls(&self) -> Vec<String> {
        vec![format!("ws://{}/ws", self.clients.address)]
    }

    fn api(&self) -> Option<String> {
        Some(format!("{}/api", self.cluster.url()))
    }

    fn nodes(&self) -> usize {
        self.cluster.nodes()
    }

    fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} chat-nodes, a gateway, nginx and Redis of its own, version {}; logs in {}",
            self.cluster.nodes(),
            env!("CARGO_PKG_VERSION"),
            self.directory.display()
        )];
        if let Ok(programs) = Programs::find() {
            lines.extend(version(&programs.redis, "--version"));
            lines.extend(version(&programs.nginx, "-v"));
        }
        lines
    }

    fn possible(&self, fault: Fault) -> bool {
        match fault {
            Fault::KillNode { node }
            | Fault::PauseNode { node }
            | Fault::DrainNode { node }
            | Fault::CutRedis { node }
            | Fault::HoleRedis { node }
            | Fault::SlowRedis { node } => node < self.cluster.nodes(),
            Fault::RestartRedis
            | Fault::KillRedis
            | Fault::PauseRedis
            | Fault::CutClients
            | Fault::HoleClients
            | Fault::ReloadNginx => true,
            Fault::Scale { .. } | Fault::Rollout | Fault::RestartStack => false,
        }
    }

    async fn begin(&mut self, fault: Fault) -> Result<(), String> {
        match fault {
            Fault::KillNode { node } => self.cluster.node(node).signal(Signal::KILL),
            Fault::PauseNode { node } => self.cluster.node(node).signal(Signal::STOP),
            Fault::DrainNode { node } => self.cluster.node(node).signal(Signal::TERM),
            Fault::RestartRedis => self.cluster.redis().signal(Signal::TERM),
            Fault::KillRedis => self.cluster.redis().signal(Signal::KILL),
            Fault::PauseRedis => self.cluster.redis().signal(Signal::STOP),
            Fault::CutRedis { node } => self.link(node, Proxy::cut)?,
            Fault::HoleRedis { node } => self.link(node, |link| link.set(Weather::Hole))?,
            Fault::SlowRedis { node } => self.link(node, |link| link.set(Weather::Slow(SLOW)))?,
            Fault::CutClients => self.clients.cut(),
            Fault::HoleClients => self.clients.set(Weather::Hole),
            Fault::ReloadNginx => self.cluster.nginx().signal(Signal::HUP),
            Fault::Scale { .. } | Fault::Rollout | Fault::RestartStack => {
                return Err(format!("{fault}: not possible here"));
            }
        }
        Ok(())
    }

    async fn end(&mut self, fault: Fault) -> Result<(), String> {
        match fault {
            Fault::KillNode { node } | Fault::DrainNode { node } => {
                let node = self.cluster.node(node);
                ended(node).await?;
                again(node).await
            }
            Fault::RestartRedis | Fault::KillRedis => {
                let redis = self.cluster.redis();
                ended(redis).await?;
                again(redis).await
            }
            Fault::PauseNode { node } => {
                self.cluster.node(node).signal(Signal::CONT);
                Ok(())
            }
            Fault::PauseRedis => {
                self.cluster.redis().signal(Signal::CONT);
                Ok(())
            }
            Fault::HoleRedis { node } | Fault::SlowRedis { node } => self.link(node, |link| link.set(Weather::Fair)),
            Fault::HoleClients => {
                self.clients.set(Weather::Fair);
                Ok(())
            }
            Fault::CutRedis { .. }
            | Fault::CutClients
            | Fault::ReloadNginx
            | Fault::Scale { .. }
            | Fault::Rollout
            | Fault::RestartStack => Ok(()),
        }
    }
}
