//! The programs that others make.

use crate::error::StartError;
use std::{
    env,
    path::{Path, PathBuf},
};

/// Each program, and Debian's package of it.
const WANTED: [(&str, &str); 3] = [("redis-server", "redis-server"), ("nginx", "nginx"), ("setpriv", "util-linux")];

/// Where Debian has programs for administrators, which are not on everybody's PATH.
const ALSO: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// redis-server.
    pub redis: PathBuf,
    /// nginx.
    pub nginx: PathBuf,
}

impl Programs {
    /// Finds them.
    ///
    /// # Errors
    /// When some are missing: all of them at once, and how to get them.
    pub fn find() -> Result<Self, StartError> {
        find_in(&dirs())
    }

    /// Finds redis-server alone, for who needs no nginx.
    ///
    /// # Errors
    /// When it is missing.
    pub fn redis() -> Result<PathBuf, StartError> {
        let found = dirs().iter().map(|dir| dir.join("redis-server")).find(|path| is_program(path));
        found.ok_or_else(|| StartError::Missing { programs: vec!["redis-server"], packages: vec!["redis-server"] })
    }
}

fn dirs() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(ALSO.map(PathBuf::from)).collect()
}

fn find_in(dirs: &[PathBuf]) -> Result<Programs, StartError> {
    let find = |name: &str| dirs.iter().map(|dir: &PathBuf| dir.join(name)).find(|path: &PathBuf| is_program(path));
    match (find("redis-server"), find("nginx"), find("setpriv")) {
        (Some(redis), Some(nginx), Some(_)) => Ok(Programs { redis, nginx }),
        _ => {
            let (programs, packages) = WANTED.into_iter().filter(|(name, _)| find(name).is_none()).unzip();
            Err(StartError::Missing { programs, packages })
        }
    }
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_missing_is_told_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = [PathBuf::from("/nowhere"), dir.path().to_owned()];
        assert_eq!(
            find_in(&dirs).unwrap_err().to_string(),
            "missing: redis-server, nginx, setpriv. On Debian and Ubuntu: apt-get install redis-server nginx util-linux"
        );
        for name in ["redis-server", "setpriv"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(
            find_in(&dirs).unwrap_err().to_string(),
            "missing: nginx. On Debian and Ubuntu: apt-get install nginx"
        );
        fs::write(dir.path().join("nginx"), "").unwrap();
        assert_eq!(find_in(&dirs).unwrap().nginx, dir.path().join("nginx"));
    }
}
