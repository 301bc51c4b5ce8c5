//! The client against a server that says what it is told to. That it gets on with the real one is the wire tests' matter.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use client::{Client, ClientError, ConnectOptions, Frame, Raw};
use futures_util::{SinkExt, StreamExt};
use protocol::{
    CloseCode, ErrorCode, RoomId, ServerEvent,
    event::{NewMessage, RoomLeft},
    sample,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        handshake::server::{Request, Response},
        protocol::CloseFrame,
    },
};

const SHORT: Duration = Duration::from_millis(50);

/// The server's end of one connection.
struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    async fn hear(&mut self) -> Value {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Frame::Text(text) => return serde_json::from_str(&text).unwrap(),
                Frame::Ping(_) | Frame::Pong(_) => {}
                frame => panic!("{frame:?}"),
            }
        }
    }

    async fn tell(&mut self, event: &Value) {
        self.0.send(Frame::text(event.to_string())).await.unwrap();
    }

    async fn close(&mut self, code: CloseCode) {
        let frame = CloseFrame { code: code.get().into(), reason: code.reason().into() };
        self.0.send(Frame::Close(Some(frame))).await.unwrap();
    }
}

fn of_kind(kind: &str) -> Value {
    let found = sample::events().into_iter().map(|event| serde_json::to_value(event).unwrap());
    found.into_iter().find(|event| event["type"] == kind).unwrap()
}

fn replying(kind: &str, command: &Value) -> Value {
    let mut event = of_kind(kind);
    event["id"] = command["id"].clone();
    event
}

/// A client, and a server that goes on with `script` once it has answered `CONNECT`.
async fn with<F>(script: impl FnOnce(Peer) -> F + Send + 'static) -> (Client, JoinHandle<()>)
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        #[allow(clippy::result_large_err)] // the type is tungstenite's
        let shake = |request: &Request, mut response: Response| {
            assert_eq!(request.headers()["origin"], "http://site");
            let offered = request.headers()["sec-websocket-protocol"].clone();
            response.headers_mut().insert("sec-websocket-protocol", offered);
            Ok(response)
        };
        let mut peer = Peer(accept_hdr_async(socket, shake).await.unwrap());
        let connect = peer.hear().await;
        assert_eq!((&connect["type"], &connect["username"]), (&json!("CONNECT"), &json!("Zoë")));
        peer.tell(&replying("CONNECT", &connect)).await;
        script(peer).await;
    });
    let options = ConnectOptions::new().username("Zoë").origin("http://site").timeout(Duration::from_secs(2));
    let mut client = Client::connect(&url, options).await.unwrap();
    assert_eq!(client.raw().subprotocol(), Some("roomful.v1"));
    assert_eq!(client.connected.heartbeat_ms, 25_000);
    (client, server)
}

#[tokio::test]
async fn a_reply_is_found_among_events_which_keep_their_order() {
    let (mut client, server) = with(|mut peer| async move {
        let join = peer.hear().await;
        peer.tell(&of_kind("NOTICE")).await;
        // Under the one-room policy both carry the command's id.
        peer.tell(&replying("ROOM_LEFT", &join)).await;
        peer.tell(&replying("ROOM_JOINED", &join)).await;
        peer.tell(&of_kind("NEW_MESSAGE")).await;
        let ping = peer.hear().await;
        assert_ne!(ping["id"], join["id"]);
        peer.tell(&replying("PONG", &ping)).await;
        peer.hear().await;
    })
    .await;
    let room = RoomId::new(48_151).unwrap();
    assert_eq!(client.join(room).await.unwrap().room.room_id, room);
    client.ping().await.unwrap();
    assert_eq!(client.expect::<NewMessage>(|message| message.room_id == room).await.unwrap().seq.get(), 42);
    assert!(matches!(client.next(SHORT).await.unwrap(), ServerEvent::Notice(_)));
    assert!(matches!(client.expect::<RoomLeft>(|_| true).await, Ok(left) if left.room_id == room));
    assert!(client.take_kept().is_empty());
    assert!(matches!(client.next(SHORT).await, Err(ClientError::Timeout { after: SHORT, .. })));
    client.raw().text("{}").await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn refusals_and_renames() {
    let (mut client, server) = with(|mut peer| async move {
        let say = peer.hear().await;
        peer.tell(&replying("ERROR", &say)).await;
        let rename = peer.hear().await;
        let mut ack = replying("ACK", &rename);
        (ack["username"], ack["session"]) = (json!("Ann"), json!("another"));
        peer.tell(&ack).await;
        let list = peer.hear().await;
        peer.tell(&replying("PONG", &list)).await;
    })
    .await;
    assert_eq!(client.say("hello").await.unwrap_err().error_code(), Some(ErrorCode::RateLimited));
    client.rename("Ann").await.unwrap();
    assert_eq!(client.connected.username.as_str(), "Ann");
    assert_eq!(client.again(None).session.as_deref(), Some("another"));
    let wrong = client.list_rooms(None, Some(1)).await.unwrap_err();
    assert!(matches!(wrong, ClientError::Unexpected { wanted: "ROOMS", .. }), "{wrong}");
    server.await.unwrap();
}

#[tokio::test]
async fn how_it_ended() {
    let (mut client, _server) = with(|mut peer| async move {
        peer.tell(&of_kind("RECONNECT")).await;
        peer.close(CloseCode::Restart).await;
        // The client answers the close.
        assert!(matches!(peer.0.next().await, Some(Ok(Frame::Close(_)))));
    })
    .await;
    assert_eq!(client.closed(PATIENCE).await.unwrap(), (1012, "node restarting".to_owned()));
    assert!(matches!(client.next(SHORT).await, Ok(ServerEvent::Reconnect(_))));
    for _ in 0..2 {
        assert_eq!(client.next(SHORT).await.unwrap_err().close_code(), Some(CloseCode::Restart));
        assert_eq!(client.ping().await.unwrap_err().close_code(), Some(CloseCode::Restart));
    }

    let (mut client, server) = with(|peer| async move { drop(peer) }).await;
    assert_eq!(client.closed(PATIENCE).await.unwrap().0, 1006);
    server.await.unwrap();
}

const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn whoever_floods_still_hears_why_it_was_closed() {
    let (mut client, server) = with(|mut peer| async move {
        peer.close(CloseCode::Flooding).await;
        // Gone with much unread: the kernel resets the connection.
    })
    .await;
    server.await.unwrap();
    let error = loop {
        if let Err(error) = client.raw().text("x".repeat(1000)).await {
            break error;
        }
    };
    assert_eq!(error.close_code(), Some(CloseCode::Flooding), "{error}");
}

#[tokio::test]
async fn pings_are_answered_while_idle_and_only_then() {
    let (mut client, server) = with(|mut peer| async move {
        peer.0.send(Frame::Ping("a".into())).await.unwrap();
        assert!(timeout(SHORT * 2, peer.0.next()).await.is_err(), "nobody asked the client to read");
        assert!(matches!(timeout(PATIENCE, peer.0.next()).await, Ok(Some(Ok(Frame::Pong(_))))));
        peer.hear().await;
    })
    .await;
    tokio::time::sleep(SHORT * 4).await;
    client.idle(SHORT).await.unwrap();
    client.raw().text("{}").await.unwrap();
    server.await.unwrap();
    assert!(client.idle(PATIENCE).await.unwrap_err().is_fatal());
}

#[tokio::test]
async fn a_server_that_says_nothing_or_nonsense() {
    let (mut client, server) = with(|mut peer| async move {
        peer.0.send(Frame::text("nonsense")).await.unwrap();
        peer.0.send(Frame::binary(vec![1])).await.unwrap();
        peer.hear().await;
    })
    .await;
    for _ in 0..2 {
        let error = client.next(PATIENCE).await.unwrap_err();
        assert!(matches!(error, ClientError::NotAnEvent { .. }) && !error.is_fatal(), "{error}");
    }
    client.raw().text("{}").await.unwrap();
    server.await.unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let silent = Raw::connect(&url, &ConnectOptions::new().timeout(SHORT)).await.unwrap_err();
    assert!(matches!(silent, ClientError::Timeout { what: "the handshake", .. }), "{silent}");
    drop(listener.accept().await.unwrap());
    let answer = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nno!\n").await.unwrap();
        socket
    });
    let refused = Raw::connect(&url, &ConnectOptions::new()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Rejected { status: 403, .. }), "{refused}");
    drop(answer.await.unwrap());
}
