//! How connections end, where the contract says so.

use crate::support::{bare, close_of, frame, node, read_close, read_frame, within};
use client::ConnectOptions;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn a_goodbye_is_answered_with_one() {
    let node = node(&[]).await;
    for payload in [vec![], 1000_u16.to_be_bytes().to_vec(), [&1001_u16.to_be_bytes()[..], b"tab closed"].concat()] {
        let mut socket = bare(node.address).await;
        socket.write_all(&frame(0x81, b"{\"type\":\"CONNECT\"}")).await.unwrap();
        within(read_frame(&mut socket)).await.unwrap();
        // What comes behind the goodbye is not looked at.
        socket.write_all(&[frame(0x88, &payload), frame(0x81, b"null")].concat()).await.unwrap();
        assert_eq!(within(read_close(&mut socket)).await.unwrap(), 1000);
        let mut rest = Vec::new();
        within(socket.read_to_end(&mut rest)).await.unwrap();
        assert!(rest.is_empty(), "the close frame is the last: {rest:x?}");
    }
    node.until("websocket_connections_active", |n| n == 0.0).await;
}

#[tokio::test]
async fn whoever_says_nothing_is_closed() {
    let node = node(&[("CONNECT_TIMEOUT", "300ms"), ("HEARTBEAT", "10s")]).await;
    let started = Instant::now();
    let mut raw = node.raw().await;
    // Pings do not count as CONNECT.
    raw.ping(vec![]).await.unwrap();
    let mut plain = crate::support::Plain(raw);
    assert_eq!(plain.closed().await, 4001);
    assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());
    // Nor does half a frame.
    let mut socket = bare(node.address).await;
    socket.write_all(&frame(0x81, b"{\"type\":\"CONNECT\"}")[..7]).await.unwrap();
    assert_eq!(within(read_close(&mut socket)).await.unwrap(), 4001);
}

#[tokio::test]
async fn whoever_is_silent_for_two_heartbeats_is_closed() {
    let node = node(&[("HEARTBEAT", "200ms")]).await;
    let mut silent = bare(node.address).await;
    let started = Instant::now();
    silent.write_all(&frame(0x81, b"{\"type\":\"CONNECT\"}")).await.unwrap();
    let mut pings = 0;
    let code = loop {
        match within(read_frame(&mut silent)).await.unwrap() {
            (0x89, _) => pings += 1,
            (0x88, payload) => break u16::from_be_bytes([payload[0], payload[1]]),
            _ => {}
        }
    };
    assert_eq!(code, 4040);
    assert!(pings >= 1 && started.elapsed() >= Duration::from_millis(400), "{pings}, {:?}", started.elapsed());
    // A client that answers its pings lives: five heartbeats and more.
    let mut lives = node.connect(ConnectOptions::new()).await;
    lives.idle(Duration::from_millis(1100)).await.unwrap();
    lives.ping().await.unwrap();
}

#[tokio::test]
async fn a_close_frame_is_not_lost_under_what_was_still_coming() {
    let node = node(&[]).await;
    for _ in 0..20 {
        let mut socket = bare(node.address).await;
        // Without an answer from us the kernel would reset the connection for the unread rest.
        let flood = [frame(0x81, b"null"), vec![b'x'; 400_000]].concat();
        socket.write_all(&flood).await.unwrap();
        assert_eq!(within(read_close(&mut socket)).await.unwrap(), 1008);
    }
}

#[tokio::test]
async fn nothing_follows_a_close() {
    let node = node(&[]).await;
    let mut alice = node.client("Alice").await;
    let burst: Vec<u8> =
        [&b"{\"type\":\"PING\"}"[..], b"{\"type\":\"PING\"}"].iter().flat_map(|text| frame(0x81, text)).collect();
    alice.raw().bytes(&[burst, frame(0xff, b""), frame(0x81, b"{\"type\":\"PING\"}")].concat()).await.unwrap();
    assert_eq!(close_of(&mut alice).await, 1002);
    assert_eq!(alice.take_kept().len(), 2, "the replies to what came before the broken frame, and no more");
}
