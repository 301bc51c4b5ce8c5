//! Three servers that share the slots of a Redis Cluster.

#![allow(dead_code)] // each test uses a part of it

use super::{Server, ask};
use std::{sync::OnceLock, time::Duration};

/// A cluster of three masters; it ends with the test process.
pub struct Cluster {
    servers: Vec<Server>,
}

impl Cluster {
    /// Starts one.
    pub fn start() -> Self {
        let options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000", "--save", ""];
        let servers: Vec<Server> = (0..3).map(|_| Server::with("redis-server", &options)).collect();
        let slots = [(0, 5460), (5461, 10922), (10923, 16383)];
        for (server, (first, last)) in servers.iter().zip(slots) {
            told(server, &format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
            told(server, &format!("CLUSTER MEET 127.0.0.1 {}", servers[0].port));
        }
        let cluster = Self { servers };
        for _ in 0..300 {
            if cluster.servers.iter().all(is_ready) {
                return cluster;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the three servers do not become a cluster");
    }

    pub fn url(&self) -> String {
        let ports: Vec<String> = self.servers[1..].iter().map(|s| format!("node=127.0.0.1:{}", s.port)).collect();
        format!("redis-cluster://127.0.0.1:{}?{}", self.servers[0].port, ports.join("&"))
    }
}

/// The one of this test process.
pub fn shared() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

fn told(server: &Server, command: &str) {
    let answer = ask(server.port, command).expect("an answer");
    assert!(answer.starts_with("+OK"), "{command}: {answer}");
}

/// Whether it knows all three and that every slot is served.
fn is_ready(server: &Server) -> bool {
    ask(server.port, "CLUSTER INFO")
        .is_ok_and(|info| info.contains("cluster_state:ok") && info.contains("cluster_size:3"))
}
