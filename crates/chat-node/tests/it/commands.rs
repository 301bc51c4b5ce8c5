//! Each command with its reply, field by field, as JSON.

use crate::support::{keys, node};
use serde_json::{Value, json};

fn is_id(value: &Value) -> bool {
    value.as_u64().is_some_and(|id| (10_000..=99_999).contains(&id))
}

#[tokio::test]
async fn connect_tells_who_one_is_and_what_holds() {
    let node = node(&[]).await;
    let mut guest = node.plain().await;
    let reply = guest.ask(json!({"type": "CONNECT", "id": "c-1"})).await;
    let fields = [
        "clientId",
        "heartbeatMs",
        "id",
        "limits",
        "nodeId",
        "resumed",
        "session",
        "sessionExpiresAt",
        "type",
        "username",
    ];
    assert_eq!(keys(&reply), fields);
    assert!(is_id(&reply["clientId"]), "{reply}");
    assert_eq!(reply["username"], format!("User {}", reply["clientId"]));
    assert_eq!(reply["nodeId"], "n1");
    assert_eq!(reply["resumed"], false);
    assert_eq!(reply["heartbeatMs"], 25_000);
    let limits = json!({"messageChars": 2000, "usernameChars": 16, "roomNameChars": 16, "frameBytes": 16_384});
    assert_eq!(reply["limits"], limits);
    assert!(reply["sessionExpiresAt"].as_u64().unwrap() > 1_700_000_000_000);

    let mut named = node.plain().await;
    let reply = named.ask(json!({"type": "CONNECT", "username": "  Zoë ", "future": [1, {"x": null}]})).await;
    assert_eq!(reply["username"], "Zoë");
    assert!(!keys(&reply).contains(&"id"), "no id was given");
}

#[tokio::test]
async fn create_join_and_leave() {
    let node = node(&[]).await;
    let (mut alice, mut bob) = (node.guest().await, node.guest().await);
    let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": " Tea "})).await;
    assert_eq!(keys(&joined), ["epoch", "id", "members", "messages", "recovered", "room", "seq", "type"]);
    assert_eq!(joined["type"], "ROOM_JOINED");
    assert_eq!(keys(&joined["room"]), ["createdAt", "memberCount", "name", "ownerId", "roomId"]);
    assert_eq!((&joined["room"]["name"], &joined["room"]["memberCount"]), (&json!("Tea"), &json!(1)));
    assert!(is_id(&joined["room"]["roomId"]));
    assert_eq!((&joined["seq"], &joined["messages"], &joined["recovered"]), (&json!(0), &json!([]), &json!(true)));
    assert_eq!(joined["members"].as_array().unwrap().len(), 1);
    assert_eq!(joined["members"][0]["clientId"], joined["room"]["ownerId"]);
    assert_eq!(keys(&joined["members"][0]), ["clientId", "username"]);
    let room = &joined["room"]["roomId"];

    alice.ask(json!({"type": "SEND_MESSAGE", "id": "6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11", "body": "hi"})).await;
    let seen = bob.ask(json!({"type": "JOIN_ROOM", "id": "j", "roomId": room})).await;
    assert_eq!((&seen["type"], &seen["seq"], &seen["epoch"]), (&json!("ROOM_JOINED"), &json!(1), &joined["epoch"]));
    assert_eq!(seen["room"]["memberCount"], 2);
    assert_eq!(seen["messages"][0]["body"], "hi");
    assert_eq!(keys(&seen["messages"][0]), ["body", "id", "roomId", "sender", "sentAt", "seq"]);
    let by_arrival: Vec<_> = seen["members"].as_array().unwrap().iter().map(|m| &m["clientId"]).collect();
    assert_eq!(by_arrival[0], &joined["room"]["ownerId"]);
    assert_eq!(by_arrival.len(), 2);

    let left = bob.ask(json!({"type": "LEAVE_ROOM", "id": "l", "roomId": room})).await;
    assert_eq!(left, json!({"type": "ROOM_LEFT", "id": "l", "roomId": room, "reason": "left"}));
    // Of its own going and coming it is told at most the counts.
    bob.ask_among_events(json!({"type": "JOIN_ROOM", "id": "j2", "roomId": room})).await;
    let left = bob.ask_among_events(json!({"type": "LEAVE_ROOM", "id": "l2"})).await;
    assert_eq!(left["roomId"], *room, "the only room need not be named");
    let again = bob.ask_among_events(json!({"type": "LEAVE_ROOM", "id": "l3"})).await;
    assert_eq!((&again["type"], &again["code"]), (&json!("ERROR"), &json!("not_in_room")));
}

#[tokio::test]
async fn send_message_is_acknowledged_and_comes_back() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    let id = "6D63E6A8-0B57-4D60-8B3E-0D4B8D6B9C11";
    alice.send(json!({"type": "SEND_MESSAGE", "id": id, "body": " hello \n\tworld "})).await;
    let (mut ack, mut message) = (alice.next().await, alice.next().await);
    if ack["type"] == "NEW_MESSAGE" {
        std::mem::swap(&mut ack, &mut message);
    }
    assert_eq!(keys(&ack), ["duplicate", "id", "roomId", "sentAt", "seq", "type"]);
    assert_eq!((&ack["type"], &ack["seq"], &ack["duplicate"]), (&json!("ACK"), &json!(1), &json!(false)));
    assert_eq!(ack["id"], id, "as it was spelled: that is how its sender knows it");
    assert_eq!(ack["roomId"], joined["room"]["roomId"]);
    assert_eq!(keys(&message), ["body", "id", "roomId", "sender", "sentAt", "seq", "type"]);
    assert_eq!((&message["type"], &message["seq"]), (&json!("NEW_MESSAGE"), &json!(1)));
    assert_eq!(message["body"], "hello \n\tworld");
    assert_eq!((&message["id"], &message["sentAt"]), (&json!(id.to_lowercase()), &ack["sentAt"]));
    assert_eq!(message["sender"], joined["members"][0]);
}

#[tokio::test]
async fn update_username_gives_a_session_with_the_new_name() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    let ack = alice.ask(json!({"type": "UPDATE_USERNAME", "id": "u", "username": " Alice "})).await;
    assert_eq!(keys(&ack), ["id", "session", "type", "username"]);
    assert_eq!((&ack["type"], &ack["username"]), (&json!("ACK"), &json!("Alice")));
    drop(alice);
    let mut again = node.plain().await;
    let connected = again.ask(json!({"type": "CONNECT", "session": ack["session"]})).await;
    assert_eq!((&connected["username"], &connected["resumed"]), (&json!("Alice"), &json!(true)));
}

#[tokio::test]
async fn history_rooms_and_ping() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    let room = &joined["room"]["roomId"];
    let history = alice.ask(json!({"type": "FETCH_HISTORY", "id": "h", "roomId": room})).await;
    let epoch = &joined["epoch"];
    let expected = json!({"type": "HISTORY", "id": "h", "roomId": room, "epoch": epoch, "messages": [], "more": false});
    assert_eq!(history, expected);

    let rooms = alice.ask(json!({"type": "LIST_ROOMS", "id": "l"})).await;
    let summary = json!({"roomId": room, "name": "Tea", "memberCount": 1, "createdAt": joined["room"]["createdAt"]});
    assert_eq!(rooms, json!({"type": "ROOMS", "id": "l", "rooms": [summary], "cursor": null}));

    let longest = "x".repeat(64);
    let pong = alice.ask(json!({"type": "PING", "id": longest})).await;
    assert_eq!(pong, json!({"type": "PONG", "id": longest, "at": pong["at"]}));
    let pong = alice.ask(json!({"type": "PING"})).await;
    assert_eq!(pong, json!({"type": "PONG", "at": pong["at"]}));
}

#[tokio::test]
async fn typing_has_no_reply_and_does_not_come_back() {
    let node = node(&[]).await;
    let (mut alice, mut bob) = (node.guest().await, node.guest().await);
    let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    let room = &joined["room"]["roomId"];
    bob.ask(json!({"type": "JOIN_ROOM", "id": "j", "roomId": room})).await;
    assert_eq!(alice.next().await["type"], "USER_EVENT");
    for typing in [true, false] {
        alice.send(json!({"type": "TYPING", "typing": typing})).await;
        let event = bob.next().await;
        let alice = &joined["members"][0];
        let (id, name) = (&alice["clientId"], &alice["username"]);
        assert_eq!(
            event,
            json!({"type": "TYPING", "roomId": room, "clientId": id, "username": name, "typing": typing})
        );
    }
    alice.nothing_came().await;
}

#[tokio::test]
async fn every_command_before_connect_is_refused_and_closes() {
    let node = node(&[]).await;
    for command in [
        json!({"type": "PING", "id": "x"}),
        json!({"type": "CREATE_ROOM", "id": "x", "name": "Tea"}),
        json!({"type": "JOIN_ROOM", "id": "x", "roomId": 10_000}),
        json!({"type": "LEAVE_ROOM", "id": "x"}),
        json!({"type": "SEND_MESSAGE", "id": "6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11", "body": "hi"}),
        json!({"type": "UPDATE_USERNAME", "id": "x", "username": "A"}),
        json!({"type": "TYPING", "typing": true}),
        json!({"type": "FETCH_HISTORY", "id": "x"}),
        json!({"type": "LIST_ROOMS", "id": "x"}),
    ] {
        let mut plain = node.plain().await;
        let error = plain.refused(&command.to_string(), "not_connected").await;
        assert_eq!(error.get("id"), command.get("id"), "{error}");
        assert_eq!(plain.closed().await, 1008);
    }
}
