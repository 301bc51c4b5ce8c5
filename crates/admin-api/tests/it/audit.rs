//! `GET /admin/audit`.

use crate::support::{Api, Cluster, body, problem};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn some_acts(cluster: &Cluster, api: &Api, count: usize) {
    for number in 0..count {
        let id = 10_000 + number;
        problem(api.delete(&format!("/admin/client/{id}?reason=%3D1%2B1%20%22quoted%22")).await, 404).await;
        cluster.clock.advance(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn it_is_paged_through_newest_first() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[]).await;
    some_acts(&cluster, &api, 25).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.json(&format!("/admin/audit?limit=10&cursor={cursor}")).await;
        seen.extend(page["entries"].as_array().unwrap().clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 26);
    assert_eq!((&seen[0]["target"], &seen[24]["target"]), (&json!("client 10024"), &json!("client 10000")));
    assert_eq!(seen[25]["action"], "login");
    assert!(seen.windows(2).all(|pair| pair[0]["at"].as_u64() >= pair[1]["at"].as_u64()));
}

#[tokio::test]
async fn it_is_searched() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[]).await;
    some_acts(&cluster, &api, 5).await;
    problem(api.post("/admin/login", json!({"username": "root", "password": "x"})).await, 401).await;
    let start = 1_700_000_000_000_u64;
    for (query, count) in [
        ("actor=root".to_owned(), 1),
        ("actor=admin".to_owned(), 6),
        ("action=client_remove".to_owned(), 5),
        ("action=login&outcome=refused".to_owned(), 1),
        ("target=client%2010003".to_owned(), 1),
        (format!("from={}", start + 3), 3),
        (format!("to={}", start + 3), 4),
        (format!("from={}&to={}", start + 1, start + 3), 2),
        ("actor=nobody".to_owned(), 0),
    ] {
        let found = api.json(&format!("/admin/audit?{query}")).await;
        assert_eq!((found["entries"].as_array().unwrap().len(), &found["cursor"]), (count, &json!(null)), "{query}");
    }
}

#[tokio::test]
async fn it_keeps_as_many_as_it_should() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[("AUDIT_LOG_MAX", "3")]).await;
    some_acts(&cluster, &api, 5).await;
    let targets: Vec<Value> = api.audit().await.into_iter().map(|entry| entry["target"].clone()).collect();
    assert_eq!(targets, ["client 10004", "client 10003", "client 10002"]);
}

#[tokio::test]
async fn it_is_taken_away_as_a_file_without_formulas() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[]).await;
    some_acts(&cluster, &api, 2).await;
    problem(api.post("/admin/login", json!({"username": "@SUM(A1)", "password": "x"})).await, 401).await;
    let file = api.get("/admin/audit?format=csv").await;
    assert_eq!(file.status(), 200);
    assert_eq!(file.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"roomful-audit.csv\"");
    let csv = file.text().await.unwrap();
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 4 + 1, "{csv}");
    assert!(lines[0].starts_with("auditId,time,at,actor,"));
    assert!(lines[1].contains(r#","'@SUM(A1)","#), "{csv}");
    assert!(lines[2].contains(r#""client 10001","'=1+1 ""quoted""","refused""#), "{csv}");
    assert!(lines[2].contains(r#""2023-11-14T22:13:20.001Z""#), "{csv}");

    let taken = api.audit().await.swap_remove(0);
    assert_eq!((&taken["action"], &taken["outcome"]), (&json!("audit_export"), &json!("done")));
    assert_eq!(taken["after"], json!({"entries": 4}));
    let only = api.get("/admin/audit?format=csv&action=client_remove").await.text().await.unwrap();
    assert_eq!(only.split("\r\n").count(), 1 + 2 + 1);
    assert_eq!(api.request(Method::HEAD, "/admin/audit").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_request_id_and_the_address_are_the_callers() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[("TRUSTED_PROXIES", "private")]).await;
    let request = api.request(Method::DELETE, "/admin/client/12345");
    let request = request.header("x-request-id", "trace-me").header("x-forwarded-for", "6.6.6.6, 203.0.113.9");
    problem(request.send().await.unwrap(), 404).await;
    let entry = api.audit().await.swap_remove(0);
    assert_eq!((&entry["requestId"], &entry["ip"]), (&json!("trace-me"), &json!("203.0.113.9")));
    let logout = api.send(Method::POST, "/admin/logout", None).await;
    assert_eq!(logout.status(), 204);
    let again = cluster.admin(&[]).await;
    let log = again.audit().await;
    assert_eq!((&log[1]["action"], &log[1]["outcome"]), (&json!("logout"), &json!("done")));
    assert!(!json!(log).to_string().contains(&api.token));
    body(again.get("/admin/audit").await, 200).await;
}
