//! What hostile clients cost the node in memory. Resident memory is a process's, so the node has one of its own: this
//! test binary, once more, running [`a_node_in_a_process_of_its_own`].

use crate::support::{Cluster, UPGRADE, frame, header, read_close, read_frame, read_head, within};
use client::{Client, ConnectOptions};
use std::{
    io::{BufRead, BufReader, Lines},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const MARK: &str = "ROOMFUL_TEST_NODE";
const MIB: i64 = 1 << 20;
/// What the contract allows for 300 MiB behind one header.
const ALLOWED: i64 = 5 * MIB;

/// Not a test: the node of the others, until its standard input ends.
#[tokio::test]
#[ignore = "the other tests of this file start it"]
async fn a_node_in_a_process_of_its_own() {
    if std::env::var_os(MARK).is_none() {
        return;
    }
    let node = Cluster::new().node("n1", &[]).await;
    println!("\nlistening {}", node.address);
    tokio::task::spawn_blocking(|| std::io::stdin().lines().for_each(drop)).await.unwrap();
}

struct Process {
    child: Child,
    /// Kept open, for what the harness prints at the end.
    _output: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "memory::a_node_in_a_process_of_its_own", "--ignored", "--nocapture"])
            .env(MARK, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let address =
            output.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("listening ")?.parse().ok());
        Self { child, address: address.expect("the node's address"), _output: output }
    }

    fn status(&self, field: &str) -> i64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<i64>().unwrap() * 1024
    }

    /// What is resident now; [`Process::grown`] tells the most that was since.
    fn resident(&self) -> i64 {
        // 5 resets the peak (proc(5), clear_refs).
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
        self.status("VmRSS:")
    }

    fn grown(&self, since: i64) -> i64 {
        self.status("VmHWM:") - since
    }

    /// Everything that a node takes once, it has taken after this.
    async fn warm_up(&self) {
        let url = format!("ws://{}/ws", self.address);
        for _ in 0..20 {
            let mut client = Client::connect(&url, ConnectOptions::new()).await.unwrap();
            client.create_room("Tea").await.unwrap();
            client.say(&"🦀".repeat(2000)).await.unwrap();
            client.close().await.unwrap();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.stdin.take();
        let _ = self.child.wait();
    }
}

async fn connected(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(format!("{UPGRADE}\r\n").as_bytes()).await.unwrap();
    within(read_head(&mut socket)).await;
    socket.write_all(&frame(0x81, b"{\"type\":\"CONNECT\"}")).await.unwrap();
    within(read_frame(&mut socket)).await.unwrap();
    socket
}

/// Writes for as long as the server takes it, and gives how much that was and how it closed.
async fn pour(socket: TcpStream, head: Vec<u8>, total: usize) -> (usize, u16) {
    let (mut reading, mut writing) = socket.into_split();
    let pouring = tokio::spawn(async move {
        let chunk = vec![b'x'; 64 * 1024];
        let mut poured = 0;
        if writing.write_all(&head).await.is_ok() {
            while poured < total && writing.write_all(&chunk).await.is_ok() {
                poured += chunk.len();
            }
        }
        poured
    });
    let mut answer = [0; 4];
    within(reading.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer[0], 0x88);
    let code = u16::from_be_bytes([answer[2], answer[3]]);
    // Until it is over, one way or the other.
    let _ = within(reading.read_to_end(&mut Vec::new())).await;
    (pouring.await.unwrap(), code)
}

#[tokio::test]
async fn three_hundred_mebibytes_behind_one_header_cost_nothing() {
    let process = Process::start();
    process.warm_up().await;
    let before = process.resident();
    let socket = connected(process.address).await;
    let (poured, code) = pour(socket, header(0x82, 300 << 20), 300 << 20).await;
    let grown = process.grown(before);
    println!("300 MiB: {} KiB more than {} KiB at the peak; {poured} bytes went", grown / 1024, before / 1024);
    assert_eq!(code, 1009);
    assert!(grown < ALLOWED, "{grown} bytes");

    // And many of them at once.
    let before = process.resident();
    let mut all = tokio::task::JoinSet::new();
    for n in 0..40_u64 {
        let socket = connected(process.address).await;
        all.spawn(pour(socket, header(0x81, (300 << 20) + n), 8 << 20));
    }
    assert!(all.join_all().await.iter().all(|(_, code)| *code == 1009));
    let grown = process.grown(before);
    println!("40 of them: {} KiB more at the peak", grown / 1024);
    assert!(grown < ALLOWED, "{grown} bytes");
}

#[tokio::test]
async fn frames_that_drip_cost_no_more_than_has_come() {
    let process = Process::start();
    process.warm_up().await;
    let before = process.resident();
    let mut sockets = Vec::new();
    for _ in 0..200 {
        sockets.push(connected(process.address).await);
    }
    let connected = process.grown(before);
    // A largest frame each, which never comes whole: its head, then a little of it.
    let largest = frame(0x81, &[b' '; 16_384]);
    for part in largest[..2048].chunks(256) {
        for socket in &mut sockets {
            socket.write_all(part).await.unwrap();
        }
    }
    // The same again would be a frame's worth for each.
    let grown = process.grown(before) - connected;
    println!("200 drips: {} KiB for the connections, {} KiB for 2 KiB of each frame", connected / 1024, grown / 1024);
    assert!(grown < ALLOWED, "{grown} bytes");
    // They are read all the same, when they come whole.
    for socket in &mut sockets[..5] {
        socket.write_all(&largest[2048..]).await.unwrap();
        let (first, payload) = within(read_frame(socket)).await.unwrap();
        assert!(first == 0x81 && String::from_utf8(payload).unwrap().contains("bad_request"));
    }
    tokio::time::timeout(Duration::from_millis(10), read_close(&mut sockets[0])).await.unwrap_err();
}
