//! Bad input gets a clear error; the connection lives, and nobody else notices.

use crate::support::node;
use client::Frame;
use serde_json::json;

const BAD: [&str; 35] = [
    "",
    " ",
    "null",
    "true",
    "7",
    "\"PING\"",
    "[]",
    "[\"PING\"]",
    "{",
    "{}",
    "hello",
    "{\"type\":null}",
    "{\"type\":7}",
    "{\"type\":[]}",
    "{\"type\":\"NOPE\"}",
    "{\"type\":\"ping\"}",
    "{\"type\":\"PING\"} x",
    "{\"type\":\"PING\"}{\"type\":\"PING\"}",
    "{\"type\":\"PING\",\"type\":\"PING\"}",
    "{\"type\":\"PING\",\"id\":7}",
    "{\"type\":\"PING\",\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
    "{\"type\":\"JOIN_ROOM\"}",
    "{\"type\":\"JOIN_ROOM\",\"roomId\":\"10000\"}",
    "{\"type\":\"JOIN_ROOM\",\"roomId\":9999}",
    "{\"type\":\"JOIN_ROOM\",\"roomId\":-1}",
    "{\"type\":\"JOIN_ROOM\",\"roomId\":1000000000}",
    "{\"type\":\"JOIN_ROOM\",\"roomId\":1e300}",
    "{\"type\":\"JOIN_ROOM\",\"roomId\":10000.5}",
    "{\"type\":\"JOIN_ROOM\",\"roomId\":10000,\"roomId\":10000}",
    "{\"type\":\"TYPING\",\"typing\":1}",
    "{\"type\":\"SEND_MESSAGE\",\"body\":\"x\"}",
    "{\"type\":\"SEND_MESSAGE\",\"id\":\"x\",\"body\":\"x\"}",
    "{\"type\":\"SEND_MESSAGE\",\"id\":\"6d63e6a80b574d608b3e0d4b8d6b9c11\",\"body\":\"x\"}",
    "{\"type\":\"CREATE_ROOM\",\"name\":\"\\ud800\"}",
    "{\"type\":\"CONNECT\"}",
];

#[tokio::test]
async fn what_is_no_command_is_a_bad_request() {
    let node = node(&[]).await;
    let (mut alice, mut bob) = (node.guest().await, node.guest().await);
    let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    bob.ask(json!({"type": "JOIN_ROOM", "id": "j", "roomId": joined["room"]["roomId"]})).await;
    alice.next().await;
    for bad in BAD {
        bob.refused(bad, "bad_request").await;
    }
    let nested = format!("{{\"type\":\"PING\",\"x\":{}", "[".repeat(10_000));
    bob.refused(&nested, "bad_request").await;
    bob.nothing_came().await;
    alice.nothing_came().await;
}

#[tokio::test]
async fn the_id_is_echoed_when_it_can_be_read() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    for (frame, id) in [
        ("{\"id\":\"a\",\"type\":\"NOPE\"}", Some("a")),
        ("{\"id\":\"b\"}", Some("b")),
        ("{\"id\":\"c\",\"type\":\"JOIN_ROOM\",\"roomId\":[]}", Some("c")),
        ("{\"id\":8,\"type\":\"NOPE\"}", None),
    ] {
        let error = alice.refused(frame, "bad_request").await;
        assert_eq!(error["id"].as_str(), id, "{frame}");
    }
}

#[tokio::test]
async fn binary_is_refused_and_the_connection_lives() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    alice.0.binary(b"{\"type\":\"PING\"}".to_vec()).await.unwrap();
    assert_eq!(alice.next().await["code"], "bad_request");
    alice.nothing_came().await;
}

#[tokio::test]
async fn a_first_frame_that_is_no_connect_closes() {
    let node = node(&[]).await;
    for bad in BAD.into_iter().filter(|bad| *bad != "{\"type\":\"CONNECT\"}") {
        let mut guest = node.plain().await;
        guest.refused(bad, "bad_request").await;
        assert_eq!(guest.closed().await, 1008, "{bad}");
    }
    let mut guest = node.plain().await;
    guest.0.frame(Frame::binary(vec![1])).await.unwrap();
    assert_eq!(guest.next().await["code"], "bad_request");
    assert_eq!(guest.closed().await, 1008);
}

#[tokio::test]
async fn a_bad_resume_is_a_bad_request() {
    let node = node(&[]).await;
    for resume in [
        json!([10_000, "e", 1]),
        json!({"roomId": 1, "epoch": "e", "seq": 1}),
        json!({"roomId": 10_000, "epoch": "e", "seq": -1}),
        json!({"roomId": 10_000, "epoch": "e", "seq": 1.5}),
        json!({"roomId": 10_000, "epoch": "e", "seq": 9_007_199_254_740_992_u64}),
        json!({"roomId": 10_000, "epoch": 7, "seq": 1}),
        json!({"roomId": 10_000, "epoch": "e"}),
    ] {
        let mut guest = node.plain().await;
        let error = guest.ask(json!({"type": "CONNECT", "id": "c", "resume": resume})).await;
        assert_eq!(error["code"], "bad_request", "{resume}");
        assert_eq!(guest.closed().await, 1008);
    }
}

#[tokio::test]
async fn rooms_that_are_not_there_and_rooms_one_is_not_in() {
    let node = node(&[]).await;
    let (mut alice, mut bob) = (node.guest().await, node.guest().await);
    let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    let room = joined["room"]["roomId"].as_u64().unwrap();
    let id = "6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11";
    for (command, code) in [
        (json!({"type": "JOIN_ROOM", "id": id, "roomId": 999_999_999}), "room_not_found"),
        (json!({"type": "SEND_MESSAGE", "id": id, "body": "x"}), "not_in_room"),
        (json!({"type": "SEND_MESSAGE", "id": id, "roomId": room, "body": "x"}), "not_in_room"),
        (json!({"type": "LEAVE_ROOM", "id": id}), "not_in_room"),
        (json!({"type": "LEAVE_ROOM", "id": id, "roomId": room}), "not_in_room"),
        (json!({"type": "FETCH_HISTORY", "id": id}), "not_in_room"),
        (json!({"type": "FETCH_HISTORY", "id": id, "roomId": room}), "not_in_room"),
        (json!({"type": "FETCH_HISTORY", "id": id, "roomId": 999_999_999}), "not_in_room"),
    ] {
        let error = bob.ask(command.clone()).await;
        assert_eq!((&error["type"], &error["code"]), (&json!("ERROR"), &json!(code)), "{command}");
    }
    bob.refused("{\"type\":\"TYPING\",\"typing\":true}", "not_in_room").await;
    alice.nothing_came().await;
}
