//! `GET /api/health`.

use crate::{
    ports::{Away, away},
    support::{Cluster, LEASE, Running, VERSION},
};
use engine::clock::Clock;
use runtime::health::{Check, Health};
use serde_json::{Value, json};
use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

struct Hanging;

#[async_trait::async_trait]
impl Check for Hanging {
    async fn check(&self) -> Result<(), String> {
        pending().await
    }
}

/// The body of a 503, which has to be there within 2 s.
async fn degraded(gateway: &Running) -> Value {
    let started = Instant::now();
    let response = gateway.get("/api/health").await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body: Value = response.json().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(body["status"], "degraded");
    body
}

#[tokio::test]
async fn all_is_well() {
    let cluster = Cluster::new();
    cluster.node("node-1", 40).await;
    cluster.node("node-2", 2).await;
    let gateway = cluster.gateway([]);

    let response = gateway.get("/api/health").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body: Value = response.json().await.unwrap();
    assert!(body["uptimeSeconds"].is_u64());
    assert_eq!(
        body,
        json!({
            "status": "ok", "version": VERSION, "uptimeSeconds": body["uptimeSeconds"],
            "timestamp": cluster.clock.now().0, "nodes": 2, "connections": 42,
            "checks": {"engine": {"status": "ok"}},
        })
    );
    assert!(gateway.ended().await);
}

#[tokio::test]
async fn a_node_counts_as_long_as_its_lease() {
    let cluster = Cluster::new();
    cluster.node("node-1", 40).await;
    let gateway = cluster.gateway([]);
    cluster.clock.advance(LEASE);
    let body = gateway.json("/api/health").await;
    assert_eq!((&body["nodes"], &body["connections"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_directory_that_fails() {
    let cluster = Cluster::new();
    let ports = away(cluster.ports("gateway-1"), Away::Refusing);
    let gateway = cluster.gateway_over(ports, Health::new(), []);
    let body = degraded(&gateway).await;
    assert_eq!(body["checks"], json!({"engine": {"status": "degraded", "detail": "it cannot be reached"}}));
    assert_eq!((&body["nodes"], &body["connections"]), (&json!(0), &json!(0)));
    assert!(!body.to_string().contains("10.1.2.3"), "the inside is nobody's business: {body}");
}

#[tokio::test]
async fn ports_that_hang() {
    let cluster = Cluster::new();
    let health = Health::new();
    health.add_check("archive", Arc::new(Hanging));
    let ports = away(cluster.ports("gateway-1"), Away::Hanging);
    let gateway = cluster.gateway_over(ports, health, []);
    let hanging = json!({"status": "degraded", "detail": "no answer within a second"});
    assert_eq!(degraded(&gateway).await["checks"], json!({"archive": hanging, "engine": hanging}));
}

#[tokio::test]
async fn one_failing_check_is_enough() {
    let cluster = Cluster::new();
    let health = Health::new();
    health.add_check("archive", Arc::new(Hanging));
    let gateway = cluster.gateway_over(cluster.ports("gateway-1"), health, []);
    let body = degraded(&gateway).await;
    assert_eq!(body["checks"]["archive"]["status"], "degraded");
    assert_eq!(body["checks"]["engine"]["status"], "ok");
}
