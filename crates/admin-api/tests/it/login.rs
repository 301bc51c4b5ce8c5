//! `POST /admin/login`.

use crate::support::{Api, Cluster, PASSWORD, body, problem};
use engine::clock::Clock;
use protocol::Timestamp;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Duration;

async fn try_as(api: &Api, client: &str, password: &str) -> Response {
    let request = api.request(Method::POST, "/admin/login").header("x-forwarded-for", client);
    request.json(&json!({"username": "admin", "password": password})).send().await.unwrap()
}

#[tokio::test]
async fn a_token_for_the_right_password() {
    let cluster = Cluster::new();
    let api = cluster.api(&[]).await;
    let session = api.post("/admin/login", json!({"username": "admin", "password": PASSWORD})).await;
    assert_eq!(session.headers()["cache-control"], "no-store");
    let session = body(session, 200).await;
    let now = cluster.clock.now();
    assert_eq!(session["expiresAt"], json!(Timestamp(now.0 / 1000 * 1000 + 1_800_000)));
    assert!(session["token"].is_string());
}

#[tokio::test]
async fn a_configured_hash_is_as_good() {
    // Of "hunter22hunter22", with m=8,t=1,p=1.
    let hash = {
        use argon2::{Argon2, Params, PasswordHasher, password_hash::SaltString};
        let argon2 =
            Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        argon2.hash_password(b"hunter22hunter22", &SaltString::encode_b64(&[7; 16]).unwrap()).unwrap().to_string()
    };
    let api = Cluster::new().api(&[("ADMIN_PASS", ""), ("ADMIN_PASS_HASH", &hash), ("ADMIN_USER", "zoe")]).await;
    let login = |user: &str, password: &str| json!({"username": user, "password": password});
    body(api.post("/admin/login", login("zoe", "hunter22hunter22")).await, 200).await;
    problem(api.post("/admin/login", login("zoe", &hash)).await, 401).await;
    problem(api.post("/admin/login", login("admin", "hunter22hunter22")).await, 401).await;
}

#[tokio::test]
async fn what_is_wrong_is_not_said() {
    let api = Cluster::new().api(&[]).await;
    for (user, password) in [
        ("admin", "wrong"),
        ("root", PASSWORD),
        ("", PASSWORD),
        ("admin", ""),
        ("Admin", PASSWORD),
        ("admin\0", PASSWORD),
    ] {
        let refused = api.post("/admin/login", json!({"username": user, "password": password})).await;
        assert_eq!(problem(refused, 401).await, "the name or the password is wrong");
    }
}

#[tokio::test]
async fn bodies_that_are_none() {
    let api = Cluster::new().api(&[]).await;
    for bad in [
        json!(null),
        json!([]),
        json!("hunter2hunter2"),
        json!(17),
        json!({}),
        json!({"username": "admin"}),
        json!({"username": "admin", "password": 5}),
        json!({"username": "admin", "password": null}),
        json!({"username": ["admin"], "password": "hunter2hunter2"}),
    ] {
        let detail = problem(api.post("/admin/login", bad).await, 400).await;
        assert!(!detail.contains("hunter2"), "{detail}");
    }
    for (kind, text) in [
        ("application/json", ""),
        ("application/json", "{"),
        ("application/json", r#"{"username": "admin", "password": "\ud800"}"#),
        ("application/json", r#"{"username": "a", "username": "b", "password": "x"}"#),
        ("application/json", "\u{0}"),
        ("application/json", &"[".repeat(4000)),
        ("text/plain", r#"{"username": "admin", "password": "x"}"#),
        ("application/x-www-form-urlencoded", "username=admin&password=x"),
        ("", "{}"),
    ] {
        let request = api.request(Method::POST, "/admin/login").header("content-type", kind).body(text.to_owned());
        problem(request.send().await.unwrap(), 400).await;
    }
    let invalid = api.request(Method::POST, "/admin/login").header("content-type", "application/json");
    problem(invalid.body(vec![b'"', 0xff, b'"']).send().await.unwrap(), 400).await;
}

#[tokio::test]
async fn a_large_body_is_answered_and_not_reset() {
    let api = Cluster::new().api(&[]).await;
    let large = json!({"username": "admin", "password": "x".repeat(5000)});
    assert_eq!(problem(api.post("/admin/login", large).await, 413).await, "the body may have at most 4096 bytes");

    let head = "POST /admin/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let mut known = format!("{head}content-length: 1048576\r\n\r\n").into_bytes();
    known.extend(vec![b'x'; 1 << 20]);
    let mut chunked = format!("{head}transfer-encoding: chunked\r\n\r\n100000\r\n").into_bytes();
    chunked.extend(vec![b'x'; 1 << 20]);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    for request in [known, chunked] {
        let answer = api.raw(&request).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
}

#[tokio::test]
async fn tries_are_limited_and_a_forged_address_changes_nothing() {
    let cluster = Cluster::new();
    let limited = [("LIMIT_ADMIN_LOGIN_NODE", "3,1h")];
    // The peer is no trusted proxy.
    let api = cluster.api(&limited).await;
    for number in 0..3 {
        problem(try_as(&api, &format!("203.0.113.{number}"), "wrong").await, 401).await;
    }
    let refused = try_as(&api, "203.0.113.77", PASSWORD).await;
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((3500..=3600).contains(&wait), "{wait}");
    problem(refused, 429).await;

    // It is, and hands on what the client forged, with the client's address behind it.
    let api = cluster.api(&[limited[0], ("TRUSTED_PROXIES", "private")]).await;
    for number in 0..3 {
        problem(try_as(&api, &format!("198.51.100.{number}, 203.0.113.1"), "wrong").await, 401).await;
    }
    problem(try_as(&api, "198.51.100.77, 203.0.113.1", PASSWORD).await, 429).await;
    body(try_as(&api, "203.0.113.2", PASSWORD).await, 200).await;
    // One customer has all of a /64.
    for number in 0..3 {
        problem(try_as(&api, &format!("2001:db8::{number}"), "wrong").await, 401).await;
    }
    problem(try_as(&api, "2001:db8::ffff", PASSWORD).await, 429).await;
}

#[tokio::test]
async fn the_cluster_counts_over_all_replicas() {
    let cluster = Cluster::new();
    let window = [("LIMIT_ADMIN_LOGIN_CLUSTER", "2/60s")];
    let (a, b) = (cluster.api(&window).await, cluster.api(&window).await);
    problem(try_as(&a, "", "wrong").await, 401).await;
    problem(try_as(&b, "", "wrong").await, 401).await;
    for api in [&a, &b] {
        problem(try_as(api, "", PASSWORD).await, 429).await;
    }
    cluster.clock.advance(Duration::from_secs(120));
    body(try_as(&b, "", PASSWORD).await, 200).await;
}

#[tokio::test]
async fn a_crowd_is_sent_away_before_it_takes_all_cores() {
    let api = Cluster::new().api(&[]).await;
    let tries = (0..60).map(|_| try_as(&api, "", "wrong"));
    let mut refused = 0;
    for answer in futures_util::future::join_all(tries).await {
        match answer.status().as_u16() {
            401 => {}
            503 => {
                assert_eq!(answer.headers()["retry-after"], "1");
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    // How many depends on the machine; nobody waits for all the others.
    assert!(refused < 60);
}

#[tokio::test]
async fn the_log_has_those_who_failed_and_never_what_they_tried() {
    let cluster = Cluster::new();
    let api = cluster.api(&[("LIMIT_ADMIN_LOGIN_NODE", "3,1h"), ("TRUSTED_PROXIES", "private")]).await;
    for password in ["guess-one", "guess-two", "guess-three"] {
        problem(try_as(&api, "203.0.113.1", password).await, 401).await;
    }
    for _ in 0..3 {
        problem(try_as(&api, "203.0.113.1", "guess-four").await, 429).await;
    }
    cluster.clock.advance(Duration::from_secs(60));
    problem(try_as(&api, "203.0.113.1", "guess-five").await, 429).await;
    let admin = cluster.admin(&[]).await;
    let log = admin.audit().await;
    assert!(!json!(log).to_string().contains("guess-") && !json!(log).to_string().contains(PASSWORD));

    let outcomes: Vec<_> =
        log.iter().rev().map(|e| (e["outcome"].as_str().unwrap(), e["detail"].as_str().unwrap())).collect();
    let wrong = ("refused", "the name or the password is wrong");
    let many = ("refused", "too many tries; further ones of this minute are not listed");
    assert_eq!(outcomes, [wrong, wrong, wrong, many, many, ("done", "signed in")]);
    let first: &Value = log.last().unwrap();
    assert_eq!((&first["actor"], &first["ip"]), (&json!("admin"), &json!("203.0.113.1")));
    assert_eq!((&first["action"], &first["target"]), (&json!("login"), &json!("")));
    assert!(first["requestId"].is_string() && first["at"].is_u64() && first["auditId"].is_string());
}
