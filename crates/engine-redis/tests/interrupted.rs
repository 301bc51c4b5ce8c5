//! What is done in two hash slots may end between them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine::{PortError, port::Span};
use server::{
    Server,
    node::{Node, config},
};
use std::time::Duration;

/// Whoever made the room did not live to begin its timeline, or it was lost: it begins anew, under another epoch.
#[tokio::test]
async fn a_room_without_a_timeline_gets_one() {
    let server = Server::start();
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    node.say(room, person.0, "x").await.unwrap();
    let epoch = node.ports.bus.read(room, Span::Newest, 1).await.unwrap().epoch;
    let lose = || server.ask(&format!("DEL {0}{{{room}}}:meta", config.prefix)).unwrap();
    assert_eq!(lose(), ":1\r\n");
    assert_eq!(node.say(room, person.0, "y").await.unwrap().seq.get(), 1);
    let slice = node.ports.bus.read(room, Span::Newest, 9).await.unwrap();
    assert!(slice.epoch != epoch && slice.entries.len() == 1, "nothing of the former one is left");
    lose();
    assert_eq!(node.ports.bus.read(room, Span::Newest, 9).await.unwrap().entries, []);
}

/// Whoever ended the room did not live to remove its timeline: the next sweep does, and spares a later room of that id.
#[tokio::test]
async fn an_ended_room_s_timeline_is_swept() {
    let server = Server::start();
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let person = node.client("Ann").await;
    let (ended, lives) = (node.room(&person, "room").await, node.room(&person, "room").await);
    let meta = |room| format!("{}{{{room}}}:meta", config.prefix);
    node.ports.directory.leave(person.0, &person.1, ended).await.unwrap();
    server.ask(&format!("HSET {} life 5 epoch x seq 1 at 0", meta(ended))).unwrap();
    for room in [ended, lives] {
        server.ask(&format!("ZADD {}{{m}}:ended 1 {room}:5", config.prefix)).unwrap();
    }
    assert!(node.say(ended, person.0, "x").await.is_ok(), "the orphan");
    node.ports.directory.sweep().await.unwrap();
    assert_eq!(node.say(ended, person.0, "x").await, Err(PortError::RoomNotFound));
    assert_eq!(node.say(lives, person.0, "x").await.unwrap().seq.get(), 1);
    assert_eq!(server.ask(&format!("ZCARD {}{{m}}:ended", config.prefix)).unwrap(), ":0\r\n");
}

/// After the last member, and the records' time, nothing is left; and until then everything has an end.
#[tokio::test]
async fn nothing_is_left_and_everything_expires() {
    let server = Server::start();
    let mut config = config(&server.url());
    config.retention.clients = Duration::from_millis(1);
    let node = Node::new(&config).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    node.say(room, person.0, "x").await.unwrap();
    node.ports.directory.heartbeat(&node.lease, Duration::from_secs(60), 1).await.unwrap();
    let persistent = "EVAL \"local n = 0; for _, k in ipairs(redis.call('KEYS', '*')) do \
                      if redis.call('TTL', k) < 0 then n = n + 1 end end; return n\" 0";
    assert_eq!(server.ask(persistent).unwrap(), ":0\r\n", "a key without an end");
    node.ports.directory.detach(person.0, &person.1, Duration::ZERO).await.unwrap();
    node.ports.directory.deregister(&node.lease, Duration::ZERO).await.unwrap();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        node.ports.directory.sweep().await.unwrap();
    }
    // The counter, what the room's message ids are remembered by, and what the client has used of its limit.
    assert_eq!(server.ask("DBSIZE").unwrap(), ":3\r\n");
    assert_eq!(server.ask(persistent).unwrap(), ":0\r\n", "what is left has an end, too");
}
