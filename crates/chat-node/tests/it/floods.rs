//! Floods of each kind: refused with a time to wait, ended when they go on, and nobody else loses anything.

use crate::support::{Cluster, PATIENCE, close_of, frame, node, refusal};
use client::{Client, Frame};
use protocol::{ErrorCode, ServerEvent, event::NewMessage};
use serde_json::json;

async fn told_to_wait(client: &mut Client, command: &str) {
    client.raw().text(command).await.unwrap();
    let error = client.expect::<protocol::event::CommandError>(|_| true).await.unwrap();
    assert_eq!(error.code, ErrorCode::RateLimited);
    assert!(error.retry_after_ms.is_some_and(|ms| ms > 0), "{error:?}");
}

#[tokio::test]
async fn each_kind_of_command_has_its_own_limit() {
    let node = node(&[
        ("LIMIT_MESSAGE_NODE", "3,1h"),
        ("LIMIT_ROOM_CREATE_NODE", "2,1h"),
        ("LIMIT_TYPING_NODE", "2,1h"),
        ("LIMIT_COMMAND_NODE", "30,1h"),
    ])
    .await;
    let (mut alice, mut bob, room) = node.pair().await;
    for n in 0..3 {
        bob.say(&n.to_string()).await.unwrap();
    }
    let error = refusal(bob.say("one too many").await);
    assert_eq!(error.code, ErrorCode::RateLimited);
    let wait = error.retry_after_ms.unwrap();
    assert!((1..=3_600_000).contains(&wait), "{wait}");

    for _ in 0..2 {
        bob.raw().text("{\"type\":\"TYPING\",\"typing\":true}").await.unwrap();
    }
    told_to_wait(&mut bob, "{\"type\":\"TYPING\",\"typing\":true}").await;
    for _ in 0..2 {
        bob.create_room("Mine").await.unwrap();
    }
    told_to_wait(&mut bob, "{\"type\":\"CREATE_ROOM\",\"name\":\"Mine\"}").await;
    // The pings of the WebSocket count with the other commands, and are not answered past the limit.
    bob.join(room).await.unwrap();
    for _ in 0..40 {
        bob.raw().ping(b"count me".to_vec()).await.unwrap();
    }
    told_to_wait(&mut bob, "{\"type\":\"LIST_ROOMS\"}").await;
    told_to_wait(&mut bob, "{\"type\":\"PING\"}").await;

    // Another client has limits of its own.
    alice.say("I may").await.unwrap();
    for n in 1..=4 {
        alice.expect::<NewMessage>(|m| m.seq.get() == n).await.unwrap();
    }
}

#[tokio::test]
async fn pings_past_the_limit_are_not_answered() {
    let node = node(&[("LIMIT_COMMAND_NODE", "5,1h")]).await;
    let mut alice = node.client("Alice").await;
    for n in 0..20_u8 {
        alice.raw().ping(vec![n]).await.unwrap();
    }
    alice.raw().text("null").await.unwrap();
    for n in 0..5_u8 {
        assert_eq!(alice.raw().next(PATIENCE).await.unwrap(), Frame::Pong(vec![n].into()));
    }
    assert!(alice.raw().next(PATIENCE).await.unwrap().is_text(), "no sixth pong");
}

#[tokio::test]
async fn the_cluster_counts_over_all_nodes() {
    let cluster = Cluster::new();
    let limit = [("LIMIT_MESSAGE_CLUSTER", "3/600s")];
    let (one, two) = (cluster.node("n1", &limit).await, cluster.node("n2", &limit).await);
    let mut alice = one.client("Alice").await;
    alice.create_room("Tea").await.unwrap();
    alice.say("1").await.unwrap();
    let mut alice = two.connect(alice.again(None)).await;
    alice.say("2").await.unwrap();
    alice.say("3").await.unwrap();
    assert_eq!(refusal(alice.say("4").await).code, ErrorCode::RateLimited);
}

/// Two thousand messages from one socket, under the limits that hold by default.
#[tokio::test]
async fn a_flood_of_messages_is_ended_and_nobody_loses_anything() {
    let node = node(&[("LIMIT_MESSAGE_NODE", "20,200ms"), ("LIMIT_MESSAGE_CLUSTER", "300/60s")]).await;
    let (mut alice, mut bob, room) = node.pair().await;
    let mut carol = node.client("Carol").await;
    carol.join(room).await.unwrap();
    let flood = tokio::spawn(async move {
        let burst: Vec<u8> = (0..2000_u128)
            .flat_map(|n| {
                let id = uuid::Uuid::from_u128(n);
                frame(0x81, json!({"type": "SEND_MESSAGE", "id": id, "body": "flood"}).to_string().as_bytes())
            })
            .collect();
        bob.raw().bytes(&burst).await.unwrap();
        let code = close_of(&mut bob).await;
        (code, bob.take_kept())
    });
    for n in 0..10 {
        carol.say(&format!("carol {n}")).await.unwrap();
    }
    let (code, told) = flood.await.unwrap();
    assert_eq!(code, 4029);
    let count = |wanted: fn(&ServerEvent) -> bool| told.iter().filter(|e| wanted(e)).count();
    let (passed, refused) =
        (count(|e| matches!(e, ServerEvent::Ack(_))), count(|e| matches!(e, ServerEvent::CommandError(_))));
    assert!((20..60).contains(&passed), "{passed} passed");
    assert_eq!(refused, 1001, "and each was told so");
    for n in 0..10 {
        alice.expect::<NewMessage>(|m| m.body.as_str() == format!("carol {n}")).await.unwrap();
    }
}

#[tokio::test]
async fn a_thousand_bad_frames_a_minute_are_borne_and_one_more_is_not() {
    let node = node(&[("LIMIT_COMMAND_NODE", "1,1h")]).await;
    // Unreadable, binary, refused for their number: all count.
    for bad in [frame(0x81, b"null"), frame(0x82, b"x"), frame(0x81, b"{\"type\":\"PING\"}"), frame(0x89, b"")] {
        let (mut alice, mut bob, _) = node.pair().await;
        // What the limit of one lets pass is no strike, and joining has used it up for Bob.
        bob.raw().bytes(&bad.repeat(1000)).await.unwrap();
        bob.raw().text("null").await.unwrap();
        bob.raw().text("null").await.unwrap();
        assert_eq!(close_of(&mut bob).await, 4029);
        alice.say("alive").await.unwrap();
        alice.expect::<NewMessage>(|m| m.body.as_str() == "alive").await.unwrap();
    }
    let mut alice = node.client("Alice").await;
    alice.raw().bytes(&frame(0x81, b"null").repeat(1000)).await.unwrap();
    alice.ping().await.unwrap();
    alice.raw().text("null").await.unwrap();
    assert_eq!(close_of(&mut alice).await, 4029);
}

#[tokio::test]
async fn whoever_floods_before_saying_who_it_is_is_closed_too() {
    let node = node(&[]).await;
    for bad in [frame(0x81, b"{\"type\":\"CONNECT\",\"username\":\"\"}"), frame(0x89, b"x"), frame(0x8a, b"x")] {
        let mut guest = node.plain().await;
        guest.0.bytes(&bad.repeat(1001)).await.unwrap();
        assert_eq!(guest.closed().await, 4029, "{bad:x?}");
    }
}

/// A pong means nothing, and costs something all the same.
#[tokio::test]
async fn pongs_that_nobody_asked_for_count_as_commands() {
    let node = node(&[("LIMIT_COMMAND_NODE", "10,1h")]).await;
    let mut alice = node.client("Alice").await;
    alice.raw().bytes(&frame(0x8a, b"x").repeat(1011)).await.unwrap();
    assert_eq!(close_of(&mut alice).await, 4029);
}
