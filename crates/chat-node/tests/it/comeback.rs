//! Lost connections, and coming back: what was missed comes, or is told of as a gap.

use crate::support::{Cluster, TestNode};
use client::{Client, Timeline};
use engine::{Retention, clock::SystemClock};
use protocol::{
    ErrorCode, RoomId, Seq, ServerEvent,
    command::Resume,
    event::{CommandError, Gap, NewMessage, RoomJoined, UserEvent},
};
use std::sync::Arc;

/// Bob's connection is lost, and Alice says as many messages.
async fn lost(node: &TestNode, missed: usize) -> (Client, Client, RoomId, Resume) {
    let (mut alice, mut bob, room) = node.pair().await;
    let joined = bob.join(room).await.unwrap();
    for n in 0..3 {
        alice.say(&format!("seen {n}")).await.unwrap();
    }
    bob.expect::<NewMessage>(|m| m.seq == Seq::new(3)).await.unwrap();
    let resume = Resume { room_id: room, epoch: joined.epoch, seq: Seq::new(3) };
    bob.raw().bytes(&crate::support::frame(0x88, b"")).await.unwrap();
    bob.closed(crate::support::PATIENCE).await.unwrap();
    for n in 0..missed {
        alice.say(&format!("missed {n}")).await.unwrap();
    }
    (alice, bob, room, resume)
}

async fn resumed(node: &TestNode, bob: &Client, resume: Resume) -> (Client, RoomJoined) {
    let mut again = node.connect(bob.again(Some(resume))).await;
    assert!(again.connected.resumed);
    let joined = again.expect::<RoomJoined>(|_| true).await.unwrap();
    assert!(joined.id.is_some(), "it answers the CONNECT that asked for it");
    (again, joined)
}

fn seqs(joined: &RoomJoined) -> Vec<u64> {
    joined.messages.iter().map(|m| m.seq.get()).collect()
}

#[tokio::test]
async fn all_that_was_missed_comes_here_and_on_another_node() {
    let cluster = Cluster::new();
    let nodes = [cluster.node("n1", &[]).await, cluster.node("n2", &[]).await];
    for there in &nodes {
        // More than a fresh look at the room shows, and more than one page of the log.
        let (mut alice, bob, _, resume) = lost(&nodes[0], 120).await;
        let (mut again, joined) = resumed(there, &bob, resume.clone()).await;
        assert_eq!(seqs(&joined), (4..=123).collect::<Vec<_>>());
        assert!(joined.recovered && joined.gap.is_none());
        assert_eq!((joined.seq.get(), joined.room.member_count), (123, 2));
        alice.say("next").await.unwrap();
        again.expect::<NewMessage>(|m| m.seq == Seq::new(124)).await.unwrap();
        alice.ping().await.unwrap();
        let told: Vec<_> = alice.take_kept().into_iter().filter(|e| matches!(e, ServerEvent::UserEvent(_))).collect();
        assert_eq!(told, [], "whoever comes back in time was never away");
        // Nothing missed: an empty page, and nothing twice.
        let (_, joined) = resumed(there, &again, Resume { seq: Seq::new(124), ..resume }).await;
        assert_eq!((seqs(&joined), joined.recovered, joined.seq.get()), (vec![], true, 124));
    }
}

#[tokio::test]
async fn what_the_log_no_longer_has_is_a_gap() {
    let retention = Retention { messages: 10, ..Retention::default() };
    let cluster = Cluster::with(Arc::new(SystemClock), retention);
    let node = cluster.node("n1", &[]).await;
    let (_alice, bob, room, resume) = lost(&node, 30).await;
    let (_again, joined) = resumed(&node, &bob, resume.clone()).await;
    assert_eq!(joined.gap, Some(Gap { from: Seq::new(4), to: Seq::new(23) }));
    assert!(!joined.recovered);
    assert_eq!(seqs(&joined), (24..=33).collect::<Vec<_>>());
    // The judge of the tests agrees: a gap that is told is no hole.
    let mut timeline = Timeline::new();
    let before = RoomJoined { seq: Seq::new(3), messages: Vec::new(), gap: None, recovered: true, ..joined.clone() };
    timeline.feed(&before.into()).unwrap();
    timeline.feed(&RoomJoined { id: None, ..joined }.into()).unwrap();
    assert_eq!(timeline.gaps, [(room, Gap { from: Seq::new(4), to: Seq::new(23) })]);
}

#[tokio::test]
async fn a_position_that_never_was_means_nothing() {
    let cluster = Cluster::new();
    let node = cluster.node("n1", &[]).await;
    let (_alice, bob, _, resume) = lost(&node, 60).await;
    for (what, resume) in [
        ("of another epoch", Resume { epoch: "another".parse().unwrap(), ..resume.clone() }),
        ("in the future", Resume { seq: Seq::new(64), ..resume.clone() }),
        ("far in the future", Resume { seq: Seq::new(protocol::id::MAX_SAFE_INTEGER), ..resume }),
    ] {
        let (_, joined) = resumed(&node, &bob, resume).await;
        assert!(!joined.recovered && joined.gap.is_none(), "{what}");
        assert_eq!(seqs(&joined), (14..=63).collect::<Vec<_>>(), "{what}");
    }
}

#[tokio::test]
async fn a_room_that_has_ended_cannot_be_resumed() {
    let cluster = Cluster::new();
    let node = cluster.node("n1", &[("RESUME_GRACE", "100ms")]).await;
    let (mut alice, bob, _, resume) = lost(&node, 0).await;
    alice.expect::<UserEvent>(|e| e.left == [bob.connected.client_id]).await.unwrap();
    alice.leave().await.unwrap();
    let mut again = node.connect(bob.again(Some(resume))).await;
    assert!(again.connected.resumed);
    let error = again.expect::<CommandError>(|_| true).await.unwrap();
    assert_eq!((error.code, error.id), (ErrorCode::RoomNotFound, again.connected.id.clone()));
    again.create_room("Next").await.unwrap();
}

#[tokio::test]
async fn whoever_comes_back_too_late_joins_again_and_misses_nothing() {
    let cluster = Cluster::new();
    let nodes = [cluster.node("n1", &[("RESUME_GRACE", "100ms")]).await, cluster.node("n2", &[]).await];
    let (mut alice, bob, _, resume) = lost(&nodes[0], 2).await;
    let left = alice.expect::<UserEvent>(|e| !e.left.is_empty()).await.unwrap();
    assert_eq!((left.left, left.member_count), (vec![bob.connected.client_id], 1));
    alice.say("while away").await.unwrap();
    let (_again, joined) = resumed(&nodes[1], &bob, resume).await;
    assert_eq!((seqs(&joined), joined.recovered), (vec![4, 5, 6], true));
    let came = alice.expect::<UserEvent>(|e| !e.joined.is_empty()).await.unwrap();
    assert_eq!((came.joined[0].client_id, came.member_count), (bob.connected.client_id, 2));
}

#[tokio::test]
async fn a_session_alone_shows_the_room_as_it_is() {
    let cluster = Cluster::new();
    let node = cluster.node("n1", &[]).await;
    let (_alice, bob, room, _) = lost(&node, 60).await;
    let mut again = node.connect(bob.again(None)).await;
    let joined = again.expect::<RoomJoined>(|_| true).await.unwrap();
    assert_eq!((joined.id.clone(), joined.room.room_id, joined.recovered), (None, room, true));
    assert_eq!(seqs(&joined), (14..=63).collect::<Vec<_>>());
}

#[tokio::test]
async fn resuming_another_room_moves() {
    let cluster = Cluster::new();
    let node = cluster.node("n1", &[]).await;
    let (mut alice, bob, room, _) = lost(&node, 0).await;
    let mut carol = node.client("Carol").await;
    let other = carol.create_room("Coffee").await.unwrap();
    let resume = Resume { room_id: other.room.room_id, epoch: other.epoch.clone(), seq: other.seq };
    let (mut again, joined) = resumed(&node, &bob, resume).await;
    assert_eq!(joined.room.room_id, other.room.room_id);
    alice.expect::<UserEvent>(|e| e.left == [bob.connected.client_id] && e.room_id == room).await.unwrap();
    again.say("here now").await.unwrap();
    carol.expect::<NewMessage>(|m| m.body.as_str() == "here now").await.unwrap();
}
