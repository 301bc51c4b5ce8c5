//! Of what a report speaks: the machine, and each program's version.

use super::{options::Options, system::System};
use crate::load::procfs;
use cluster::Programs;
use serde::Serialize;
use std::{collections::BTreeMap, fs, process::Command};

/// Packages that are named.
const PACKAGES: [&str; 4] = ["socket.io", "@socket.io/redis-adapter", "ws", "ioredis"];

/// What was measured, on what, and when.
#[derive(Debug, Clone, Serialize)]
pub struct About {
    /// Processor, memory and kernel.
    pub machine: String,
    /// In UTC.
    pub date: String,
    /// By name.
    pub versions: BTreeMap<String, String>,
}

/// Asks all of them.
pub(super) fn of(options: &Options) -> Result<About, String> {
    let mut versions = BTreeMap::new();
    let built = if cfg!(debug_assertions) { ", not optimized" } else { "" };
    let commit = said("git", &["rev-parse", "--short", "HEAD"]).map(|commit| format!(" ({commit})"));
    let ours = format!("{}{}{built}", env!("CARGO_PKG_VERSION"), commit.unwrap_or_default());
    versions.insert("Roomful".to_owned(), ours);
    if options.systems.iter().any(|system| system.uses_redis()) {
        let redis = Programs::redis().map_err(|e| e.to_string())?;
        let version = said(&redis.to_string_lossy(), &["--version"]).unwrap_or_default();
        let version = version.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or("unknown");
        versions.insert("Redis".to_owned(), version.to_owned());
    }
    if options.systems.iter().any(|system| matches!(system, System::Ws | System::SocketIo)) {
        let node = said("node", &["--version"]).ok_or("Node.js is missing: https://nodejs.org")?;
        versions.insert("Node.js".to_owned(), node.trim_start_matches('v').to_owned());
        for package in PACKAGES {
            let path = options.peers.join("node_modules").join(package).join("package.json");
            let text = fs::read(&path).map_err(|e| {
                let peers = options.peers.display();
                format!("{}: {e}: install the peers' packages with `npm --prefix {peers} ci`", path.display())
            })?;
            let about: serde_json::Value =
                serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))?;
            versions.insert(package.to_owned(), about["version"].as_str().unwrap_or("unknown").to_owned());
        }
    }
    let date = said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).unwrap_or_default();
    Ok(About { machine: procfs::machine(), date, versions })
}

/// What a program prints in a line.
fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned())
}
