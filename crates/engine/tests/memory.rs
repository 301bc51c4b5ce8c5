//! The memory backend, against the suite that every backend must pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

use async_trait::async_trait;
use engine::{
    MemoryCluster, Ports, Retention,
    clock::{MockClock, SystemEntropy},
    conformance::Backend,
};
use protocol::NodeId;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

struct Memory {
    clock: Arc<MockClock>,
    cluster: MemoryCluster,
    nodes: AtomicUsize,
}

impl Memory {
    fn new() -> Self {
        let clock = Arc::new(MockClock::new());
        let cluster = MemoryCluster::new(clock.clone(), Arc::new(SystemEntropy), RETENTION);
        Self { clock, cluster, nodes: AtomicUsize::new(0) }
    }
}

const RETENTION: Retention = Retention {
    messages: 100,
    time: Duration::from_secs(3600),
    duplicates: Duration::from_secs(600),
    clients: Duration::from_secs(60),
};

#[async_trait]
impl Backend for Memory {
    async fn node(&self) -> (NodeId, Ports) {
        let node: NodeId = format!("node-{}", self.nodes.fetch_add(1, Ordering::Relaxed)).parse().unwrap();
        (node.clone(), self.cluster.node(node))
    }

    async fn again(&self, node: &NodeId) -> Ports {
        self.cluster.node(node.clone())
    }

    fn unit(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn retention(&self) -> Retention {
        RETENTION
    }
}

engine::conformance_tests!(async { Memory::new() });

/// A case that nobody lists would never run.
#[test]
fn every_case_is_listed() {
    let sources = [
        ("amendments", include_str!("../src/conformance/amendments.rs")),
        ("bus", include_str!("../src/conformance/bus.rs")),
        ("census", include_str!("../src/conformance/census.rs")),
        ("directory", include_str!("../src/conformance/directory.rs")),
        ("lease", include_str!("../src/conformance/lease.rs")),
        ("members", include_str!("../src/conformance/members.rs")),
        ("presence", include_str!("../src/conformance/presence.rs")),
        ("records", include_str!("../src/conformance/records.rs")),
        ("room_list", include_str!("../src/conformance/room_list.rs")),
        ("throttle", include_str!("../src/conformance/throttle.rs")),
    ];
    let mut written: Vec<String> = Vec::new();
    for (module, source) in sources {
        let names = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        written.extend(names.map(|name| format!("{module}::{name}")));
    }
    let mut listed: Vec<&str> = CASES.to_vec();
    written.sort_unstable();
    listed.sort_unstable();
    assert_eq!(written, listed);
}
