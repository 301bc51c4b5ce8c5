//! Nodes for a test, and clients that know no types: what they check is the JSON on the wire.

use chat_node::Config;
use client::{Client, ClientError, ConnectOptions, Frame, Raw};
use engine::{
    MemoryCluster, Ports, Retention,
    clock::{Clock, SystemClock, SystemEntropy},
};
use protocol::{RoomId, event::CommandError};
use runtime::{
    env::{MapEnv, Reader},
    health::Health,
    lifecycle::Lifecycle,
    server::bind,
};
use serde_json::{Value, json};
use std::{
    fmt::Debug,
    future::Future,
    io,
    net::SocketAddr,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use uuid::Uuid;

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(10);
pub const SECRET: &str = "a secret of the tests, 32 bytes long or more";

/// What differs from the defaults unless a test says otherwise: nothing is limited, and nothing is waited for at the end.
const BASE: [(&str, &str); 8] = [
    ("JWT_SECRET", SECRET),
    ("DRAIN_WINDOW", "0s"),
    ("LIMIT_CONNECT_NODE", "off"),
    ("LIMIT_CONNECT_CLUSTER", "off"),
    ("LIMIT_MESSAGE_NODE", "off"),
    ("LIMIT_MESSAGE_CLUSTER", "off"),
    ("LIMIT_ROOM_CREATE_NODE", "off"),
    ("LIMIT_ROOM_CREATE_CLUSTER", "off"),
];

/// Nodes that share a store.
pub struct Cluster {
    memory: MemoryCluster,
    clock: Arc<dyn Clock>,
}

impl Cluster {
    pub fn new() -> Self {
        Self::with(Arc::new(SystemClock), Retention::default())
    }

    pub fn with(clock: Arc<dyn Clock>, retention: Retention) -> Self {
        let memory = MemoryCluster::new(clock.clone(), Arc::new(SystemEntropy), retention);
        Self { memory, clock }
    }

    pub fn ports(&self, node: &str) -> Ports {
        self.memory.node(node.parse().unwrap())
    }

    pub async fn node(&self, name: &str, variables: &[(&str, &str)]) -> TestNode {
        self.start(name, self.ports(name), variables, |_| {}).await
    }

    /// The same over ports of the test's own, and with what no variable sets.
    pub async fn start(
        &self,
        name: &str,
        ports: Ports,
        variables: &[(&str, &str)],
        tweak: impl FnOnce(&mut Config),
    ) -> TestNode {
        let mut env = MapEnv::from_iter(BASE);
        for (variable, value) in variables {
            env.set(*variable, *value);
        }
        env.set("NODE_ID", name);
        let mut r = Reader::new(&env);
        let config = Config::read(&mut r, Uuid::nil());
        r.finish().unwrap();
        let mut config = config.get().unwrap();
        config.engine.sweep = Duration::from_millis(50);
        tweak(&mut config);

        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let server =
            chat_node::build(config, ports, self.clock.clone(), Arc::new(SystemEntropy), Health::new(), listener)
                .await
                .unwrap();
        let lifecycle = Lifecycle::new();
        let ends_with = lifecycle.clone();
        // A runtime of its own, so that a test that is busy, or over, does not hold the node up.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                let served = server.workers(2).run(&ends_with).await;
                ends_with.tasks.close();
                ends_with.tasks.wait().await;
                served
            })
        });
        TestNode { url: format!("ws://{address}/ws"), address, lifecycle, thread: Some(thread) }
    }
}

/// A node of its own.
pub async fn node(variables: &[(&str, &str)]) -> TestNode {
    Cluster::new().node("n1", variables).await
}

/// A running node, which ends with its test.
pub struct TestNode {
    pub url: String,
    pub address: SocketAddr,
    pub lifecycle: Lifecycle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl TestNode {
    pub async fn client(&self, name: &str) -> Client {
        self.connect(ConnectOptions::new().username(name)).await
    }

    pub async fn connect(&self, options: ConnectOptions) -> Client {
        Client::connect(&self.url, options).await.unwrap()
    }

    pub async fn raw(&self) -> Raw {
        Raw::connect(&self.url, &ConnectOptions::new()).await.unwrap()
    }

    pub async fn plain(&self) -> Plain {
        Plain(self.raw().await)
    }

    /// One that has said CONNECT.
    pub async fn guest(&self) -> Plain {
        let mut plain = self.plain().await;
        let connected = plain.ask(json!({"type": "CONNECT", "id": "connect"})).await;
        assert_eq!(connected["type"], "CONNECT");
        plain
    }

    /// Two members of one room.
    pub async fn pair(&self) -> (Client, Client, RoomId) {
        let (mut alice, mut bob) = (self.client("Alice").await, self.client("Bob").await);
        let room = alice.create_room("Tea").await.unwrap().room.room_id;
        bob.join(room).await.unwrap();
        alice.expect::<protocol::event::UserEvent>(|event| !event.joined.is_empty()).await.unwrap();
        (alice, bob, room)
    }

    /// A figure of `/metrics`, summed over its labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = reqwest::get(format!("http://{}/metrics", self.address)).await.unwrap().text().await.unwrap();
        let of_it =
            |line: &&str| line.split(['{', ' ']).next().is_some_and(|n| n == name || n.ends_with(&format!("_{name}")));
        text.lines().filter(of_it).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Waits until a figure is as wanted.
    pub async fn until(&self, name: &str, wanted: impl Fn(f64) -> bool) {
        let reached = eventually(async || wanted(self.metric(name).await)).await;
        assert!(reached, "{name} is {}", self.metric(name).await);
    }

    /// Waits until it has ended by itself.
    pub async fn ended(mut self) -> io::Result<()> {
        let thread = self.thread.take().unwrap();
        let joined = tokio::task::spawn_blocking(move || thread.join().unwrap());
        timeout(PATIENCE, joined).await.expect("the node goes on").unwrap()
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.lifecycle.hard.cancel();
        self.lifecycle.soft.cancel();
    }
}

/// Asks again and again, for as long as a test may wait.
pub async fn eventually(mut holds: impl AsyncFnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if holds().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// What a refused command was told.
pub fn refusal<T: Debug>(result: Result<T, ClientError>) -> CommandError {
    match result {
        Err(ClientError::Refused(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

/// With what code a client was closed.
pub async fn close_of(client: &mut Client) -> u16 {
    client.closed(PATIENCE).await.unwrap().0
}

/// A client that knows JSON and nothing else.
pub struct Plain(pub Raw);

impl Plain {
    pub async fn send(&mut self, command: Value) {
        self.0.text(command.to_string()).await.unwrap();
    }

    /// The next event, whatever it is.
    pub async fn next(&mut self) -> Value {
        loop {
            match self.0.next(PATIENCE).await.expect("an event") {
                Frame::Text(text) => return serde_json::from_str(&text).unwrap(),
                Frame::Ping(_) | Frame::Pong(_) => {}
                frame => panic!("{frame:?}"),
            }
        }
    }

    /// Sends a command, and expects the next event of all to be its reply.
    pub async fn ask(&mut self, command: Value) -> Value {
        self.send(command.clone()).await;
        let reply = self.next().await;
        assert_eq!(reply.get("id"), command.get("id"), "{command} was answered with {reply}");
        reply
    }

    /// The same where events may come before it.
    pub async fn ask_among_events(&mut self, command: Value) -> Value {
        self.send(command.clone()).await;
        loop {
            let event = self.next().await;
            if event.get("id") == command.get("id") {
                return event;
            }
        }
    }

    /// Sends anything, and expects this error.
    pub async fn refused(&mut self, text: &str, code: &str) -> Value {
        self.0.text(text).await.unwrap();
        let reply = self.next().await;
        assert_eq!(
            (&reply["type"], &reply["code"]),
            (&json!("ERROR"), &json!(code)),
            "{text} was answered with {reply}"
        );
        assert!(reply["message"].as_str().is_some_and(|m| !m.is_empty()), "{reply}");
        reply
    }

    /// Fails when anything had come, or the connection does not live.
    pub async fn nothing_came(&mut self) {
        let pong = self.ask(json!({"type": "PING", "id": "nothing came"})).await;
        assert_eq!(pong["type"], "PONG", "{pong}");
    }

    /// How the server closed; what comes before is passed over.
    pub async fn closed(&mut self) -> u16 {
        let ends = async {
            loop {
                match self.0.next(PATIENCE).await {
                    Ok(_) => {}
                    Err(ClientError::Closed { code, .. }) => return code,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        within(ends).await
    }
}

/// No longer than a test may wait.
pub async fn within<T>(wait: impl Future<Output = T>) -> T {
    timeout(PATIENCE, wait).await.expect("it took too long")
}

/// The names of an object's fields, in order.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// A client's frame: masked.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = header(first, payload.len() as u64);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

const MASK: [u8; 4] = [0x5a, 0xa5, 0x0f, 0x3c];

/// The head of a client's frame that claims a length, in the shortest form.
pub fn header(first: u8, length: u64) -> Vec<u8> {
    let mut out = vec![first];
    match length {
        0..126 => out.push(0x80 | length as u8),
        126..=0xffff => {
            out.push(0x80 | 126);
            out.extend((length as u16).to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(MASK);
    out
}

/// What a browser would send, without the last line, so that a test can add headers of its own.
pub const UPGRADE: &str = "GET /ws HTTP/1.1\r\nhost: chat.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
     sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Sends a request, and gives the head and the body of the answer; the body of a 101 is not waited for.
pub async fn exchange(address: SocketAddr, request: &str) -> (String, String) {
    let answer = async {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let head = read_head(&mut socket).await;
        let mut body = String::new();
        if !head.starts_with("http/1.1 101 ") {
            socket.read_to_string(&mut body).await.unwrap();
        }
        (head, body)
    };
    within(answer).await
}

/// Up to the empty line, in lower case.
pub async fn read_head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.expect("an answer"));
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

/// A bare socket on which the handshake is done.
pub async fn bare(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(format!("{UPGRADE}\r\n").as_bytes()).await.unwrap();
    assert!(within(read_head(&mut socket)).await.starts_with("http/1.1 101 "));
    socket
}

/// One frame of the server: its first byte and its payload.
pub async fn read_frame(socket: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let first = socket.read_u8().await?;
    let length = match socket.read_u8().await? {
        126 => u64::from(socket.read_u16().await?),
        127 => socket.read_u64().await?,
        length => length.into(),
    };
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    socket.read_exact(&mut payload).await?;
    Ok((first, payload))
}

/// Reads to the close frame, and gives its code.
pub async fn read_close(socket: &mut TcpStream) -> io::Result<u16> {
    loop {
        let (first, payload) = read_frame(socket).await?;
        if first == 0x88 {
            return Ok(u16::from_be_bytes([payload[0], payload[1]]));
        }
    }
}
