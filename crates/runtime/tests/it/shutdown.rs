//! How a server ends.

use crate::{
    support::{PATIENCE, Running, start},
    upgrade,
};
use runtime::http::only_get;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

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
fn slow(drain_timeout: Duration) -> (Running, Arc<Notify>, Arc<Notify>) {
    let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, waiting) = (entered.clone(), go_on.clone());
    let server = start(|mut server, _, _| {
        server.drain_timeout = drain_timeout;
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
    let (server, entered, go_on) = slow(PATIENCE);
    let mut raw = server.connect().await;
    raw.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    entered.notified().await;

    server.stop_accept.cancel();
    server.refuses_connections().await;
    go_on.notify_one();
    assert_eq!(raw.answer().await.1, "done");
    assert!(raw.rest().await.is_empty(), "and then it is closed");
    server.ended().await.unwrap();
}

#[tokio::test]
async fn an_upgraded_connection_lives_until_it_ends_itself() {
    let server = upgrade::server();
    let mut raw = upgrade::connect(&server).await;
    server.stop_accept.cancel();
    server.refuses_connections().await;
    assert!(upgrade::echoes(&mut raw, "still here").await);
    drop(raw);
    server.ended().await.unwrap();
}

#[tokio::test]
async fn hard_ends_everything_at_once() {
    let (server, entered, _go_on) = slow(PATIENCE);
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
    let (server, entered, _go_on) = slow(Duration::from_millis(50));
    let mut raw = server.connect().await;
    raw.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
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
    let mut server = upgrade::server();
    assert_eq!(server.get("/hello").await.text().await.unwrap(), "hello");
    server.abort().await;
    server.refuses_connections().await;
}

#[tokio::test]
async fn the_remainder_of_a_connection_is_waited_for_and_ended_too() {
    let begun = Arc::new(Notify::new());
    let server = start(|server, lifecycle, _| {
        let (lifecycle, begun) = (lifecycle.clone(), begun.clone());
        server.upgrade(Arc::new(move |_, framed| {
            let (remainder, begun) = (lifecycle.clone(), begun.clone());
            Box::pin(async move {
                remainder.spawn_local(async move {
                    let _socket = framed.into_parts().io;
                    begun.notify_one();
                    std::future::pending::<()>().await;
                });
            })
        }))
    });
    let mut raw = server.connect().await;
    raw.send("GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n").await;
    timeout(PATIENCE, begun.notified()).await.expect("the remainder does not begin");
    server.stop_accept.cancel();
    server.refuses_connections().await;
    assert!(!server.lifecycle.connections.is_empty());

    server.lifecycle.hard.cancel();
    assert!(raw.rest().await.is_empty());
    server.ended().await.unwrap();
}
