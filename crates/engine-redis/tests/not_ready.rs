//! A Redis that answers and cannot be used yet.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine::PortError;
use engine_redis::{ConnectError, RedisCluster};
use server::{
    Server,
    node::{Node, config, eventually},
};
use std::time::{Duration, Instant};

/// It reads its data back, which takes seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_loading_is_waited_for() {
    // A millisecond for each key; and after each, for it is long enough, a look at the clients.
    let slowly = ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"];
    let options = ["--save", "3600 1", "--rdbcompression", "no"];
    let mut server = Server::with("redis-server", &[&options[..], &slowly[..]].concat());
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    server.ask("EVAL \"for i = 1, 4000 do redis.call('SET', i, string.rep('x', 1100)) end\" 0").unwrap();
    assert_eq!(server.ask("SAVE").unwrap(), "+OK\r\n");
    server.kill();
    server.start_again();
    server::until("it is loading", || server.ask("PING").is_ok_and(|answer| answer.starts_with("-LOADING")));
    let early = RedisCluster::connect(config.clone()).await.err();
    assert!(matches!(&early, Some(ConnectError::Unreachable(why)) if why.contains("LOADING")), "{early:?}");
    assert!(node.cluster.check().await.is_err());
    assert!(matches!(node.say(room, person.0, "x").await, Err(PortError::Unavailable(_))));
    // Two that wait: one that starts meanwhile, and one that was there before.
    RedisCluster::wait_for(config, Duration::from_secs(30)).await.unwrap();
    eventually("it takes messages", async || node.say(room, person.0, "x").await.is_ok()).await;
    eventually("all is well", async || node.cluster.check().await.is_ok()).await;
}

/// It became a replica without a word, and later a master again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_replica_is_unavailable() {
    let server = Server::start();
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    // Of a master that it never reaches: so it keeps its data.
    let nobody = server::free_port();
    server.ask(&format!("REPLICAOF 127.0.0.1 {nobody}")).unwrap();
    let refused = node.say(room, person.0, "x").await;
    assert!(matches!(&refused, Err(PortError::Unavailable(e)) if e.0.contains("READONLY")), "{refused:?}");
    assert!(node.cluster.check().await.is_err(), "it would answer a PING");
    let early = RedisCluster::connect(config).await.err();
    assert!(matches!(&early, Some(ConnectError::Unreachable(why)) if why.contains("READONLY")), "{early:?}");
    let begin = Instant::now();
    server.ask("REPLICAOF NO ONE").unwrap();
    eventually("it takes messages", async || node.say(room, person.0, "x").await.is_ok()).await;
    println!("back after {:?}", begin.elapsed());
}
