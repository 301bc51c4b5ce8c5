//! Whatever comes, the node goes on.

use crate::support::{PATIENCE, TestNode, UPGRADE, frame, header, node, read_head};
use client::Client;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use protocol::event::NewMessage;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

#[derive(Debug, Clone)]
enum Piece {
    Bytes(Vec<u8>),
    Frame(u8, Vec<u8>),
    Head(u8, u64),
    Text(String),
}

impl Piece {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Frame(first, payload) => frame(*first, payload),
            Self::Head(first, length) => header(*first, *length),
            Self::Text(text) => frame(0x81, text.as_bytes()),
        }
    }
}

fn piece() -> impl Strategy<Value = Piece> {
    let kind = prop::sample::select(protocol::ClientCommand::TYPES.to_vec());
    let field = prop::sample::select(vec!["id", "roomId", "name", "body", "session", "resume", "before", "limit"]);
    let value = r#"(-?[0-9]{1,20}|"[^"\\]{0,20}"|null|true|\[\]|\{"roomId":10000,"epoch":"e","seq":1\})"#;
    prop_oneof![
        vec(any::<u8>(), 0..300).prop_map(Piece::Bytes),
        (any::<u8>(), vec(any::<u8>(), 0..200)).prop_map(|(first, payload)| Piece::Frame(first, payload)),
        (prop::sample::select(vec![0x01, 0x00, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a]), vec(any::<u8>(), 0..130))
            .prop_map(|(first, payload)| Piece::Frame(first, payload)),
        (any::<u8>(), any::<u64>()).prop_map(|(first, length)| Piece::Head(first, length)),
        (kind, field, value).prop_map(|(k, f, v)| Piece::Text(format!("{{\"type\":\"{k}\",\"{f}\":{v}}}"))),
        "\\PC{0,60}".prop_map(Piece::Text),
        Just(Piece::Text("{\"type\":\"CONNECT\"}".into())),
    ]
}

/// What a stranger does; it ends however it ends.
async fn stranger(node: &TestNode, handshake: bool, pieces: &[Piece]) {
    let mut socket = TcpStream::connect(node.address).await.unwrap();
    if handshake {
        socket.write_all(format!("{UPGRADE}\r\n").as_bytes()).await.unwrap();
        read_head(&mut socket).await;
    }
    for piece in pieces {
        if socket.write_all(&piece.bytes()).await.is_err() {
            return;
        }
    }
    // Long enough for the node to have read it, mostly; what the others say below comes after it on its worker.
    let _ = timeout(Duration::from_millis(2), socket.read(&mut [0; 1024])).await;
}

async fn is_well(alice: &mut Client, bob: &mut Client) {
    let ack = alice.say("still here").await.unwrap();
    bob.expect::<NewMessage>(|m| Some(m.seq) == ack.seq).await.unwrap();
    alice.take_kept();
    assert_eq!(bob.take_kept(), [], "nobody else is told anything");
}

#[test]
fn any_bytes_harm_nobody() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let node = runtime.block_on(node(&[]));
    let (mut alice, mut bob, _) = runtime.block_on(node.pair());
    let clients = std::cell::RefCell::new((&mut alice, &mut bob));
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        max_shrink_iters: 50,
        ..ProptestConfig::default()
    });
    let script = (any::<bool>(), vec(piece(), 1..8));
    runner
        .run(&script, |(handshake, pieces)| {
            let (alice, bob) = &mut *clients.borrow_mut();
            runtime.block_on(async {
                let all = async {
                    stranger(&node, handshake, &pieces).await;
                    is_well(alice, bob).await;
                };
                timeout(PATIENCE, all).await.map_err(|_| TestCaseError::fail("the node is stuck"))
            })
        })
        .unwrap();
}
