//! One thing wrong with a Redis that runs.

use crate::support::*;
use doctor::{
    code::Code,
    finding::{Edit, Finding, Severity},
};
use runtime::env::MapEnv;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// One that keeps its log in a directory of its own, and ends with its guard and with the test.
struct Server {
    port: u16,
    watcher: Child,
    _dir: tempfile::TempDir,
}

/// Kills the server when the pipe to the test process breaks: a killed test drops nothing.
const WATCH: &str = "\"$@\" >/dev/null 2>&1 & server=$!; cat >/dev/null; kill -9 $server 2>/dev/null; wait $server";
const GOOD: [&str; 6] = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];

impl Server {
    fn start(extra: &[&str]) -> Self {
        for _ in 0..5 {
            let dir = tempfile::tempdir().unwrap();
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let own = [
                "--bind".to_owned(),
                "127.0.0.1".to_owned(),
                "--port".to_owned(),
                port.to_string(),
                "--dir".to_owned(),
                dir.path().display().to_string(),
            ];
            let watcher = Command::new("sh")
                .args(["-c", WATCH, "sh", "redis-server"])
                .args(own)
                .args(GOOD)
                .args(["--maxmemory", "64mb"])
                .args(extra)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let server = Self { port, watcher, _dir: dir };
            // Somebody else may have taken the port meanwhile.
            if server.is_ready() {
                return server;
            }
        }
        panic!("redis-server does not start: is it installed? (Debian: apt-get install redis-server)");
    }

    fn is_ready(&self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) {
            if self.pings().is_ok_and(|answer| answer.starts_with("+PONG") || answer.starts_with("-NOAUTH")) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn pings(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 64];
        let read = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

fn told_of(server: &Server, login: &str) -> Deployment {
    let mut deployment = Deployment::bare();
    deployment.env = MapEnv::from_iter([("REDIS_URL", format!("redis://{login}{}", server.address()))]);
    deployment
}

/// By the machine's own clock, as Redis'.
#[allow(clippy::disallowed_methods)]
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

async fn look(server: &Server) -> Vec<Finding> {
    told_of(server, "").examine_at(&now).await
}

#[tokio::test]
async fn one_that_is_well() {
    let findings = look(&Server::start(&[])).await;
    assert!(wrong(&findings).is_empty(), "{:#?}", wrong(&findings));
    for code in [Code::RedisVersion, Code::RedisAppendFsync, Code::ClockSkewRedis, Code::RedisReplica] {
        assert_eq!(severity(&findings, code), Severity::Ok, "{code:?}");
    }
}

#[tokio::test]
async fn without_its_file_it_is_told_what_to_say_to_it() {
    for (extra, code, command) in [
        (&["--appendfsync", "everysec"][..], Code::RedisAppendFsync, "CONFIG SET appendfsync always"),
        (&["--appendonly", "no"], Code::RedisAppendOnly, "CONFIG SET appendonly yes"),
        (&["--appendonly", "no", "--save", "60 1"], Code::RedisSnapshotsOnly, "CONFIG SET appendonly yes"),
        (&["--maxmemory-policy", "allkeys-lru"], Code::RedisEviction, "CONFIG SET maxmemory-policy noeviction"),
        (&["--maxmemory", "0"], Code::RedisMaxMemory, "CONFIG SET maxmemory 1gb"),
        (&["--maxmemory", "1mb"], Code::RedisMemoryFull, "CONFIG SET maxmemory 2mb"),
    ] {
        let server = Server::start(extra);
        let findings = look(&server).await;
        assert_eq!(place(only(&findings, code)), (server.address(), Some(Edit::Run(command.into()))), "{code:?}");
    }
}

#[tokio::test]
async fn with_its_file_it_is_the_line() {
    let server = Server::start(&["--appendfsync", "everysec"]);
    let deployment = told_of(&server, "");
    deployment.write(REDIS_FILE, "appendonly yes\nappendfsync everysec\nmaxmemory 64mb\n");
    let findings = deployment.examine_at(&now).await;
    let finding = only(&findings, Code::RedisAppendFsync);
    assert_eq!(place(finding), (format!("{REDIS_FILE}:2"), replace("appendfsync always")));
    // The file is right, but the server that runs has not read it.
    deployment.write(REDIS_FILE, "appendonly yes\nappendfsync always\nmaxmemory 64mb\n");
    let findings = deployment.examine_at(&now).await;
    let expected = (server.address(), Some(Edit::Run("CONFIG SET appendfsync always".into())));
    assert_eq!(place(only(&findings, Code::RedisAppendFsync)), expected);
}

#[tokio::test]
async fn a_replica_is_no_place_to_write_to() {
    let primary = Server::start(&[]);
    let server = Server::start(&["--replicaof", &format!("127.0.0.1 {}", primary.port)]);
    let findings = look(&server).await;
    let finding = only(&findings, Code::RedisReplica);
    assert!(finding.seen.contains(&primary.address()), "{}", finding.seen);
    let command = format!("export REDIS_URL=redis://:<password>@{}", primary.address());
    assert_eq!(place(finding), ("environment".into(), Some(Edit::Run(command))));
}

#[tokio::test]
async fn a_cluster_without_slots_has_failed() {
    let server = Server::start(&["--cluster-enabled", "yes"]);
    let findings = look(&server).await;
    let expected = (server.address(), Some(Edit::Run("redis-cli --cluster check".into())));
    assert_eq!(place(only(&findings, Code::RedisClusterState)), expected);
}

#[tokio::test]
async fn who_is_not_let_in_or_finds_nobody() {
    let server = Server::start(&["--requirepass", "right"]);
    let findings = told_of(&server, ":hunter2@").examine_at(&now).await;
    let finding = only(&findings, Code::RedisRefused);
    assert!(finding.seen.contains("does not accept"), "{}", finding.seen);
    assert_eq!(place(finding).0, "environment");
    assert!(!format!("{findings:?}").contains("hunter2"));
    let well = told_of(&server, ":right@").examine_at(&now).await;
    assert!(wrong(&well).is_empty(), "{:#?}", wrong(&well));

    let mut deployment = Deployment::bare();
    deployment.env = MapEnv::from_iter([("REDIS_URL", "redis://127.0.0.1:1")]);
    let findings = deployment.examine_at(&now).await;
    assert!(only(&findings, Code::RedisUnreachable).seen.contains("127.0.0.1:1"));
}

#[tokio::test]
async fn who_may_not_ask_says_so() {
    let server = Server::start(&["--rename-command", "CONFIG", ""]);
    let findings = look(&server).await;
    assert_eq!(place(only(&findings, Code::RedisConfigHidden)).0, server.address());
    assert_eq!(severity(&findings, Code::RedisAppendFsync), Severity::Skipped);
}

#[tokio::test]
async fn its_clock() {
    let server = Server::start(&[]);
    for (off, expected) in [(10_000, Severity::Warning), (60_000, Severity::Error)] {
        let findings = told_of(&server, "").examine_at(&|| now() + off).await;
        assert_eq!(only(&findings, Code::ClockSkewRedis).severity, expected);
    }
}
