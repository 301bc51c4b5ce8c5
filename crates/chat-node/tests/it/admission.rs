//! A store that is slow, and more clients than it can take at once.

use crate::{
    store::broken::{Broken, Trouble},
    support::{Cluster, PATIENCE, Plain, TestNode, eventually, within},
};
use client::{Client, ConnectOptions};
use protocol::event::NewMessage;
use serde_json::{Value, json};
use std::sync::Arc;

const TWO_AND_TWO: [(&str, &str); 4] = [
    ("ADMISSIONS_AT_ONCE", "2"),
    ("ADMISSIONS_WAITING", "2"),
    // Only the tests' own deeds are to end a wait.
    ("ADMISSION_WAIT", "60s"),
    ("CONNECT_TIMEOUT", "60s"),
];

async fn over(cluster: &Cluster) -> (TestNode, Arc<Broken>) {
    let (ports, store) = Broken::over(cluster.ports("n1"));
    let node = cluster.start("n1", ports, &TWO_AND_TWO, |config| config.engine.call_timeout = PATIENCE * 6).await;
    (node, store)
}

fn hello() -> Value {
    json!({"type": "CONNECT", "id": "c"})
}

/// Four clients: two who are being let in, and two who wait, in this order.
async fn line(node: &TestNode, store: &Broken) -> [Plain; 4] {
    let mut line = [node.plain().await, node.plain().await, node.plain().await, node.plain().await];
    for (n, client) in (0_u32..).zip(&mut line) {
        client.send(hello()).await;
        if n < 2 {
            assert!(eventually(async || store.held() == n as usize + 1).await);
        } else {
            node.until("admissions_waiting", |waiting| waiting == f64::from(n - 1)).await;
        }
    }
    line
}

async fn is_let_in(client: &mut Plain) {
    assert_eq!(within(client.next()).await["type"], "CONNECT");
}

#[tokio::test]
async fn so_many_are_let_in_at_once_and_in_order() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster).await;
    store.set("attach", Trouble::Held);
    let mut line = line(&node, &store).await;
    assert_eq!((node.metric("admissions_under_way").await, store.held()), (2.0, 2), "the others have begun nothing");
    for (n, client) in line.iter_mut().enumerate() {
        store.let_one_through();
        is_let_in(client).await;
        // Whoever is next has begun, and nobody else.
        let begun = (n + 3).min(4);
        assert!(eventually(async || store.held() == begun).await);
    }
    node.until("admissions_under_way", |under_way| under_way == 0.0).await;
    assert_eq!((store.held(), node.metric("admissions_waiting").await), (4, 0.0));
}

#[tokio::test]
async fn who_finds_no_place_is_told_when_to_come_back() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster).await;
    store.set("attach", Trouble::Held);
    let mut line = line(&node, &store).await;
    let mut late = node.plain().await;
    let refusal = late.ask(hello()).await;
    assert_eq!((&refusal["type"], &refusal["code"]), (&json!("ERROR"), &json!("unavailable")));
    assert!(refusal["retryAfterMs"].as_u64().is_some_and(|wait| (1..=10_000).contains(&wait)), "{refusal}");
    assert_eq!((node.metric("admissions_refused_total").await, store.held()), (1.0, 2));

    // On the same socket, once there is a place.
    for client in &mut line {
        store.let_one_through();
        is_let_in(client).await;
    }
    store.let_one_through();
    assert_eq!(late.ask(hello()).await["type"], "CONNECT");
}

#[tokio::test]
async fn a_client_that_is_told_to_come_back_does_so() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster).await;
    store.set("attach", Trouble::Held);
    let _line = line(&node, &store).await;
    let url = node.url.clone();
    let late = tokio::spawn(async move { Client::connect(&url, ConnectOptions::new()).await });
    node.until("admissions_refused_total", |refused| refused >= 1.0).await;
    (0..5).for_each(|_| store.let_one_through());
    within(late).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_said_inside_waits_for_nobody_at_the_door() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster).await;
    let (mut alice, mut bob, _) = node.pair().await;
    store.set("attach", Trouble::Held);
    let mut line = line(&node, &store).await;
    for n in 0..10 {
        let ack = alice.say(&n.to_string()).await.unwrap();
        bob.expect::<NewMessage>(|message| Some(message.seq) == ack.seq).await.unwrap();
    }
    assert_eq!(node.metric("admissions_waiting").await, 2.0);
    for client in &mut line {
        store.let_one_through();
        is_let_in(client).await;
    }
}

#[tokio::test]
async fn nothing_is_begun_for_who_has_hung_up() {
    let cluster = Cluster::new();
    let (node, store) = over(&cluster).await;
    store.set("attach", Trouble::Held);
    let [mut one, mut two, three, mut four] = line(&node, &store).await;
    drop(three);
    for client in [&mut one, &mut two, &mut four] {
        store.let_one_through();
        is_let_in(client).await;
    }
    node.until("websocket_connections_active", |n| n == 3.0).await;
    assert_eq!(store.held(), 3);
}
