//! Who speaks: sessions good and bad, and connections that take over.

use crate::support::{Cluster, SECRET, close_of, node};
use client::{Client, ClientError, ConnectOptions};
use engine::{Retention, clock::MockClock};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use protocol::event::{NewMessage, RoomJoined, UserEvent};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

async fn rejected(url: &str, session: &str) -> u16 {
    match Client::connect(url, ConnectOptions::new().session(session)).await {
        Err(ClientError::Closed { code, .. }) => code,
        other => panic!("{session}: {other:?}"),
    }
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

#[tokio::test]
async fn what_we_did_not_sign_for_this_use_is_refused() {
    let node = node(&[]).await;
    let good = json!({"iss": "roomful", "aud": "roomful-session", "sub": "12345", "name": "Eve",
        "key": "6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11", "iat": 1, "exp": 99_999_999_999_u64});
    let with = |field: &str, value: Value| {
        let mut claims = good.clone();
        claims[field] = value;
        signed(&claims, Algorithm::HS256, SECRET)
    };
    let token = signed(&good, Algorithm::HS256, SECRET);
    let payload = token.split('.').nth(1).unwrap();
    for bad in [
        String::new(),
        "x".into(),
        "a.b.c".into(),
        signed(&good, Algorithm::HS256, "another secret, which is also long enough"),
        signed(&good, Algorithm::HS512, SECRET),
        with("aud", "roomful-admin".into()),
        with("iss", "somebody".into()),
        with("exp", 1.into()),
        with("exp", Value::Null),
        with("sub", "12".into()),
        with("sub", "1234567890123".into()),
        // {"alg":"none","typ":"JWT"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}."),
        format!("{}x", token),
        "y".repeat(16_000),
    ] {
        assert_eq!(rejected(&node.url, &bad).await, 4003, "{bad}");
    }
    // What it would be otherwise, so that the above fails for the reason that it says.
    let client = node.connect(ConnectOptions::new().session(token)).await;
    assert_eq!((client.connected.client_id.to_string().as_str(), client.connected.resumed), ("12345", true));
    // Another process with another secret signs for another cluster.
    let other = self::node(&[("JWT_SECRET", "another secret, which is also long enough")]).await;
    assert_eq!(rejected(&other.url, &client.connected.session).await, 4003);
}

#[tokio::test]
async fn a_session_ends() {
    let clock = Arc::new(MockClock::new());
    let cluster = Cluster::with(clock.clone(), Retention::default());
    let node = cluster.node("n1", &[("SESSION_TTL", "60s"), ("NODE_LEASE", "1h")]).await;
    let alice = node.client("Alice").await;
    let session = alice.connected.session.clone();
    clock.advance(Duration::from_secs(59));
    // Coming back in time begins a new term.
    let again = node.connect(alice.again(None)).await;
    assert_eq!(again.connected.client_id, alice.connected.client_id);
    assert_eq!(again.connected.session_expires_at.0, alice.connected.session_expires_at.0 + 59_000);
    clock.advance(Duration::from_secs(1));
    assert_eq!(rejected(&node.url, &session).await, 4003);
    node.connect(again.again(None)).await;
}

#[tokio::test]
async fn an_identity_survives_the_node() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", &[]).await, cluster.node("n2", &[]).await);
    let mut alice = one.client("Alice").await;
    alice.rename("Alicia").await.unwrap();
    let options = alice.again(None);
    alice.close().await.unwrap();
    let again = two.connect(options.clone()).await;
    assert!(again.connected.resumed);
    assert_eq!(again.connected.username.as_str(), "Alicia");
    assert_eq!(again.connected.node_id.as_str(), "n2");
    // Even a cluster that has forgotten it gives the id back: the session proves whose it was.
    let fresh = node(&[]).await;
    let there = fresh.connect(options).await;
    assert_eq!((there.connected.client_id, there.connected.resumed), (again.connected.client_id, true));
    assert_eq!(there.connected.username.as_str(), "Alicia");
}

#[tokio::test]
async fn an_id_that_is_somebody_elses_by_now_is_not_given_back() {
    let node = node(&[]).await;
    let claims = |key: &str| {
        json!({"iss": "roomful", "aud": "roomful-session", "sub": "12345", "name": "Eve", "key": key, "iat": 1,
            "exp": 99_999_999_999_u64})
    };
    let one = signed(&claims("6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11"), Algorithm::HS256, SECRET);
    let two = signed(&claims("6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c12"), Algorithm::HS256, SECRET);
    let mut first = node.connect(ConnectOptions::new().session(one)).await;
    let second = node.connect(ConnectOptions::new().session(two)).await;
    assert_ne!(second.connected.client_id, first.connected.client_id);
    assert!(!second.connected.resumed);
    assert_eq!(second.connected.username.as_str(), "Eve");
    first.ping().await.unwrap();
}

#[tokio::test]
async fn a_newer_connection_takes_over_and_nobody_else_is_told() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", &[]).await, cluster.node("n2", &[]).await);
    let (mut alice, mut bob, room) = one.pair().await;
    for node in [&one, &two, &two, &one] {
        let mut newer = node.connect(bob.again(None)).await;
        assert_eq!(newer.connected.client_id, bob.connected.client_id);
        let joined = newer.expect::<RoomJoined>(|_| true).await.unwrap();
        assert_eq!((joined.room.room_id, joined.room.member_count, joined.id), (room, 2, None));
        assert_eq!(close_of(&mut bob).await, 4009);
        bob = newer;
        let ack = bob.say("still here").await.unwrap();
        alice.expect::<NewMessage>(|m| Some(m.seq) == ack.seq).await.unwrap();
    }
    alice.ping().await.unwrap();
    assert_eq!(alice.take_kept(), []);
}

#[tokio::test]
async fn a_race_of_take_overs_leaves_one() {
    let cluster = Cluster::new();
    let nodes = [cluster.node("n1", &[]).await, cluster.node("n2", &[]).await];
    let (mut alice, bob, room) = nodes[0].pair().await;
    let mut racers = tokio::task::JoinSet::new();
    for n in 0..12 {
        let (url, options) = (nodes[n % 2].url.clone(), bob.again(None));
        racers.spawn(async move { Client::connect(&url, options).await });
    }
    let mut alive = Vec::new();
    for racer in racers.join_all().await {
        let mut racer = match racer {
            Ok(racer) => racer,
            Err(error) => panic!("{error}"),
        };
        let ends = racer.closed(Duration::from_millis(500)).await;
        match ends {
            Ok((code, _)) => assert_eq!(code, 4009),
            Err(ClientError::Timeout { .. }) => alive.push(racer),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(alive.len(), 1, "one of them speaks");
    alive[0].say("me").await.unwrap();
    assert_eq!(alive[0].join(room).await.unwrap().room.member_count, 2);
    alice.ping().await.unwrap();
    assert!(!alice.take_kept().iter().any(|e| matches!(e, protocol::ServerEvent::UserEvent(UserEvent { .. }))));
}
