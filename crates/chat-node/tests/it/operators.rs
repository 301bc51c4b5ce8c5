//! What operators do to a node, as its clients see it, and what the node says of itself.

use crate::support::{Cluster, TestNode, close_of, eventually, exchange, refusal, within};
use bytes::Bytes;
use client::ConnectOptions;
use engine::{
    Desk,
    clock::{Clock, SystemClock},
    control::{Outcome, Task},
    port::{Address, Document, Table},
};
use protocol::{
    ClientId, CloseCode, NodeId,
    admin::{Ban, Server},
    event::{Notice, NoticeLevel, Reconnect, UserEvent},
    policy::Policy,
};
use serde_json::json;
use std::time::{Duration, Instant};
use uuid::Uuid;

async fn desk(cluster: &Cluster) -> Desk {
    let name: NodeId = "desk".parse().unwrap();
    Desk::open(name, cluster.ports("desk"), Duration::from_secs(1)).await.unwrap()
}

/// Every node has confirmed.
async fn ask(cluster: &Cluster, task: Task) -> Outcome {
    let confirmed = desk(cluster).await.ask(Uuid::new_v4(), Address::Everyone, task).await.unwrap();
    assert_eq!(confirmed.unconfirmed, vec![]);
    let client = confirmed.done.values().find_map(|outcome| outcome.client);
    Outcome { hit: confirmed.hit(), client, unfinished: false }
}

async fn ban(cluster: &Cluster, client_id: Option<ClientId>, ip: Option<&str>) -> u64 {
    let ban = Ban {
        ban_id: "1".into(),
        client_id,
        ip: ip.map(str::to_owned),
        reason: "spam".into(),
        created_at: SystemClock.now(),
        created_by: "admin".into(),
        expires_at: None,
    };
    let document = Document { id: "1".into(), body: serde_json::to_vec(&ban).unwrap().into() };
    cluster.ports("desk").records.put(Table::Bans, document, None).await.unwrap();
    ask(cluster, Task::Bans).await.hit
}

async fn report(cluster: &Cluster, node: &str) -> Server {
    let document = cluster.ports("desk").records.get(Table::Reports, node).await.unwrap().expect("a report");
    serde_json::from_slice(&document).unwrap()
}

/// A report that is newer than what was done before it was asked for.
async fn fresh_report(cluster: &Cluster, node: &str) -> Server {
    let first = report(cluster, node).await;
    let newer = async || report(cluster, node).await.last_seen_at > first.last_seen_at;
    assert!(eventually(newer).await);
    report(cluster, node).await
}

async fn two_nodes(variables: &[(&str, &str)]) -> (Cluster, TestNode, TestNode) {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", variables).await, cluster.node("n2", variables).await);
    (cluster, one, two)
}

#[tokio::test]
async fn a_removed_client_is_told_so_and_the_others_that_it_left() {
    let (cluster, one, two) = two_nodes(&[]).await;
    let (mut alice, mut bob, room) = one.pair().await;
    let mut away = two.client("Away").await;
    away.join(room).await.unwrap();
    let started = Instant::now();
    let desk = desk(&cluster).await;
    let task = Task::Remove { client: bob.connected.client_id, code: CloseCode::Removed.get() };
    let request = desk.request(Uuid::new_v4(), task);
    let expelled = cluster.ports("desk").census.expel(bob.connected.client_id, request.order()).await.unwrap().unwrap();
    assert_eq!(request.confirmed_by(expelled.node).await.hit(), 1);
    assert_eq!(close_of(&mut bob).await, 4011);
    for client in [&mut alice, &mut away] {
        let bob = bob.connected.client_id;
        client.expect::<UserEvent>(|event| event.left.contains(&bob)).await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn who_is_banned_is_closed_and_kept_out_of_every_node() {
    let (cluster, one, two) = two_nodes(&[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let mut alice = one.client("Alice").await;
    assert_eq!(ban(&cluster, Some(alice.connected.client_id), None).await, 1);
    assert_eq!(close_of(&mut alice).await, 4010);
    for node in [&one, &two] {
        let refused = client::Client::connect(&node.url, alice.again(None)).await.unwrap_err();
        assert!(format!("{refused}").contains("4010"), "{refused}");
    }

    // Who comes through a proxy is who the proxy says; the proxy itself is nobody.
    let from = |address: &str| ConnectOptions::new().header("x-forwarded-for", address);
    let (mut guest, mut other) = (one.connect(from("203.0.113.9")).await, two.connect(from("203.0.114.9")).await);
    assert_eq!(ban(&cluster, None, Some("203.0.113.0/24")).await, 1);
    assert_eq!(close_of(&mut guest).await, 4010);
    other.ping().await.unwrap();
    let mut newcomer = client::Raw::connect(&two.url, &from("203.0.113.10")).await.unwrap();
    let closed = async {
        loop {
            if let Err(e) = newcomer.next(Duration::from_secs(5)).await {
                return e.to_string();
            }
        }
    };
    assert!(within(closed).await.contains("4010"), "before it has said who it is");
    assert_eq!(ban(&cluster, None, Some("127.0.0.0/8")).await, 0);
    one.client("Local").await.ping().await.unwrap();
}

#[tokio::test]
async fn a_drained_node_sends_everybody_elsewhere_and_stays() {
    let (cluster, one, two) = two_nodes(&[("DRAIN_WINDOW", "60s")]).await;
    let mut alice = one.client("Alice").await;
    let to = Address::Node("n1".parse().unwrap());
    desk(&cluster).await.ask(Uuid::new_v4(), to, Task::Drain).await.unwrap();
    alice.expect::<Reconnect>(|_| true).await.unwrap();
    let (head, _) = exchange(one.address, "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 503 "), "{head}");
    let mut moved = two.connect(alice.again(None)).await;
    assert_eq!(moved.connected.client_id, alice.connected.client_id);
    assert_eq!(close_of(&mut alice).await, 4009);
    moved.ping().await.unwrap();
    assert!(fresh_report(&cluster, "n1").await.draining);
    let (head, _) = exchange(one.address, "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 200 "), "whoever runs it says when it ends: {head}");
    one.lifecycle.soft.cancel();
    one.ended().await.unwrap();
}

#[tokio::test]
async fn a_notice_reaches_everybody_and_a_client_is_described_by_its_node() {
    let (cluster, one, two) = two_nodes(&[]).await;
    let (mut alice, mut bob, _) = one.pair().await;
    let mut away = two.client("Away").await;
    let task = Task::Notice { text: "tea at four".into(), level: NoticeLevel::Warning };
    assert_eq!(ask(&cluster, task).await.hit, 3);
    for client in [&mut alice, &mut bob, &mut away] {
        let notice = client.expect::<Notice>(|_| true).await.unwrap();
        assert_eq!((notice.text.as_str(), notice.level), ("tea at four", NoticeLevel::Warning));
    }
    alice.say("one").await.unwrap();
    alice.say("two").await.unwrap();
    let described = ask(&cluster, Task::Describe { client: alice.connected.client_id }).await.client.unwrap();
    assert_eq!(described.messages_sent, 2);
}

#[tokio::test]
async fn a_node_says_how_it_is_and_who_is_limited() {
    let cluster = Cluster::new();
    let node = cluster.node("n1", &[("LIMIT_MESSAGE_NODE", "2,60s")]).await;
    let (mut alice, mut bob, _) = node.pair().await;
    alice.say("one").await.unwrap();
    alice.say("two").await.unwrap();
    refusal(alice.say("three").await);
    refusal(alice.say("four").await);
    bob.ping().await.unwrap();
    let said = async || {
        let report = report(&cluster, "n1").await;
        report.messages_delivered == 4 && report.limited.first().is_some_and(|limited| limited.refused == 2)
    };
    assert!(eventually(said).await, "{:?}", report(&cluster, "n1").await);
    let report = fresh_report(&cluster, "n1").await;
    assert_eq!((report.service.as_str(), report.connections, report.rooms), ("chat-node", 2, 1));
    assert_eq!((report.messages_received, report.draining, report.queued_bytes), (2, false, 0));
    assert!(report.bytes_received > 200 && report.bytes_sent > 500, "{report:?}");
    assert!(!report.host.is_empty() && report.round_trip_ms > 0.0, "{report:?}");
    let [limited] = &report.limited[..] else { panic!("{report:?}") };
    assert_eq!(
        (limited.policy, limited.client_id, limited.ip),
        (Policy::Message, Some(alice.connected.client_id), None)
    );
    let [way] = &report.canary[..] else { panic!("its own way is the only one: {report:?}") };
    assert!(way.node_id.as_str() == "n1" && way.delivery_ms.is_some() && !way.lost, "{report:?}");
    assert!(node.metric("canary_delivery_seconds").await > 0.0);
    assert!(node.metric("websocket_sent_bytes_total").await > 500.0);
}

/// What a newer version may order, and what nobody should.
#[tokio::test]
async fn orders_that_make_no_sense_change_nothing() {
    let (cluster, one, _two) = two_nodes(&[]).await;
    let mut alice = one.client("Alice").await;
    let bus = cluster.ports("desk").bus;
    let orders = [
        json!({"order": "dance"}),
        json!({"order": "task", "request": "x", "reply_to": "n1", "task": {"do": "drain"}}),
        json!({"order": "task", "request": Uuid::nil(), "reply_to": "n1", "task": {"do": "sing"}}),
        json!({"order": "echo", "node": "stranger", "number": 1}),
        json!({"order": "done", "request": Uuid::nil(), "node": "n1", "outcome": {"hit": 1}}),
        json!(null),
    ];
    for order in orders {
        bus.order(Address::Everyone, Bytes::from(order.to_string())).await.unwrap();
    }
    alice.ping().await.unwrap();
    assert!(!fresh_report(&cluster, "n1").await.draining);
}
