//! `GET /admin/servers`, `/admin/stats`, `/admin/limits`, and draining.

use crate::support::{Cluster, body, problem};
use engine::{control::Task, port::Table};
use reqwest::Method;
use serde_json::{Value, json};

pub fn server(name: &str, connections: u64) -> Value {
    json!({
        "nodeId": name, "service": "chat-node", "host": "h", "version": "1", "startedAt": 1, "lastSeenAt": 2,
        "draining": false, "connections": connections, "rooms": 3, "messagesReceived": 4, "messagesDelivered": 5,
        "bytesReceived": 6, "bytesSent": 7, "slowConsumersClosed": 8, "queuedBytes": 9, "eventLoopLagMs": 0.5,
        "roundTripMs": 0.25, "deliveryMs": null, "canary": [],
        "limited": [{"policy": "message", "clientId": 12345, "ip": null, "refused": connections, "lastAt": 3}],
    })
}

fn minute(name: &str) -> Value {
    json!({
        "nodeId": name, "connections": 1, "rooms": 1, "messagesReceived": 2, "messagesDelivered": 3, "bytesReceived": 4,
        "bytesSent": 5, "slowConsumersClosed": 0, "queuedBytes": 0, "eventLoopLagMs": 0.5, "roundTripMs": 0.25,
        "deliveryMs": 1.5,
    })
}

#[tokio::test]
async fn processes_are_shown_as_they_described_themselves() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    cluster.room(&node, &zoe, "Tea").await;
    let api = cluster.admin(&[]).await;
    assert_eq!(api.json("/admin/servers").await, json!({"servers": []}));
    cluster.put(Table::Reports, "node-1", server("node-1", 10)).await;
    cluster.put(Table::Reports, "node-2", server("node-2", 20)).await;
    cluster.put(Table::Reports, "node-3", json!({"of": "another version"})).await;
    assert_eq!(api.json("/admin/server").await, json!({"servers": [server("node-1", 10), server("node-2", 20)]}));
    let login = json!([{"policy": "admin_login", "clientId": null, "ip": "203.0.113.7", "refused": 15, "lastAt": 1}]);
    cluster.put(Table::Limited, "admin-api-2", login).await;
    cluster.put(Table::Limited, "another version's", json!("nothing")).await;
    let limited = api.json("/admin/limits").await;
    let on: Vec<_> = limited["limited"].as_array().unwrap().iter().map(|limited| &limited["nodeId"]).collect();
    assert_eq!(on, ["node-2", "admin-api-2", "node-1"]);
    assert_eq!(limited["limited"][1]["ip"], "203.0.113.7");
    assert_eq!((&limited["limited"][0]["refused"], &limited["limited"][0]["policy"]), (&json!(20), &json!("message")));

    let now = 1_700_000_000_000_u64;
    for (at, name) in [(now - 3_600_001, "old"), (now - 60_000, "b"), (now - 120_000, "a"), (now - 60_000, "a")] {
        cluster.put(Table::Minutes, &format!("{at:013}:{name}"), minute(name)).await;
    }
    cluster.put(Table::Minutes, "nonsense", json!({})).await;
    let stats = api.json("/admin/stats").await;
    assert_eq!(stats["at"], json!(now));
    assert_eq!(
        stats["now"],
        json!({
            "nodes": 2, "connections": 30, "clients": 1, "rooms": 1, "messagesReceived": 8, "messagesDelivered": 10,
            "bytesReceived": 12, "bytesSent": 14, "slowConsumersClosed": 16, "queuedBytes": 18,
        })
    );
    assert_eq!(
        stats["minutes"],
        json!([
            {"at": now - 120_000, "nodes": [minute("a")]},
            {"at": now - 60_000, "nodes": [minute("a"), minute("b")]},
        ])
    );
}

#[tokio::test]
async fn a_node_is_drained_when_there_is_one() {
    let cluster = Cluster::new();
    let (node, _silent) = (cluster.node("node-1").await, cluster.node("silent").await);
    let api = cluster.admin(&[]).await;
    let drain = |path: &'static str| api.send(Method::POST, path, None);
    let done = body(drain("/admin/servers/node-1/drain?reason=upgrade").await, 202).await;
    assert_eq!(done, json!({"message": "node-1 sends its clients elsewhere", "unconfirmed": []}));
    assert_eq!(*node.tasks.lock().unwrap(), [Task::Drain]);
    let late = body(drain("/admin/server/silent/drain").await, 202).await;
    assert_eq!(late["unconfirmed"], json!(["silent"]));
    problem(drain("/admin/servers/node-2/drain").await, 404).await;

    let log = api.audit().await;
    let shown: Vec<_> = log.iter().map(|e| (e["target"].as_str().unwrap(), e["outcome"].as_str().unwrap())).collect();
    assert_eq!(shown[..3], [("node node-2", "refused"), ("node silent", "unconfirmed"), ("node node-1", "done")]);
    assert_eq!(log[2]["reason"], "upgrade");
}
