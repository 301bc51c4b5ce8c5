//! A deployment's files, all well, in a directory of its own; and the doctor's look at them.

pub mod fake;

use doctor::{
    args::Args,
    check::Machine,
    code::Code,
    examine::{Surroundings, examine},
    finding::{Edit, Finding, Severity},
};
use runtime::env::{DURATION, Fault, MapEnv, Variable};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tempfile::TempDir;

/// A moment in 2026: 2026-06-01 00:00:00 UTC.
pub const NOW: u64 = 1_780_272_000_000;

pub const JWT_SECRET: &str = "kX7pQ2mV9sRt4wYz8bNc1dFg5hJk3lMa6oPe";
pub const ADMIN_PASS: &str = "correct-Horse7-battery";
pub const REDIS_PASSWORD: &str = "Zr8uT3xW6vB1nM4qS9kD2fG7";

const ENV: &str = "\
# Made by make env.
JWT_SECRET=kX7pQ2mV9sRt4wYz8bNc1dFg5hJk3lMa6oPe
ADMIN_USER=admin
ADMIN_PASS=correct-Horse7-battery
REDIS_PASSWORD=Zr8uT3xW6vB1nM4qS9kD2fG7
PORT=8080
ALLOWED_ORIGINS=https://chat.example.org
HEARTBEAT=25s
DRAIN_WINDOW=10s
NODE_LEASE=10s
RESUME_GRACE=10s
MAX_CONNECTIONS=20000
LOG_LEVEL=info
LIMIT_MESSAGE_NODE=20,200ms
";

const COMPOSE: &str = "\
x-service: &service
  restart: unless-stopped
  environment: &environment
    HOST: 0.0.0.0
    JWT_SECRET: ${JWT_SECRET:?run make env}
    ADMIN_USER: ${ADMIN_USER:-admin}
    ADMIN_PASS: ${ADMIN_PASS:?run make env}
    REDIS_URL: redis://:${REDIS_PASSWORD}@redis:6379
    TRUSTED_PROXIES: private
    ALLOWED_ORIGINS: ${ALLOWED_ORIGINS:-}
    HEARTBEAT: ${HEARTBEAT:-25s}
    DRAIN_WINDOW: ${DRAIN_WINDOW:-10s}
    NODE_LEASE: ${NODE_LEASE:-10s}
    RESUME_GRACE: ${RESUME_GRACE:-10s}
    MAX_CONNECTIONS: ${MAX_CONNECTIONS:-50000}
    LOG_LEVEL: ${LOG_LEVEL:-info}
    LIMIT_MESSAGE_NODE: ${LIMIT_MESSAGE_NODE:-}
services:
  nginx:
    <<: *service
    image: nginx:1.28
    environment:
      WORKER_CONNECTIONS: \"65536\"
    ports:
      - \"${PORT:-8080}:8080\"
  gateway:
    <<: *service
    image: roomful/gateway
  chat-node:
    <<: *service
    image: roomful/chat-node
    healthcheck:
      test: [\"CMD\", \"/chat-node\", \"health\", \"--live\"]
    stop_grace_period: 20s
    ulimits:
      nofile: 65536
  admin-api:
    <<: *service
    image: roomful/admin-api
  redis:
    restart: unless-stopped
    image: redis:7.4-alpine
    command: redis-server /etc/redis.conf --requirepass ${REDIS_PASSWORD}
    volumes:
      - redis-data:/data
volumes:
  redis-data:
";

const REDIS: &str = "\
bind 0.0.0.0
protected-mode yes
appendonly yes
appendfsync always
save \"\"
maxmemory 1gb
maxmemory-policy noeviction
";

const NGINX: &str = "\
worker_processes 2;
worker_rlimit_nofile 70000;
events {
    worker_connections ${WORKER_CONNECTIONS};
}
http {
    server {
        listen 8080;
        location = /ws {
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection \"upgrade\";
            proxy_read_timeout 75s;
            proxy_pass http://chat-node:8080;
        }
    }
}
";

pub const ENV_FILE: &str = ".env";
pub const COMPOSE_FILE: &str = "docker-compose.yml";
pub const REDIS_FILE: &str = "deploy/redis.conf";
pub const NGINX_FILE: &str = "nginx/nginx.conf";

const fn variable(name: &'static str, default: &'static str) -> Variable {
    Variable::new(name, "").default(default)
}

/// As the services declare them.
pub const VARIABLES: &[Variable] = &[
    Variable::new("JWT_SECRET", "").secret(),
    Variable::new("ADMIN_PASS", "").secret(),
    Variable::new("ADMIN_PASS_HASH", "").secret(),
    Variable::new("REDIS_URL", "").secret(),
    Variable::new("ALLOWED_ORIGINS", ""),
    variable("ADMIN_USER", "admin"),
    variable("TRUSTED_PROXIES", "none"),
    variable("HEARTBEAT", "25s").unit(DURATION),
    variable("DRAIN_WINDOW", "10s").unit(DURATION),
    variable("NODE_LEASE", "10s").unit(DURATION),
    variable("RESUME_GRACE", "10s").unit(DURATION),
    variable("MAX_CONNECTIONS", "50000"),
    variable("LOG_LEVEL", "info"),
    variable("LIMIT_MESSAGE_NODE", "20,200ms"),
];

pub const MACHINE: Machine = Machine { open_files: 1_000_000, cores: 2 };

/// The files of one deployment.
pub struct Deployment {
    dir: TempDir,
    pub env: MapEnv,
    pub args: Args,
    pub now: u64,
    pub faults: Vec<Fault>,
}

impl Deployment {
    /// One without any files: only its environment and what it is asked for.
    pub fn bare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, env: MapEnv::default(), args: Args::default(), now: NOW, faults: vec![] }
    }

    /// One that is well.
    pub fn new() -> Self {
        let deployment = Self::bare();
        for (name, text) in [(ENV_FILE, ENV), (COMPOSE_FILE, COMPOSE), (REDIS_FILE, REDIS), (NGINX_FILE, NGINX)] {
            deployment.write(name, text);
        }
        deployment
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.mode(name, 0o600);
    }

    pub fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The same with one thing changed in a file; `from` has to be there once.
    pub fn change(self, file: &str, from: &str, to: &str) -> Self {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {file}");
        self.write(file, &text.replace(from, to));
        self
    }

    /// The line, from 1, that is this one but for the white space in front.
    pub fn line(&self, file: &str, line: &str) -> usize {
        let text = fs::read_to_string(self.path(file)).unwrap();
        let found: Vec<_> = text.lines().enumerate().filter(|(_, text)| text.trim() == line).collect();
        assert_eq!(found.len(), 1, "{line:?} in {file}:\n{text}");
        found[0].0 + 1
    }

    pub async fn examine(&self) -> Vec<Finding> {
        let now = self.now;
        self.examine_at(&move || now).await
    }

    pub async fn examine_at(&self, now: &(dyn Fn() -> u64 + Sync)) -> Vec<Finding> {
        let surroundings = Surroundings {
            env: &self.env,
            variables: VARIABLES,
            faults: &|_| self.faults.clone(),
            now,
            machine: MACHINE,
            directory: self.dir.path(),
        };
        examine(&self.args, &surroundings).await
    }
}

/// What is wrong, and nothing else.
pub fn wrong(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| matches!(finding.severity, Severity::Error | Severity::Warning)).collect()
}

/// The only one that is wrong.
pub fn only(findings: &[Finding], code: Code) -> &Finding {
    let wrong = wrong(findings);
    assert!(wrong.len() == 1 && wrong[0].code == code, "not only {code:?}: {wrong:#?}");
    wrong[0]
}

pub fn severity(findings: &[Finding], code: Code) -> Severity {
    findings.iter().find(|finding| finding.code == code).unwrap_or_else(|| panic!("{code:?}: {findings:#?}")).severity
}

/// `file:line`, and what to do there.
pub fn place(finding: &Finding) -> (String, Option<Edit>) {
    let place = finding.place.clone().unwrap_or_else(|| panic!("{finding:?} has no place"));
    (place.line.map_or(place.source.clone(), |line| format!("{}:{line}", place.source)), place.edit)
}

pub fn replace(text: &str) -> Option<Edit> {
    Some(Edit::Replace(text.to_owned()))
}

pub fn insert(text: &str) -> Option<Edit> {
    Some(Edit::Insert(text.to_owned()))
}
