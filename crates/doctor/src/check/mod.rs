//! The checks: what was observed goes in, findings come out. None of them asks the network or a file.

pub mod clock;
pub mod compose;
pub mod proxy;
pub mod redis;
pub mod secrets;
pub mod settings;
pub mod site;
pub mod websocket;

use crate::{
    settings::Settings,
    source::{compose::Compose, env_file::EnvFile, nginx::Nginx, redis_conf::RedisConf},
};
use runtime::env::{Env, Variable};

/// The files of a deployment, as far as there are any.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// `.env`.
    pub env: Option<EnvFile>,
    /// `docker-compose.yml`.
    pub compose: Option<Compose>,
    /// `redis.conf`.
    pub redis: Option<RedisConf>,
    /// nginx's.
    pub nginx: Option<Nginx>,
}

/// The machine that the doctor runs on.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// Files that a process may have open, at most.
    pub open_files: u64,
    /// Its cores.
    pub cores: u64,
}

/// What is known without asking anybody.
pub struct Known<'a> {
    /// The files.
    pub files: &'a Files,
    /// What services read.
    pub settings: Settings<'a>,
    /// The machine.
    pub machine: Machine,
}

impl<'a> Known<'a> {
    /// Puts it together.
    pub fn new(files: &'a Files, process: &'a dyn Env, variables: &'a [Variable], machine: Machine) -> Self {
        let settings = Settings { process, env_file: files.env.as_ref(), compose: files.compose.as_ref(), variables };
        Self { files, settings, machine }
    }

    /// Whether a proxy stands in front, as far as the files tell.
    #[must_use]
    pub fn is_proxied(&self) -> bool {
        let in_compose = |compose: &Compose| compose.services().any(|service| service.is_front());
        self.files.nginx.is_some() || self.files.compose.as_ref().is_some_and(in_compose)
    }
}
