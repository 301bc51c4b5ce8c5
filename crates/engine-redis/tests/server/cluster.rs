//! Three servers that share the slots of a Redis Cluster, with or without a replica each.

#![allow(dead_code)] // each test uses a part of it

use super::{Server, ask, caught_up, until};
use std::sync::OnceLock;

/// A cluster of three masters; it ends with the test process.
pub struct Cluster {
    pub masters: Vec<Server>,
    /// In the order of their masters.
    pub replicas: Vec<Server>,
}

/// Of each master.
const SLOTS: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

impl Cluster {
    /// Starts one.
    pub fn start() -> Self {
        Self::of(0, "5000")
    }

    /// Starts one whose masters have a replica each, which takes over when its master is silent for two seconds.
    pub fn with_replicas() -> Self {
        let cluster = Self::of(3, "2000");
        for (master, replica) in cluster.masters.iter().zip(&cluster.replicas) {
            let id = id(master);
            until("the replica knows its master", || {
                replica.ask(&format!("CLUSTER REPLICATE {id}")).is_ok_and(|answer| answer.starts_with("+OK"))
            });
        }
        for (master, replica) in cluster.masters.iter().zip(&cluster.replicas) {
            caught_up(replica.port, master.port);
        }
        let all = cluster.masters.iter().chain(&cluster.replicas);
        until("all know who replicates whom", || {
            all.clone().all(|s| s.ask("CLUSTER NODES").is_ok_and(|nodes| nodes.matches("slave").count() == 3))
        });
        cluster
    }

    fn of(replicas: usize, patience: &str) -> Self {
        let options = ["--cluster-enabled", "yes", "--cluster-node-timeout", patience, "--save", ""];
        // A replica may take over however long it has heard nothing.
        let more = ["--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"];
        let start = || Server::with("redis-server", &[&options[..], &more[..]].concat());
        let masters: Vec<Server> = SLOTS.iter().map(|_| start()).collect();
        let replicas: Vec<Server> = (0..replicas).map(|_| start()).collect();
        for (server, (first, last)) in masters.iter().zip(SLOTS) {
            told(server, &format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
        }
        for server in masters.iter().chain(&replicas) {
            told(server, &format!("CLUSTER MEET 127.0.0.1 {}", masters[0].port));
        }
        let count = masters.len() + replicas.len();
        let cluster = Self { masters, replicas };
        until("the servers become a cluster", || {
            cluster.masters.iter().chain(&cluster.replicas).all(|server| is_ready(server, count))
        });
        cluster
    }

    pub fn url(&self) -> String {
        let ports: Vec<String> = self.masters[1..].iter().map(|s| format!("node=127.0.0.1:{}", s.port)).collect();
        format!("redis-cluster://127.0.0.1:{}?{}", self.masters[0].port, ports.join("&"))
    }

    /// The slot of a key.
    pub fn slot(&self, key: &str) -> u16 {
        let answer = self.masters[0].ask(&format!("CLUSTER KEYSLOT {key}")).expect("an answer");
        answer.trim_start_matches(':').trim().parse().expect("a number")
    }

    /// Which master has the slot, as long as nobody has moved it.
    pub fn owner(&self, slot: u16) -> usize {
        SLOTS.iter().position(|(_, last)| slot <= *last).expect("one of three")
    }
}

/// The one of this test process.
pub fn shared() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// Its name in the cluster.
pub fn id(server: &Server) -> String {
    let answer = server.ask("CLUSTER MYID").expect("an answer");
    answer.lines().nth(1).expect("a name").trim().to_owned()
}

pub fn told(server: &Server, command: &str) {
    let answer = ask(server.port, command).expect("an answer");
    assert!(answer.starts_with("+OK"), "{command}: {answer}");
}

/// Whether it knows all and that every slot is served.
fn is_ready(server: &Server, count: usize) -> bool {
    ask(server.port, "CLUSTER INFO").is_ok_and(|info| {
        info.contains("cluster_state:ok")
            && info.contains("cluster_size:3")
            && info.contains(&format!("cluster_known_nodes:{count}\r"))
    })
}
