//! What a message costs Redis.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine::port::Post;
use server::{
    Server,
    node::{Node, config, eventually},
};
use std::time::{Duration, Instant};

/// How often a server has done a command.
fn calls(server: &Server, command: &str) -> u64 {
    let stats = server.ask("INFO commandstats").unwrap();
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// A message is one round trip of the node that takes it, and goes to the nodes that hear the room and no others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_one_round_trip_and_reaches_only_who_listens() {
    const COUNT: usize = 100;
    let server = Server::start();
    // No probes: they are told to Redis, too.
    let config = engine_redis::RedisConfig { probe_interval: Duration::from_secs(3600), ..config(&server.url()) };
    let (takes, hears, deaf) = (Node::new(&config).await, Node::new(&config).await, Node::new(&config).await);
    let person = takes.client("Ann").await;
    let room = takes.room(&person, "room").await;
    hears.ports.bus.subscribe(room).await.unwrap();
    takes.say(room, person.0, "so that Redis knows the script").await.unwrap();
    server.ask("CONFIG RESETSTAT").unwrap();
    for _ in 0..COUNT {
        takes.say(room, person.0, "x").await.unwrap();
    }
    eventually("all have come", async || hears.heard.all().len() == COUNT + 1).await;
    assert_eq!((calls(&server, "evalsha"), calls(&server, "eval")), (COUNT as u64, 0));
    // What clients sent is what was processed, less what the script did and this question itself.
    for never in ["get", "hget", "hgetall", "subscribe", "ping", "keys", "script|load"] {
        let inside = if never == "get" { COUNT as u64 } else { 0 };
        assert_eq!(calls(&server, never), inside, "{never}");
    }
    assert_eq!(calls(&server, "publish"), COUNT as u64);
    assert_eq!(deaf.heard.all(), []);
    assert_eq!(takes.heard.all(), [], "it does not hear the room itself");
}

/// How many a second, over the connections of one process. `cargo test --release -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn appends_a_second() {
    let node = Node::new(&config(&server::shared().url())).await;
    let person = node.client("Ann").await;
    for in_flight in [1, 64, 512] {
        let mut tasks = tokio::task::JoinSet::new();
        let begin = Instant::now();
        let total = if in_flight == 1 { 5_000 } else { 50_000 };
        for _ in 0..in_flight {
            let (bus, client) = (node.ports.bus.clone(), person.0);
            let room = node.room(&person, "room").await;
            tasks.spawn(async move {
                for _ in 0..total / in_flight {
                    let id = protocol::MessageId::new(uuid::Uuid::new_v4());
                    let payload = bytes::Bytes::from_static(&[b'x'; 120]);
                    bus.append(Post {
                        room,
                        client,
                        id,
                        payload,
                        window: None,
                        key: None,
                        amendment: None,
                        trace: None,
                    })
                    .await
                    .unwrap();
                }
            });
        }
        tasks.join_all().await;
        println!("{in_flight} in flight: {:.0} appends/s", f64::from(total) / begin.elapsed().as_secs_f64());
    }
}
