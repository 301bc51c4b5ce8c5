//! Two processes with any number of nodes, for the conformance suite.

#![allow(dead_code)] // each test uses a part of it

use async_trait::async_trait;
use engine::{Ports, Retention, conformance::Backend};
use engine_redis::{RedisCluster, RedisConfig};
use protocol::NodeId;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use uuid::Uuid;

/// Longer than a call takes on a machine that compiles something else meanwhile.
const UNIT: Duration = Duration::from_millis(400);

const RETENTION: Retention = Retention {
    messages: 20,
    time: UNIT.saturating_mul(8),
    duplicates: UNIT.saturating_mul(4),
    clients: UNIT.saturating_mul(3),
};

/// A cluster for the conformance suite.
pub struct Redis {
    /// Two processes, as it were; each has several nodes.
    clusters: [RedisCluster; 2],
    nodes: AtomicUsize,
}

impl Redis {
    /// A cluster with a prefix of its own.
    pub async fn new(url: String) -> Self {
        let prefix = format!("{}:", Uuid::new_v4().simple());
        let config = RedisConfig { prefix, retention: RETENTION, ..RedisConfig::new(url) };
        let connect = || async { RedisCluster::connect(config.clone()).await.expect("a connection to redis-server") };
        Self { clusters: [connect().await, connect().await], nodes: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Backend for Redis {
    async fn node(&self) -> (NodeId, Ports) {
        let n = self.nodes.fetch_add(1, Ordering::Relaxed);
        let node: NodeId = format!("node-{n}").parse().unwrap();
        (node.clone(), self.clusters[n % 2].node(node))
    }

    async fn again(&self, node: &NodeId) -> Ports {
        self.clusters[1].node(node.clone())
    }

    fn unit(&self) -> Duration {
        UNIT
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn retention(&self) -> Retention {
        RETENTION
    }
}
