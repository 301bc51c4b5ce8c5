//! A backend that is away: 503 in time, and nothing is done that the log would not know of.

use crate::support::{Cluster, problem};
use async_trait::async_trait;
use bytes::Bytes;
use engine::{
    PortError, Ports, Unavailable,
    port::{Document, Records, Table},
};
use reqwest::Method;
use serde_json::json;
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

/// What is away.
const NOTHING: u8 = 0;
const ALL: u8 = 1;
const HANGING: u8 = 2;
const WRITING_ACTS: u8 = 3;
const APPENDING: u8 = 4;

pub struct Flaky(Arc<dyn Records>, pub AtomicU8);

impl Flaky {
    async fn is(&self, what: u8) -> Result<(), Unavailable> {
        match self.1.load(Ordering::SeqCst) {
            HANGING => pending().await,
            now if now == ALL || now == what => Err(Unavailable("redis://10.1.2.3:6379: refused".to_owned())),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Records for Flaky {
    async fn put(&self, table: Table, document: Document, ttl: Option<Duration>) -> Result<(), Unavailable> {
        self.is(if table == Table::Acts { WRITING_ACTS } else { ALL }).await?;
        self.0.put(table, document, ttl).await
    }
    async fn get(&self, table: Table, id: &str) -> Result<Option<Bytes>, Unavailable> {
        self.is(ALL).await?;
        self.0.get(table, id).await
    }
    async fn remove(&self, table: Table, id: &str) -> Result<bool, Unavailable> {
        self.is(ALL).await?;
        self.0.remove(table, id).await
    }
    async fn list(&self, table: Table, after: Option<&str>, limit: usize) -> Result<Vec<Document>, Unavailable> {
        self.is(ALL).await?;
        self.0.list(table, after, limit).await
    }
    async fn append(&self, body: Bytes, keep: usize, settles: Option<&str>) -> Result<Option<String>, Unavailable> {
        self.is(APPENDING).await?;
        self.0.append(body, keep, settles).await
    }
    async fn log(&self, before: Option<&str>, limit: usize) -> Result<Vec<Document>, PortError> {
        self.is(ALL).await?;
        self.0.log(before, limit).await
    }
}

fn flaky(ports: Ports) -> (Ports, Arc<Flaky>) {
    let flaky = Arc::new(Flaky(ports.records.clone(), AtomicU8::new(NOTHING)));
    (Ports { records: flaky.clone(), ..ports }, flaky)
}

#[tokio::test]
async fn every_call_says_so_in_time() {
    let cluster = Cluster::new();
    let (ports, flaky) = flaky(cluster.ports("admin-1"));
    let mut api = cluster.api_over(ports, "admin-1", &[], false).await;
    api.token = api.login().await;
    for how in [ALL, HANGING] {
        flaky.1.store(how, Ordering::SeqCst);
        let started = Instant::now();
        for path in ["/admin/stats", "/admin/client", "/admin/audit"] {
            let detail = problem(api.get(path).await, 503).await;
            assert!(!detail.contains("10.1.2.3"), "{detail}");
        }
        problem(api.post("/admin/login", json!({"username": "admin", "password": "x"})).await, 503).await;
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    }
    flaky.1.store(NOTHING, Ordering::SeqCst);
    api.json("/admin/stats").await;
}

#[tokio::test]
async fn nothing_is_done_that_cannot_be_written_down() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea").await;
    let (ports, flaky) = flaky(cluster.ports("admin-1"));
    let mut api = cluster.api_over(ports, "admin-1", &[], false).await;
    api.token = api.login().await;
    flaky.1.store(WRITING_ACTS, Ordering::SeqCst);
    problem(api.delete(&format!("/admin/client/{}", zoe.0)).await, 503).await;
    problem(api.delete(&format!("/admin/room/{room}")).await, 503).await;
    problem(api.post("/admin/bans", json!({"clientId": zoe.0, "reason": "spam"})).await, 503).await;
    problem(api.post("/admin/notices", json!({"text": "hello"})).await, 503).await;
    problem(api.send(Method::POST, "/admin/servers/node-1/drain", None).await, 503).await;
    problem(api.send(Method::POST, "/admin/logout", None).await, 503).await;
    assert!(node.tasks.lock().unwrap().is_empty());
    assert_eq!(api.json(&format!("/admin/room/{room}")).await["memberCount"], 1);
    assert_eq!(api.json("/admin/bans").await["bans"], json!([]));

    // Nobody is let in without a trace either.
    flaky.1.store(APPENDING, Ordering::SeqCst);
    let login = json!({"username": "admin", "password": crate::support::PASSWORD});
    problem(api.post("/admin/login", login).await, 503).await;
    // What was done is said to be done, and its entry waits.
    assert_eq!(api.delete(&format!("/admin/room/{room}")).await.status(), 200);
    assert_eq!(cluster.ports("test").records.list(Table::Acts, None, 10).await.unwrap().len(), 1);
}
