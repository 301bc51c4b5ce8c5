//! Redis is away, in several ways, and comes back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine::{
    PortError,
    port::{Delivery, Span},
};
use server::{
    Server,
    node::{Node, config, eventually},
    proxy::Proxy,
};
use std::time::{Duration, Instant};

/// A server that is there and does not answer: every call says so in time, and all is well afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_unavailable_in_time() {
    let server = Server::start();
    let node = Node::new(&config(&server.url())).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    node.ports.bus.subscribe(room).await.unwrap();
    server.ask("CLIENT PAUSE 3000 ALL").unwrap();
    for _ in 0..2 {
        let begin = Instant::now();
        assert!(matches!(node.say(room, person.0, "x").await, Err(PortError::Unavailable(_))));
        assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    }
    assert!(node.cluster.check().await.is_err());
    eventually("it answers again", async || node.say(room, person.0, "y").await.is_ok()).await;
    let newest = node.ports.bus.read(room, Span::Newest, 99).await.unwrap().newest;
    eventually("what was appended was heard", async || {
        node.heard.all().iter().any(|d| matches!(d, Delivery::Entry { entry, .. } if entry.seq == newest))
    })
    .await;
    node.cluster.check().await.unwrap();
}

/// What its caller has given up does not happen later: by then it may be somebody else's wish that counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_too_late_takes_no_effect() {
    let server = Server::start();
    let node = Node::new(&config(&server.url())).await;
    let (ann, bob) = (node.client("Ann").await, node.client("Bob").await);
    let room = node.room(&ann, "room").await;
    let members = async || node.ports.directory.room(room, 9).await.map(|(_, members)| members.len());
    server.ask("CLIENT PAUSE 1500 ALL").unwrap();
    let join = node.ports.directory.join(bob.0, &bob.1, room, server::node::MANY).await;
    assert!(matches!(join, Err(PortError::Unavailable(_))), "{join:?}");
    eventually("it answers again", async || members().await.is_ok()).await;
    // Its reply is lost, so wait for a later one on each connection.
    for _ in 0..4 {
        assert_eq!(members().await, Ok(1));
    }
    assert!(node.ports.directory.join(bob.0, &bob.1, room, server::node::MANY).await.is_ok());
    assert_eq!(members().await, Ok(2));
}

/// Packets vanish in both directions, and no connection is closed: commands get a new connection, and so does the
/// subscriber, which hears nothing and would never notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swallowed_connections_are_made_anew() {
    let proxy = Proxy::start(server::shared().port).await;
    let node = Node::new(&config(&proxy.url())).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    node.ports.bus.subscribe(room).await.unwrap();
    proxy.swallow();
    eventually("commands work again", async || node.say(room, person.0, "x").await.is_ok()).await;
    eventually("the loss is told", async || node.heard.missed() > 0).await;
    node.heard.clear();
    node.publish(room).await.unwrap();
    eventually("the room is heard again", async || node.heard.rooms() == [room]).await;
}

/// A server that was killed, and is back with its append-only file: timelines and members go on where they were.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_goes_on() {
    let mut server = Server::with("redis-server", &["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
    let node = Node::new(&config(&server.url())).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    node.ports.bus.subscribe(room).await.unwrap();
    for n in 1..=5 {
        assert_eq!(node.say(room, person.0, "x").await.unwrap().seq.get(), n);
    }
    let before = node.ports.bus.read(room, Span::Newest, 9).await.unwrap();
    let down = std::thread::spawn(move || {
        server.restart(Duration::from_secs(2));
        server
    });
    eventually("it is away", async || node.say(room, person.0, "x").await.is_err()).await;
    eventually("it is back", async || node.cluster.check().await.is_ok()).await;
    let _server = down.join().unwrap();
    let after = node.ports.bus.read(room, Span::Newest, 99).await.unwrap();
    assert_eq!((after.epoch, &after.entries[..5]), (before.epoch, &before.entries[..]));
    eventually("the loss is told", async || node.heard.missed() > 0).await;
    node.heard.clear();
    // The scripts that the server has forgotten are sent again.
    let seq = node.say(room, person.0, "again").await.unwrap().seq;
    assert_eq!(seq, after.newest.next());
    // (That something may have been missed is told again when the last connection is back.)
    let said = || node.heard.all().into_iter().filter(|d| *d != Delivery::Missed(None)).count();
    eventually("it is heard", async || said() == 1).await;
    assert_eq!(node.ports.directory.room(room, 9).await.unwrap().1.len(), 1);
}

/// While Redis was away nobody could keep a lease: that is nobody's death.
#[tokio::test]
async fn leases_outlive_an_outage() {
    let server = Server::start();
    let config = engine_redis::RedisConfig { outage: Duration::from_millis(1500), ..config(&server.url()) };
    let node = Node::new(&config).await;
    let id = "other".parse().unwrap();
    let (kept, lost) = (Duration::from_secs(1), Duration::from_secs(1));
    let other = node.ports.directory.register(&id, kept).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(node.ports.directory.sweep().await.unwrap().nodes, 0);
    assert_eq!(node.ports.directory.heartbeat(&other, lost, 0).await.unwrap(), engine::port::Beat::Alive);
    // But who is silent while others are not is dead.
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        node.ports.directory.heartbeat(&node.lease, Duration::from_secs(60), 0).await.unwrap();
    }
    assert_eq!(node.ports.directory.sweep().await.unwrap().nodes, 1);
}
