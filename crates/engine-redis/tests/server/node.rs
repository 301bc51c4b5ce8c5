//! A node, and what it heard.

#![allow(dead_code)] // each test uses a part of it

use bytes::Bytes;
use engine::{
    Ports,
    port::{Appended, Attachment, Claim, Delivery, NewRoom, NodeLease, Post, RoomRules, Sink},
};
use engine_redis::{RedisCluster, RedisConfig};
use protocol::{ClientId, MessageId, NodeId, RoomId, RoomName, Username, policy::Window};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

/// As many rooms as one likes.
pub const MANY: RoomRules = RoomRules { rooms_per_client: 100_000, members_per_room: 1000 };
const LEASE: Duration = Duration::from_secs(3600);

/// Keeps what it is handed.
#[derive(Default)]
pub struct Heard {
    all: Mutex<Vec<Delivery>>,
    /// Whether it takes its time, as no sink should.
    pub is_slow: AtomicBool,
}

impl Sink for Heard {
    fn deliver(&self, delivery: Delivery) {
        if self.is_slow.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.all.lock().unwrap().push(delivery);
    }
}

impl Heard {
    pub fn all(&self) -> Vec<Delivery> {
        self.all.lock().unwrap().clone()
    }

    pub fn missed(&self) -> usize {
        self.all().iter().filter(|d| **d == Delivery::Missed(None)).count()
    }

    /// The rooms of which something ephemeral came.
    pub fn rooms(&self) -> Vec<RoomId> {
        let room = |d: &Delivery| if let Delivery::Ephemeral { room, .. } = d { Some(*room) } else { None };
        self.all().iter().filter_map(room).collect()
    }

    pub fn clear(&self) {
        self.all.lock().unwrap().clear();
    }
}

/// A process with one node.
pub struct Node {
    pub cluster: RedisCluster,
    pub ports: Ports,
    pub heard: Arc<Heard>,
    pub lease: Arc<NodeLease>,
}

/// Short times, so that tests need not wait.
pub fn config(url: &str) -> RedisConfig {
    RedisConfig {
        prefix: format!("{}:", Uuid::new_v4().simple()),
        command_timeout: Duration::from_millis(500),
        probe_interval: Duration::from_millis(200),
        probe_timeout: Duration::from_millis(500),
        ..RedisConfig::new(url)
    }
}

impl Node {
    pub async fn new(config: &RedisConfig) -> Self {
        let cluster = RedisCluster::connect(config.clone()).await.unwrap();
        let id: NodeId = Uuid::new_v4().to_string().parse().unwrap();
        let ports = cluster.node(id.clone());
        let heard = Arc::new(Heard::default());
        ports.bus.attach(heard.clone());
        let lease = Arc::new(ports.directory.register(&id, LEASE).await.unwrap());
        Self { cluster, ports, heard, lease }
    }

    /// A client of this name.
    pub async fn client(&self, name: &str) -> (ClientId, Attachment) {
        let attachment = Attachment { lease: self.lease.clone(), connection: 1 };
        let username = Some(Username::parse(&name.into(), 64).unwrap());
        let claim = Claim { identity: None, fresh_key: Uuid::new_v4(), username, rename: false, address: None };
        (self.ports.directory.attach(&attachment, claim).await.unwrap().client_id, attachment)
    }

    pub async fn room(&self, client: &(ClientId, Attachment), name: &str) -> RoomId {
        let new = NewRoom { name: RoomName::parse(&name.into(), 64).unwrap(), request: None };
        self.ports.directory.create_room(client.0, &client.1, new, MANY).await.unwrap().room.room_id
    }

    pub async fn say(&self, room: RoomId, client: ClientId, text: &str) -> Result<Appended, engine::PortError> {
        let (id, payload) = (MessageId::new(Uuid::new_v4()), Bytes::from(text.to_owned()));
        let window = Some(Window { count: 1_000_000, window: Duration::from_secs(60) });
        self.ports.bus.append(Post { room, client, id, payload, window, key: None, amendment: None, trace: None }).await
    }

    pub async fn publish(&self, room: RoomId) -> Result<(), engine::Unavailable> {
        self.ports.bus.publish(room, None, Bytes::from_static(b"x")).await
    }
}

/// Waits until something is so.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("10 s later still not: {what}");
}

/// Rooms that nobody has made; one can hear them all the same.
pub fn some_rooms(count: u64) -> Vec<RoomId> {
    (0..count).map(|n| RoomId::new(10_000 + n).unwrap()).collect()
}
