//! What an idle connection costs: starts the product as a process of its own, lets many clients sit in rooms, and prints
//! its resident memory for each. `make idle-memory` builds and runs it.
//!
//! Environment: `CONNECTIONS` (5000), `ROOM_SIZE` (50), `LIMIT_KIB` (5; above it the exit status is 1), `ROOMFUL_BIN`
//! (the binary beside this example), `FRONTEND_DIR`.

use client::{Client, ConnectOptions};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Ends the server with this process, whatever happens in between.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match measure().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("idle_memory: {e}");
            ExitCode::from(2)
        }
    }
}

async fn measure() -> Result<bool> {
    let (connections, room_size) = (number("CONNECTIONS", 5000)?, number("ROOM_SIZE", 50)?);
    let limit = number("LIMIT_KIB", 5)?;
    let (server, url) = start()?;
    let pid = server.0.id();

    // Code that runs for the first time and tables that double are the process's, not a connection's.
    let warm = fill(&url, 200, room_size).await?;
    drop(warm);
    settle(pid).await?;
    let before = resident_kib(pid)?;

    let begin = Instant::now();
    let clients = fill(&url, connections, room_size).await?;
    println!("{connections} connections in rooms of {room_size}, in {:.1} s", begin.elapsed().as_secs_f64());
    settle(pid).await?;
    let after = resident_kib(pid)?;

    let each = (after - before) as f64 / connections as f64;
    println!("resident: {before} KiB before, {after} KiB with them");
    println!("{each:.2} KiB a connection (at most {limit} wanted)");
    drop(clients);
    Ok(each <= limit as f64)
}

fn number(name: &str, default: usize) -> Result<usize> {
    env::var(name).map_or(Ok(default), |v| v.parse().map_err(|e| format!("{name}={v}: {e}").into()))
}

fn start() -> Result<(Server, String)> {
    let beside = env::current_exe()?.ancestors().nth(2).map(|dir| dir.join("roomful")).unwrap_or_default();
    let binary = env::var_os("ROOMFUL_BIN").map_or(beside, PathBuf::from);
    let mut child = Command::new(&binary)
        .arg("--dev")
        .envs([("PORT", "0"), ("HOST", "127.0.0.1"), ("HEARTBEAT", "10m"), ("LOG_LEVEL", "warn")])
        .envs(["CONNECT", "ROOM_CREATE"].map(|policy| (format!("LIMIT_{policy}_NODE"), "off")))
        .envs(["CONNECT", "ROOM_CREATE"].map(|policy| (format!("LIMIT_{policy}_CLUSTER"), "off")))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", binary.display()))?;
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let server = Server(child);
    for line in BufReader::new(stdout).lines() {
        if let Some((_, address)) = line?.split_once("http://localhost:") {
            return Ok((server, format!("ws://127.0.0.1:{}/ws", address.trim())));
        }
    }
    Err("the server ended without naming its address".into())
}

/// Connects, a room for each `room_size`.
async fn fill(url: &str, connections: usize, room_size: usize) -> Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(connections);
    let mut room = None;
    for n in 0..connections {
        let mut client = Client::connect(url, ConnectOptions::new()).await?;
        match room.filter(|_| n % room_size != 0) {
            Some(room) => drop(client.join(room).await?),
            None => room = Some(client.create_room("idle").await?.room.room_id),
        }
        clients.push(client);
    }
    Ok(clients)
}

/// Waits until the process does nothing any more: two looks in a row without a change.
async fn settle(pid: u32) -> Result<()> {
    let mut last = 0;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = resident_kib(pid)?;
        if now == last {
            return Ok(());
        }
        last = now;
    }
    Ok(())
}

fn resident_kib(pid: u32) -> Result<i64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
