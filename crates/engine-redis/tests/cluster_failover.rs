//! A Redis Cluster that loses a master, and one whose slots move.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use bytes::Bytes;
use engine::port::{Delivery, Post, Span};
use protocol::{ClientId, MessageId, RoomId, Seq};
use server::{
    ask,
    cluster::{Cluster, id},
    cut_off,
    node::{MANY, Node, config, eventually},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// A room whose timeline is on this master, or on any but this one.
async fn room_on(cluster: &Cluster, node: &Node, prefix: &str, is_it: impl Fn(usize) -> bool) -> (RoomId, ClientId) {
    let ann = node.client("Ann").await;
    loop {
        let room = node.room(&ann, "room").await;
        if is_it(cluster.owner(cluster.slot(&format!("{prefix}{{{room}}}:meta")))) {
            return (room, ann.0);
        }
    }
}

async fn back(nodes: &[&Node], since: Instant) {
    for node in nodes {
        while node.cluster.check().await.is_err() || node.heard.missed() == 0 {
            assert!(since.elapsed() < Duration::from_secs(30), "30 s later it is still not ready");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

/// The master of a room dies, and its replica lacks what was said last. Those who hear the room are told to look, also
/// when the server to which they listen is another one, and alive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_outlives_its_master() {
    let mut cluster = Cluster::with_replicas();
    let config = config(&cluster.url());
    let (node, other) = (Node::new(&config).await, Node::new(&config).await);
    let members = cluster.owner(cluster.slot(&format!("{}{{m}}:state", config.prefix)));
    let (room, ann) = room_on(&cluster, &node, &config.prefix, |owner| owner != members).await;
    let owner = cluster.owner(cluster.slot(&format!("{}{{{room}}}:meta", config.prefix)));
    other.ports.bus.subscribe(room).await.unwrap();
    for n in 1..=3 {
        assert_eq!(node.say(room, ann, "x").await.unwrap().seq.get(), n);
    }
    server::caught_up(cluster.replicas[owner].port, cluster.masters[owner].port);
    cut_off(cluster.replicas[owner].port, cluster.masters[owner].port);
    for n in 4..=6 {
        assert_eq!(node.say(room, ann, "x").await.unwrap().seq.get(), n);
    }
    let epoch = node.ports.bus.read(room, Span::Newest, 9).await.unwrap().epoch;
    node.heard.clear();
    other.heard.clear();

    let killed = Instant::now();
    cluster.masters[owner].kill();
    back(&[&node, &other], killed).await;
    println!("ready again after {:?}", killed.elapsed());
    // As the engine does when it is told that it may have missed something (`Engine::read_again`).
    let slice = other.ports.bus.read(room, Span::Newest, 9).await.unwrap();
    assert_eq!((slice.newest.get(), &slice.epoch), (3, &epoch), "the new master never got the last three");
    other.ports.bus.renew(room, &epoch).await.unwrap();
    eventually("the rest is told", async || other.heard.all().contains(&Delivery::Missed(Some(room)))).await;
    let seq = node.say(room, ann, "x").await.unwrap().seq;
    let is_it = |d: &Delivery| matches!(d, Delivery::Entry { entry, .. } if entry.seq == seq);
    eventually("the room is heard", async || other.heard.all().iter().any(is_it)).await;
}

/// The master of membership dies, to which everybody listens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn membership_outlives_its_master() {
    let mut cluster = Cluster::with_replicas();
    let config = config(&cluster.url());
    let (node, other) = (Node::new(&config).await, Node::new(&config).await);
    let members = cluster.owner(cluster.slot(&format!("{}{{m}}:state", config.prefix)));
    let ann = node.client("Ann").await;
    let room = node.room(&ann, "room").await;
    other.ports.bus.subscribe(room).await.unwrap();
    node.say(room, ann.0, "x").await.unwrap();
    server::caught_up(cluster.replicas[members].port, cluster.masters[members].port);
    node.heard.clear();
    other.heard.clear();
    let killed = Instant::now();
    cluster.masters[members].kill();
    back(&[&node, &other], killed).await;
    println!("ready again after {:?}", killed.elapsed());
    let bob = other.client("Bob").await;
    other.ports.directory.join(bob.0, &bob.1, room, MANY).await.unwrap();
    assert_eq!(node.ports.directory.room(room, 9).await.unwrap().1.len(), 2);
    let seq = node.say(room, ann.0, "x").await.unwrap().seq;
    let is_it = |d: &Delivery| matches!(d, Delivery::Entry { entry, .. } if entry.seq == seq);
    eventually("the room is heard", async || other.heard.all().iter().any(is_it)).await;
    let is_it = |d: &Delivery| matches!(d, Delivery::Membership { member_count: 2, .. });
    eventually("that he came is heard", async || other.heard.all().iter().any(is_it)).await;
}

/// Says one thing after the other, each as often as it takes, and what place it was given.
async fn chatter(node: Arc<Node>, room: RoomId, client: ClientId, stop: Arc<AtomicBool>) -> BTreeMap<Seq, String> {
    let mut given = BTreeMap::new();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (id, text) = (MessageId::new(Uuid::new_v4()), format!("{client} {n}"));
        let placed = loop {
            let post = Post {
                room,
                client,
                id,
                payload: Bytes::from(text.clone()),
                window: None,
                key: None,
                amendment: None,
                trace: None,
            };
            match node.ports.bus.append(post).await {
                Ok(placed) => break placed,
                Err(engine::PortError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(e) => panic!("{e}"),
            }
        };
        assert!(given.insert(placed.seq, text).is_none(), "a place was given twice");
    }
    given
}

/// Moves a slot from the first server to the second, a key at a time, as `redis-cli --cluster reshard` does.
fn move_slot(slot: u16, masters: &[(u16, String)]) {
    let [(from, from_id), (to, to_id), _] = masters else { panic!("three masters") };
    let ok = |port, command: &str| {
        let answer = ask(port, command).unwrap();
        assert!(answer.starts_with('+'), "{command}: {answer}");
    };
    ok(*to, &format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}"));
    ok(*from, &format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}"));
    // What is not answered with a key is an empty array.
    while let Some((_, rest)) = ask(*from, &format!("CLUSTER GETKEYSINSLOT {slot} 1")).unwrap().split_once("*1\r\n$") {
        let key = rest.lines().nth(1).expect("a key").to_owned();
        ok(*from, &format!("MIGRATE 127.0.0.1 {to} {key} 0 5000"));
        // So that somebody comes upon every state between.
        std::thread::sleep(Duration::from_millis(10));
    }
    for (port, _) in [&masters[1], &masters[0], &masters[2]] {
        ok(*port, &format!("CLUSTER SETSLOT {slot} NODE {to_id}"));
    }
}

/// A room's slot moves to another server while many write, to this room and to one that stays: what was taken is there
/// once and in the place that was said, in both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_moves_and_nothing_is_lost_or_doubled() {
    let cluster = Cluster::start();
    let mut config = config(&cluster.url());
    config.retention.messages = 1_000_000;
    let node = Arc::new(Node::new(&config).await);
    let (moves, ann) = room_on(&cluster, &node, &config.prefix, |owner| owner == 0).await;
    let (stays, bob) = room_on(&cluster, &node, &config.prefix, |owner| owner == 0).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut talkers = tokio::task::JoinSet::new();
    for (room, client) in [(moves, ann), (stays, bob)] {
        for _ in 0..8 {
            let talk = chatter(node.clone(), room, client, stop.clone());
            talkers.spawn(async move { (room, talk.await) });
        }
    }
    let newest = async |room| node.ports.bus.read(room, Span::Newest, 1).await.map_or(0, |slice| slice.newest.get());
    eventually("they talk", async || newest(moves).await > 100 && newest(stays).await > 100).await;
    let slot = cluster.slot(&format!("{}{{{moves}}}:meta", config.prefix));
    tokio::task::spawn_blocking({
        let masters: Vec<(u16, String)> = cluster.masters.iter().map(|s| (s.port, id(s))).collect();
        move || move_slot(slot, &masters)
    })
    .await
    .unwrap();
    let (at_moves, at_stays) = (newest(moves).await, newest(stays).await);
    eventually("they go on", async || newest(moves).await > at_moves + 100 && newest(stays).await > at_stays + 100)
        .await;
    stop.store(true, Ordering::Relaxed);
    let mut given: BTreeMap<RoomId, BTreeMap<Seq, String>> = BTreeMap::new();
    for (room, more) in talkers.join_all().await {
        for (seq, text) in more {
            assert!(given.entry(room).or_default().insert(seq, text).is_none(), "{room}: {seq} was given twice");
        }
    }
    for (room, given) in given {
        let mut stored = BTreeMap::new();
        loop {
            let after = stored.last_key_value().map_or(Seq::new(0), |(seq, _)| *seq);
            let slice = node.ports.bus.read(room, Span::After(after), 1000).await.unwrap();
            let text = |payload: &Bytes| String::from_utf8(payload.to_vec()).unwrap();
            stored.extend(slice.entries.iter().map(|e| (e.seq, text(&e.payload))));
            if !slice.more {
                assert_eq!(slice.newest.get(), given.len() as u64, "{room}");
                break;
            }
        }
        println!("{room}: {} messages", given.len());
        assert!(stored == given, "{room}: something stands elsewhere than was said");
    }
}
