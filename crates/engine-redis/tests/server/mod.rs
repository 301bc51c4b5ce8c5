//! A redis-server of the test's own, on a free port of the loopback.

#![allow(dead_code)] // each test uses a part of it

pub mod backend;
pub mod cluster;
pub mod node;
pub mod proxy;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// A server that ends with its guard, and with the test process however that ends.
pub struct Server {
    pub port: u16,
    dir: Option<tempfile::TempDir>,
    program: String,
    extra: Vec<String>,
    watcher: Child,
}

/// Kills the server when the pipe to the test process breaks: a static is never dropped, and a killed test drops
/// nothing.
const WATCH: &str = "\"$@\" >/dev/null 2>&1 & server=$!; cat >/dev/null; kill -9 $server 2>/dev/null; wait $server";

impl Server {
    /// Starts one that keeps nothing.
    pub fn start() -> Self {
        Self::with("redis-server", &["--save", "", "--appendonly", "no"])
    }

    /// Starts one with these arguments.
    pub fn with(program: &str, extra: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory for redis-server");
        let extra: Vec<String> = extra.iter().map(ToString::to_string).collect();
        for _ in 0..5 {
            let port = free_port();
            let watcher = launch(program, port, dir.path(), &extra);
            let mut server = Self { port, dir: None, program: program.to_owned(), extra: extra.clone(), watcher };
            // Somebody else may have taken the port meanwhile.
            if server.wait_until_ready() {
                server.dir = Some(dir);
                return server;
            }
        }
        panic!("{program} does not start: is it installed? (Debian: apt-get install redis-server)");
    }

    /// Ends it without a farewell, and starts it again on the same port with what it wrote to its disk.
    pub fn restart(&mut self, down: Duration) {
        self.kill();
        std::thread::sleep(down);
        let dir = self.dir.as_ref().expect("a started server").path();
        self.watcher = launch(&self.program, self.port, dir, &self.extra);
        assert!(self.wait_until_ready(), "{} does not start again", self.program);
    }

    fn kill(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// One command over a connection of its own, by the inline protocol; what comes back, as it is.
    pub fn ask(&self, command: &str) -> std::io::Result<String> {
        ask(self.port, command)
    }

    fn wait_until_ready(&mut self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) {
            if ask(self.port, "PING").is_ok_and(|answer| answer.starts_with("+PONG")) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The one of this test process.
pub fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

fn launch(program: &str, port: u16, dir: &std::path::Path, extra: &[String]) -> Child {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(found.is_ok(), "{program} is not installed (Debian: apt-get install redis-server)");
    Command::new("sh")
        .args(["-c", WATCH, "sh", program, "--bind", "127.0.0.1", "--port", &port.to_string()])
        .arg("--dir")
        .arg(dir)
        .args(extra)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell")
}

/// A port that nobody uses at this moment.
pub fn free_port() -> u16 {
    // A cluster's servers also use the port 10,000 above.
    loop {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        if port < 50_000 {
            return port;
        }
    }
}

pub fn ask(port: u16, command: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut chunk = [0; 65_536];
    // A status or a number is one line; a text says its length.
    loop {
        let read = stream.read(&mut chunk)?;
        answer.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let Some((head, rest)) = text.split_once("\r\n") else { continue };
        let is_whole = match head.strip_prefix('$').and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => rest.len() >= length,
            None => true,
        };
        if is_whole || read == 0 {
            return Ok(text);
        }
    }
}
