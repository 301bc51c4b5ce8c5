//! What the others are told.

use crate::support::{Cluster, keys, node};
use serde_json::json;

#[tokio::test]
async fn the_others_hear_who_comes_goes_and_is_renamed() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", &[]).await, cluster.node("n2", &[]).await);
    let (mut alice, mut bob) = (one.guest().await, two.guest().await);
    let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    let room = &joined["room"]["roomId"];

    let seen = bob.ask(json!({"type": "JOIN_ROOM", "id": "j", "roomId": room})).await;
    let member = &seen["members"][1];
    let event = alice.next().await;
    assert_eq!(event, json!({"type": "USER_EVENT", "roomId": room, "memberCount": 2, "joined": [member]}));
    bob.nothing_came().await;

    // Joining again is another look at the room, and nobody is told.
    bob.ask(json!({"type": "JOIN_ROOM", "id": "j", "roomId": room})).await;
    alice.nothing_came().await;

    bob.send(json!({"type": "UPDATE_USERNAME", "id": "u", "username": "Bob"})).await;
    let event = alice.next().await;
    assert_eq!(keys(&event), ["memberCount", "renamed", "roomId", "type"]);
    assert_eq!(event["renamed"], json!([{"clientId": member["clientId"], "username": "Bob"}]));
    let mine = [bob.next().await, bob.next().await];
    assert!(mine.iter().any(|e| e["type"] == "ACK") && mine.contains(&event), "{mine:?}");

    // The message of somebody who was renamed carries the new name.
    bob.send(json!({"type": "SEND_MESSAGE", "id": "6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11", "body": "hi"})).await;
    assert_eq!(alice.next().await["sender"]["username"], "Bob");

    bob.send(json!({"type": "LEAVE_ROOM", "id": "l"})).await;
    let event = alice.next().await;
    let left = json!([member["clientId"]]);
    assert_eq!(event, json!({"type": "USER_EVENT", "roomId": room, "memberCount": 1, "left": left}));
}

#[tokio::test]
async fn a_name_that_does_not_change_is_no_news() {
    let node = node(&[]).await;
    let (mut alice, mut bob, _) = node.pair().await;
    bob.rename("Bob").await.unwrap();
    alice.ping().await.unwrap();
    assert_eq!(alice.take_kept(), []);
}

#[tokio::test]
async fn a_crowd_is_told_in_few_events() {
    let node = node(&[]).await;
    let mut alice = node.client("Alice").await;
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    let mut others = Vec::new();
    for _ in 0..120 {
        let mut other = node.connect(client::ConnectOptions::new()).await;
        other.join(room).await.unwrap();
        others.push(other);
    }
    let mut seen = std::collections::HashSet::from([alice.connected.client_id]);
    let mut events = 0;
    while seen.len() < 121 {
        let event = alice.expect::<protocol::event::UserEvent>(|_| true).await.unwrap();
        events += 1;
        seen.extend(event.joined.iter().map(|m| m.client_id));
        assert!(event.joined.len() <= 250);
    }
    assert!(events < 60, "{events} events for 120 who came");
}
