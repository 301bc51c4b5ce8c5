//! `POST /admin/password`.

use crate::support::{Api, Cluster, PASSWORD, body, problem};
use engine::port::Table;
use reqwest::Response;
use serde_json::json;

const NEW: &str = "staple battery horse correct";

async fn change(api: &Api, from: &str, to: &str) -> Response {
    api.post("/admin/password", json!({"password": from, "newPassword": to})).await
}

async fn login(api: &Api, password: &str) -> Response {
    api.post("/admin/login", json!({"username": "admin", "password": password})).await
}

#[tokio::test]
async fn another_password_ends_every_token_on_every_replica() {
    let cluster = Cluster::new();
    let (api, other) = (cluster.admin(&[]).await, cluster.admin(&[]).await);
    assert_eq!(change(&api, PASSWORD, NEW).await.status(), 204);
    for api in [&api, &other] {
        problem(api.get("/admin/stats").await, 401).await;
        problem(login(api, PASSWORD).await, 401).await;
        body(login(api, NEW).await, 200).await;
    }
    let stored = cluster.get(Table::Credentials, "admin").await.unwrap();
    let stored = String::from_utf8(stored.to_vec()).unwrap();
    assert!(stored.contains("$argon2id$") && !stored.contains(NEW), "{stored}");
}

#[tokio::test]
async fn an_operator_who_configures_another_one_wins() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[]).await;
    assert_eq!(change(&api, PASSWORD, NEW).await.status(), 204);
    let configured = cluster.api(&[("ADMIN_PASS", "configured anew")]).await;
    problem(login(&configured, NEW).await, 401).await;
    problem(login(&configured, PASSWORD).await, 401).await;
    body(login(&configured, "configured anew").await, 200).await;
}

/// As one does after a leak: the leaked password must not come back by it.
#[tokio::test]
async fn another_secret_brings_no_former_password_back() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[]).await;
    assert_eq!(change(&api, PASSWORD, NEW).await.status(), 204);
    let rotated = cluster.api(&[("JWT_SECRET", "another secret of the tests, and long enough")]).await;
    problem(login(&rotated, PASSWORD).await, 401).await;
    body(login(&rotated, NEW).await, 200).await;
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[]).await;
    assert_eq!(problem(change(&api, "wrong", NEW).await, 403).await, "the present password is wrong");
    for bad in ["", "elevenchars", &"x".repeat(257)] {
        problem(change(&api, PASSWORD, bad).await, 400).await;
    }
    problem(api.post("/admin/password", json!({"password": PASSWORD})).await, 400).await;
    problem(api.post("/admin/password", json!({"password": "x".repeat(5000), "newPassword": NEW})).await, 413).await;
    assert!(cluster.get(Table::Credentials, "admin").await.is_none());
    api.json("/admin/stats").await;

    let log = api.audit().await;
    assert!(!json!(log).to_string().contains(NEW) && !json!(log).to_string().contains(PASSWORD));
    let outcomes: Vec<_> =
        log.iter().map(|e| (e["action"].as_str().unwrap(), e["outcome"].as_str().unwrap())).collect();
    assert_eq!(outcomes, [vec![("password_change", "refused"); 4], vec![("login", "done")]].concat());
}

#[tokio::test]
async fn a_stolen_token_is_no_way_to_the_password() {
    let cluster = Cluster::new();
    let mut api = cluster.api(&[("LIMIT_ADMIN_LOGIN_NODE", "3,1h")]).await;
    api.token = api.login().await;
    for _ in 0..2 {
        problem(change(&api, "guess", NEW).await, 403).await;
    }
    problem(change(&api, PASSWORD, NEW).await, 429).await;
}
