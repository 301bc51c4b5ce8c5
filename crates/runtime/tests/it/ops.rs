//! `/livez`, `/readyz`, `/metrics`.

use crate::support::{Running, start};
use reqwest::{Client, StatusCode};
use runtime::{
    health::{Check, Health},
    http::only_get,
    ops,
};
use serde_json::Value;
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Well, ill, or silent.
#[derive(Default)]
struct Redis {
    away: AtomicBool,
    hanging: AtomicBool,
}

#[async_trait::async_trait]
impl Check for Redis {
    async fn check(&self) -> Result<(), String> {
        if self.hanging.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
        if self.away.load(Ordering::SeqCst) { Err("connection refused".to_owned()) } else { Ok(()) }
    }
}

fn server() -> (Running, Health, Arc<Redis>) {
    let (health, redis) = (Health::new(), Arc::<Redis>::default());
    health.add_check("redis", redis.clone());
    let server = start(|server, _, metrics| {
        server.routes(ops::routes(health.clone(), metrics.clone())).routes(Arc::new(|cfg| {
            cfg.service(only_get("/rooms/{id}", || async { "room" }));
        }))
    });
    (server, health, redis)
}

async fn readiness(server: &Running) -> (StatusCode, Value) {
    let response = server.get("/readyz").await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn readiness_follows_health_and_liveness_does_not() {
    let (server, health, redis) = server();

    let (status, body) = readiness(&server).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["detail"], "this process is not ready yet");

    health.set_ready(true);
    let (status, body) = readiness(&server).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&body["ok"], &body["checks"]["redis"]["ok"]), (&Value::Bool(true), &Value::Bool(true)));

    redis.away.store(true, Ordering::SeqCst);
    let (status, body) = readiness(&server).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["detail"], "redis: connection refused");
    redis.away.store(false, Ordering::SeqCst);

    health.set_draining();
    let (status, body) = readiness(&server).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["detail"], "this process is draining");

    let live = server.get("/livez").await;
    assert_eq!(live.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_hanging_check_is_answered_in_time() {
    let (server, health, redis) = server();
    health.set_ready(true);
    redis.hanging.store(true, Ordering::SeqCst);
    let asked = Instant::now();
    let (status, body) = readiness(&server).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["detail"], "redis: no answer within a second");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn metrics_count_patterns_never_paths() {
    let (server, ..) = server();
    for path in ["/rooms/1", "/rooms/2", "/made/up", "/also/made/up"] {
        server.get(path).await;
    }
    Client::new().request("BREW".parse().unwrap(), server.url("/rooms/1")).send().await.unwrap();

    let response = server.get("/metrics").await;
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4");
    let text = response.text().await.unwrap();
    for line in [
        r#"app_build_info{service="test",version="0.0.0"} 1"#,
        r#"http_requests_total{method="GET",path="/rooms/{id}",status="200"} 2"#,
        r#"http_requests_total{method="GET",path="unmatched",status="404"} 2"#,
        r#"http_requests_total{method="OTHER",path="/rooms/{id}",status="405"} 1"#,
        r#"http_request_duration_seconds_count{method="GET",path="/rooms/{id}"} 2"#,
    ] {
        assert!(text.lines().any(|has| has == line), "{line}\n{text}");
    }
    assert!(!text.contains("/made/up") && !text.contains("BREW"));
}
