//! The program, as `make cluster` runs it.

use crate::support::{
    eventually,
    http::get,
    programs::{Supervisor, command, is_alive, kill, processes_of},
};
use cluster::Description;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};
use tokio_tungstenite::{connect_async, tungstenite::Message};

fn pids(cluster: &Description) -> BTreeSet<u32> {
    let services = [cluster.redis.pid, cluster.nginx.pid, cluster.gateway.pid, cluster.admin_api.unwrap().pid];
    services.into_iter().chain(cluster.chat_nodes.iter().map(|node| node.pid)).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn it_runs_tells_of_ends_and_leaves_nothing_behind() {
    let mut supervisor = Supervisor::start(2);
    supervisor.hear("Ctrl-C ends it all");

    // What others read: exactly these keys, and processes that are what they are said to be.
    let path = supervisor.dir.join("cluster.json");
    let described: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(keys(&described), ["adminApi", "chatNodes", "gateway", "nginx", "redis", "url"]);
    for name in ["redis", "nginx", "gateway", "adminApi"] {
        assert_eq!(keys(&described[name]), ["pid", "port"]);
    }
    assert_eq!(keys(&described["chatNodes"][0]), ["nodeId", "pid", "port"]);
    let cluster = supervisor.described();
    let ids: Vec<_> = cluster.chat_nodes.iter().map(|node| node.node_id.as_str()).collect();
    assert_eq!(ids, ["chat-node-1", "chat-node-2"]);
    for (pid, name) in [
        (cluster.redis.pid, "redis-server"),
        (cluster.nginx.pid, "nginx"),
        (cluster.gateway.pid, "gateway"),
        (cluster.admin_api.unwrap().pid, "admin-api"),
        (cluster.chat_nodes[0].pid, "chat-node"),
        (cluster.chat_nodes[1].pid, "chat-node"),
    ] {
        assert_eq!(fs::read_to_string(format!("/proc/{pid}/comm")).unwrap().trim(), name);
    }
    let site = cluster.url.strip_prefix("http://").unwrap().parse().unwrap();
    let health = get(site, "/api/health", &[]).await.json();
    assert_eq!((&health["status"], &health["nodes"]), (&json!("ok"), &json!(2)));

    // The secret is where only they can see it.
    let environ = fs::read(format!("/proc/{}/environ", cluster.gateway.pid)).unwrap();
    let environ = String::from_utf8(environ).unwrap();
    let secret = environ.split('\0').find_map(|variable| variable.strip_prefix("JWT_SECRET=")).unwrap();
    assert!(secret.len() >= 32);
    for pid in pids(&cluster) {
        assert!(!fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap().contains(secret));
    }
    for entry in fs::read_dir(&supervisor.dir).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_dir() || !fs::read_to_string(&path).unwrap().contains(secret), "{}", path.display());
    }

    // A second one in the same place is told whose it is, and changes nothing.
    let second = command(&supervisor.dir, 1).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("its supervisor has pid {})", supervisor.child.id())), "{said}");
    assert_eq!(supervisor.described(), cluster);

    // What ends is told of, and the others go on.
    let killed = cluster.chat_nodes[0].pid;
    kill("KILL", killed);
    let line = supervisor.hear("chat-node-1");
    assert_eq!(line.trim(), format!("chat-node-1 (pid {killed}) was killed by signal 9; the others go on"));
    assert_eq!(get(site, "/api/health", &[]).await.status, 200);
    kill("TERM", cluster.gateway.pid);
    let line = supervisor.hear("gateway");
    assert_eq!(line.trim(), format!("gateway (pid {}) ended with status 0; the others go on", cluster.gateway.pid));
    assert_eq!(get(site, "/", &[]).await.status, 404, "there is no page in this one");

    // Twice in the same moment is once, as `timeout` does it.
    supervisor.signal("TERM");
    supervisor.signal("TERM");
    supervisor.hear("all ended");
    assert_eq!(supervisor.wait().code(), Some(0));
    assert!(!path.exists());
    assert!(pids(&cluster).into_iter().all(|pid| !is_alive(pid)));
    assert!(processes_of(&supervisor.dir).is_empty(), "{:#?}", processes_of(&supervisor.dir));
}

#[tokio::test]
async fn killed_it_leaves_nothing_behind_and_can_be_started_again() {
    let mut supervisor = Supervisor::start(1);
    supervisor.hear("Ctrl-C ends it all");
    let cluster = supervisor.described();
    // The workers of nginx as well.
    assert!(processes_of(&supervisor.dir).len() > pids(&cluster).len());
    supervisor.signal("KILL");
    supervisor.wait();
    // One that is being ended has lost its files, and so is not found by them, before it is gone.
    let gone = async || processes_of(&supervisor.dir).is_empty() && !pids(&cluster).into_iter().any(is_alive);
    eventually("all are gone", gone).await;

    // What it could not remove is not taken for the truth.
    assert!(supervisor.dir.join("cluster.json").exists());
    let refused = command(&supervisor.dir, 0).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("1 to 64 chat-nodes, not 0"));
    let mut again = command(&supervisor.dir, 1).spawn().unwrap();
    let is_new = async || {
        let text = fs::read(supervisor.dir.join("cluster.json")).unwrap_or_default();
        serde_json::from_slice::<Description>(&text).is_ok_and(|new| pids(&new).is_disjoint(&pids(&cluster)))
    };
    eventually("it is there again", is_new).await;
    kill("INT", again.id());
    assert_eq!(again.wait().unwrap().code(), Some(0));
    assert!(processes_of(&supervisor.dir).is_empty());
}

#[tokio::test]
async fn asked_to_end_while_it_starts_it_does() {
    let mut supervisor = Supervisor::start(2);
    supervisor.hear("redis");
    supervisor.signal("INT");
    assert_eq!(supervisor.wait().code(), Some(0));
    eventually("all are gone", async || processes_of(&supervisor.dir).is_empty()).await;
    assert!(!supervisor.dir.join("cluster.json").exists());
}

#[tokio::test]
async fn asked_once_more_it_ends_at_once() {
    // With a client that is given a minute to go elsewhere.
    let mut supervisor = Supervisor::start_with(1, &[("DRAIN_WINDOW", "60s")]);
    supervisor.hear("Ctrl-C ends it all");
    let address = supervisor.described().url.replace("http", "ws");
    let (mut socket, _) = connect_async(format!("{address}/ws")).await.unwrap();
    socket.send(Message::text(r#"{"type":"CONNECT"}"#)).await.unwrap();
    socket.next().await.unwrap().unwrap();

    supervisor.signal("INT");
    supervisor.hear("ending");
    // Whoever asks again means it.
    eventually("it ends", async || {
        supervisor.signal("INT");
        supervisor.child.try_wait().unwrap().is_some()
    })
    .await;
    supervisor.hear("killed");
    assert_eq!(supervisor.wait().code(), Some(0));
    eventually("all are gone", async || processes_of(&supervisor.dir).is_empty()).await;
    assert!(!supervisor.dir.join("cluster.json").exists());
}
