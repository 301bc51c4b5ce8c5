//! The programs of the product, as they are built; and programs that fail.

use super::PATIENCE;
use cluster::{Description, Options};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Where the services are. `cargo test --workspace` has built them by now; another test run has not.
pub fn binaries() -> &'static Path {
    static BINARIES: OnceLock<PathBuf> = OnceLock::new();
    BINARIES.get_or_init(|| {
        // target/debug/cluster: beside the programs of the other packages.
        let ours = Path::new(env!("CARGO_BIN_EXE_cluster"));
        let dir = ours.parent().unwrap().to_owned();
        if ["chat-node", "gateway", "admin-api"].iter().any(|name| !dir.join(name).is_file()) {
            let mut build = Command::new(env!("CARGO"));
            build.args(["build", "--locked", "-p", "chat-node", "-p", "gateway", "-p", "admin-api"]);
            if dir.ends_with("release") {
                build.arg("--release");
            }
            assert!(build.status().unwrap().success(), "the services cannot be built");
        }
        dir
    })
}

/// A small cluster in a directory of its own, which ends with the second value.
pub fn options(nodes: usize) -> (Options, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(binaries());
    options.nodes = nodes;
    options.dir = dir.path().join("run");
    options.open_files = 1024;
    // Never in these tests: who has to be killed at the end is a fault.
    options.drain_within = 4 * PATIENCE;
    // Nobody has to be sent elsewhere slowly, and everybody is at one address.
    for (name, value) in [("DRAIN_WINDOW", "0s"), ("LIMIT_CONNECT_NODE", "off"), ("LIMIT_HTTP_NODE", "off")] {
        options.env.push((name.to_owned(), value.to_owned()));
    }
    (options, dir)
}

/// Scripts in place of the programs.
pub fn scripts(chat_node: &str, gateway: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, script) in [("chat-node", chat_node), ("gateway", gateway)] {
        let path = dir.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    dir
}

/// Whether a process is there. One that has ended and that nobody has asked about is not.
pub fn is_alive(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The state follows the name, which is in parentheses.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Every process whose command line or environment names the directory: all of a cluster, and whatever they started.
pub fn processes_of(dir: &Path) -> BTreeMap<u32, String> {
    let needle = dir.to_str().unwrap();
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let named = pids.filter_map(|pid: u32| {
        let read = |file| fs::read(format!("/proc/{pid}/{file}")).map(|b| String::from_utf8_lossy(&b).into_owned());
        // A worker of nginx has another command line, and a log that is open.
        let files = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        let mut files = files.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
        let cmdline = read("cmdline").ok()?;
        let of = cmdline.contains(needle) || files.any(|file| file.starts_with(dir));
        (of && is_alive(pid) && pid != std::process::id()).then_some((pid, cmdline))
    });
    named.collect()
}

/// The program `cluster`, running.
pub struct Supervisor {
    pub child: Child,
    pub dir: PathBuf,
    lines: Receiver<String>,
    heard: Vec<String>,
    _temp: TempDir,
}

impl Supervisor {
    pub fn start(nodes: usize) -> Self {
        Self::start_with(nodes, &[])
    }

    pub fn start_with(nodes: usize, env: &[(&str, &str)]) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().canonicalize().unwrap().join("run");
        let mut command = command(&dir, nodes);
        let mut child = command.envs(env.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        Self { child, dir, lines, heard: Vec::new(), _temp: temp }
    }

    /// Waits for a line with this in it, and gives it.
    pub fn hear(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(remaining) else {
                panic!("{wanted:?} was not said: {:#?}", self.heard)
            };
            self.heard.push(line.clone());
            if line.contains(wanted) {
                return line;
            }
        }
    }

    pub fn described(&self) -> Description {
        serde_json::from_slice(&fs::read(self.dir.join("cluster.json")).unwrap()).unwrap()
    }

    pub fn signal(&self, signal: &str) {
        kill(signal, self.child.id());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end: {:#?}", self.heard);
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command line of a small cluster.
pub fn command(dir: &Path, nodes: usize) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.arg("--dir").arg(dir).arg("--binaries").arg(binaries()).args(["--port", "0"]);
    command.arg("--nodes").arg(nodes.to_string()).env("DRAIN_WINDOW", "0s");
    command
}

pub fn kill(signal: &str, pid: u32) {
    assert!(Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().unwrap().success());
}
