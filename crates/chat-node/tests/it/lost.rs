//! Connections that just end.

use crate::support::{bare, eventually, frame, node, read_frame, within};
use client::ConnectOptions;
use protocol::event::UserEvent;
use std::{collections::HashSet, time::Duration};
use tokio::io::AsyncWriteExt;

const GRACE: [(&str, &str); 1] = [("RESUME_GRACE", "300ms")];

#[tokio::test]
async fn connect_and_drop_leaves_no_ghost() {
    let node = node(&GRACE).await;
    let mut alice = node.client("Alice").await;
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    let mut came = HashSet::new();
    for n in 0..50 {
        let mut ghost = node.connect(ConnectOptions::new()).await;
        ghost.join(room).await.unwrap();
        came.insert(ghost.connected.client_id);
        if n % 3 == 0 {
            // In the middle of a frame.
            ghost.raw().bytes(&frame(0x81, b"{\"type\":\"PING\"}")[..9]).await.unwrap();
        }
        drop(ghost);
    }
    let mut left = HashSet::new();
    while left != came {
        left.extend(alice.expect::<UserEvent>(|e| !e.left.is_empty()).await.unwrap().left);
    }
    assert_eq!(alice.join(room).await.unwrap().room.member_count, 1);
    node.until("websocket_connections_active", |n| n == 1.0).await;
}

/// They are gone before the server can have answered anything.
#[tokio::test]
async fn nor_do_those_who_do_not_wait_for_an_answer() {
    let node = node(&GRACE).await;
    let mut alice = node.client("Alice").await;
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    let connect = frame(0x81, b"{\"type\":\"CONNECT\"}");
    let join = frame(0x81, format!("{{\"type\":\"JOIN_ROOM\",\"roomId\":{room}}}").as_bytes());
    for n in 0..50 {
        let mut socket = bare(node.address).await;
        socket.write_all(&[&connect[..], &join].concat()).await.unwrap();
        if n % 2 == 0 {
            reset(socket);
        }
    }
    node.until("websocket_connections_active", |n| n == 1.0).await;
    assert!(eventually(async || alice.join(room).await.unwrap().room.member_count == 1).await);
}

/// Closes with RST and not with FIN.
fn reset(socket: tokio::net::TcpStream) {
    socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn a_reset_is_noticed_at_once_and_told_after_the_grace() {
    let node = node(&GRACE).await;
    let mut alice = node.client("Alice").await;
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    let mut socket = bare(node.address).await;
    socket.write_all(&frame(0x81, b"{\"type\":\"CONNECT\"}")).await.unwrap();
    socket.write_all(&frame(0x81, format!("{{\"type\":\"JOIN_ROOM\",\"roomId\":{room}}}").as_bytes())).await.unwrap();
    for _ in 0..2 {
        within(read_frame(&mut socket)).await.unwrap();
    }
    reset(socket);
    node.until("websocket_connections_active", |n| n == 1.0).await;
    // What is said meanwhile goes nowhere, and harms nobody.
    for n in 0..20 {
        alice.say(&n.to_string()).await.unwrap();
    }
    let left = alice.expect::<UserEvent>(|e| !e.left.is_empty()).await.unwrap();
    assert_eq!(left.member_count, 1);
}

/// A client that has said all it has to say may close its half, and still hears the answer.
#[tokio::test]
async fn what_was_sent_before_the_end_is_obeyed() {
    let node = node(&GRACE).await;
    let (mut alice, bob, room) = node.pair().await;
    let connect = format!("{{\"type\":\"CONNECT\",\"session\":\"{}\"}}", bob.connected.session);
    let say = "{\"type\":\"SEND_MESSAGE\",\"id\":\"6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11\",\"body\":\"last words\"}";
    let mut socket = bare(node.address).await;
    socket.write_all(&[frame(0x81, connect.as_bytes()), frame(0x81, say.as_bytes())].concat()).await.unwrap();
    socket.shutdown().await.unwrap();
    alice.expect::<protocol::event::NewMessage>(|m| m.body.as_str() == "last words").await.unwrap();
    alice.expect::<UserEvent>(|e| e.left == [bob.connected.client_id]).await.unwrap();
    assert_eq!(alice.join(room).await.unwrap().room.member_count, 1);
}
