//! History and the room list, page by page.

use crate::support::{Cluster, node};
use client::Client;
use engine::{Retention, clock::SystemClock};
use protocol::{Seq, command::FetchHistory, event::History};
use serde_json::json;
use std::sync::Arc;

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
