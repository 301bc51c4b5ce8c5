//! A retry never doubles a message, wherever it arrives.

use crate::support::Cluster;
use client::{Client, ConnectOptions};
use protocol::{MessageId, Seq, event::NewMessage};
use uuid::Uuid;

async fn is_duplicate(client: &mut Client, id: MessageId) {
    let ack = client.say_with_id(id, "hello").await.unwrap();
    assert_eq!((ack.seq, ack.duplicate), (Some(Seq::new(1)), Some(true)));
}

#[tokio::test]
async fn a_retry_is_answered_with_the_first_position() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", &[]).await, cluster.node("n2", &[]).await);
    let (mut alice, mut bob, room) = one.pair().await;
    let id = MessageId::new(Uuid::new_v4());
    let first = alice.say_with_id(id, "hello").await.unwrap();
    assert_eq!((first.seq, first.duplicate), (Some(Seq::new(1)), Some(false)));

    is_duplicate(&mut alice, id).await;
    let mut again = one.connect(alice.again(None)).await;
    is_duplicate(&mut again, id).await;
    let mut elsewhere = two.connect(again.again(None)).await;
    is_duplicate(&mut elsewhere, id).await;
    let retried = elsewhere.say_with_id(id, "hello").await.unwrap();
    assert_eq!(retried.sent_at, first.sent_at);

    // The same id is another client's own.
    let ack = bob.say_with_id(id, "hello").await.unwrap();
    assert_eq!((ack.seq, ack.duplicate), (Some(Seq::new(2)), Some(false)));
    bob.expect::<NewMessage>(|m| m.seq == Seq::new(2)).await.unwrap();
    bob.ping().await.unwrap();
    let heard: Vec<_> = bob.take_kept();
    assert_eq!(heard.len(), 1, "each message came once: {heard:?}");
    let mut carol = two.connect(ConnectOptions::new()).await;
    assert_eq!(carol.join(room).await.unwrap().messages.len(), 2);
}

#[tokio::test]
async fn retries_that_race_are_one_message() {
    let cluster = Cluster::new();
    let node = cluster.node("n1", &[]).await;
    let (mut alice, mut bob, _) = node.pair().await;
    let id = MessageId::new(Uuid::new_v4());
    let command = format!("{{\"type\":\"SEND_MESSAGE\",\"id\":\"{id}\",\"body\":\"once\"}}");
    for _ in 0..50 {
        alice.raw().text(command.clone()).await.unwrap();
    }
    alice.ping().await.unwrap();
    bob.expect::<NewMessage>(|_| true).await.unwrap();
    bob.ping().await.unwrap();
    assert_eq!(bob.take_kept(), []);
}
