//! What stands before the WebSocket.

use crate::support::{UPGRADE, exchange, node};
use client::{ConnectOptions, Raw};

/// What every refusal is.
fn is_problem(head: &str, body: &str, status: u16) {
    assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], status);
    assert!(problem["detail"].is_string() && problem["requestId"].is_string(), "{body}");
}

async fn status(address: std::net::SocketAddr, headers: &str) -> u16 {
    let (head, body) = exchange(address, &format!("{UPGRADE}{headers}\r\n")).await;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    if status != 101 {
        is_problem(&head, &body, status);
    }
    status
}

#[tokio::test]
async fn without_a_list_only_the_own_origin_may() {
    let node = node(&[]).await;
    for (origin, expected) in [
        ("http://chat.example", 101),
        ("https://chat.example", 101),
        ("HTTPS://Chat.Example:443", 101),
        ("https://evil.example", 403),
        ("http://chat.example:8081", 403),
        ("https://chat.example.evil.example", 403),
        ("null", 403),
        ("", 403),
        ("file://", 403),
    ] {
        assert_eq!(status(node.address, &format!("origin: {origin}\r\n")).await, expected, "{origin}");
    }
    assert_eq!(status(node.address, "").await, 101, "a program sends none");
}

#[tokio::test]
async fn with_a_list_only_those_on_it_may() {
    let node = node(&[("ALLOWED_ORIGINS", "https://a.example,http://b.example:8080")]).await;
    for (origin, expected) in [
        ("https://a.example", 101),
        ("http://b.example:8080", 101),
        ("http://b.example", 403),
        ("http://chat.example", 403),
        ("null", 403),
    ] {
        assert_eq!(status(node.address, &format!("origin: {origin}\r\n")).await, expected, "{origin}");
    }
}

#[tokio::test]
async fn the_subprotocol_is_taken_when_offered() {
    let node = node(&[]).await;
    let mut offered = ConnectOptions::new();
    assert_eq!(Raw::connect(&node.url, &offered).await.unwrap().subprotocol(), Some("roomful.v1"));
    offered.subprotocol = false;
    assert_eq!(Raw::connect(&node.url, &offered).await.unwrap().subprotocol(), None);
    for (offer, taken) in [("other, roomful.v1", true), ("other", false), ("roomful.v2", false)] {
        let request = format!("{UPGRADE}sec-websocket-protocol: {offer}\r\n\r\n");
        let (head, _) = exchange(node.address, &request).await;
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert_eq!(head.contains("sec-websocket-protocol: roomful.v1\r\n"), taken, "{offer}: {head}");
    }
    // No extension is spoken, whatever is offered.
    let request = format!("{UPGRADE}sec-websocket-extensions: permessage-deflate\r\n\r\n");
    let (head, _) = exchange(node.address, &request).await;
    assert!(head.starts_with("http/1.1 101 ") && !head.contains("extensions"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
}

#[tokio::test]
async fn requests_that_cannot_become_a_websocket() {
    let node = node(&[]).await;
    let plain = "host: x\r\nconnection: close\r\n";
    let upgrade = "host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n";
    let version = "sec-websocket-version: 13\r\n";
    let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (request, expected) in [
        (format!("GET /ws HTTP/1.1\r\n{plain}"), 426),
        (format!("POST /ws HTTP/1.1\r\n{plain}"), 405),
        (format!("GET /other HTTP/1.1\r\n{plain}"), 404),
        (format!("GET / HTTP/1.1\r\n{plain}"), 404),
        (format!("GET /other HTTP/1.1\r\n{upgrade}{version}{key}"), 404),
        (format!("GET /ws/ HTTP/1.1\r\n{upgrade}{version}{key}"), 404),
        (format!("POST /ws HTTP/1.1\r\n{upgrade}{version}{key}"), 405),
        (format!("GET /ws HTTP/1.1\r\n{upgrade}{key}"), 426),
        (format!("GET /ws HTTP/1.1\r\n{upgrade}sec-websocket-version: 8\r\n{key}"), 426),
        (format!("GET /ws HTTP/1.1\r\n{upgrade}{version}"), 400),
        (format!("GET /ws HTTP/1.1\r\n{upgrade}{version}sec-websocket-key: short\r\n"), 400),
    ] {
        let (head, body) = exchange(node.address, &format!("{request}\r\n")).await;
        is_problem(&head, &body, expected);
        if expected == 426 && request.contains("upgrade") {
            assert!(head.contains("sec-websocket-version: 13"), "{head}");
        }
    }
}

#[tokio::test]
async fn too_many_new_websockets_have_to_wait() {
    let node = node(&[("LIMIT_CONNECT_NODE", "2,30s")]).await;
    // The header of somebody who is not trusted changes nothing.
    for (n, expected) in [(1, 101), (2, 101), (3, 429)] {
        assert_eq!(status(node.address, &format!("x-forwarded-for: 198.51.100.{n}\r\n")).await, expected);
    }
    let (head, body) = exchange(node.address, &format!("{UPGRADE}\r\n")).await;
    is_problem(&head, &body, 429);
    let wait = head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=30).contains(&wait.parse::<u64>().unwrap()), "{head}");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_asks() {
    let node = node(&[("LIMIT_CONNECT_NODE", "2,30s"), ("TRUSTED_PROXIES", "private")]).await;
    for (from, expected) in [
        ("198.51.100.1", 101),
        ("198.51.100.1", 101),
        ("198.51.100.1", 429),
        ("203.0.113.9, 198.51.100.1", 429),
        ("198.51.100.2", 101),
    ] {
        assert_eq!(status(node.address, &format!("x-forwarded-for: {from}\r\n")).await, expected, "{from}");
    }
}

#[tokio::test]
async fn the_cluster_limits_what_its_nodes_let_pass() {
    let cluster = crate::support::Cluster::new();
    let limit = [("LIMIT_CONNECT_CLUSTER", "3/600s")];
    let (one, two) = (cluster.node("n1", &limit).await, cluster.node("n2", &limit).await);
    for (node, expected) in [(&one, 101), (&two, 101), (&one, 101), (&two, 429), (&one, 429)] {
        assert_eq!(status(node.address, "").await, expected);
    }
}

#[tokio::test]
async fn a_full_node_says_so() {
    let node = node(&[("MAX_CONNECTIONS", "2")]).await;
    let (one, _two) = (node.raw().await, node.raw().await);
    node.until("websocket_connections_active", |n| n == 2.0).await;
    assert_eq!(status(node.address, "").await, 503);
    one.close(1000, "").await.unwrap();
    node.until("websocket_connections_active", |n| n == 1.0).await;
    assert_eq!(status(node.address, "").await, 101);
}

#[tokio::test]
async fn health_and_metrics() {
    let node = node(&[]).await;
    let get = async |path: &str| {
        let response = reqwest::get(format!("http://{}{path}", node.address)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(get("/livez").await.0, 200);
    assert!(crate::support::eventually(async || get("/readyz").await.0 == 200).await);
    let (alice, bob, _) = node.pair().await;
    let (mut alice, bob) = (alice, bob);
    alice.say("hi").await.unwrap();
    alice.raw().bytes(&crate::support::frame(0xff, b"")).await.unwrap();
    crate::support::close_of(&mut alice).await;
    node.until("websocket_connections_active", |n| n == 1.0).await;
    let (status, text) = get("/metrics").await;
    assert_eq!(status, 200);
    for line in
        ["messages_received_total 1", "slow_consumers_closed_total 0", "websocket_closes_total{code=\"1002\"} 1"]
    {
        assert!(text.contains(line), "{line}\n{text}");
    }
    drop(bob);
}
