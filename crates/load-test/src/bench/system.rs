//! The servers: each is two processes and, if it uses one, a Redis with the settings of every cluster of ours.

use super::options::Options;
use crate::load::{dialect::Dialect, ground::ENVIRONMENT, profile::Load};
use cluster::{Port, Process, Program};
use serde::Serialize;
use std::{path::Path, str::FromStr, time::Duration};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Processes of each.
pub(super) const NODES: usize = 2;
/// How long one may take until it is ready, and until it has ended.
const READY: Duration = Duration::from_secs(30);
const END: Duration = Duration::from_secs(5);

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum System {
    /// Our own chat-nodes.
    #[serde(rename = "roomful")]
    Roomful,
    /// What nobody can be cheaper than.
    #[serde(rename = "floor")]
    Floor,
    /// `ws` with our wire format and our script.
    #[serde(rename = "ws")]
    Ws,
    /// Socket.IO with its Redis adapter.
    #[serde(rename = "socket.io")]
    SocketIo,
}

impl System {
    /// All of them, ours first.
    pub const ALL: [Self; 4] = [Self::Roomful, Self::Floor, Self::Ws, Self::SocketIo];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Roomful => "roomful",
            Self::Floor => "floor",
            Self::Ws => "ws",
            Self::SocketIo => "socket.io",
        }
    }

    /// What a reader calls it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Roomful => "Roomful",
            Self::Floor => "the floor",
            Self::Ws => "plain ws",
            Self::SocketIo => "Socket.IO",
        }
    }

    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::Roomful | Self::Ws => Dialect::Roomful,
            Self::Floor => Dialect::Listen,
            Self::SocketIo => Dialect::SocketIo,
        }
    }

    pub(super) fn uses_redis(self) -> bool {
        self != Self::Floor
    }
}

impl FromStr for System {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|system| system.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.map(Self::name).to_vec();
            format!("expected some of {}", names.join(", "))
        })
    }
}

/// One thread, which only waits: it takes nothing from what is measured.
pub(super) fn runtime() -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(|e| e.to_string())
}

/// Those of one run. Dropping it kills them.
pub(super) struct Servers {
    nodes: Vec<Process>,
    redis: Option<Process>,
    dialect: Dialect,
    /// Given up after the processes that listen on them.
    _ports: Vec<Port>,
}

impl Servers {
    pub(super) async fn start(options: &Options, system: System, load: &Load) -> Result<Self, String> {
        let dir = options.dir.join(system.name());
        // Logs of a former run would be read as those of this one.
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let mut ports = Vec::new();
        let mut redis = None;
        if system.uses_redis() {
            let port = free()?;
            let mut process = Process::redis(&dir, &port).map_err(|e| e.to_string())?;
            process.start().await.map_err(|e| e.to_string())?;
            process.ready(READY).await.map_err(|e| e.to_string())?;
            redis = Some(process);
            ports.push(port);
        }
        let redis_port = redis.as_ref().map_or(0, Process::port);
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let mut nodes = Vec::new();
        for n in 1..=NODES {
            let port = free()?;
            let program = program(options, system, load, (n, &port), redis_port, &secret, &dir)?;
            let mut node = Process::of(program, &port);
            node.start().await.map_err(|e| e.to_string())?;
            nodes.push(node);
            ports.push(port);
        }
        for node in &nodes {
            node.ready(READY).await.map_err(|e| e.to_string())?;
        }
        Ok(Self { nodes, redis, dialect: system.dialect(), _ports: ports })
    }

    pub(super) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("ws://127.0.0.1:{}{}", node.port(), self.dialect.path())).collect()
    }

    pub(super) fn pids(&self) -> Vec<(String, u32)> {
        let all = self.nodes.iter().chain(&self.redis);
        all.filter_map(|process| Some((process.name().to_owned(), process.pid()?))).collect()
    }

    /// Fails when one has ended, which none has a reason to.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.nodes.iter().chain(&self.redis).find(|process| process.pid().is_none()) {
            Some(process) => {
                Err(format!("{} ended by itself. The end of its log:\n{}", process.name(), process.log_tail()))
            }
            None => Ok(()),
        }
    }

    pub(super) async fn stop(self) {
        for node in &self.nodes {
            node.stop(END).await;
        }
        if let Some(redis) = &self.redis {
            redis.stop(END).await;
        }
    }
}

fn free() -> Result<Port, String> {
    Port::any().map_err(|e| format!("no port: {e}"))
}

fn program(
    options: &Options,
    system: System,
    load: &Load,
    (n, port): (usize, &Port),
    redis_port: u16,
    secret: &str,
    dir: &Path,
) -> Result<Program, String> {
    let mut env = vec![("PORT".to_owned(), port.number().to_string())];
    let mut set = |name: &str, value: String| env.push((name.to_owned(), value));
    let (path, args) = match system {
        System::Roomful => {
            ENVIRONMENT.iter().for_each(|(name, value)| set(name, (*value).to_owned()));
            set("HOST", "127.0.0.1".to_owned());
            set("NODE_ID", node_name(n));
            set("REDIS_URL", format!("redis://127.0.0.1:{redis_port}"));
            set("JWT_SECRET", secret.to_owned());
            set("WORKERS", cluster::workers(NODES).to_string());
            (built(options, "chat-node")?, Vec::new())
        }
        System::Floor => {
            set("ROOMS", load.rooms.to_string());
            set("BYTES", load.bytes.to_string());
            // Each process has half of the members of each room, and so each does half of each message.
            let messages = load.messages(&load.seats());
            set("MESSAGES", messages.map_or_else(|| "max".to_owned(), |rate| rate.to_string()));
            (built(options, "bench-floor")?, Vec::new())
        }
        System::Ws | System::SocketIo => {
            set("REDIS_PORT", redis_port.to_string());
            set("NODE_ENV", "production".to_owned());
            set("NODE_ID", node_name(n));
            let name = if system == System::Ws { "ws" } else { "socketio" };
            let server = options.peers.join(name).join("server.js");
            if !server.is_file() {
                return Err(format!("there is no {}: --peers says where the peers are", server.display()));
            }
            ("node".into(), vec![server.into()])
        }
    };
    let (name, log) = (node_name(n), dir.join(format!("node-{n}.log")));
    let name = if system == System::Roomful { name } else { format!("{} {n}", system.name()) };
    Ok(Program { name, path, args, env, readyz: system == System::Roomful, log })
}

fn node_name(n: usize) -> String {
    format!("chat-node-{n}")
}

fn built(options: &Options, name: &str) -> Result<std::path::PathBuf, String> {
    let path = options.binaries.join(name);
    // Absolute: a bare name would be looked for on the PATH.
    path.canonicalize().map_err(|_| {
        format!("there is no {}: build it with `cargo build --release -p chat-node -p bench-floor`", path.display())
    })
}
