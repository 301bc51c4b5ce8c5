//! History, the room list and members, page by page; and what time it is there.

use crate::support::{Cluster, node};
use client::Client;
use engine::{
    Retention,
    clock::{Clock, MockClock, SystemClock},
};
use protocol::{Seq, command::FetchHistory, event::History};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

fn seqs(history: &History) -> Vec<u64> {
    history.messages.iter().map(|m| m.seq.get()).collect()
}

fn range(from: u64, to: u64) -> Vec<u64> {
    (from..=to).collect()
}

#[tokio::test]
async fn history_in_both_directions() {
    let node = node(&[]).await;
    let mut alice = node.client("Alice").await;
    alice.create_room("Tea").await.unwrap();
    for n in 1..=120 {
        alice.say(&n.to_string()).await.unwrap();
    }
    let at = |before: Option<u64>, after: Option<u64>, limit| FetchHistory {
        before: before.map(Seq::new),
        after: after.map(Seq::new),
        limit,
        ..Client::newest()
    };
    for (part, expected, more) in [
        (Client::newest(), range(71, 120), true),
        (at(None, None, Some(100)), range(21, 120), true),
        (at(Some(71), None, None), range(21, 70), true),
        (at(Some(21), None, None), range(1, 20), false),
        (at(Some(1), None, None), vec![], false),
        (at(Some(0), None, None), vec![], false),
        (at(Some(9_007_199_254_740_991), None, Some(1)), vec![120], true),
        (at(None, Some(0), Some(100)), range(1, 100), true),
        (at(None, Some(100), Some(100)), range(101, 120), false),
        (at(None, Some(120), None), vec![], false),
        (at(None, Some(500), None), vec![], false),
        (at(Some(20), Some(10), None), range(11, 19), false),
        (at(Some(100), Some(10), Some(5)), range(11, 15), true),
        (at(Some(10), Some(10), None), vec![], false),
        (at(Some(5), Some(10), None), vec![], false),
    ] {
        let history = alice.history(part.clone()).await.unwrap();
        assert_eq!((seqs(&history), history.more), (expected, more), "{part:?}");
    }
}

#[tokio::test]
async fn history_ends_where_the_log_does() {
    let retention = Retention { messages: 10, ..Retention::default() };
    let node = Cluster::with(Arc::new(SystemClock), retention).node("n1", &[]).await;
    let mut alice = node.client("Alice").await;
    alice.create_room("Tea").await.unwrap();
    for n in 1..=30 {
        alice.say(&n.to_string()).await.unwrap();
    }
    let newest = alice.history(Client::newest()).await.unwrap();
    assert_eq!((seqs(&newest), newest.more), (range(21, 30), false));
    let part = FetchHistory { after: Some(Seq::new(3)), ..Client::newest() };
    assert_eq!(seqs(&alice.history(part).await.unwrap()), range(21, 30));
}

#[tokio::test]
async fn limits_outside_of_their_range_are_refused() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    for kind in ["FETCH_HISTORY", "LIST_ROOMS"] {
        for limit in [json!(0), json!(101), json!(-1), json!(1.5), json!("7"), json!(u64::MAX)] {
            let error = alice.ask(json!({"type": kind, "id": "x", "limit": limit})).await;
            assert_eq!(error["code"], "bad_request", "{kind} {limit}");
        }
        for limit in [1, 100] {
            let reply = alice.ask(json!({"type": kind, "id": "x", "limit": limit})).await;
            assert_ne!(reply["type"], "ERROR", "{reply}");
        }
    }
    for cursor in [json!("x"), json!("1-"), json!("-1"), json!("🦀"), json!(""), json!(7)] {
        let error = alice.ask(json!({"type": "LIST_ROOMS", "id": "x", "cursor": cursor})).await;
        assert_eq!(error["code"], "bad_request", "{cursor}");
    }
}

#[tokio::test]
async fn the_room_list_newest_first_over_two_nodes() {
    let cluster = Cluster::new();
    let nodes = [cluster.node("n1", &[]).await, cluster.node("n2", &[]).await];
    let mut members = Vec::new();
    let mut made = Vec::new();
    for n in 0..53 {
        let mut client = nodes[n % 2].client("Maker").await;
        made.insert(0, client.create_room(&format!("Room {n}")).await.unwrap().room.room_id);
        members.push(client);
    }
    let reader = &mut members[0];
    let (mut listed, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let page = reader.list_rooms(cursor.as_deref(), Some(20)).await.unwrap();
        listed.extend(page.rooms.iter().map(|r| r.room_id));
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    made.sort_unstable();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, made, "each room once");
    let all = reader.list_rooms(None, Some(100)).await.unwrap();
    assert_eq!(all.rooms.iter().map(|r| r.room_id).collect::<Vec<_>>(), listed);
    assert!(all.rooms.is_sorted_by(|a, b| a.created_at >= b.created_at), "newest first");
    assert_eq!(reader.list_rooms(None, None).await.unwrap().rooms.len(), 50, "a page by default");
}

/// Page by page, by id, while others come and go; to whoever is in the room, wherever.
#[tokio::test]
async fn the_members_of_a_room_over_two_nodes() {
    let cluster = Cluster::new();
    let nodes = [cluster.node("n1", &[]).await, cluster.node("n2", &[]).await];
    let mut alice = nodes[0].client("Alice").await;
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    let mut crowd = Vec::new();
    for n in 0..60 {
        let mut client = nodes[n % 2].client(&format!("Guest {n}")).await;
        client.join(room).await.unwrap();
        crowd.push(client);
    }
    let stay: BTreeMap<_, _> = crowd[20..]
        .iter()
        .chain([&alice])
        .map(|client| (client.connected.client_id, client.connected.username.clone()))
        .collect();
    let (mut listed, mut cursor, mut leaving) = (Vec::new(), None::<String>, 0..20);
    loop {
        let page = alice.list_members(cursor.as_deref(), Some(10)).await.unwrap();
        assert!(page.members.len() <= 10 && page.room_id == room && page.reconnecting.is_empty());
        listed.extend(page.members);
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
        for n in leaving.by_ref().take(3) {
            crowd[n].leave().await.unwrap();
        }
    }
    assert!(listed.is_sorted_by(|a, b| a.client_id < b.client_id), "by id, and each once");
    listed.retain(|member| stay.contains_key(&member.client_id));
    let listed: BTreeMap<_, _> = listed.into_iter().map(|member| (member.client_id, member.username)).collect();
    assert_eq!(listed, stay, "nobody who stayed is missing");
    let whole = crowd[59].list_members(None, None).await.unwrap();
    assert_eq!((whole.members.len(), whole.cursor), (whole.member_count as usize, None), "a page by default");
}

#[tokio::test]
async fn who_may_ask_for_members_and_how() {
    let node = node(&[]).await;
    let (mut alice, mut bob) = (node.guest().await, node.guest().await);
    let ask = |fields: serde_json::Value| {
        let mut command = json!({"type": "LIST_MEMBERS", "id": "m"});
        command.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        command
    };
    assert_eq!(alice.ask(ask(json!({}))).await["code"], "not_in_room");
    let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    let room = &joined["room"]["roomId"];
    for (fields, code) in [(json!({"roomId": room}), "not_in_room"), (json!({}), "not_in_room")] {
        assert_eq!(bob.ask(ask(fields)).await["code"], code);
    }
    for limit in [json!(0), json!(501), json!(-1), json!(1.5), json!("7"), json!(u64::MAX)] {
        assert_eq!(alice.ask(ask(json!({"limit": limit}))).await["code"], "bad_request", "{limit}");
    }
    for cursor in [json!("x"), json!("1"), json!("-10000"), json!("🦀"), json!(""), json!(7), json!("9".repeat(400))]
    {
        assert_eq!(alice.ask(ask(json!({"cursor": cursor}))).await["code"], "bad_request", "{cursor}");
    }
    for fields in [json!({}), json!({"roomId": room, "limit": 500}), json!({"limit": 1, "cursor": null})] {
        let expected = json!({
            "type": "MEMBERS", "id": "m", "roomId": room, "members": joined["members"], "memberCount": 1, "cursor": null,
        });
        assert_eq!(alice.ask(ask(fields)).await, expected);
    }
    let past = alice.ask(ask(json!({"cursor": "999999999"}))).await;
    assert_eq!((&past["members"], &past["memberCount"], &past["cursor"]), (&json!([]), &json!(1), &json!(null)));
}

#[tokio::test]
async fn a_pong_has_the_time() {
    let clock = Arc::new(MockClock::new());
    let node = Cluster::with(clock.clone(), Retention::default()).node("n1", &[]).await;
    let mut alice = node.client("Alice").await;
    let at = alice.ping().await.unwrap().at;
    assert_eq!(at, Some(clock.now()));
    clock.advance(Duration::from_millis(1234));
    assert_eq!(alice.ping().await.unwrap().at, Some(clock.now()));
}
