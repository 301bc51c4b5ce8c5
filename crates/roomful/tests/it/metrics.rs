//! `/metrics` of a process that has several services in it.

use crate::support::frontend;
use engine::{
    MemoryCluster,
    clock::{SystemClock, SystemEntropy},
};
use roomful::{
    config::Config,
    product::{Backends, build},
};
use runtime::{env::MapEnv, health::Health, server::bind};
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};
use uuid::Uuid;

#[tokio::test]
async fn nothing_is_there_twice_and_every_service_is_there() {
    let (page, secret) = (frontend(), "s".repeat(32));
    let dist = page.path().join("dist").display().to_string();
    let env = [("JWT_SECRET", secret.as_str()), ("ADMIN_PASS", "a password of tests"), ("FRONTEND_DIR", &dist)];
    let config = Config::from_env(&MapEnv::from_iter(env), Uuid::nil()).unwrap();
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let cluster = MemoryCluster::new(clock.clone(), entropy.clone(), config.chat_node.retention);
    let admin: protocol::NodeId = "admin".parse().unwrap();
    let node = cluster.node(config.chat_node.node_id.clone());
    let backends = Backends { node, admin: (admin.clone(), cluster.node(admin)) };
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let product = build(config, backends, clock, entropy, Health::new(), listener).await.unwrap();

    let text = product.metrics().render();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let name = if line.starts_with('#') { line } else { line.rsplit_once(' ').unwrap().0 };
        assert!(seen.insert(name), "twice: {line}");
    }
    for series in [
        r#"app_build_info{service="roomful",version="0.1.0"}"#,
        r#"limiter_refusals_total{policy="message",layer="cluster"}"#,
        r#"limiter_refusals_total{policy="http",layer="node"}"#,
        r#"limiter_refusals_total{policy="admin_login",layer="cluster"}"#,
        "websocket_connections_active",
        "admin_live_connections",
    ] {
        assert!(seen.contains(series), "{series}\n{text}");
    }
}
