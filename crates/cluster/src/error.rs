//! Why there is no cluster. Each says what to do about it, where that is known.

use crate::{nginx::SiteError, process::ProcessError, template::TemplateError};
use std::{io, path::PathBuf};
use thiserror::Error;

/// Why a cluster could not be started, or not be changed.
#[derive(Debug, Error)]
pub enum StartError {
    /// Programs that others make are not installed.
    #[error("missing: {}. On Debian and Ubuntu: apt-get install {}", programs.join(", "), packages.join(" "))]
    Missing {
        /// Their names.
        programs: Vec<&'static str>,
        /// Debian's packages of them.
        packages: Vec<&'static str>,
    },
    /// One of our own programs is not built.
    #[error("there is no program at {}: build it with `cargo build --release -p chat-node -p gateway`", .0.display())]
    NotBuilt(PathBuf),
    /// The directory to serve is no built front end.
    #[error("{} is no built front end ({}): run `npm --prefix frontend run build`", path.display(), because)]
    Frontend {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        because: &'static str,
    },
    /// A cluster of this size cannot be.
    #[error("a cluster has 1 to {max} chat-nodes, not {given}")]
    Nodes {
        /// How many were asked for.
        given: usize,
        /// How many may be.
        max: usize,
    },
    /// Another supervisor works in the same directory.
    #[error("another cluster runs in {} (its supervisor has pid {holder}): end it, or take another directory", dir.display())]
    Locked {
        /// Which directory.
        dir: PathBuf,
        /// The other's pid.
        holder: String,
    },
    /// Somebody listens where nginx is to.
    #[error("port {0} is in use: stop what listens there, or choose another one")]
    PortInUse(u16),
    /// A port could not be had.
    #[error("no port: {0}")]
    Port(io::Error),
    /// A file could not be written or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// nginx's configuration could not be written.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// Redis's configuration could not be written.
    #[error("Redis's configuration: {0}")]
    Redis(#[from] TemplateError),
    /// A process is not there.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl StartError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }
}
