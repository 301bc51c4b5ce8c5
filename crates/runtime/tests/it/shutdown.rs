//! How a server ends.

use crate::{
    support::{Running, start},
    upgrade,
};
use runtime::http::only_get;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, sync::Notify};

const PROMPTLY: Duration = Duration::from_secs(3);

#[tokio::test]
async fn an_idle_connection_does_not_hold_it_up() {
    let server = upgrade::server();
    let mut idle = server.connect().await;
    idle.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(idle.answer().await.1, "hello");
    let mut silent = server.connect().await;
    assert_eq!(server.get("/hello").await.text().await.unwrap(), "hello", "both are accepted by now");

    let asked = Instant::now();
    server.stop_accept.cancel();
    assert!(idle.rest().await.is_empty());
    assert!(silent.rest().await.is_empty());
    server.ended().await.unwrap();
    assert!(asked.elapsed() < PROMPTLY, "{:?}", asked.elapsed());
}

/// A server with a request that is answered when the test says so.
fn slow() -> (Running, Arc<Notify>, Arc<Notify>) {
    let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, waiting) = (entered.clone(), go_on.clone());
    let server = start(|server, _, _| {
        server.routes(Arc::new(move |cfg| {
            let (inside, waiting) = (inside.clone(), waiting.clone());
            cfg.service(only_get("/slow", move || {
                let (inside, waiting) = (inside.clone(), waiting.clone());
                async move {
                    inside.notify_one();
                    waiting.notified().await;
                    "done"
                }
            }));
        }))
    });
    (server, entered, go_on)
}

#[tokio::test]
async fn a_request_under_way_is_answered_and_new_ones_are_refused() {
    let (server, entered, go_on) = slow();
    let mut raw = server.connect().await;
    raw.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    entered.notified().await;

    server.stop_accept.cancel();
    // The listener is closed by another thread; until then the kernel still accepts.
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go_on.notify_one();
    let (head, body) = raw.answer().await;
    assert!(head.to_lowercase().contains("connection: close"), "{head}");
    assert_eq!(body, "done");
    assert!(raw.rest().await.is_empty());
    server.ended().await.unwrap();
}

#[tokio::test]
async fn an_upgraded_connection_lives_until_it_ends_itself() {
    let server = upgrade::server();
    let mut raw = upgrade::connect(&server).await;
    server.stop_accept.cancel();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(upgrade::echoes(&mut raw, "still here").await);
    drop(raw);
    server.ended().await.unwrap();
}

#[tokio::test]
async fn hard_ends_everything_at_once() {
    let (server, entered, _go_on) = slow();
    let mut stuck = server.connect().await;
    stuck.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    entered.notified().await;

    let asked = Instant::now();
    server.lifecycle.soft.cancel();
    server.lifecycle.hard.cancel();
    assert!(stuck.rest().await.is_empty());
    server.ended().await.unwrap();
    assert!(asked.elapsed() < PROMPTLY, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn shutdown_ends_an_upgraded_connection_after_the_grace() {
    let server = upgrade::server();
    let mut raw = upgrade::connect(&server).await;
    server.stop_accept.cancel();
    assert!(server.lifecycle.shutdown(Duration::from_millis(50)).await);
    assert!(raw.rest().await.is_empty());
    server.ended().await.unwrap();
}

#[tokio::test]
async fn the_drain_has_an_end_of_its_own() {
    let (server, entered, _go_on) = {
        let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let inside = entered.clone();
        let server = start(|mut server, _, _| {
            server.drain_timeout = Duration::from_millis(50);
            server.routes(Arc::new(move |cfg| {
                let inside = inside.clone();
                cfg.service(only_get("/stuck", move || {
                    inside.notify_one();
                    std::future::pending::<String>()
                }));
            }))
        });
        (server, entered, go_on)
    };
    let mut raw = server.connect().await;
    raw.send("GET /stuck HTTP/1.1\r\nhost: x\r\n\r\n").await;
    entered.notified().await;
    server.stop_accept.cancel();
    assert!(raw.rest().await.is_empty());
    server.ended().await.unwrap();
}

#[actix_web::test]
async fn it_runs_on_actix_own_runtime_too() {
    let server = upgrade::server();
    assert_eq!(server.get("/hello").await.text().await.unwrap(), "hello");
    server.stop_accept.cancel();
    server.ended().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn and_on_many_threads() {
    let server = upgrade::server();
    assert_eq!(server.get("/hello").await.text().await.unwrap(), "hello");
    server.stop_accept.cancel();
    server.ended().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_gives_back_its_port() {
    let server = upgrade::server();
    assert_eq!(server.get("/hello").await.text().await.unwrap(), "hello");
    let address = server.address;
    server.abort().await;
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
