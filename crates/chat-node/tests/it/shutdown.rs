//! A node that ends sends its clients elsewhere, and is not held up.

use crate::support::{Cluster, close_of, eventually, exchange, node, within};
use client::{ClientError, ConnectOptions, Raw};
use protocol::event::{Reconnect, RoomJoined};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

#[tokio::test]
async fn clients_are_asked_to_go_elsewhere() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", &[("DRAIN_WINDOW", "60s")]).await, cluster.node("n2", &[]).await);
    let (mut alice, mut bob, room) = one.pair().await;
    let mut away = two.client("Away").await;
    away.join(room).await.unwrap();
    let mut late = one.plain().await;
    one.lifecycle.soft.cancel();
    for client in [&mut alice, &mut bob] {
        let asked = client.expect::<Reconnect>(|_| true).await.unwrap();
        assert!(asked.after_ms <= 58_000, "the end of the window is for those who are on their way: {asked:?}");
    }
    late.send(json!({"type": "CONNECT"})).await;
    assert_eq!(late.next().await["type"], "CONNECT");
    assert_eq!(late.next().await["type"], "RECONNECT", "whoever said who they are a moment later, too");
    // Closed for new ones, in words that a proxy understands, while those who are here can still talk.
    let refused = async || {
        matches!(Raw::connect(&one.url, &ConnectOptions::new()).await, Err(ClientError::Rejected { status: 503, .. }))
    };
    assert!(eventually(refused).await);
    let (head, body) = exchange(one.address, "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 503 ") && body.contains("draining"), "{head} {body}");
    alice.say("on my way").await.unwrap();

    for client in [&mut bob, &mut alice] {
        let mut moved = two.connect(client.again(None)).await;
        moved.expect::<RoomJoined>(|joined| joined.room.member_count == 3).await.unwrap();
        assert_eq!(close_of(client).await, 4009);
        *client = moved;
    }
    drop(late);
    // Nobody is left, so nothing is waited for.
    let address = one.address;
    within(one.ended()).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    nobody_left(&mut away).await;
}

/// The window begins and ends while nothing else happens, so a slow machine changes nothing.
#[tokio::test]
async fn whoever_stays_to_the_end_of_the_window_is_closed() {
    const WINDOW: Duration = Duration::from_millis(300);
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", &[("DRAIN_WINDOW", "300ms")]).await, cluster.node("n2", &[]).await);
    let (mut alice, mut bob, room) = one.pair().await;
    let mut away = two.client("Away").await;
    away.join(room).await.unwrap();
    let mut guest = one.plain().await;
    let started = Instant::now();
    one.lifecycle.soft.cancel();
    let asked = alice.expect::<Reconnect>(|_| true).await.unwrap();
    assert!(asked.after_ms <= 150, "{asked:?}");
    for client in [&mut alice, &mut bob] {
        assert_eq!(close_of(client).await, 1012);
    }
    assert!(started.elapsed() >= WINDOW);
    assert_eq!(guest.closed().await, 1012, "those who had not said who they are as well");
    one.ended().await.unwrap();

    for client in [&mut alice, &mut bob] {
        *client = two.connect(client.again(None)).await;
        client.expect::<RoomJoined>(|joined| joined.room.member_count == 3).await.unwrap();
    }
    nobody_left(&mut away).await;
}

async fn nobody_left(member: &mut client::Client) {
    member.ping().await.unwrap();
    let told = member.take_kept();
    assert!(!told.iter().any(|e| matches!(e, protocol::ServerEvent::UserEvent(e) if !e.left.is_empty())), "{told:?}");
}

#[tokio::test]
async fn without_a_window_everybody_is_closed_at_once() {
    let node = node(&[]).await;
    let (mut alice, mut bob, _) = node.pair().await;
    let (url, started) = (node.url.clone(), Instant::now());
    node.lifecycle.soft.cancel();
    assert_eq!(close_of(&mut alice).await, 1012);
    assert_eq!(close_of(&mut bob).await, 1012);
    node.ended().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    let error = Raw::connect(&url, &ConnectOptions::new()).await.unwrap_err();
    assert!(matches!(error, ClientError::Transport(_)), "{error}");
}

/// Neither one that reads nothing, nor one that goes on sending, nor one in the middle of a frame.
#[tokio::test]
async fn nobody_can_hold_it_up() {
    let node = node(&[]).await;
    let mut half = crate::support::bare(node.address).await;
    tokio::io::AsyncWriteExt::write_all(&mut half, &crate::support::frame(0x81, b"{}")[..5]).await.unwrap();
    let (mut alice, _silent, _) = node.pair().await;
    for _ in 0..400 {
        alice.say(&"x".repeat(2000)).await.unwrap();
        alice.take_kept();
    }
    let started = Instant::now();
    node.lifecycle.soft.cancel();
    node.ended().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
}

#[tokio::test]
async fn hard_ends_it_where_it_stands() {
    let cluster = Cluster::new();
    let fast = [("NODE_LEASE", "1s"), ("RESUME_GRACE", "100ms"), ("DRAIN_WINDOW", "60s")];
    let (one, two) = (cluster.node("n1", &fast).await, cluster.node("n2", &fast).await);
    let (mut alice, bob, room) = one.pair().await;
    let mut away = two.client("Away").await;
    away.join(room).await.unwrap();
    let started = Instant::now();
    one.lifecycle.hard.cancel();
    let closed = alice.closed(crate::support::PATIENCE).await.unwrap();
    assert_eq!(closed.0, 1006, "nobody is left to say why");
    within(one.ended()).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    // The other node finds that the lease has run out, and tells.
    let mut gone = std::collections::HashSet::new();
    while gone.len() < 2 {
        gone.extend(away.expect::<protocol::event::UserEvent>(|e| !e.left.is_empty()).await.unwrap().left);
    }
    assert_eq!(gone, [alice.connected.client_id, bob.connected.client_id].into());
}
