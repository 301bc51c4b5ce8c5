//! The library: processes that are ended and started again, and clusters that grow.

use crate::support::{
    PATIENCE, eventually,
    http::get,
    programs::{is_alive, options, processes_of, scripts},
};
use cluster::{Cluster, Description, Options, ProcessError, Signal, StartError};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::ExitStatusExt,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn start(options: Options) -> Cluster {
    let mut told = Vec::new();
    let cluster = Cluster::start(options, &mut |line| told.push(line.to_owned())).await.unwrap();
    // Redis, nginx, the gateway, the admin API, and the nodes.
    assert_eq!(told.len(), 4 + cluster.nodes(), "{told:?}");
    cluster
}

async fn stop(cluster: Cluster) {
    timeout(PATIENCE, cluster.stop()).await.expect("it does not end by itself");
}

/// A client that is connected, and the node that it is on.
async fn client(cluster: &Cluster) -> Option<(Socket, String)> {
    let url = format!("{}/ws", cluster.url().replace("http", "ws"));
    let (mut socket, _) = timeout(PATIENCE, connect_async(url)).await.expect("no handshake in time").ok()?;
    socket.send(Message::text(json!({"type": "CONNECT"}).to_string())).await.ok()?;
    let answer = hear(&mut socket).await?;
    Some((socket, answer["nodeId"].as_str()?.to_owned()))
}

async fn hear(socket: &mut Socket) -> Option<Value> {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("silence")?.ok()? {
            Message::Text(text) => return serde_json::from_str(&text).ok(),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

fn written(cluster: &Cluster, dir: &std::path::Path) -> Description {
    let text = fs::read(dir.join("run/cluster.json")).unwrap();
    let written = serde_json::from_slice(&text).unwrap();
    assert_eq!(cluster.description(), written);
    written
}

#[tokio::test]
async fn a_node_has_many_lives_and_one_port() {
    let (options, dir) = options(2);
    let mut cluster = start(options).await;
    let before = written(&cluster, dir.path());
    let (mut socket, on) = client(&cluster).await.unwrap();
    let (of_client, other) = if on == "chat-node-1" { (0, 1) } else { (1, 0) };

    // Another one's end is nothing to this client.
    cluster.node(other).signal(Signal::KILL);
    let status = cluster.node(other).wait(PATIENCE).await.unwrap();
    assert_eq!((status.signal(), cluster.node(other).pid()), (Some(9), None));
    let ended = cluster.next_end().await;
    assert_eq!((ended.name.as_str(), ended.pid), (cluster.node(other).name(), before.chat_nodes[other].pid));
    // A signal to who is not there is none to anybody.
    cluster.node(other).signal(Signal::TERM);
    socket.send(Message::text(r#"{"type":"PING","id":"a"}"#)).await.unwrap();
    assert_eq!(hear(&mut socket).await.unwrap()["type"], "PONG");

    cluster.node(other).start().await.unwrap();
    assert!(matches!(cluster.node(other).start().await, Err(ProcessError::Running { .. })));
    cluster.node(other).ready(PATIENCE).await.unwrap();
    let after = written(&cluster, dir.path());
    assert_eq!(after.chat_nodes[other].port, before.chat_nodes[other].port);
    assert_eq!(cluster.node(other).pid(), Some(after.chat_nodes[other].pid));
    assert_ne!(after.chat_nodes[other].pid, before.chat_nodes[other].pid);
    assert_eq!(after.chat_nodes[of_client], before.chat_nodes[of_client]);
    let name = cluster.node(other).name().to_owned();
    eventually("clients find it", async || client(&cluster).await.is_some_and(|(_, on)| on == name)).await;

    // One that is stopped waits, and is there again.
    cluster.node(other).signal(Signal::STOP);
    assert_eq!(cluster.node(other).wait(Duration::from_millis(50)).await, None);
    cluster.node(other).signal(Signal::CONT);
    cluster.node(other).ready(PATIENCE).await.unwrap();

    // Redis with what it knew, and nginx with its workers.
    for _ in 0..2 {
        cluster.redis().signal(Signal::KILL);
        cluster.redis().wait(PATIENCE).await.unwrap();
        cluster.redis().start().await.unwrap();
        cluster.redis().ready(PATIENCE).await.unwrap();
    }
    cluster.nginx().signal(Signal::KILL);
    cluster.nginx().wait(PATIENCE).await.unwrap();
    cluster.nginx().start().await.unwrap();
    cluster.nginx().ready(PATIENCE).await.unwrap();
    let site = cluster.url().strip_prefix("http://").unwrap().parse().unwrap();
    eventually("all is well", async || get(site, "/api/health", &[]).await.status == 200).await;

    // Stopped ones end as well.
    cluster.node(0).signal(Signal::STOP);
    let run = dir.path().join("run").canonicalize().unwrap();
    stop(cluster).await;
    assert!(processes_of(&run).is_empty(), "{:#?}", processes_of(&run));
    assert!(!run.join("cluster.json").exists());
}

#[tokio::test]
async fn a_cluster_grows_while_a_client_stays() {
    let (options, dir) = options(1);
    let mut cluster = start(options).await;
    let (mut socket, on) = client(&cluster).await.unwrap();
    assert_eq!(on, "chat-node-1");

    let added = cluster.add_node().await.unwrap();
    assert_eq!(added.name(), "chat-node-2");
    let described = written(&cluster, dir.path());
    assert_eq!((described.chat_nodes.len(), described.chat_nodes[1].node_id.as_str()), (2, "chat-node-2"));
    assert_eq!(cluster.node(1).pid(), Some(described.chat_nodes[1].pid));
    eventually("clients find it", async || client(&cluster).await.is_some_and(|(_, on)| on == "chat-node-2")).await;
    socket.send(Message::text(r#"{"type":"PING","id":"a"}"#)).await.unwrap();
    assert_eq!(hear(&mut socket).await.unwrap()["type"], "PONG");
    stop(cluster).await;
}

/// nginx has seen it fail, and none of the WebSockets that it carries has ended since.
#[tokio::test]
async fn a_node_that_is_back_takes_clients_at_once() {
    let (options, _dir) = options(2);
    let mut cluster = start(options).await;
    cluster.node(0).signal(Signal::KILL);
    cluster.node(0).wait(PATIENCE).await.unwrap();
    let mut stay = Vec::new();
    for _ in 0..12 {
        let (socket, on) = client(&cluster).await.expect("the other one takes them");
        assert_eq!(on, "chat-node-2");
        stay.push(socket);
    }
    cluster.node(0).start().await.unwrap();
    cluster.node(0).ready(PATIENCE).await.unwrap();
    // Of two, the one with fewer connections: all of these are its own, but the last may be either's.
    for n in 0..11 {
        let (socket, on) = client(&cluster).await.unwrap();
        assert_eq!(on, "chat-node-1", "client {n}");
        stay.push(socket);
    }
    stop(cluster).await;
}

#[tokio::test]
async fn nodes_that_were_replaced_are_forgotten() {
    let (options, _dir) = options(1);
    let mut cluster = start(options).await;
    assert!(matches!(cluster.retire_nodes(&[0]), Err(StartError::Nodes { given: 0, .. })), "one has to stay");
    cluster.add_node().await.unwrap();
    cluster.retire_nodes(&[0]).unwrap();
    // It runs, so it is nginx alone that sends nobody there; the workers of before may take some on their way out.
    eventually("nobody is sent to it", async || {
        let mut only_the_other = true;
        for _ in 0..8 {
            only_the_other &= client(&cluster).await.is_some_and(|(_, on)| on == "chat-node-2");
        }
        only_the_other
    })
    .await;
    assert!(cluster.node(0).pid().is_some());
    stop(cluster).await;
}

#[tokio::test]
async fn dropped_it_is_gone() {
    let (options, dir) = options(1);
    let cluster = start(options).await;
    let run = dir.path().join("run").canonicalize().unwrap();
    let pids: Vec<_> = processes_of(&run).into_keys().collect();
    assert!(pids.len() >= 4);
    drop(cluster);
    assert!(!run.join("cluster.json").exists());
    eventually("all are gone", async || pids.iter().all(|pid| !is_alive(*pid))).await;
}

#[tokio::test]
async fn each_service_can_be_given_a_redis_of_its_own() {
    let (mut options, _dir) = options(1);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    options.redis_address = Some(Box::new(move |name, redis| {
        seen.lock().unwrap().push((name.to_owned(), redis));
        redis
    }));
    let mut cluster = start(options).await;
    let redis = SocketAddr::from((Ipv4Addr::LOCALHOST, cluster.redis().port()));
    let services = ["gateway", "admin-api", "chat-node-1"];
    assert_eq!(*asked.lock().unwrap(), services.map(|name| (name.to_owned(), redis)));
    stop(cluster).await;
}

async fn refused(options: Options) -> StartError {
    match Cluster::start(options, &mut |_| ()).await {
        Ok(_) => panic!("it started"),
        Err(e) => e,
    }
}

#[tokio::test]
async fn one_that_fails_takes_all_along_and_shows_its_log() {
    let (mut options, dir) = options(2);
    let scripts = scripts("sleep 1000", "echo the sky is falling >&2; exit 3");
    options.binaries = scripts.path().to_owned();
    let error = refused(options).await.to_string();
    assert!(error.contains("gateway (pid ") && error.contains("ended with status 3 before it was ready"), "{error}");
    assert!(error.ends_with("\nthe sky is falling"), "{error}");
    // What a script has started is killed as well, but only its own parent could wait for that.
    for dir in [dir.path(), scripts.path()] {
        eventually("all are gone", async || processes_of(dir).is_empty()).await;
    }
}

#[tokio::test]
async fn one_that_is_never_ready_is_not_waited_for_for_ever() {
    let (mut options, dir) = options(1);
    let scripts = scripts("exec sleep 1000", "trap '' TERM; echo busy; sleep 1000 & wait; sleep 1000");
    options.binaries = scripts.path().to_owned();
    options.ready_within = Duration::from_millis(300);
    let error = refused(options).await.to_string();
    assert!(
        error.starts_with("gateway was not ready within 0 s (Connection refused") && error.ends_with("busy"),
        "{error}"
    );
    eventually("all are gone", async || processes_of(dir.path()).is_empty()).await;
}

#[tokio::test]
async fn what_is_wrong_is_told_before_anything_is_started() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, taken)).unwrap();
    let sources = tempfile::tempdir().unwrap();
    fs::write(sources.path().join("index.html"), "").unwrap();
    fs::write(sources.path().join("package.json"), "").unwrap();
    type Change<'a> = &'a dyn Fn(&mut Options);
    let cases: [(Change<'_>, String); 5] = [
        (&|o| o.port = taken, format!("port {taken} is in use")),
        (&|o| o.nodes = 65, "1 to 64 chat-nodes, not 65".into()),
        (&|o| o.binaries = "/nowhere".into(), "no program at /nowhere/chat-node: build it".into()),
        (&|o| o.frontend = Some("/nowhere".into()), "it has no index.html".into()),
        (&|o| o.frontend = Some(sources.path().into()), "it holds the sources".into()),
    ];
    for (change, fault) in cases {
        let (mut options, dir) = options(1);
        change(&mut options);
        let error = refused(options).await.to_string();
        assert!(error.contains(&fault) && !error.contains('\n'), "{error}");
        assert!(!dir.path().join("run/cluster.json").exists());
    }
}
