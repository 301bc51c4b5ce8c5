//! A Redis that wants to know who comes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine_redis::{ConnectError, RedisCluster, RedisConfig};
use server::{
    Server,
    node::{Node, config, eventually},
};
use std::time::{Duration, Instant};

fn guarded() -> Server {
    Server::with("redis-server", &["--save", "", "--requirepass", "hunter2"])
}

fn url(server: &Server, credentials: &str) -> String {
    format!("redis://{credentials}@127.0.0.1:{}", server.port)
}

#[tokio::test]
async fn who_has_the_password_comes_in() {
    let server = guarded();
    server.ask_as("hunter2", "ACL SETUSER ann on >correct/horse ~* &* +@all").unwrap();
    for credentials in [":hunter2", "default:hunter2", "ann:correct%2Fhorse"] {
        let node = Node::new(&config(&url(&server, credentials))).await;
        let person = node.client("Ann").await;
        let room = node.room(&person, "room").await;
        node.say(room, person.0, "x").await.unwrap();
        node.cluster.check().await.unwrap();
    }
}

/// At once, so that whoever started it is told, and without the password.
#[tokio::test]
async fn who_has_not_is_told_so_at_once() {
    let server = guarded();
    for credentials in [":hunter3", "", "hunter3:hunter3", "default:hunter3"] {
        let begin = Instant::now();
        let config = config(&url(&server, credentials));
        let refused = RedisCluster::wait_for(config, Duration::from_secs(60)).await.err().unwrap();
        assert!(
            matches!(&refused, ConnectError::Refused(why) if why.contains("the user or the password")),
            "{refused}"
        );
        assert!(!format!("{refused} {refused:?}").contains("hunter"), "{refused}");
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}

/// What is wrong with an address is said without the address.
#[tokio::test]
async fn an_address_that_is_none_is_not_repeated() {
    for url in [
        "redis://:hunter/2@host",
        "redis://:hunter2@ho st",
        "redis-cluster://:x@host:1?node=hunter2@host",
        "redis-sentinel://:hunter2@host:1",
        "redis://:hunter2@host/hunter2",
    ] {
        let fault = RedisCluster::connect(RedisConfig::new(url)).await.err().unwrap();
        assert!(matches!(fault, ConnectError::Config(_)), "{fault}");
        assert!(!format!("{fault} {fault:?}").contains("hunter"), "{fault}");
    }
}

/// The password is changed while we are connected: what is connected stays; what comes later is refused until it is
/// right again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_password_is_an_outage_until_it_is_right_again() {
    let mut server = guarded();
    let node = Node::new(&config(&url(&server, ":hunter2"))).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    node.ports.bus.subscribe(room).await.unwrap();
    server.ask_as("hunter2", "CONFIG SET requirepass changed").unwrap();
    assert!(node.say(room, person.0, "still in").await.is_ok());
    for kind in ["normal", "pubsub"] {
        server.ask_as("changed", &format!("CLIENT KILL TYPE {kind}")).unwrap();
    }
    eventually("it is out", async || node.cluster.check().await.is_err()).await;
    assert!(node.say(room, person.0, "out").await.is_err());
    node.heard.clear();
    server.ask_as("changed", "CONFIG SET requirepass hunter2").unwrap();
    back(&node, "the password is right again").await;

    server.set_arg("--requirepass", "changed");
    server.restart(Duration::ZERO);
    eventually("it is out", async || node.cluster.check().await.is_err()).await;
    server.set_arg("--requirepass", "hunter2");
    server.restart(Duration::ZERO);
    back(&node, "it was restarted with the right one").await;
}

async fn back(node: &Node, why: &str) {
    let begin = Instant::now();
    eventually(why, async || node.cluster.check().await.is_ok() && node.heard.missed() > 0).await;
    println!("{why}: back after {:?}", begin.elapsed());
}
