//! A gateway for a test. Every answer that a test gets is looked up in the API's own description.

use engine::{
    MemoryCluster, Ports, Retention,
    clock::{Clock, MockClock, SeededEntropy},
    port::{Attachment, Claim, NewRoom, NodeLease, RoomRules},
};
use gateway::Config;
use protocol::{NodeId, RawText, RoomId, RoomName};
use reqwest::{Method, RequestBuilder, Response};
use runtime::{
    env::{MapEnv, Reader},
    health::Health,
    http::PROBLEM_JSON,
    lifecycle::Lifecycle,
    server::bind,
};
use serde_json::Value;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(10);
pub const LEASE: Duration = Duration::from_secs(10);
pub const VERSION: &str = "1.2.3";

/// The cluster that a gateway looks at.
pub struct Cluster {
    pub clock: Arc<MockClock>,
    memory: MemoryCluster,
}

impl Cluster {
    pub fn new() -> Self {
        let clock = Arc::new(MockClock::new());
        let memory = MemoryCluster::new(clock.clone(), Arc::new(SeededEntropy::new(7)), Retention::default());
        Self { clock, memory }
    }

    pub fn ports(&self, node: &str) -> Ports {
        self.memory.node(node.parse().unwrap())
    }

    /// A chat-node with as many sockets.
    pub async fn node(&self, name: &str, connections: u32) -> NodeLease {
        let directory = self.ports(name).directory;
        let lease = directory.register(&name.parse::<NodeId>().unwrap(), LEASE).await.unwrap();
        directory.heartbeat(&lease, LEASE, connections).await.unwrap();
        lease
    }

    /// A client that makes as many rooms and stays in all of them. Each is a millisecond younger than the one before
    /// when `apart`, and else they are of one age.
    pub async fn rooms(&self, count: usize, apart: bool) -> Vec<RoomId> {
        let lease = Arc::new(self.node("maker", 1).await);
        let directory = self.ports("maker").directory;
        let attachment = Attachment { lease, connection: 1 };
        let claim = Claim { identity: None, fresh_key: Uuid::nil(), username: None, rename: false, address: None };
        let client = directory.attach(&attachment, claim).await.unwrap().client_id;
        let rules = RoomRules { rooms_per_client: usize::MAX, members_per_room: 10 };
        let mut ids = Vec::new();
        for number in 0..count {
            let name = RoomName::parse(&RawText(format!("Room {number} 🍪")), 16).unwrap();
            let new = NewRoom { name, request: None };
            ids.push(directory.create_room(client, &attachment, new, rules).await.unwrap().room.room_id);
            if apart {
                self.clock.advance(Duration::from_millis(1));
            }
        }
        ids
    }

    /// A gateway with the given variables.
    pub fn gateway<const N: usize>(&self, variables: [(&str, &str); N]) -> Running {
        self.gateway_over(self.ports("gateway-1"), Health::new(), variables)
    }

    /// The same over ports and a health of the test's own.
    pub fn gateway_over<const N: usize>(&self, ports: Ports, health: Health, variables: [(&str, &str); N]) -> Running {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (node, clock): (NodeId, Arc<dyn Clock>) = ("gateway-1".parse().unwrap(), self.clock.clone());
        let server = gateway::build(config(variables), node, ports, clock, health, VERSION, listener).unwrap();
        let lifecycle = Lifecycle::new();
        let ends_with = lifecycle.clone();
        let server = tokio::spawn(async move { server.workers(1).run(&ends_with).await });
        Running { address, lifecycle, server, http: reqwest::Client::new() }
    }
}

/// The configuration that the variables make.
pub fn config<const N: usize>(variables: [(&str, &str); N]) -> Config {
    let env = MapEnv::from_iter(variables);
    let mut r = Reader::new(&env);
    let config = Config::read(&mut r);
    r.finish().unwrap();
    config.get().unwrap()
}

/// A running gateway.
pub struct Running {
    pub address: SocketAddr,
    pub lifecycle: Lifecycle,
    server: JoinHandle<io::Result<()>>,
    http: reqwest::Client,
}

impl Running {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address)).timeout(PATIENCE)
    }

    /// A GET whose answer the description must name.
    pub async fn get(&self, path: &str) -> Response {
        let response = self.request(Method::GET, path).send().await.unwrap();
        is_described(path, response.status().as_u16());
        response
    }

    /// As a client of the address, if the gateway believes it.
    pub async fn get_as(&self, client: &str, path: &str) -> Response {
        let request = self.request(Method::GET, path).header("x-forwarded-for", client);
        let response = request.send().await.unwrap();
        is_described(path, response.status().as_u16());
        response
    }

    /// A GET that succeeds with JSON.
    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json");
        response.json().await.unwrap()
    }

    /// What comes back for bytes that no client library would send.
    pub async fn raw(&self, request: &str) -> String {
        let exchange = async {
            let mut socket = TcpStream::connect(self.address).await.unwrap();
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.unwrap();
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

/// What every refusal must be; returns its detail.
pub async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["type"], "about:blank");
    assert_eq!(body["status"], status);
    assert_eq!(body["requestId"], id.as_str());
    assert!(body["title"].is_string());
    body["detail"].as_str().unwrap().to_owned()
}

/// Fails when the description names the path but not this answer of it.
fn is_described(path: &str, status: u16) {
    let path = path.split('?').next().unwrap();
    let path = if path.starts_with("/api/rooms/") { "/api/rooms/{id}" } else { path };
    let document = serde_json::to_value(gateway::document(VERSION)).unwrap();
    if let Some(call) = document["paths"].get(path) {
        let answers = call["get"]["responses"].as_object().unwrap();
        assert!(answers.contains_key(&status.to_string()), "{path} answered {status}, which is not described");
    }
}
