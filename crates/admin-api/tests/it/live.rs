//! `GET /admin/live`, over both carriers.

use crate::{
    nodes::server,
    support::{Api, Cluster, PATIENCE, problem},
};
use engine::port::Table;
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Over both carriers at once: there is some waiting to do.
async fn over_both(cluster: &Cluster, test: impl AsyncFn(Api)) {
    let (mut web, mut raw) = (cluster.api(&[]).await, cluster.raw_api(&[]).await);
    web.token = web.login().await;
    raw.token = raw.login().await;
    tokio::join!(test(web), test(raw));
}

async fn open(api: &Api) -> Socket {
    connect_async(format!("ws://{}/admin/live", api.address)).await.unwrap().0
}

async fn signed_in(api: &Api) -> Socket {
    let mut socket = open(api).await;
    socket.send(Message::text(json!({"token": api.token}).to_string())).await.unwrap();
    socket
}

/// The next figures.
async fn figures(socket: &mut Socket) -> Value {
    let next = async {
        loop {
            match socket.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await.unwrap()
}

/// Whether figures come, and not the end.
async fn first(socket: &mut Socket) -> bool {
    let next = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(_))) => return true,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return false,
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await.unwrap()
}

/// The code that it is closed with.
async fn closed(socket: &mut Socket) -> u16 {
    let next = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.unwrap().code.into(),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await.unwrap()
}

#[tokio::test]
async fn figures_come_each_second_to_all() {
    let cluster = Cluster::new();
    cluster.put(Table::Reports, "node-1", server("node-1", 10)).await;
    over_both(&cluster, async |api| {
        let (mut one, mut two) = (signed_in(&api).await, signed_in(&api).await);
        let first = figures(&mut one).await;
        assert_eq!(first["at"], 1_700_000_000_000_u64);
        assert_eq!((&first["now"]["nodes"], &first["now"]["connections"]), (&json!(1), &json!(10)));
        assert_eq!(first["servers"], json!([server("node-1", 10)]));
        assert_eq!(figures(&mut two).await["now"]["nodes"], 1);
        figures(&mut one).await;
        // A ping is answered.
        one.send(Message::Ping("x".into())).await.unwrap();
        let pong = async { while !matches!(one.next().await, Some(Ok(Message::Pong(p))) if &p[..] == b"x") {} };
        tokio::time::timeout(PATIENCE, pong).await.unwrap();
        one.close(None).await.unwrap();
        let (ended, code) = tokio::join!(api.ended(), closed(&mut two));
        assert_eq!((ended, code), (true, 1012));
    })
    .await;
}

#[tokio::test]
async fn nobody_is_shown_anything_without_a_good_token() {
    let cluster = Cluster::new();
    over_both(&cluster, async |api| {
        for (first, code) in [
            (Message::text(json!({"token": "x"}).to_string()), 1008),
            (Message::text(json!({"token": 5}).to_string()), 1008),
            (Message::text("{"), 1008),
            (Message::text(api.token.clone()), 1008),
            (Message::binary(json!({"token": api.token}).to_string()), 1008),
            (Message::text("x".repeat(4097)), 1009),
            (Message::text("x".repeat(1 << 20)), 1009),
        ] {
            let mut socket = open(&api).await;
            let _ = socket.send(first).await;
            assert_eq!(closed(&mut socket).await, code);
        }
        // Who says nothing hears so within 5 s.
        assert_eq!(closed(&mut open(&api).await).await, 1008);
    })
    .await;
}

#[tokio::test]
async fn it_ends_with_the_token() {
    let cluster = Cluster::new();
    over_both(&cluster, async |api| {
        let mut socket = signed_in(&api).await;
        figures(&mut socket).await;
        let logout = api.send(Method::POST, "/admin/logout", None).await;
        assert_eq!(logout.status(), 204);
        assert_eq!(closed(&mut socket).await, 1008);
        let mut late = signed_in(&api).await;
        assert_eq!(closed(&mut late).await, 1008);
    })
    .await;
}

#[tokio::test]
async fn it_ends_when_the_token_has_expired() {
    // Each has a clock of its own.
    let expires = async |raw: bool| {
        let cluster = Cluster::new();
        let mut api = if raw { cluster.raw_api(&[]).await } else { cluster.api(&[]).await };
        api.token = api.login().await;
        let mut socket = signed_in(&api).await;
        figures(&mut socket).await;
        cluster.clock.advance(Duration::from_secs(1800));
        assert_eq!(closed(&mut socket).await, 1008);
    };
    tokio::join!(expires(false), expires(true));
}

#[tokio::test]
async fn there_is_a_last_place() {
    let cluster = Cluster::new();
    over_both(&cluster, async |api| {
        let mut listening = Vec::new();
        for _ in 0..100 {
            listening.push(signed_in(&api).await);
        }
        figures(&mut listening[99]).await;
        let mut late = signed_in(&api).await;
        assert_eq!(closed(&mut late).await, 1013);
        // Those who show no token have places of their own, and keep nobody out who is in.
        let mut strangers = Vec::new();
        for _ in 0..100 {
            strangers.push(open(&api).await);
        }
        let mut stranger = open(&api).await;
        assert_eq!(closed(&mut stranger).await, 1013);
        figures(&mut listening[50]).await;
        drop(strangers);
        let mut gone = listening.pop().unwrap();
        gone.close(None).await.unwrap();
        while gone.next().await.is_some() {}
        // The strangers' places are free as soon as the server has seen them go.
        loop {
            let mut next = signed_in(&api).await;
            if first(&mut next).await {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn requests_that_cannot_become_one() {
    let cluster = Cluster::new();
    over_both(&cluster, async |api| {
        assert_eq!(problem(api.get("/admin/live").await, 426).await, "this is a WebSocket's path");
        for (origin, expected) in [("https://evil.example", Some(403)), ("null", Some(403)), ("own", None)] {
            let mut request = format!("ws://{}/admin/live", api.address).into_client_request().unwrap();
            let own = format!("http://{}", api.address);
            let origin = if origin == "own" { &own } else { origin };
            request.headers_mut().insert("origin", origin.parse().unwrap());
            match (connect_async(request).await, expected) {
                (Ok(_), None) => {}
                (Err(Error::Http(response)), Some(status)) => assert_eq!(response.status(), status),
                (other, _) => panic!("{origin}: {other:?}"),
            }
        }
        let head = "host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n";
        let version = "sec-websocket-version: 13\r\n";
        for (request, status) in [
            (format!("GET /admin/live HTTP/1.1\r\n{head}\r\n"), 426),
            (format!("GET /admin/live HTTP/1.1\r\n{head}{version}\r\n"), 400),
            (format!("GET /admin/live HTTP/1.1\r\n{head}sec-websocket-version: 7\r\n\r\n"), 426),
        ] {
            let answer = api.head(&request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        }
    })
    .await;
}
