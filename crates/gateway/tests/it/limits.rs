//! The policy `http`, for each client address.

use crate::support::{Cluster, Running, problem};
use reqwest::{Method, Response};
use std::time::Duration;

/// Three at once, and no more for an hour.
const NODE: (&str, &str) = ("LIMIT_HTTP_NODE", "3,1h");
const NO_NODE: (&str, &str) = ("LIMIT_HTTP_NODE", "off");
const NO_CLUSTER: (&str, &str) = ("LIMIT_HTTP_CLUSTER", "off");
const TRUST: (&str, &str) = ("TRUSTED_PROXIES", "private");

/// What a refusal must be; returns how long to wait, in seconds.
async fn refused(response: Response) -> u64 {
    let wait = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let detail = problem(response, 429).await;
    assert_eq!(detail, format!("too many requests: try again in {wait} s"));
    wait
}

async fn is_ok(gateway: &Running, client: &str) -> bool {
    gateway.get_as(client, "/api/instance").await.status() == 200
}

#[tokio::test]
async fn a_flood_is_refused_and_nobody_else_notices() {
    let gateway = Cluster::new().gateway([NODE, NO_CLUSTER, TRUST]);
    for _ in 0..3 {
        assert!(is_ok(&gateway, "203.0.113.1").await);
    }
    for path in ["/api/health", "/api/rooms", "/api/instance", "/api/openapi.json", "/api/nothing"] {
        let wait = refused(gateway.get_as("203.0.113.1", path).await).await;
        assert!((3500..=3600).contains(&wait), "{wait}");
    }
    assert!(is_ok(&gateway, "203.0.113.2").await);
    // Its own process's health is not asked under /api, and not limited.
    assert_eq!(gateway.get_as("203.0.113.1", "/livez").await.status(), 200);
}

#[tokio::test]
async fn whoever_waits_as_told_gets_through() {
    let gateway = Cluster::new().gateway([("LIMIT_HTTP_NODE", "1,300ms"), NO_CLUSTER]);
    gateway.json("/api/instance").await;
    let wait = refused(gateway.get("/api/instance").await).await;
    assert_eq!(wait, 1);
    tokio::time::sleep(Duration::from_secs(wait)).await;
    gateway.json("/api/instance").await;
}

#[tokio::test]
async fn a_forged_address_changes_nothing() {
    // The peer is no trusted proxy.
    let gateway = Cluster::new().gateway([NODE, NO_CLUSTER]);
    for number in 0..3 {
        assert!(is_ok(&gateway, &format!("203.0.113.{number}")).await);
    }
    refused(gateway.get_as("203.0.113.77", "/api/instance").await).await;

    // It is, and hands on what the client forged, with the client's address behind it.
    let gateway = Cluster::new().gateway([NODE, NO_CLUSTER, TRUST]);
    for number in 0..3 {
        assert!(is_ok(&gateway, &format!("198.51.100.{number}, 203.0.113.1")).await);
    }
    refused(gateway.get_as("198.51.100.77, 203.0.113.1", "/api/instance").await).await;
}

#[tokio::test]
async fn an_ipv6_customer_is_one() {
    let gateway = Cluster::new().gateway([NODE, NO_CLUSTER, TRUST]);
    for number in 1..=3 {
        assert!(is_ok(&gateway, &format!("2001:db8:0:1::{number}")).await);
    }
    refused(gateway.get_as("2001:db8:0:1:ffff::4", "/api/instance").await).await;
    assert!(is_ok(&gateway, "2001:db8:0:2::1").await);
}

#[tokio::test]
async fn the_cluster_counts_over_all_gateways() {
    let cluster = Cluster::new();
    let window = ("LIMIT_HTTP_CLUSTER", "3/60s");
    let (a, b) = (cluster.gateway([NO_NODE, window]), cluster.gateway([NO_NODE, window]));
    a.json("/api/instance").await;
    b.json("/api/instance").await;
    a.json("/api/instance").await;
    for gateway in [&a, &b] {
        let wait = refused(gateway.get("/api/instance").await).await;
        assert!((1..=120).contains(&wait), "{wait}");
    }
    cluster.clock.advance(Duration::from_secs(120));
    b.json("/api/instance").await;
}

#[tokio::test]
async fn the_defaults_let_a_person_through_and_not_a_flood() {
    let gateway = Cluster::new().gateway([]);
    let mut refusals = 0;
    for _ in 0..200 {
        refusals += usize::from(gateway.request(Method::GET, "/api/instance").send().await.unwrap().status() == 429);
    }
    assert!(refusals > 0, "200 requests at once");
    let off = Cluster::new().gateway([NO_NODE, NO_CLUSTER]);
    for _ in 0..200 {
        off.json("/api/instance").await;
    }
}
