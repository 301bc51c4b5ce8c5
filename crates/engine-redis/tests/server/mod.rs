//! A redis-server of the test's own, on a free port of the loopback.

#![allow(dead_code)] // each test uses a part of it

pub mod backend;
pub mod cluster;
pub mod node;
pub mod proxy;
pub mod sentinel;
pub mod tls;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// A server that ends with its guard, and with the test process however that ends.
pub struct Server {
    pub port: u16,
    dir: Option<tempfile::TempDir>,
    pid: Option<u32>,
    program: String,
    args: Vec<String>,
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
        Self::made(program, |port, dir| {
            let own = ["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir", &dir.display().to_string()]
                .map(ToOwned::to_owned);
            own.into_iter().chain(extra.iter().map(ToString::to_string)).collect()
        })
    }

    /// Starts one with arguments that depend on its port and its directory.
    pub fn made(program: &str, args: impl Fn(u16, &Path) -> Vec<String>) -> Self {
        let dir = tempfile::tempdir().expect("a directory for redis-server");
        for _ in 0..5 {
            let port = free_port();
            let args = args(port, dir.path());
            let watcher = launch(program, &args);
            let mut server = Self { port, dir: None, pid: None, program: program.to_owned(), args, watcher };
            // Somebody else may have taken the port meanwhile.
            if server.wait_until_ready() {
                server.dir = Some(dir);
                server.pid = ask(port, "INFO server").ok().as_deref().and_then(process_id);
                return server;
            }
        }
        panic!("{program} does not start: is it installed? (Debian: apt-get install redis-server)");
    }

    /// Ends it without a farewell, and starts it again on the same port with what it wrote to its disk.
    pub fn restart(&mut self, down: Duration) {
        self.kill();
        std::thread::sleep(down);
        self.start_again();
        assert!(self.wait_until_ready(), "{} does not start again", self.program);
    }

    /// Starts it again after [`Server::kill`], and does not wait for it.
    pub fn start_again(&mut self) {
        self.watcher = launch(&self.program, &self.args);
    }

    /// Other arguments from the next start on: what stands in their place is replaced.
    pub fn set_arg(&mut self, name: &str, value: &str) {
        let at = self.args.iter().position(|arg| arg == name).expect("an argument that it has");
        self.args[at + 1] = value.to_owned();
    }

    /// Stops it, or has it go on.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid.expect("a started server");
        let sent = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// Ends it without a farewell.
    pub fn kill(&mut self) {
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

    /// The same, after a login.
    pub fn ask_as(&self, password: &str, command: &str) -> std::io::Result<String> {
        let mut stream = open(self.port)?;
        talk(&mut stream, &format!("AUTH {password}"))?;
        talk(&mut stream, command)
    }

    fn wait_until_ready(&mut self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) {
            if ask(self.port, "PING").is_ok_and(|answer| answer.starts_with("+PONG") || answer.starts_with("-NOAUTH")) {
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

fn process_id(info: &str) -> Option<u32> {
    info.lines().find_map(|line| line.strip_prefix("process_id:")?.parse().ok())
}

fn launch(program: &str, args: &[String]) -> Child {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(found.is_ok(), "{program} is not installed (Debian: apt-get install redis-server)");
    Command::new("sh")
        .args(["-c", WATCH, "sh", program])
        .args(args)
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
    talk(&mut open(port)?, command)
}

fn open(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    // A script that fills a server up takes long on a machine that does something else.
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

fn talk(stream: &mut TcpStream, command: &str) -> std::io::Result<String> {
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut chunk = [0; 65_536];
    // A status or a number is one line; a text says its length.
    loop {
        let read = stream.read(&mut chunk)?;
        answer.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let Some((head, rest)) = text.split_once("\r\n") else {
            if read == 0 {
                return Ok(text);
            }
            continue;
        };
        let is_whole = match head.strip_prefix('$').and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => rest.len() >= length,
            None => true,
        };
        if is_whole || read == 0 {
            return Ok(text);
        }
    }
}

/// Waits, at most half a minute, until something is so. Servers that agree with each other take their time.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "30 s later still not: {what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// Keeps a replica from getting what its master is given from now on, while it stays one that may take over.
pub fn cut_off(replica: u16, master: u16) {
    // The master has no password and so accepts none.
    ask(replica, "CONFIG SET masterauth nonsense").expect("an answer");
    until("the replica is cut off", || {
        ask(master, "CLIENT KILL TYPE replica").expect("an answer");
        ask(replica, "INFO replication").is_ok_and(|info| info.contains("master_link_status:down"))
    });
}

/// Waits until a replica has what its master has.
pub fn caught_up(replica: u16, master: u16) {
    let field = |port, name: &str| {
        let info = ask(port, "INFO replication").unwrap_or_default();
        info.lines().find_map(|line| line.strip_prefix(name)).map(ToOwned::to_owned)
    };
    until("the replica has it all", || {
        field(replica, "master_link_status:").as_deref() == Some("up")
            && field(replica, "slave_repl_offset:") == field(master, "master_repl_offset:")
    });
}
