//! WebSockets through nginx.

use crate::support::{
    PATIENCE, eventually,
    site::{Nginx, at},
    upstream::{Manner, Upstream},
};
use cluster::{Signal, nginx};
use futures_util::{SinkExt, StreamExt};
use std::{collections::HashMap, net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(address: SocketAddr) -> Result<Socket, Error> {
    let connecting = timeout(PATIENCE, connect_async(format!("ws://{address}/ws")));
    connecting.await.expect("no handshake in time").map(|(socket, _)| socket)
}

async fn hear(socket: &mut Socket) -> String {
    let heard = timeout(PATIENCE, socket.next()).await.expect("silence").expect("the end").unwrap();
    heard.into_text().unwrap().to_string()
}

/// Who answers a new socket.
async fn who(address: SocketAddr) -> String {
    hear(&mut connect(address).await.unwrap()).await
}

#[tokio::test]
async fn bytes_pass_both_ways() {
    let node = Upstream::start(Manner::WebSocket("a")).await;
    let nginx = Nginx::start(|site| site.chat_nodes = at(&[&node])).await;
    let mut socket = connect(nginx.address()).await.unwrap();
    assert_eq!(hear(&mut socket).await, "a");
    // Longer than any buffer in between.
    for text in ["x".to_owned(), "y".repeat(100_000)] {
        socket.send(Message::text(text.clone())).await.unwrap();
        assert_eq!(hear(&mut socket).await, text);
    }
    socket.close(None).await.unwrap();
    eventually("the close frame comes back", async || {
        matches!(socket.next().await, None | Some(Ok(Message::Close(_))))
    })
    .await;
}

#[tokio::test]
async fn a_handshake_that_one_node_refuses_goes_to_the_next() {
    let dead = Upstream::start(Manner::Closes).await.address;
    let full = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (full, hanging_up) = (Upstream::start(Manner::Says(full)).await, Upstream::start(Manner::Says("")).await);
    let good = Upstream::start(Manner::WebSocket("good")).await;
    let nginx = Nginx::start(|site| {
        let addresses = vec![dead, full.address, hanging_up.address, good.address];
        site.chat_nodes = nginx::Upstream::Addresses(addresses);
    })
    .await;
    // More often than it takes for the bad ones to be left out for a while, so some find them all.
    for _ in 0..20 {
        assert_eq!(who(nginx.address()).await, "good");
    }
}

#[tokio::test]
async fn a_node_that_fails_fast_does_not_attract_everybody() {
    let failing = Upstream::start(Manner::Closes).await;
    let nodes = [Upstream::start(Manner::WebSocket("a")).await, Upstream::start(Manner::WebSocket("b")).await];
    let nginx = Nginx::start(|site| site.chat_nodes = at(&[&failing, &nodes[0], &nodes[1]])).await;
    let (mut open, mut shares) = (Vec::new(), HashMap::new());
    for _ in 0..60 {
        let mut socket = connect(nginx.address()).await.unwrap();
        match timeout(PATIENCE, socket.next()).await.unwrap() {
            Some(Ok(Message::Text(name))) => *shares.entry(name.to_string()).or_insert(0) += 1,
            _ => *shares.entry("failed".to_owned()).or_insert(0) += 1,
        }
        open.push(socket);
    }
    // It always has the fewest connections; two thirds of all pairs drawn have it. The chance that a good node gets
    // less than this is below one in a million.
    assert!(shares["a"] >= 2 && shares["b"] >= 2, "{shares:?}");
}

#[tokio::test]
async fn a_node_more_is_found_while_a_socket_lives_on() {
    let first = Upstream::start(Manner::WebSocket("first")).await;
    let second = Upstream::start(Manner::WebSocket("second")).await;
    let mut nginx = Nginx::start(|site| site.chat_nodes = at(&[&first])).await;
    let mut socket = connect(nginx.address()).await.unwrap();
    assert_eq!(hear(&mut socket).await, "first");

    nginx.site.chat_nodes = at(&[&first, &second]);
    nginx.site.write_upstreams().unwrap();
    nginx.process.signal(Signal::HUP);
    eventually("the new node is found", async || who(nginx.address()).await == "second").await;

    for _ in 0..3 {
        socket.send(Message::text("still here")).await.unwrap();
        assert_eq!(hear(&mut socket).await, "still here");
    }
}

#[tokio::test]
async fn a_node_that_is_back_is_used_again_soon() {
    let stays = Upstream::start(Manner::WebSocket("stays")).await;
    let leaves = Upstream::start(Manner::WebSocket("leaves")).await;
    let address = leaves.address;
    let nginx = Nginx::start(|site| site.chat_nodes = at(&[&stays, &leaves])).await;
    drop(leaves);
    eventually("it is gone", async || TcpStream::connect(address).await.is_err()).await;
    for _ in 0..10 {
        assert_eq!(who(nginx.address()).await, "stays");
    }
    let _back = Upstream::at(address, Manner::WebSocket("back")).await;
    let found = eventually("it is found", async || who(nginx.address()).await == "back");
    timeout(Duration::from_secs(10), found).await.expect("left out for too long");
}
