//! Tokens: which are taken, and that nothing is answered without one.

use crate::support::{Api, Cluster, SECRET, problem};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Every call that needs one.
const CALLS: [(&str, &str); 18] = [
    ("POST", "/admin/logout"),
    ("POST", "/admin/password"),
    ("GET", "/admin/servers"),
    ("POST", "/admin/servers/node-1/drain"),
    ("GET", "/admin/client"),
    ("GET", "/admin/client/12345"),
    ("DELETE", "/admin/client/12345"),
    ("GET", "/admin/room"),
    ("GET", "/admin/room/12345"),
    ("DELETE", "/admin/room/12345"),
    ("POST", "/admin/bans"),
    ("GET", "/admin/bans"),
    ("DELETE", "/admin/bans/1700000000000-00000000"),
    ("POST", "/admin/notices"),
    ("GET", "/admin/audit"),
    ("GET", "/admin/audit?format=csv"),
    ("GET", "/admin/stats"),
    ("GET", "/admin/limits"),
];

/// The claims of a token, and its header.
fn parts(token: &str) -> (Value, Value) {
    let data = jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap();
    (data.claims, serde_json::to_value(data.header).unwrap())
}

fn signed(claims: &Value, kid: Option<&str>, algorithm: Algorithm, secret: &str) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

async fn refused(api: &Api, authorization: &str) {
    let request = api.request(Method::GET, "/admin/stats").header("authorization", authorization);
    problem(request.send().await.unwrap(), 401).await;
}

#[tokio::test]
async fn nothing_is_answered_without_one() {
    let api = Cluster::new().api(&[]).await;
    for (method, path) in CALLS {
        // Not even what is wrong with the rest.
        let method: Method = method.parse().unwrap();
        problem(api.send(method.clone(), path, None).await, 401).await;
        problem(api.send(method, path, Some(json!(["no such body"]))).await, 401).await;
    }
    problem(api.get("/admin/client?limit=x").await, 401).await;
    assert!(api.ended().await);
}

#[tokio::test]
async fn only_a_good_one_is_taken() {
    let cluster = Cluster::new();
    let mut api = cluster.admin(&[]).await;
    let good = std::mem::take(&mut api.token);
    let (claims, header) = parts(&good);
    let kid = header["kid"].as_str();
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("roomful"), &json!("roomful-admin")));
    assert_eq!(kid.unwrap().len(), 8);

    let mine = format!("Bearer {}", signed(&claims, kid, Algorithm::HS256, SECRET));
    let ok = api.request(Method::GET, "/admin/stats").header("authorization", mine).send().await.unwrap();
    assert_eq!(ok.status(), 200, "this test signs as the service does");

    let with = |field: &str, value: Value| {
        let mut claims = claims.clone();
        claims[field] = value;
        format!("Bearer {}", signed(&claims, kid, Algorithm::HS256, SECRET))
    };
    let (head, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let bad = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer x".to_owned(),
        "Bearer a.b.c".to_owned(),
        format!("Basic {good}"),
        good.clone(),
        format!("Bearer {good}x"),
        format!("Bearer {head}.{payload}."),
        // {"alg":"none"}, as forgers try it.
        format!("Bearer eyJhbGciOiJub25lIn0.{payload}."),
        format!("Bearer eyJhbGciOiJub25lIn0.{payload}.{signature}"),
        format!("Bearer {}", signed(&claims, kid, Algorithm::HS256, &SECRET.replace('0', "1"))),
        format!("Bearer {}", signed(&claims, kid, Algorithm::HS512, SECRET)),
        format!("Bearer {}", signed(&claims, None, Algorithm::HS256, SECRET)),
        format!("Bearer {}", signed(&claims, Some("00000000"), Algorithm::HS256, SECRET)),
        with("aud", json!("roomful-session")),
        with("iss", json!("elsewhere")),
        with("sub", json!("root")),
        with("cred", json!("another")),
        with("exp", json!(1)),
        with("jti", json!("../../etc")),
        format!("Bearer {}", "x".repeat(6000)),
    ];
    for authorization in &bad {
        refused(&api, authorization).await;
    }
    // Two are two stories, even when one is good.
    let twice = api.request(Method::GET, "/admin/stats").bearer_auth(&good).header("authorization", "Bearer x");
    problem(twice.send().await.unwrap(), 401).await;
    let invisible = "GET /admin/stats HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \u{e9}\r\nconnection: close\r\n\r\n";
    assert!(api.raw(invisible.as_bytes()).await.starts_with("HTTP/1.1 401 "));
}

#[tokio::test]
async fn it_expires() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[("ADMIN_TOKEN_TTL", "10m")]).await;
    cluster.clock.advance(Duration::from_secs(599));
    api.json("/admin/stats").await;
    cluster.clock.advance(Duration::from_secs(1));
    problem(api.get("/admin/stats").await, 401).await;
}

#[tokio::test]
async fn one_that_was_given_back_works_on_no_replica() {
    let cluster = Cluster::new();
    let (api, mut other) = (cluster.admin(&[]).await, cluster.api(&[]).await);
    other.token = api.token.clone();
    other.json("/admin/stats").await;
    let mut second = cluster.admin(&[]).await;

    assert_eq!(api.send(Method::POST, "/admin/logout", None).await.status(), 204);
    for api in [&api, &other] {
        problem(api.get("/admin/stats").await, 401).await;
        problem(api.send(Method::POST, "/admin/logout", None).await, 401).await;
    }
    second.json("/admin/stats").await;
    second.token = other.login().await;
    second.json("/admin/stats").await;
}
