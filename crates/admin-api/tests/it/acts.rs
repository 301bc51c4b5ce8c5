//! Acts whose process ended before it could say how they went.

use crate::support::{Cluster, PATIENCE};
use engine::{clock::Clock, port::Table};
use serde_json::{Value, json};
use std::time::Duration;

fn act(at: u64, target: &str) -> Value {
    json!({
        "auditId": "", "at": at, "actor": "admin", "ip": "203.0.113.9", "action": "room_delete", "target": target,
        "reason": null, "before": null, "after": null, "outcome": "unknown",
        "detail": "the process that did it ended before it could say how it went", "requestId": "r",
    })
}

#[tokio::test]
async fn they_are_settled_once_whoever_does_it() {
    let cluster = Cluster::new();
    let now = cluster.clock.now().0;
    for number in 0..20 {
        cluster
            .put(
                Table::Acts,
                &format!("{:013}-{number:08x}", now - 60_000),
                act(now - 60_000, &format!("room {number}")),
            )
            .await;
    }
    cluster.put(Table::Acts, "1-young", act(now - 59_999, "room young")).await;
    cluster.put(Table::Acts, "0-nonsense", json!({})).await;
    // Each looks as soon as it has started.
    let replicas = [cluster.admin(&[]).await, cluster.admin(&[]).await, cluster.admin(&[]).await];
    let settled = async {
        while cluster.ports("test").records.list(Table::Acts, None, 100).await.unwrap().len() > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.unwrap();
    for api in replicas {
        // What it has taken out it writes down before it ends.
        assert!(api.ended().await);
    }
    let log = cluster.admin(&[]).await.audit().await;
    let unknown: Vec<_> = log.iter().filter(|entry| entry["outcome"] == "unknown").collect();
    let mut targets: Vec<_> = unknown.iter().map(|entry| entry["target"].as_str().unwrap()).collect();
    targets.sort_unstable();
    targets.dedup();
    assert_eq!((targets.len(), unknown.len()), (20, 20));
    assert!(cluster.get(Table::Acts, "1-young").await.is_some());
}
