//! What each process is: its program, its arguments and its environment.

use crate::{
    description::write_atomically,
    error::StartError,
    nginx::{Site, Upstream},
    options::Options,
    ports::Port,
    probe::Probe,
    process::Plan,
    programs::Programs,
    spawn::{Command, OrphanSignal},
    template::{TemplateError, render},
};
use std::{
    ffi::OsString,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};
use uuid::Uuid;

const REDIS_CONF: &str = include_str!("redis.conf.template");

/// An address on loopback.
pub(crate) fn loopback(port: &Port) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()))
}

/// Redis, with its configuration written and its data of former runs gone: the secret that signs sessions changes with
/// each run, so nobody could come back to them.
pub(crate) fn redis(program: &Path, dir: &Path, port: &Port) -> Result<Plan, StartError> {
    let home = dir.join("redis");
    match fs::remove_dir_all(&home) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(StartError::io(&home)(e)),
        _ => fs::create_dir_all(&home).map_err(StartError::io(&home))?,
    }
    let number = port.number().to_string();
    let home_text = home.to_str().ok_or_else(|| TemplateError::Value("DIR".into(), home.display().to_string()))?;
    let text = render(REDIS_CONF, &[("PORT", &number), ("DIR", home_text)])?;
    let conf = home.join("redis.conf");
    write_atomically(&conf, text.as_bytes()).map_err(StartError::io(&conf))?;
    Ok(Plan {
        name: "redis".into(),
        port: port.number(),
        probe: Probe::Redis,
        command: Command {
            program: program.to_owned(),
            args: vec![conf.into()],
            env: Vec::new(),
            orphan_signal: OrphanSignal::Kill,
            log: dir.join("redis.log"),
        },
    })
}

/// What nginx serves.
pub(crate) fn site(options: &Options, dir: &Path, port: &Port, services: Services<'_>) -> Result<Site, StartError> {
    let home = dir.join("nginx");
    let frontend = match &options.frontend {
        Some(path) => path.canonicalize().map_err(StartError::io(path))?,
        None => {
            let nothing = home.join("no-page");
            fs::create_dir_all(&nothing).map_err(StartError::io(&nothing))?;
            nothing
        }
    };
    Ok(Site {
        access_log: dir.join("nginx-access.log"),
        log_addresses: options.value("LOG_ADDRESSES").unwrap_or_else(|| "short".to_owned()),
        dir: home,
        listen: loopback(port),
        frontend,
        open_files: options.open_files,
        workers: "auto".into(),
        gateway: Upstream::Addresses(vec![loopback(services.gateway)]),
        chat_nodes: Upstream::Addresses(services.chat_nodes.iter().map(loopback).collect()),
        admin_api: match services.admin_apis {
            [] => None,
            ports => Some(Upstream::Addresses(ports.iter().map(loopback).collect())),
        },
        resolver: None,
    })
}

/// Where they listen.
#[derive(Clone, Copy)]
pub(crate) struct Services<'a> {
    pub(crate) gateway: &'a Port,
    pub(crate) admin_apis: &'a [Port],
    pub(crate) chat_nodes: &'a [Port],
}

/// nginx, in the foreground.
pub(crate) fn nginx(programs: &Programs, site: &Site, log: PathBuf) -> Plan {
    // As root its workers would be somebody who may not read this directory. They are whoever started us, as all else
    // is.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let args: [OsString; 8] = [
        "-p".into(),
        site.dir.clone().into(),
        "-c".into(),
        site.conf().into(),
        "-e".into(),
        "stderr".into(),
        "-g".into(),
        format!("daemon off; {user}").into(),
    ];
    Plan {
        name: "nginx".into(),
        port: site.listen.port(),
        probe: Probe::Http,
        command: Command {
            program: programs.nginx.clone(),
            args: args.into(),
            env: Vec::new(),
            orphan_signal: OrphanSignal::Terminate,
            log,
        },
    }
}

/// What all services of one run share.
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    /// Where Redis is.
    pub(crate) redis: SocketAddr,
    jwt_secret: String,
    /// Made up, unless the environment has one.
    pub(crate) admin_password: Option<String>,
}

impl Shared {
    pub(crate) fn new(options: &Options, dir: PathBuf, redis: SocketAddr) -> Self {
        let given = options.has("ADMIN_PASS") || options.has("ADMIN_PASS_HASH");
        Self { dir, redis, jwt_secret: secret(), admin_password: (!given).then(secret) }
    }

    /// One of our own services.
    pub(crate) fn service(
        &self,
        options: &Options,
        program: &str,
        name: &str,
        port: &Port,
    ) -> Result<Plan, StartError> {
        let path = options.program(program).ok_or_else(|| StartError::NotBuilt(options.binaries.join(program)))?;
        let redis = options.redis_address.as_ref().map_or(self.redis, |address| address(name, self.redis));
        let mut env = vec![
            ("JWT_SECRET".to_owned(), self.jwt_secret.clone()),
            // nginx, and nobody else, for nobody else has a reason to be asked.
            ("TRUSTED_PROXIES".to_owned(), "127.0.0.1".to_owned()),
        ];
        if let ("admin-api", Some(password)) = (program, &self.admin_password) {
            env.push(("ADMIN_PASS".to_owned(), password.clone()));
        }
        if program == "chat-node" {
            env.push(("WORKERS".to_owned(), workers(options.nodes).to_string()));
        }
        env.extend(options.env.iter().cloned());
        // Last, so that they win: the topology is ours, whatever the caller's environment says.
        env.extend([
            ("HOST".to_owned(), "127.0.0.1".to_owned()),
            ("PORT".to_owned(), port.number().to_string()),
            ("NODE_ID".to_owned(), name.to_owned()),
            ("REDIS_URL".to_owned(), format!("redis://{redis}")),
        ]);
        let log = self.dir.join(format!("{name}.log"));
        Ok(Plan {
            name: name.to_owned(),
            port: port.number(),
            probe: Probe::Ready,
            command: Command { program: path, args: Vec::new(), env, orphan_signal: OrphanSignal::Kill, log },
        })
    }
}

/// Worker threads for each of so many chat-nodes on this machine: they share its cores.
#[must_use]
pub fn workers(nodes: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / nodes.max(1)).max(1)
}

/// 244 random bits.
fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
