//! Requests that are handed over as raw sockets.

use crate::support::{PATIENCE, Raw, Running, start};
use actix_codec::Framed;
use actix_http::{Request, body::BodySize, h1, ws};
use actix_rt::net::TcpStream;
use futures_util::{FutureExt, SinkExt};
use runtime::{
    http::{PROBLEM_JSON, Problem, only_get},
    server::{Upgrade, refuse},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

const HANDSHAKE: &str = "host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nx-request-id: ws-1\r\n\r\n";

/// Sends back every byte that comes after the 101.
async fn echo(request: Request, mut framed: Framed<TcpStream, h1::Codec>) {
    if request.path() != "/ws" {
        return refuse(&request, framed, Problem::not_found("there is nothing at this path")).await;
    }
    let Ok(mut answer) = ws::handshake(request.head()) else {
        return refuse(&request, framed, Problem::upgrade_required("speak WebSocket here")).await;
    };
    framed.send(h1::Message::Item((answer.finish().drop_body(), BodySize::None))).await.unwrap();
    let parts = framed.into_parts();
    let mut io = parts.io;
    io.write_all(&parts.read_buf).await.unwrap();
    let (mut from, mut to) = io.split();
    let _ = tokio::io::copy(&mut from, &mut to).await;
}

fn upgrade() -> Upgrade {
    Arc::new(|request, framed| echo(request, framed).boxed_local())
}

pub fn server() -> Running {
    start(|server, _, _| {
        server
            .routes(Arc::new(|cfg| {
                cfg.service(only_get("/hello", || async { "hello" }));
            }))
            .upgrade(upgrade())
    })
}

pub async fn connect(server: &Running) -> Raw {
    let mut raw = server.connect().await;
    raw.send(&format!("GET /ws HTTP/1.1\r\n{HANDSHAKE}")).await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    raw
}

pub async fn echoes(raw: &mut Raw, text: &str) -> bool {
    let mut back = vec![0; text.len()];
    raw.0.write_all(text.as_bytes()).await.is_ok()
        && timeout(PATIENCE, raw.0.read_exact(&mut back)).await.expect("no echo").is_ok()
        && back == text.as_bytes()
}

#[tokio::test]
async fn the_socket_is_handed_over_with_what_was_sent_early() {
    let server = server();
    let mut raw = server.connect().await;
    raw.send(&format!("GET /ws HTTP/1.1\r\n{HANDSHAKE}early")).await;
    raw.head().await;
    let mut back = [0; 5];
    timeout(PATIENCE, raw.0.read_exact(&mut back)).await.unwrap().unwrap();
    assert_eq!(&back, b"early");
    assert!(echoes(&mut raw, "later").await);
    assert_eq!(server.get("/hello").await.text().await.unwrap(), "hello");
    let text = server.metrics.render();
    assert!(text.contains("http_upgrades_total 1"), "{text}");
}

#[tokio::test]
async fn http_and_upgrade_share_one_connection() {
    let server = server();
    let mut raw = server.connect().await;
    raw.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(raw.answer().await.1, "hello");
    raw.send(&format!("GET /ws HTTP/1.1\r\n{HANDSHAKE}")).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    assert!(echoes(&mut raw, "hi").await);
}

#[tokio::test]
async fn a_refusal_is_an_answer_like_any_other() {
    let server = server();
    for (start, rest, status) in [
        ("GET /elsewhere HTTP/1.1", HANDSHAKE, 404),
        // Frames that are on their way already must not cost the answer.
        ("GET /elsewhere HTTP/1.1", &format!("{HANDSHAKE}{}", "x".repeat(100_000)), 404),
        ("GET /ws HTTP/1.1", "host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-request-id: ws-1\r\n\r\n", 426),
        ("CONNECT x:443 HTTP/1.1", "host: x\r\nx-request-id: ws-1\r\n\r\n", 404),
    ] {
        let mut raw = server.connect().await;
        raw.send(&format!("{start}\r\n{rest}")).await;
        let (head, body) = raw.answer().await;
        let head = head.to_lowercase();
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
        for header in
            [&format!("content-type: {PROBLEM_JSON}"), "x-request-id: ws-1", "x-content-type-options: nosniff"]
        {
            assert!(head.contains(header), "{header}\n{head}");
        }
        assert!(body.contains(r#""requestId":"ws-1""#), "{body}");
        assert!(raw.rest().await.is_empty(), "and it is closed");
    }
}

#[tokio::test]
async fn without_an_upgrade_service_it_is_a_plain_request() {
    let server = start(|server, _, _| {
        server.routes(Arc::new(|cfg| {
            cfg.service(only_get("/hello", || async { "hello" }));
        }))
    });
    let mut raw = server.connect().await;
    raw.send(&format!("GET /hello HTTP/1.1\r\n{HANDSHAKE}")).await;
    assert_eq!(raw.answer().await.1, "hello");
}

#[tokio::test]
async fn a_panic_ends_one_connection_only() {
    let server = start(|server, _, _| {
        server
            .routes(Arc::new(|cfg| {
                cfg.service(only_get("/hello", || async { "hello" }));
            }))
            .upgrade(Arc::new(|_, _| async { panic!("on purpose") }.boxed_local()))
    });
    let mut raw = server.connect().await;
    raw.send(&format!("GET /ws HTTP/1.1\r\n{HANDSHAKE}")).await;
    assert!(raw.rest().await.is_empty());
    assert_eq!(server.get("/hello").await.text().await.unwrap(), "hello");
    assert!(server.lifecycle.shutdown(Duration::from_secs(5)).await, "nobody is waited for in vain");
}
