//! What amendments have put in place of parts of a log: it lives as long as the log, no shorter and no longer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use bytes::Bytes;
use engine::{
    PortError,
    port::{Amendment, Post, Span},
};
use protocol::{MessageId, RoomId, Seq};
use server::{
    Server,
    node::{Node, config},
};
use uuid::Uuid;

async fn amend(node: &Node, room: RoomId, target: Seq, expect: Option<Seq>) -> Result<Seq, PortError> {
    let (replacement, superseded) =
        (Bytes::from_static(b"{\"x\":1}"), expect.map(|seq| (seq, Bytes::from_static(b"-"))));
    let post = Post {
        room,
        client: "10000".parse().unwrap(),
        key: None,
        id: MessageId::new(Uuid::new_v4()),
        payload: Bytes::from_static(b"{}"),
        amendment: Some(Amendment { target, expect, replacement, noted_as: "by", superseded }),
        window: None,
        trace: None,
    };
    node.ports.bus.append(post).await.map(|appended| appended.seq)
}

fn number(answer: &str) -> i64 {
    answer.trim().trim_start_matches(':').parse().unwrap()
}

/// Should it expire before the log, what was taken away would come back.
#[tokio::test]
async fn it_expires_no_earlier_than_the_log() {
    let server = Server::start();
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    let first = node.say(room, person.0, "x").await.unwrap().seq;
    let key = |name: &str| format!("{}{{{room}}}:{name}", config.prefix);
    let ttl = |name: &str| number(&server.ask(&format!("PTTL {}", key(name))).unwrap());
    amend(&node, room, first, None).await.unwrap();
    for how in ["append", "read", "originals"] {
        for name in ["log", "overlay"] {
            assert_eq!(server.ask(&format!("PEXPIRE {} 60000", key(name))).unwrap(), ":1\r\n");
        }
        match how {
            "append" => drop(node.say(room, person.0, "y").await.unwrap()),
            "read" => drop(node.ports.bus.read(room, Span::Newest, 1).await.unwrap()),
            _ => drop(node.ports.bus.originals(room, Span::Newest, 1).await.unwrap()),
        }
        // Asked in this order, the overlay's is the older answer.
        let (overlay, log) = (ttl("overlay"), ttl("log"));
        assert!(overlay > 60_000 && overlay >= log, "{how}: {overlay} and {log}");
    }
}

/// Another life of the timeline has none of it, whoever ended the former one.
#[tokio::test]
async fn it_ends_with_the_timeline() {
    let server = Server::start();
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    let key = |name: &str| format!("{}{{{room}}}:{name}", config.prefix);
    let first = node.say(room, person.0, "x").await.unwrap().seq;
    amend(&node, room, first, None).await.unwrap();
    // A node that knows nothing of overlays ended it, and another began it anew.
    server.ask(&format!("DEL {} {}", key("meta"), key("log"))).unwrap();
    node.say(room, person.0, "new").await.unwrap();
    let texts = async || {
        let slice = node.ports.bus.read(room, Span::Newest, 9).await.unwrap();
        slice.entries.into_iter().map(|entry| String::from_utf8(entry.payload.to_vec()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(texts().await, ["new"]);
    // And one that began it, too.
    server.ask(&format!("HSET {} 1 9<{{}}", key("overlay"))).unwrap();
    assert_eq!(texts().await, ["new"]);
    amend(&node, room, first, None).await.unwrap();
    assert_eq!(texts().await, ["{\"x\":1,\"by\":2}", "{}"]);

    node.ports.directory.leave(person.0, &person.1, room).await.unwrap();
    assert_eq!(server.ask(&format!("EXISTS {} {}", key("overlay"), key("log"))).unwrap(), ":0\r\n");
}

/// However often things are amended, it has not many more fields than the log has entries.
#[tokio::test]
async fn it_does_not_grow() {
    let server = Server::start();
    let mut config = config(&server.url());
    config.retention.messages = 20;
    let node = Node::new(&config).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    let mut most = 0;
    for _ in 0..200 {
        let said = node.say(room, person.0, "x").await.unwrap().seq;
        let edit = amend(&node, room, said, None).await.unwrap();
        amend(&node, room, said, Some(edit)).await.unwrap();
        let fields = number(&server.ask(&format!("HLEN {}{{{room}}}:overlay", config.prefix)).unwrap());
        most = most.max(fields);
    }
    assert!(most > 10 && most < 60, "{most} of 400");
}
