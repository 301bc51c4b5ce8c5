//! nginx's configuration: the files of `nginx/`, filled in.
//!
//! They are compiled in, so that the program that uses them and they are always of one version.

use crate::{
    description::write_atomically,
    plan,
    process::Process,
    programs::Programs,
    template::{TemplateError, render},
};
use std::{
    fmt::Write as _,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use thiserror::Error;
use tokio::sync::mpsc;

const TEMPLATE: &str = include_str!("../../../nginx/nginx.conf.template");
/// What it includes; the same everywhere.
const INCLUDED: [(&str, &str); 6] = [
    ("page.conf", include_str!("../../../nginx/page.conf")),
    ("problems.conf", include_str!("../../../nginx/problems.conf")),
    ("proxy.conf", include_str!("../../../nginx/proxy.conf")),
    ("security_headers.conf", include_str!("../../../nginx/security_headers.conf")),
    ("types.conf", include_str!("../../../nginx/types.conf")),
    ("websocket.conf", include_str!("../../../nginx/websocket.conf")),
];
const CONF: &str = "nginx.conf";
const UPSTREAMS: &str = "upstreams.conf";

/// Files that are no connection: logs, listening sockets, epoll, and what is being served.
const OTHER_FILES: u64 = 64;

/// Why the configuration cannot be written.
#[derive(Debug, Error)]
pub enum SiteError {
    /// A value is missing, or cannot stand where it would.
    #[error("nginx's configuration: {0}")]
    Template(#[from] TemplateError),
    /// A path that is not UTF-8.
    #[error("the path {} is not UTF-8, and nginx's configuration is", .0.display())]
    Path(PathBuf),
    /// A file cannot be written.
    #[error("{}: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
}

/// One nginx: what it serves, and whom it stands before.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where its configuration, pid and temporary files are; absolute.
    pub dir: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The built front end; absolute.
    pub frontend: PathBuf,
    /// One JSON object a request; absolute.
    pub access_log: PathBuf,
    /// How clients' addresses are logged: `full`, `short` or `off`.
    pub log_addresses: String,
    /// Files that each of its workers may have open. Two of them carry one WebSocket.
    pub open_files: u64,
    /// How many workers, or `auto`: one a core.
    pub workers: String,
    /// Where `/api` goes.
    pub gateway: Upstream,
    /// Where `/ws` goes.
    pub chat_nodes: Upstream,
    /// Where `/admin` goes; without it, to a 503.
    pub admin_api: Option<Upstream>,
    /// Where names are resolved, if an [`Upstream::Name`] is one.
    pub resolver: Option<SocketAddr>,
}

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// At these addresses; at least one.
    Addresses(Vec<SocketAddr>),
    /// Wherever the name, as in `chat-node:8080`, points at the time.
    Name(String),
}

impl Site {
    /// The main file.
    #[must_use]
    pub fn conf(&self) -> PathBuf {
        self.dir.join(CONF)
    }

    /// Writes all files.
    ///
    /// # Errors
    /// As [`SiteError`] says.
    pub fn write(&self) -> Result<(), SiteError> {
        fs::create_dir_all(&self.dir).map_err(|e| SiteError::Io(self.dir.clone(), e))?;
        for (name, text) in INCLUDED {
            self.put(name, text)?;
        }
        let (listen, open_files) = (self.listen.to_string(), self.open_files.to_string());
        let connections = self.open_files.saturating_sub(OTHER_FILES).max(OTHER_FILES).to_string();
        let values = [
            ("LISTEN", listen.as_str()),
            ("FRONTEND_ROOT", text(&self.frontend)?),
            ("STATE_DIR", text(&self.dir)?),
            ("ACCESS_LOG", text(&self.access_log)?),
            ("LOG_ADDRESSES", &self.log_addresses),
            ("WORKER_PROCESSES", &self.workers),
            ("WORKER_CONNECTIONS", &connections),
            ("OPEN_FILES", &open_files),
            ("GATEWAY", self.gateway.name_or("gateway")),
            ("CHAT_NODES", self.chat_nodes.name_or("chat_nodes")),
            ("ADMIN_API", self.admin_api.as_ref().map_or("", |admin_api| admin_api.name_or("admin_api"))),
        ];
        self.put(CONF, &render(TEMPLATE, &values)?)?;
        self.write_upstreams()
    }

    /// Writes only where the services are. A reload takes it over: connections that are open stay with the workers of
    /// before, until they end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_upstreams(&self) -> Result<(), SiteError> {
        self.put(UPSTREAMS, &self.upstreams())
    }

    /// nginx with this configuration, not started yet, and without anything behind it.
    #[must_use]
    pub fn process(&self, programs: &Programs, log: PathBuf) -> Process {
        Process::new(plan::nginx(programs, self, log), mpsc::unbounded_channel().0, Arc::new(|_| Ok(())))
    }

    fn upstreams(&self) -> String {
        let mut text =
            String::from("# Where the services are. Written by the supervisor, in place of upstreams.conf.template.\n");
        if let Some(resolver) = self.resolver {
            let _ = writeln!(text, "\nresolver {resolver} valid=2s ipv6=off;\nresolver_timeout 2s;");
        }
        // `random two least_conn`: of two nodes drawn by lot, the one with fewer connections. WebSockets stay for long,
        // so a node that was started again has to be able to catch up, which round robin never lets it; but with
        // least_conn alone, one that fails fast always has the fewest, and would attract everybody. `zone`: all workers
        // count together. No failure of a node is remembered: nginx takes one for sound again when a request to it has
        // ended well, and a WebSocket does not end. A node that was started again would get one client each
        // `fail_timeout` until one of these goes; and two of them, one after the other, left no live upstream.
        if let Upstream::Addresses(nodes) = &self.chat_nodes {
            block(&mut text, "chat_nodes", nodes, "max_fails=0", "    random two least_conn;\n", "");
        }
        // A replica that failed three times within 2 s is left out for 2 s: enough not to wait for one that hangs, and no
        // long loss of one that is back.
        let services = [("gateway", Some(&self.gateway)), ("admin_api", self.admin_api.as_ref())];
        for (name, service) in services {
            if let Some(Upstream::Addresses(addresses)) = service {
                block(&mut text, name, addresses, "max_fails=3 fail_timeout=2s", "", "    keepalive 16;\n");
            }
        }
        text
    }

    fn put(&self, name: &str, text: &str) -> Result<(), SiteError> {
        let path = self.dir.join(name);
        write_atomically(&path, text.as_bytes()).map_err(|e| SiteError::Io(path, e))
    }
}

fn block(text: &mut String, name: &str, addresses: &[SocketAddr], failures: &str, balancing: &str, keepalive: &str) {
    let _ = write!(text, "\nupstream {name} {{\n    zone {name} 256k;\n{balancing}");
    for address in addresses {
        let _ = writeln!(text, "    server {address} {failures};");
    }
    let _ = writeln!(text, "{keepalive}}}");
}

impl Upstream {
    fn name_or<'a>(&'a self, upstream: &'a str) -> &'a str {
        match self {
            Self::Addresses(_) => upstream,
            Self::Name(name) => name,
        }
    }
}

fn text(path: &Path) -> Result<&str, SiteError> {
    path.to_str().ok_or_else(|| SiteError::Path(path.to_owned()))
}
