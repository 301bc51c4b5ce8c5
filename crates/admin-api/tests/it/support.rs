//! An admin API for a test, over a cluster with nodes that do as they are told. Every answer that a test gets is looked
//! up in the API's own description.

use admin_api::{Config, HashCost};
use bytes::Bytes;
use engine::{
    MemoryCluster, Ports, Retention,
    clock::{MockClock, SeededEntropy},
    control::{Described, Order, Outcome, Task},
    port::{Address, Attachment, Claim, Delivery, Document, NewRoom, NodeLease, RoomRules, Sink, Table},
};
use protocol::{ClientId, NodeId, RawText, RoomId, RoomName, Timestamp, Username};
use reqwest::{Method, RequestBuilder, Response};
use runtime::{
    env::{MapEnv, Reader},
    health::Health,
    http::PROBLEM_JSON,
    lifecycle::Lifecycle,
    server::bind,
};
use serde_json::{Value, json};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(10);
pub const VERSION: &str = "1.2.3";
pub const PASSWORD: &str = "correct horse battery staple";
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
const LEASE: Duration = Duration::from_secs(10 * 24 * 3600);

/// The cluster that is administered.
#[derive(Clone)]
pub struct Cluster {
    pub clock: Arc<MockClock>,
    pub memory: MemoryCluster,
    connections: Arc<AtomicU64>,
    replicas: Arc<AtomicU64>,
}

/// A chat-node that does as it is told, and remembers what it was told. One that is called silent says nothing.
pub struct Node {
    pub lease: Arc<NodeLease>,
    pub ports: Ports,
    pub tasks: Arc<Mutex<Vec<Task>>>,
    pub heard: Arc<Mutex<Vec<Bytes>>>,
}

struct Obedient {
    name: NodeId,
    ports: Ports,
    tasks: Arc<Mutex<Vec<Task>>>,
    heard: Arc<Mutex<Vec<Bytes>>>,
}

impl Sink for Obedient {
    fn deliver(&self, delivery: Delivery) {
        let bytes = match delivery {
            Delivery::Order(bytes) => bytes,
            Delivery::Ephemeral { payload, .. } => return self.heard.lock().unwrap().push(payload),
            _ => return,
        };
        let Some(Order::Task { request, reply_to, task }) = Order::decode(&bytes) else { return };
        let client = matches!(task, Task::Describe { .. })
            .then_some(Described { messages_sent: 7, last_seen_at: Timestamp(1_700_000_000_001) });
        self.tasks.lock().unwrap().push(task);
        if self.name.as_str().starts_with("silent") {
            return;
        }
        let done =
            Order::Done { request, node: self.name.clone(), outcome: Outcome { hit: 1, client, unfinished: false } };
        let bus = self.ports.bus.clone();
        tokio::spawn(async move { bus.order(Address::Node(reply_to), done.encode()).await });
    }
}

impl Cluster {
    pub fn new() -> Self {
        let clock = Arc::new(MockClock::new());
        let memory = MemoryCluster::new(clock.clone(), Arc::new(SeededEntropy::new(7)), Retention::default());
        Self { clock, memory, connections: Arc::default(), replicas: Arc::default() }
    }

    pub fn ports(&self, node: &str) -> Ports {
        self.memory.node(node.parse().unwrap())
    }

    pub async fn node(&self, name: &str) -> Node {
        let (ports, name): (Ports, NodeId) = (self.ports(name), name.parse().unwrap());
        let (tasks, heard) = (Arc::default(), Arc::default());
        let (told, listens) = (Arc::clone(&tasks), Arc::clone(&heard));
        ports.bus.attach(Arc::new(Obedient { name: name.clone(), ports: ports.clone(), tasks: told, heard: listens }));
        let lease = Arc::new(ports.directory.register(&name, LEASE).await.unwrap());
        Node { lease, ports, tasks, heard }
    }

    /// A client on a node.
    pub async fn client(&self, node: &Node, name: &str, ip: &str) -> (ClientId, Attachment) {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let attachment = Attachment { lease: node.lease.clone(), connection };
        let claim = Claim {
            identity: None,
            fresh_key: Uuid::nil(),
            username: Some(Username::parse(&RawText(name.to_owned()), 16).unwrap()),
            rename: false,
            address: Some(ip.parse::<IpAddr>().unwrap()),
        };
        (node.ports.directory.attach(&attachment, claim).await.unwrap().client_id, attachment)
    }

    /// A room that a client makes and stays in.
    pub async fn room(&self, node: &Node, (client, attachment): &(ClientId, Attachment), name: &str) -> RoomId {
        let rules = RoomRules { rooms_per_client: usize::MAX, members_per_room: 1000 };
        let new = NewRoom { name: RoomName::parse(&RawText(name.to_owned()), 16).unwrap(), request: None };
        node.ports.directory.create_room(*client, attachment, new, rules).await.unwrap().room.room_id
    }

    pub async fn put(&self, table: Table, id: &str, body: Value) {
        let document = Document { id: id.to_owned(), body: body.to_string().into() };
        self.ports("test").records.put(table, document, None).await.unwrap();
    }

    pub async fn get(&self, table: Table, id: &str) -> Option<Bytes> {
        self.ports("test").records.get(table, id).await.unwrap()
    }

    /// An admin API with the given variables. Two are two replicas.
    pub async fn api(&self, variables: &[(&str, &str)]) -> Api {
        let name = format!("admin-{}", self.replicas.fetch_add(1, Ordering::Relaxed));
        self.api_over(self.ports(&name), &name, variables, false).await
    }

    /// The same with live feeds on raw sockets.
    pub async fn raw_api(&self, variables: &[(&str, &str)]) -> Api {
        self.api_over(self.ports("admin-raw"), "admin-raw", variables, true).await
    }

    /// The same over ports of the test's own.
    pub async fn api_over(&self, ports: Ports, name: &str, variables: &[(&str, &str)], raw: bool) -> Api {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let replica = self.replicas.fetch_add(1, Ordering::Relaxed);
        let entropy = Arc::new(SeededEntropy::new(1000 + replica));
        let (node, clock) = (name.parse().unwrap(), self.clock.clone());
        let server =
            admin_api::build(config(variables), node, ports, clock, entropy, Health::new(), VERSION, listener).await;
        let mut server = server.unwrap().workers(1);
        if raw {
            server = server.with_raw_feeds();
        }
        let lifecycle = Lifecycle::new();
        let ends_with = lifecycle.clone();
        let server = tokio::spawn(async move { server.run(&ends_with).await });
        Api { address, lifecycle, server, http: reqwest::Client::new(), token: String::new() }
    }

    /// The same, signed in.
    pub async fn admin(&self, variables: &[(&str, &str)]) -> Api {
        let mut api = self.api(variables).await;
        api.token = api.login().await;
        api
    }
}

/// The configuration that the variables make; by default without limits, so that a test may sign in as it likes.
pub fn config(variables: &[(&str, &str)]) -> Config {
    let mut env = MapEnv::from_iter([
        ("JWT_SECRET", SECRET),
        ("ADMIN_PASS", PASSWORD),
        ("LIMIT_ADMIN_LOGIN_NODE", "off"),
        ("LIMIT_ADMIN_LOGIN_CLUSTER", "off"),
    ]);
    for (name, value) in variables {
        env.set(*name, *value);
    }
    let mut r = Reader::new(&env);
    let config = Config::read(&mut r);
    r.finish().unwrap();
    Config { hash_cost: HashCost { memory: 8, passes: 1, lanes: 1 }, ..config.get().unwrap() }
}

/// A running admin API, and the token that requests show.
pub struct Api {
    pub address: SocketAddr,
    pub lifecycle: Lifecycle,
    pub token: String,
    server: JoinHandle<io::Result<()>>,
    http: reqwest::Client,
}

impl Api {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.address)).timeout(PATIENCE);
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    /// An answer that the description must name.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = self.request(method.clone(), path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        is_described(&method, path, response.status().as_u16());
        response
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.send(Method::DELETE, path, None).await
    }

    /// A GET that succeeds with JSON.
    pub async fn json(&self, path: &str) -> Value {
        body(self.get(path).await, 200).await
    }

    pub async fn login(&self) -> String {
        let session = self.post("/admin/login", json!({"username": "admin", "password": PASSWORD})).await;
        body(session, 200).await["token"].as_str().unwrap().to_owned()
    }

    /// The newest entries of the audit log.
    pub async fn audit(&self) -> Vec<Value> {
        self.json("/admin/audit?limit=500").await["entries"].as_array().unwrap().clone()
    }

    /// What comes back for bytes that no client library would send.
    pub async fn raw(&self, request: &[u8]) -> String {
        let exchange = async {
            let mut socket = TcpStream::connect(self.address).await.unwrap();
            // It may be refused before all of it was sent.
            let _ = socket.write_all(request).await;
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer).await.unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        timeout(PATIENCE, exchange).await.expect("no answer")
    }

    /// The head of what comes back on a connection that stays open.
    pub async fn head(&self, request: &str) -> String {
        let exchange = async {
            let mut socket = TcpStream::connect(self.address).await.unwrap();
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            while !answer.contains("\r\n\r\n") {
                let byte = socket.read_u8().await.unwrap();
                answer.push(byte.into());
            }
            answer
        };
        timeout(PATIENCE, exchange).await.expect("no answer")
    }

    /// Ends it, and waits until it has.
    pub async fn ended(self) -> bool {
        let ended = self.lifecycle.shutdown(PATIENCE).await;
        timeout(PATIENCE, self.server).await.expect("the server goes on").unwrap().unwrap();
        ended
    }
}

/// The JSON of an answer with the status.
pub async fn body(response: Response, status: u16) -> Value {
    let got = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// What every refusal must be; returns its detail.
pub async fn problem(response: Response, status: u16) -> String {
    let headers = response.headers().clone();
    let got = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    assert_eq!(headers["content-type"], PROBLEM_JSON);
    assert_eq!(headers["cache-control"], "no-store");
    if status == 401 {
        assert_eq!(headers["www-authenticate"], "Bearer");
    }
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["type"], "about:blank");
    assert_eq!(body["status"], status);
    assert_eq!(body["requestId"], headers["x-request-id"].to_str().unwrap());
    body["detail"].as_str().unwrap().to_owned()
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(admin_api::document(VERSION)).unwrap());

/// Fails when the description names the call but not this answer of it.
fn is_described(method: &Method, path: &str, status: u16) {
    let path = path.split('?').next().unwrap();
    let segments: Vec<_> = path.split('/').collect();
    let same = |template: &str| {
        let template: Vec<_> = template.split('/').collect();
        template.len() == segments.len()
            && template.iter().zip(&segments).all(|(t, s)| t == s || t.starts_with('{') || *s == format!("{t}s"))
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let Some((_, calls)) = paths.iter().find(|(template, _)| same(template)) else { return };
    let Some(call) = calls.get(method.as_str().to_lowercase()) else { return };
    let answers = call["responses"].as_object().unwrap();
    assert!(answers.contains_key(&status.to_string()), "{method} {path} answered {status}, which is not described");
}
