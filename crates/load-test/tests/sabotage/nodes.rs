//! Three nodes in this process, over one memory cluster and ports of the test's making.

use chat_node::Config;
use engine::{
    MemoryCluster, Ports, Retention,
    clock::{SystemClock, SystemEntropy},
};
use runtime::{
    env::{MapEnv, Reader},
    health::Health,
    lifecycle::Lifecycle,
    server::bind,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use uuid::Uuid;

pub const GRACE: Duration = Duration::from_secs(1);
/// A node that has no member left in a room hears it for as long.
pub const LINGER: Duration = Duration::from_millis(500);

const VARIABLES: &[(&str, &str)] = &[
    ("JWT_SECRET", "a secret of the tests, 32 bytes long or more"),
    ("DRAIN_WINDOW", "0s"),
    ("RESUME_GRACE", "1s"),
    ("LIMIT_CONNECT_NODE", "off"),
    ("LIMIT_CONNECT_CLUSTER", "off"),
    ("LIMIT_MESSAGE_NODE", "off"),
    ("LIMIT_MESSAGE_CLUSTER", "off"),
    ("LIMIT_ROOM_CREATE_NODE", "off"),
    ("LIMIT_ROOM_CREATE_CLUSTER", "off"),
];

/// Running nodes, which end with their test.
pub struct Nodes {
    pub addresses: Vec<SocketAddr>,
    lifecycles: Vec<Lifecycle>,
}

impl Nodes {
    pub async fn start(wrap: impl Fn(Ports) -> Ports) -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let retention = Retention { messages: 100_000, ..Retention::default() };
        let cluster = MemoryCluster::new(clock.clone(), entropy.clone(), retention);
        let mut nodes = Self { addresses: Vec::new(), lifecycles: Vec::new() };
        for name in ["n1", "n2", "n3"] {
            let mut env = MapEnv::from_iter(VARIABLES.iter().copied());
            env.set("NODE_ID", name);
            let mut reader = Reader::new(&env);
            let config = Config::read(&mut reader, Uuid::nil());
            reader.finish().unwrap();
            let mut config = config.get().unwrap();
            config.engine.sweep = Duration::from_millis(100);
            config.engine.linger = LINGER;
            let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
            nodes.addresses.push(listener.local_addr().unwrap());
            let ports = wrap(cluster.node(name.parse().unwrap()));
            let server =
                chat_node::build(config, ports, clock.clone(), entropy.clone(), Health::new(), listener).await.unwrap();
            let lifecycle = Lifecycle::new();
            nodes.lifecycles.push(lifecycle.clone());
            // A runtime of its own: a test that is busy does not hold the node up.
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async move { server.workers(1).run(&lifecycle).await }).unwrap();
            });
        }
        nodes
    }

    pub fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(|address| format!("ws://{address}/ws")).collect()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for lifecycle in &self.lifecycles {
            lifecycle.hard.cancel();
            lifecycle.soft.cancel();
        }
    }
}
