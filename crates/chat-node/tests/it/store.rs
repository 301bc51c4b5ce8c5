//! A store that fails, hangs or breaks.

pub mod broken;

use crate::support::{Cluster, PATIENCE, TestNode, close_of, eventually, refusal};
use broken::{Broken, Trouble};
use client::{Client, ConnectOptions};
use protocol::{
    ErrorCode, MessageId, Seq,
    event::{CommandError, NewMessage, UserEvent},
};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

const CALL_TIMEOUT: Duration = Duration::from_millis(200);

async fn over(cluster: &Cluster, variables: &[(&str, &str)]) -> (TestNode, Arc<Broken>) {
    patient(cluster, variables, CALL_TIMEOUT).await
}

async fn patient(cluster: &Cluster, variables: &[(&str, &str)], call: Duration) -> (TestNode, Arc<Broken>) {
    let (ports, broken) = Broken::over(cluster.ports("n1"));
    let node = cluster.start("n1", ports, variables, |config| config.engine.call_timeout = call).await;
    (node, broken)
}

#[tokio::test]
async fn every_command_that_needs_it_says_unavailable() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster, &[]).await;
    let (_alice, bob, room) = node.pair().await;
    let mut bob = bob;
    for trouble in [Trouble::Fails, Trouble::Hangs] {
        store.set("*", trouble);
        for command in [
            json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"}),
            json!({"type": "JOIN_ROOM", "id": "j", "roomId": room}),
            json!({"type": "LEAVE_ROOM", "id": "l"}),
            json!({"type": "SEND_MESSAGE", "id": "6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11", "body": "hi"}),
            json!({"type": "UPDATE_USERNAME", "id": "u", "username": "Other"}),
            json!({"type": "TYPING", "typing": true}),
            json!({"type": "FETCH_HISTORY", "id": "h"}),
            json!({"type": "LIST_ROOMS", "id": "l"}),
        ] {
            let asked = Instant::now();
            bob.raw().text(command.to_string()).await.unwrap();
            let error = bob.expect::<CommandError>(|_| true).await.unwrap();
            assert_eq!(error.code, ErrorCode::Unavailable, "{command}");
            assert!(error.retry_after_ms.is_some());
            assert_eq!(error.id.map(|id| id.to_string()).as_deref(), command["id"].as_str(), "{command}");
            assert!(asked.elapsed() < CALL_TIMEOUT + Duration::from_secs(2), "{command}: {:?}", asked.elapsed());
        }
        // What needs no store is answered.
        bob.ping().await.unwrap();
        store.mend();
        // And all is as before.
        bob.say("back").await.unwrap();
        assert_eq!(bob.connected.username.as_str(), "Bob");
    }
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_is_the_same_message() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster, &[]).await;
    let (mut alice, mut bob, _) = node.pair().await;
    let id = MessageId::new(Uuid::new_v4());
    // It is carried out, and the answer comes too late.
    store.set("append", Trouble::Late(CALL_TIMEOUT * 2));
    assert_eq!(refusal(bob.say_with_id(id, "hello").await).code, ErrorCode::Unavailable);
    store.mend();
    let ack = bob.say_with_id(id, "hello").await.unwrap();
    assert_eq!((ack.seq, ack.duplicate), (Some(Seq::new(1)), Some(true)));
    alice.expect::<NewMessage>(|m| m.seq == Seq::new(1)).await.unwrap();
    alice.ping().await.unwrap();
    assert_eq!(alice.take_kept(), []);
}

#[tokio::test]
async fn connect_can_be_tried_again_on_the_same_socket() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster, &[]).await;
    store.set("attach", Trouble::Fails);
    let mut guest = node.plain().await;
    let error = guest.ask(json!({"type": "CONNECT", "id": "c"})).await;
    assert_eq!(error["code"], "unavailable");
    store.mend();
    assert_eq!(guest.ask(json!({"type": "CONNECT", "id": "c"})).await["type"], "CONNECT");
}

/// The store has made the connection speak for the client, but the connection was over before it heard of that.
#[tokio::test]
async fn a_connection_that_ends_while_it_connects_leaves_no_ghost() {
    let cluster = Cluster::new();
    let fast = [("RESUME_GRACE", "100ms"), ("CONNECT_TIMEOUT", "300ms")];
    let (broken, store) = patient(&cluster, &fast, PATIENCE).await;
    let two = cluster.node("n2", &fast).await;
    let (mut alice, bob, room) = two.pair().await;
    // So late that the time for CONNECT runs out while the store thinks.
    store.set("attach", Trouble::Late(Duration::from_millis(1500)));
    let mut again = broken.plain().await;
    again.send(json!({"type": "CONNECT", "session": bob.connected.session})).await;
    assert_eq!(again.closed().await, 4001);
    let left = alice.expect::<UserEvent>(|e| !e.left.is_empty()).await.unwrap();
    assert_eq!((left.left, left.member_count), (vec![bob.connected.client_id], 1));
    assert_eq!(alice.join(room).await.unwrap().room.member_count, 1);
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_nothing_else() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster, &[("RESUME_GRACE", "100ms")]).await;
    let (mut alice, mut bob, room) = node.pair().await;
    store.set("append", Trouble::Panics);
    bob.raw()
        .text("{\"type\":\"SEND_MESSAGE\",\"id\":\"6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11\",\"body\":\"boom\"}")
        .await
        .unwrap();
    assert_eq!(close_of(&mut bob).await, 1013, "come back later");
    store.mend();
    // It is a lost connection like any other.
    node.until("websocket_connections_active", |n| n == 1.0).await;
    alice.expect::<UserEvent>(|e| e.left == [bob.connected.client_id]).await.unwrap();
    alice.say("alive").await.unwrap();
    assert_eq!(alice.join(room).await.unwrap().room.member_count, 1);
}

#[tokio::test]
async fn only_the_node_limits_while_the_cluster_cannot_be_asked() {
    let cluster = Cluster::new();
    let limits = [("LIMIT_ROOM_CREATE_NODE", "4,1h"), ("LIMIT_ROOM_CREATE_CLUSTER", "2/600s")];
    let (node, store) = over(&cluster, &limits).await;
    store.set("take", Trouble::Fails);
    let mut alice = node.client("Alice").await;
    for n in 0..4 {
        alice.create_room(&n.to_string()).await.unwrap();
    }
    assert_eq!(refusal(alice.create_room("5").await).code, ErrorCode::RateLimited);
}

/// The cluster's layer of the messages, on two nodes, and what was refused may be sent later with the same id.
#[tokio::test]
async fn the_cluster_limits_messages_on_every_node() {
    let cluster = Cluster::new();
    let limits = [("LIMIT_MESSAGE_NODE", "off"), ("LIMIT_MESSAGE_CLUSTER", "3/600s")];
    let (one, two) = (cluster.node("n1", &limits).await, cluster.node("n2", &limits).await);
    let mut alice = one.client("Alice").await;
    alice.create_room("Tea").await.unwrap();
    alice.say("1").await.unwrap();
    let options: ConnectOptions = alice.again(None);
    let mut alice = two.connect(options).await;
    for n in 2..4 {
        alice.say(&n.to_string()).await.unwrap();
    }
    let refused = refusal(alice.say("4").await);
    assert_eq!(refused.code, ErrorCode::RateLimited);
    assert!(refused.retry_after_ms.is_some_and(|wait| (1..=1_200_000).contains(&wait)), "{refused:?}");
}

#[tokio::test]
async fn a_node_that_cannot_reach_it_is_not_ready() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster, &[("NODE_LEASE", "2s")]).await;
    let ready = async || reqwest::get(format!("http://{}/readyz", node.address)).await.unwrap().status().is_success();
    assert!(eventually(ready).await);
    store.set("heartbeat", Trouble::Fails);
    assert!(eventually(async || !ready().await).await);
    assert!(reqwest::get(format!("http://{}/livez", node.address)).await.unwrap().status().is_success());
    store.mend();
    assert!(eventually(ready).await);
}

/// A node whose lease ran out while it was away begins anew: its clients come back, and are who they were.
#[tokio::test]
async fn a_node_that_was_given_up_closes_everybody_and_goes_on() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster, &[("NODE_LEASE", "1s")]).await;
    let other = cluster.node("n2", &[]).await;
    let mut alice = node.client("Alice").await;
    store.set("heartbeat", Trouble::Hangs);
    let mut watching = other.client("Watching").await;
    let room = watching.create_room("Tea").await.unwrap().room.room_id;
    alice.join(room).await.unwrap();
    watching.expect::<UserEvent>(|e| e.left == [alice.connected.client_id]).await.unwrap();
    store.mend();
    let closed = alice.closed(PATIENCE).await.unwrap();
    assert_eq!(closed.0, 1012);
    let options: ConnectOptions = alice.again(None);
    let mut again = None;
    let came_back = eventually(async || {
        again = Client::connect(&node.url, options.clone()).await.ok();
        again.is_some()
    });
    assert!(came_back.await);
    let mut again = again.unwrap();
    assert_eq!(again.connected.client_id, alice.connected.client_id);
    again.join(room).await.unwrap();
}
