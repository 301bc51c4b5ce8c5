//! Single processes, without a cluster around them: what is measured beside it stands on the same supervisor.

use crate::{
    error::StartError,
    plan,
    ports::Port,
    probe::Probe,
    process::{Plan, Process},
    programs::Programs,
    spawn::{Command, OrphanSignal},
};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::mpsc;

/// A program that serves HTTP on loopback.
pub struct Program {
    /// What errors call it.
    pub name: String,
    /// Where it is; a bare name is looked for on the `PATH`.
    pub path: PathBuf,
    /// What it is given.
    pub args: Vec<OsString>,
    /// Variables, on top of those of this process.
    pub env: Vec<(String, String)>,
    /// Whether it says at `/readyz` that it is ready. Another one is when it answers.
    pub readyz: bool,
    /// Takes what it prints.
    pub log: PathBuf,
}

impl Process {
    /// One of any program, which is to listen on `port`. It is not started yet.
    #[must_use]
    pub fn of(program: Program, port: &Port) -> Self {
        let Program { name, path, args, env, readyz, log } = program;
        let command = Command { program: path, args, env, orphan_signal: OrphanSignal::Kill, log };
        let probe = if readyz { Probe::Ready } else { Probe::Http };
        alone(Plan { name, port: port.number(), probe, command })
    }

    /// A Redis as every cluster has it, with its configuration, data and log in `dir`. It is not started yet.
    ///
    /// # Errors
    /// When redis-server is not installed, or the directory cannot be written.
    pub fn redis(dir: &Path, port: &Port) -> Result<Self, StartError> {
        fs::create_dir_all(dir).map_err(StartError::io(dir))?;
        let dir = dir.canonicalize().map_err(StartError::io(dir))?;
        Ok(alone(plan::redis(&Programs::redis()?, &dir, port)?))
    }
}

/// Nobody is told of its end but who looks.
fn alone(plan: Plan) -> Process {
    Process::new(plan, mpsc::unbounded_channel().0, Arc::new(|_| Ok(())))
}
