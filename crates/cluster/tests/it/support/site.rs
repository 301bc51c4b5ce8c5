//! One nginx before services of the tests' own.

use super::{PATIENCE, upstream};
use cluster::{
    Port, Process, Programs,
    nginx::{Site, Upstream},
};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};
use tempfile::TempDir;

/// A running nginx; it ends with this value.
pub struct Nginx {
    pub site: Site,
    pub process: Process,
    _port: Port,
    _dir: TempDir,
}

impl Nginx {
    pub fn address(&self) -> SocketAddr {
        self.site.listen
    }

    /// With a page, and services where nobody is but for those that `change` puts there.
    pub async fn start(change: impl FnOnce(&mut Site)) -> Self {
        let (mut site, port, dir) = site();
        change(&mut site);
        site.write().unwrap();
        let mut process = site.process(&Programs::find().unwrap(), site.dir.join("nginx.log"));
        process.start().await.unwrap();
        process.ready(PATIENCE).await.unwrap();
        Self { site, process, _port: port, _dir: dir }
    }
}

/// A site that is not started. The page's files are in `site.frontend`.
pub fn site() -> (Site, Port, TempDir) {
    let (dir, port) = (tempfile::tempdir().unwrap(), Port::any().unwrap());
    let root = dir.path().canonicalize().unwrap();
    let frontend = root.join("page");
    fs::create_dir_all(frontend.join("assets")).unwrap();
    fs::write(frontend.join("index.html"), "<!doctype html><title>x</title>").unwrap();
    let site = Site {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port.number())),
        access_log: root.join("access.log"),
        log_addresses: "short".into(),
        dir: root.join("nginx"),
        frontend,
        open_files: 1024,
        workers: "2".into(),
        gateway: nobody(),
        chat_nodes: nobody(),
        admin_api: None,
        resolver: None,
    };
    (site, port, dir)
}

/// A service that refuses every connection: nothing listens on port 1.
pub fn nobody() -> Upstream {
    Upstream::Addresses(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 1))])
}

pub fn at(services: &[&upstream::Upstream]) -> Upstream {
    Upstream::Addresses(services.iter().map(|service| service.address).collect())
}

/// A test that fails shows what nginx said.
impl Drop for Nginx {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.process.log_tail());
        }
    }
}
