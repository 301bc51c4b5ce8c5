//! What cost somebody a connection that hung, or a message: one test each. (`src/lib.rs`)

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine::port::Span;
use server::node::{MANY, Node, config, some_rooms};
use std::{collections::HashSet, sync::atomic::Ordering, time::Duration};

/// fred takes a short array that begins with one of these for a push, throws it away and waits for ever.
const TRAPS: [&str; 10] = [
    "subscribe",
    "unsubscribe",
    "psubscribe",
    "punsubscribe",
    "ssubscribe",
    "message",
    "pmessage",
    "smessage",
    "pong",
    "pubsub",
];

/// People and rooms may be called as they like, whatever is asked about them and however few they are.
#[tokio::test]
async fn no_name_hangs_a_node() {
    let node = Node::new(&config(&server::shared().url())).await;
    let calls = async {
        for name in TRAPS {
            let person = node.client(name).await;
            let room = node.room(&person, name).await;
            node.ports.bus.subscribe(room).await.unwrap();
            for _ in 0..4 {
                node.say(room, person.0, name).await.unwrap();
                node.ports.bus.read(room, Span::Newest, 4).await.unwrap();
                let guest = node.client(name).await;
                node.ports.directory.join(guest.0, &guest.1, room, MANY).await.unwrap();
                let (shown, members) = node.ports.directory.room(room, 9).await.unwrap();
                assert_eq!(shown.name.as_str(), name);
                assert!(members.iter().all(|m| m.username.as_str() == name));
                node.ports.directory.rooms(None, 1).await.unwrap();
                let renamed = protocol::Username::parse(&"message".into(), 64).unwrap();
                node.ports.directory.rename(guest.0, &guest.1, renamed).await.unwrap();
                node.ports.directory.leave(guest.0, &guest.1, room).await.unwrap();
            }
            node.ports.directory.nodes().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), calls).await.expect("no call hangs");
    assert_eq!(node.heard.missed(), 0, "no connection had to be made anew");
}

/// What is published at once after `subscribe` returned is heard, every time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_immediate_publishes_all_arrive() {
    let config = config(&server::shared().url());
    let (hears, speaks) = (Node::new(&config).await, Node::new(&config).await);
    let rooms = some_rooms(2000);
    for room in &rooms {
        hears.ports.bus.subscribe(*room).await.unwrap();
        speaks.publish(*room).await.unwrap();
    }
    server::node::eventually("all have come", async || hears.heard.rooms().len() >= rooms.len()).await;
    assert_eq!(hears.heard.rooms(), rooms);
    assert_eq!(hears.heard.missed(), 0);
}

/// More messages than the inbox holds are not lost in silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_that_overflows_is_told() {
    let config = engine_redis::RedisConfig { inbox: 16, ..config(&server::shared().url()) };
    let (hears, speaks) = (Node::new(&config).await, Node::new(&config).await);
    let rooms = some_rooms(1);
    hears.ports.bus.subscribe(rooms[0]).await.unwrap();
    hears.heard.is_slow.store(true, Ordering::Relaxed);
    futures_util::future::join_all((0..500).map(|_| speaks.publish(rooms[0]))).await;
    server::node::eventually("the loss is told", async || hears.heard.missed() > 0).await;
    assert!(hears.heard.rooms().len() < 500);
}

/// All rooms are heard again after the connection was cut, however many, and the node is told that it missed some.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_subscriber_is_back_with_every_room() {
    let server = server::Server::start();
    let config = config(&server.url());
    let (hears, speaks) = (Node::new(&config).await, Node::new(&config).await);
    let rooms = some_rooms(1300);
    let mut subscriptions = tokio::task::JoinSet::new();
    for room in rooms.clone() {
        let bus = hears.ports.bus.clone();
        subscriptions.spawn(async move { bus.subscribe(room).await.unwrap() });
    }
    subscriptions.join_all().await;
    for round in 1..=3 {
        server.ask("CLIENT KILL TYPE pubsub").unwrap();
        server::node::eventually("the loss is told", async || hears.heard.missed() == 1).await;
        for room in &rooms {
            speaks.publish(*room).await.unwrap();
        }
        server::node::eventually("all rooms are heard", async || hears.heard.rooms().len() >= rooms.len()).await;
        let heard: HashSet<_> = hears.heard.rooms().into_iter().collect();
        assert_eq!((heard.len(), hears.heard.rooms().len()), (rooms.len(), rooms.len()), "round {round}: once each");
        hears.heard.clear();
    }
}
