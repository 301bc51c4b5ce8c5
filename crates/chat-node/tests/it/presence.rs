//! Who is told of connections that are lost, and that are there again.

use crate::support::{Cluster, PATIENCE, TestNode, close_of, frame};
use client::Client;
use protocol::{
    ClientId, RoomId, Seq, ServerEvent,
    command::Resume,
    event::{Presence, Reconnect, RoomJoined, UserEvent},
};
use std::collections::HashSet;

/// The same person on another connection, in the same room.
async fn again(node: &TestNode, client: &Client, joined: &RoomJoined) -> Client {
    let resume = Resume { room_id: joined.room.room_id, epoch: joined.epoch.clone(), seq: Seq::ZERO };
    let mut again = node.connect(client.again(Some(resume))).await;
    again.expect::<RoomJoined>(|_| true).await.unwrap();
    again
}

/// The connection ends as when a tab is closed, and the server has noticed.
async fn lose(client: &mut Client) {
    client.raw().bytes(&frame(0x88, b"")).await.unwrap();
    client.closed(PATIENCE).await.unwrap();
}

/// All that was told of members by now; what the client's own commands caused has come before the answer to the last.
async fn told(client: &mut Client) -> Vec<ServerEvent> {
    client.ping().await.unwrap();
    let of_members = |e: &ServerEvent| matches!(e, ServerEvent::UserEvent(_) | ServerEvent::Presence(_));
    client.take_kept().into_iter().filter(of_members).collect()
}

fn lost(room_id: RoomId, client: ClientId) -> Presence {
    Presence { room_id, reconnecting: vec![client], back: Vec::new() }
}

fn back(room_id: RoomId, client: ClientId) -> Presence {
    Presence { room_id, reconnecting: Vec::new(), back: vec![client] }
}

/// Alice on one node and Carol on the other, who have heard of everybody; and Bob, with what he was shown.
struct Three {
    one: TestNode,
    two: TestNode,
    alice: Client,
    carol: Client,
    bob: Client,
    joined: RoomJoined,
    room: RoomId,
}

async fn three(variables: &[(&str, &str)]) -> Three {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", variables).await, cluster.node("n2", variables).await);
    let (mut alice, mut carol, mut bob) =
        (one.client("Alice").await, two.client("Carol").await, one.client("Bob").await);
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    carol.join(room).await.unwrap();
    let joined = bob.join(room).await.unwrap();
    let all = |event: &UserEvent| event.member_count == 3;
    for client in [&mut alice, &mut carol] {
        client.expect::<UserEvent>(all).await.unwrap();
        client.take_kept();
    }
    Three { one, two, alice, carol, bob, joined, room }
}

#[tokio::test]
async fn lost_and_back_is_told_on_every_node_and_to_who_comes_in() {
    let Three { one, two, mut alice, mut carol, mut bob, joined, room } = three(&[]).await;
    let id = bob.connected.client_id;
    for there in [&two, &one] {
        lose(&mut bob).await;
        for client in [&mut alice, &mut carol] {
            assert_eq!(client.expect::<Presence>(|_| true).await.unwrap(), lost(room, id));
        }
        let mut dave = two.client("Dave").await;
        assert_eq!(dave.join(room).await.unwrap().reconnecting, [id]);
        assert_eq!(dave.list_members(None, None).await.unwrap().reconnecting, [id]);
        bob = again(there, &bob, &joined).await;
        assert_eq!(dave.expect::<Presence>(|_| true).await.unwrap(), back(room, id));
        dave.leave().await.unwrap();
        for client in [&mut alice, &mut carol] {
            assert_eq!(client.expect::<Presence>(|_| true).await.unwrap(), back(room, id));
            client.expect::<UserEvent>(|event| !event.left.is_empty()).await.unwrap();
            let told = told(client).await;
            let of_dave = |e: &ServerEvent| matches!(e, ServerEvent::UserEvent(e) if e.joined.len() == 1);
            assert!(told.len() == 1 && told.iter().all(of_dave), "and nothing but Dave's coming: {told:?}");
        }
    }
    let told = told(&mut bob).await;
    assert!(!told.iter().any(|e| matches!(e, ServerEvent::Presence(_))), "not of oneself: {told:?}");
    assert_eq!(alice.join(room).await.unwrap().reconnecting, []);
}

#[tokio::test]
async fn lost_and_gone_is_told_as_that() {
    let Three { two, mut alice, mut carol, mut bob, joined, room, one: _one } =
        three(&[("RESUME_GRACE", "300ms")]).await;
    let id = bob.connected.client_id;
    lose(&mut bob).await;
    for client in [&mut alice, &mut carol] {
        assert_eq!(client.expect::<Presence>(|_| true).await.unwrap(), lost(room, id));
        let left = client.expect::<UserEvent>(|_| true).await.unwrap();
        assert_eq!((left.left, left.member_count), (vec![id], 2));
    }
    // Who comes when it is over joins like anybody else.
    let mut late = two.connect(bob.again(None)).await;
    late.join(joined.room.room_id).await.unwrap();
    for client in [&mut alice, &mut carol] {
        assert_eq!(client.expect::<UserEvent>(|_| true).await.unwrap().joined[0].client_id, id);
        assert_eq!(told(client).await, []);
    }
}

/// A new connection that is there before the old one ends, as a node's `RECONNECT` asks for; and so for everybody, when a
/// node is drained. Nobody was away.
#[tokio::test]
async fn a_rolling_move_tells_nobody() {
    let Three { one, two, mut alice, mut carol, mut bob, joined, room } = three(&[("DRAIN_WINDOW", "60s")]).await;
    for _ in 0..3 {
        let moved = again(&one, &bob, &joined).await;
        assert_eq!(close_of(&mut bob).await, 4009);
        bob = moved;
    }
    one.until("websocket_connections_active", |n| n == 2.0).await;
    one.lifecycle.soft.cancel();
    for client in [&mut alice, &mut bob] {
        client.expect::<Reconnect>(|_| true).await.unwrap();
        let moved = again(&two, client, &joined).await;
        assert_eq!(close_of(client).await, 4009);
        *client = moved;
    }
    // When it has ended, all that it had to say has been said.
    one.ended().await.unwrap();
    for client in [&mut alice, &mut bob, &mut carol] {
        assert_eq!(told(client).await, []);
    }
    assert_eq!(carol.join(room).await.unwrap().reconnecting, []);
}

/// Who leaves has left, and whoever is in no room is nobody's concern.
#[tokio::test]
async fn who_is_in_no_room_is_not_told_of() {
    let Three { two, mut alice, mut carol, mut bob, one, room, .. } = three(&[]).await;
    let id = bob.connected.client_id;
    bob.leave().await.unwrap();
    lose(&mut bob).await;
    let mut bob = two.connect(bob.again(None)).await;
    bob.join(room).await.unwrap();
    for client in [&mut alice, &mut carol] {
        assert_eq!(client.expect::<UserEvent>(|_| true).await.unwrap().left, [id]);
        assert_eq!(client.expect::<UserEvent>(|_| true).await.unwrap().joined[0].client_id, id);
        assert_eq!(told(client).await, []);
    }
    drop(one);
}

/// In a crowd, a few events tell of many.
#[tokio::test]
async fn a_crowd_is_told_together() {
    const CROWD: usize = 90;
    let Three { one, two, mut alice, mut carol, joined, room, mut bob } = three(&[("RESUME_GRACE", "60s")]).await;
    let mut crowd = Vec::new();
    for n in 0..CROWD {
        let mut client = [&one, &two][n % 2].client("Guest").await;
        client.join(room).await.unwrap();
        crowd.push(client);
    }
    let mut who: HashSet<ClientId> = crowd.iter().map(|client| client.connected.client_id).collect();
    for client in [&mut alice, &mut carol, &mut bob] {
        client.expect::<UserEvent>(|event| event.member_count as usize == CROWD + 3).await.unwrap();
        client.take_kept();
    }
    for client in &mut crowd {
        client.raw().bytes(&frame(0x88, b"")).await.unwrap();
    }
    for client in [&mut alice, &mut carol] {
        let (mut lost, mut events) = (HashSet::new(), 0);
        while lost.len() < CROWD {
            let event = client.expect::<Presence>(|_| true).await.unwrap();
            lost.extend(event.reconnecting);
            events += 1;
        }
        assert_eq!(lost, who);
        assert!(events <= CROWD / 4, "{events} events");
    }
    let first = again(&one, &crowd[0], &joined).await;
    who.remove(&first.connected.client_id);
    let event = carol.expect::<Presence>(|event| !event.back.is_empty()).await.unwrap();
    assert_eq!(event.back, [first.connected.client_id]);
    let page = carol.list_members(None, Some(500)).await.unwrap();
    assert_eq!(page.reconnecting.into_iter().collect::<HashSet<_>>(), who);
}
