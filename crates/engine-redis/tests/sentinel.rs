//! A master that dies while sentinels watch it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine::port::{Delivery, Span};
use engine_redis::{ConnectError, RedisCluster};
use server::{
    caught_up, cut_off,
    node::{MANY, Node, config, eventually},
    sentinel::Watched,
    until,
};
use std::time::{Duration, Instant};

/// A little of everything, with a second node that hears it.
async fn works(node: &Node, other: &Node) {
    let (ann, bob) = (node.client("Ann").await, other.client("Bob").await);
    let room = node.room(&ann, "room").await;
    other.ports.bus.subscribe(room).await.unwrap();
    other.ports.directory.join(bob.0, &bob.1, room, MANY).await.unwrap();
    let seq = node.say(room, ann.0, "x").await.unwrap().seq;
    let slice = other.ports.bus.read(room, Span::Newest, 9).await.unwrap();
    assert_eq!((seq.get(), slice.newest), (1, seq));
    let is_it = |d: &Delivery| matches!(d, Delivery::Entry { room: r, entry, .. } if *r == room && entry.seq == seq);
    eventually("it is heard", async || other.heard.all().iter().any(is_it)).await;
    assert_eq!(other.ports.directory.room(room, 9).await.unwrap().1.len(), 2);
    node.cluster.check().await.unwrap();
}

/// The master is killed, and its replica lacks what was said last: all goes on without a new process, and whoever knows
/// more than the new master is told to look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failover_all_goes_on_and_what_was_lost_is_noticed() {
    let mut watched = Watched::start();
    let config = config(&watched.url("", ""));
    let (node, other) = (Node::new(&config).await, Node::new(&config).await);
    works(&node, &other).await;
    let ann = node.client("Ann").await;
    let room = node.room(&ann, "room").await;
    other.ports.bus.subscribe(room).await.unwrap();
    for n in 1..=6 {
        if n == 4 {
            caught_up(watched.servers[1].port, watched.master());
            cut_off(watched.servers[1].port, watched.master());
        }
        assert_eq!(node.say(room, ann.0, "x").await.unwrap().seq.get(), n);
    }
    let epoch = node.ports.bus.read(room, Span::Newest, 9).await.unwrap().epoch;
    other.heard.clear();
    node.heard.clear();

    let killed = Instant::now();
    watched.servers[0].kill();
    until_ready(&[&node, &other], killed).await;
    assert!(killed.elapsed() < Duration::from_secs(15), "{:?}", killed.elapsed());

    // As the engine does when it is told that it may have missed something (`Engine::read_again`).
    let slice = other.ports.bus.read(room, Span::Newest, 9).await.unwrap();
    assert_eq!((slice.newest.get(), &slice.epoch), (3, &epoch), "the new master never got the last three");
    other.ports.bus.renew(room, &epoch).await.unwrap();
    eventually("the rest is told", async || other.heard.all().contains(&Delivery::Missed(Some(room)))).await;
    assert_ne!(node.ports.bus.read(room, Span::Newest, 9).await.unwrap().epoch, epoch);
    let seq = node.say(room, ann.0, "x").await.unwrap().seq;
    assert_eq!(seq.get(), 4);
    let is_it = |d: &Delivery| matches!(d, Delivery::Entry { entry, .. } if entry.seq == seq);
    eventually("the room is heard", async || other.heard.all().iter().any(is_it)).await;
    works(&node, &other).await;

    // The former master comes back, believes to be one still, and is made a replica.
    watched.servers[0].start_again();
    let old = watched.master();
    until("it is a replica", || server::ask(old, "INFO replication").is_ok_and(|info| info.contains("role:slave")));
    works(&node, &other).await;
    works(&Node::new(&config).await, &other).await;
}

/// The master is silent and not gone: nobody closes a connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_only_silent_is_left() {
    let watched = Watched::start();
    let config = config(&watched.url("", ""));
    let (node, other) = (Node::new(&config).await, Node::new(&config).await);
    works(&node, &other).await;
    node.heard.clear();
    other.heard.clear();
    caught_up(watched.servers[1].port, watched.master());
    let stopped = Instant::now();
    watched.servers[0].signal("STOP");
    until_ready(&[&node, &other], stopped).await;
    works(&node, &other).await;
    watched.servers[0].signal("CONT");
    let old = watched.master();
    until("it is a replica", || server::ask(old, "INFO replication").is_ok_and(|info| info.contains("role:slave")));
    works(&node, &other).await;
}

/// Until all is well again, and they were told that they may have missed something.
async fn until_ready(nodes: &[&Node], since: Instant) {
    let deadline = Duration::from_secs(30);
    for node in nodes {
        while node.cluster.check().await.is_err() || node.heard.missed() == 0 {
            assert!(since.elapsed() < deadline, "30 s later it is still not ready");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
    println!("ready again after {:?}", since.elapsed());
}

/// The role is given to another server by hand, and nobody cuts our connections to the former master: it says that it
/// is read-only, and so the sentinel is asked anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_master_is_left() {
    let watched = Watched::with(None, 1);
    let config = config(&watched.url("", ""));
    let (node, other) = (Node::new(&config).await, Node::new(&config).await);
    works(&node, &other).await;
    let [old, new] = [&watched.servers[0], &watched.servers[1]];
    caught_up(new.port, old.port);
    let sentinel = &watched.sentinels[0];
    sentinel.ask("SENTINEL REMOVE rooms").unwrap();
    new.ask("REPLICAOF NO ONE").unwrap();
    old.ask(&format!("REPLICAOF 127.0.0.1 {}", new.port)).unwrap();
    assert!(node.cluster.check().await.is_err());
    node.heard.clear();
    let begin = Instant::now();
    sentinel.ask(&format!("SENTINEL MONITOR rooms 127.0.0.1 {} 1", new.port)).unwrap();
    eventually("it has found the new master", async || node.cluster.check().await.is_ok()).await;
    println!("found after {:?}", begin.elapsed());
    eventually("it looks again", async || node.heard.missed() > 0).await;
    eventually("the other one, too", async || other.cluster.check().await.is_ok()).await;
    works(&node, &other).await;
}

/// Servers and sentinels have passwords of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_have_passwords() {
    let watched = Watched::with(Some(("hunter2", "sesame")), 1);
    let good = config(&watched.url(":hunter2@", "&sentinelPassword=sesame"));
    let (node, other) = (Node::new(&good).await, Node::new(&good).await);
    works(&node, &other).await;
    let wrong = RedisCluster::connect(config(&watched.url(":hunter3@", "&sentinelPassword=sesame"))).await.err();
    assert!(matches!(&wrong, Some(ConnectError::Refused(why)) if why.contains("password")), "{wrong:?}");
    let wrong = RedisCluster::connect(config(&watched.url(":hunter2@", "&sentinelPassword=sesam"))).await.err();
    assert!(matches!(&wrong, Some(ConnectError::Unreachable(why)) if why.contains("sentinelPassword")), "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("sesam"));
}

/// One of the sentinels is enough to find the master, whichever it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sentinel_is_enough() {
    let mut watched = Watched::start();
    let config = config(&watched.url("", ""));
    let (node, other) = (Node::new(&config).await, Node::new(&config).await);
    for n in [0, 2] {
        watched.sentinels[n].kill();
    }
    // Without this one fred would ask only those of which the last one that it asked knew.
    for kind in ["normal", "pubsub"] {
        watched.servers[0].ask(&format!("CLIENT KILL TYPE {kind}")).unwrap();
    }
    eventually("it is back", async || node.cluster.check().await.is_ok() && other.cluster.check().await.is_ok()).await;
    works(&node, &other).await;
}
