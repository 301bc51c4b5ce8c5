//! Frames as no library would send them.

use crate::support::{PATIENCE, bare, frame, header, node, read_close, read_frame, within};
use client::Frame;
use serde_json::json;
use std::net::SocketAddr;
use tokio::{io::AsyncWriteExt, net::TcpStream};

const CONNECT: &[u8] = b"{\"type\":\"CONNECT\"}";
const PING: &[u8] = b"{\"type\":\"PING\",\"id\":\"x\"}";

async fn close_for(address: SocketAddr, bytes: &[u8]) -> u16 {
    let mut socket = bare(address).await;
    socket.write_all(&frame(0x81, CONNECT)).await.unwrap();
    assert_eq!(within(read_frame(&mut socket)).await.unwrap().0, 0x81);
    socket.write_all(bytes).await.unwrap();
    within(read_close(&mut socket)).await.unwrap_or_else(|e| panic!("{bytes:x?}: {e}"))
}

#[tokio::test]
async fn whoever_breaks_the_rules_is_closed_with_the_code_for_it() {
    let node = node(&[]).await;
    let long_control = |opcode: u8| [header(0x80 | opcode, 126), vec![0; 126]].concat();
    let cases: &[(&str, Vec<u8>, u16)] = &[
        ("not masked", vec![0x81, 0x02, b'{', b'}'], 1002),
        ("not masked, header only", vec![0x81, 0x02], 1002),
        ("first reserved bit", frame(0xc1, PING), 1002),
        ("second reserved bit", frame(0xa1, PING), 1002),
        ("third reserved bit", frame(0x91, PING), 1002),
        ("reserved data opcode", frame(0x83, b""), 1002),
        ("reserved control opcode", frame(0x8b, b""), 1002),
        ("ping in fragments", frame(0x09, b""), 1002),
        ("close in fragments", frame(0x08, b""), 1002),
        ("oversized ping", long_control(9), 1002),
        ("oversized pong", long_control(10), 1002),
        ("oversized close", long_control(8), 1002),
        ("continuation of nothing", frame(0x80, b"x"), 1002),
        ("a message inside another", [frame(0x01, b"x"), frame(0x81, b"x")].concat(), 1002),
        ("close with half a code", frame(0x88, &[3]), 1002),
        ("close with a code that may not be sent", frame(0x88, &1005_u16.to_be_bytes()), 1002),
        ("text that is not UTF-8", frame(0x81, &[0xff, 0xfe]), 1007),
        ("a surrogate in UTF-8's clothes", frame(0x81, b"\xed\xa0\x80"), 1007),
        ("half a character at the end", [frame(0x01, b"{\"\xc3"), frame(0x80, b"")].concat(), 1007),
        ("one byte too much", frame(0x81, &vec![b' '; 16_385]), 1009),
        ("one byte too much, header only", header(0x81, 16_385), 1009),
        ("512 MiB, header only", header(0x82, 512 << 20), 1009),
        ("a length with its top bit set", header(0x81, u64::MAX), 1009),
        (
            "fragments that are too much together",
            [frame(0x01, &[b' '; 9000]), frame(0x80, &[b' '; 9000])].concat(),
            1009,
        ),
    ];
    for (what, bytes, code) in cases {
        assert_eq!(close_for(node.address, bytes).await, *code, "{what}");
    }
    node.guest().await.nothing_came().await;
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_is_read() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    let mut largest = String::from_utf8(PING.to_vec()).unwrap();
    largest.push_str(&" ".repeat(16_384 - largest.len()));
    alice.0.text(largest.clone()).await.unwrap();
    assert_eq!(alice.next().await["type"], "PONG");
    // And in two frames, a character cut in two.
    let padded = format!("{{\"type\":\"PING\",\"é\":1,\"id\":\"x\"{}}}", " ".repeat(16_384 - 31));
    assert_eq!(padded.len(), 16_384);
    let cut = padded.find('é').unwrap() + 1;
    alice.0.bytes(&frame(0x01, &padded.as_bytes()[..cut])).await.unwrap();
    // Control frames may come between.
    alice.0.bytes(&frame(0x89, b"between")).await.unwrap();
    alice.0.bytes(&frame(0x80, &padded.as_bytes()[cut..])).await.unwrap();
    assert_eq!(alice.0.next(PATIENCE).await.unwrap(), Frame::Pong("between".into()));
    let pong = alice.next().await;
    assert_eq!((&pong["type"], &pong["id"]), (&json!("PONG"), &json!("x")));
}

#[tokio::test]
async fn two_fragments_are_one_message() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    alice.0.bytes(&[frame(0x01, &PING[..5]), frame(0x00, b""), frame(0x80, &PING[5..])].concat()).await.unwrap();
    assert_eq!(alice.next().await["type"], "PONG");
}

#[tokio::test]
async fn frames_that_come_byte_by_byte_are_frames() {
    let node = node(&[]).await;
    let mut socket = bare(node.address).await;
    socket.set_nodelay(true).unwrap();
    for byte in [frame(0x81, CONNECT), frame(0x81, PING), frame(0x88, &1000_u16.to_be_bytes())].concat() {
        socket.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut kinds = Vec::new();
    while let Ok((first, payload)) = within(read_frame(&mut socket)).await {
        kinds.push((first, String::from_utf8_lossy(&payload).contains("PONG")));
    }
    assert_eq!(kinds, [(0x81, false), (0x81, true), (0x88, false)]);
}

#[tokio::test]
async fn what_comes_with_the_handshake_is_read() {
    let node = node(&[]).await;
    let mut socket = TcpStream::connect(node.address).await.unwrap();
    let request = format!("{}\r\n", crate::support::UPGRADE);
    socket.write_all(&[request.as_bytes(), &frame(0x81, CONNECT), &frame(0x81, PING)[..9]].concat()).await.unwrap();
    within(crate::support::read_head(&mut socket)).await;
    assert_eq!(within(read_frame(&mut socket)).await.unwrap().0, 0x81);
    socket.write_all(&frame(0x81, PING)[9..]).await.unwrap();
    assert!(String::from_utf8(within(read_frame(&mut socket)).await.unwrap().1).unwrap().contains("PONG"));
}

#[tokio::test]
async fn pings_are_answered_before_and_after_connect() {
    let node = node(&[]).await;
    let mut raw = node.raw().await;
    for payload in [&b""[..], b"hello", &[0xff; 125]] {
        raw.ping(payload.to_vec()).await.unwrap();
        assert_eq!(raw.next(PATIENCE).await.unwrap(), Frame::Pong(payload.to_vec().into()));
    }
    raw.text(String::from_utf8(CONNECT.to_vec()).unwrap()).await.unwrap();
    raw.event(PATIENCE).await.unwrap();
    raw.ping(b"again".to_vec()).await.unwrap();
    assert_eq!(raw.next(PATIENCE).await.unwrap(), Frame::Pong("again".into()));
}

/// A pong that nobody asked for is allowed (RFC 6455 §5.5.3), and means nothing.
#[tokio::test]
async fn empty_frames_and_stray_pongs_do_no_harm() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    alice.0.bytes(&[frame(0x8a, b""), frame(0x8a, b"stray")].concat()).await.unwrap();
    alice.nothing_came().await;
    alice.0.bytes(&frame(0x81, b"")).await.unwrap();
    assert_eq!(alice.next().await["code"], "bad_request");
    alice.0.bytes(&frame(0x82, b"")).await.unwrap();
    assert_eq!(alice.next().await["code"], "bad_request");
    alice.nothing_came().await;
}
