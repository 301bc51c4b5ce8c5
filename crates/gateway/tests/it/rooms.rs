//! `GET /api/rooms`, and one of them.

use crate::{
    ports::{Away, away},
    support::{Cluster, Running, problem},
};
use engine::clock::Clock;
use reqwest::{Method, StatusCode};
use runtime::health::Health;
use serde_json::{Value, json};

/// Every page from the first to the last.
async fn pages(gateway: &Running, limit: usize) -> Vec<Value> {
    let mut path = format!("/api/rooms?limit={limit}");
    let mut pages = Vec::new();
    loop {
        let page = gateway.json(&path).await;
        let cursor = page["cursor"].as_str().map(str::to_owned);
        pages.push(page);
        match cursor {
            Some(cursor) => path = format!("/api/rooms?limit={limit}&cursor={cursor}"),
            None => return pages,
        }
    }
}

fn ids(pages: &[Value]) -> Vec<u64> {
    pages
        .iter()
        .flat_map(|page| page["rooms"].as_array().unwrap())
        .map(|room| room["roomId"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn no_rooms() {
    let gateway = Cluster::new().gateway([]);
    assert_eq!(gateway.json("/api/rooms").await, json!({"rooms": [], "cursor": null}));
}

#[tokio::test]
async fn a_room() {
    let cluster = Cluster::new();
    let room = cluster.rooms(1, false).await[0];
    let gateway = cluster.gateway([]);
    assert_eq!(
        gateway.json("/api/rooms").await,
        json!({
            "rooms": [{
                "roomId": room, "name": "Room 0 🍪", "memberCount": 1, "createdAt": cluster.clock.now().0,
            }],
            "cursor": null,
        })
    );
}

#[tokio::test]
async fn one_room() {
    let cluster = Cluster::new();
    let rooms = cluster.rooms(2, true).await;
    let gateway = cluster.gateway([]);
    let list = gateway.json("/api/rooms").await;
    // Newest first.
    for (id, listed) in rooms.iter().rev().zip(list["rooms"].as_array().unwrap()) {
        let path = format!("/api/rooms/{id}");
        assert_eq!(gateway.json(&path).await, *listed);
        assert_eq!(gateway.get(&path).await.headers()["cache-control"], "no-store");
        let head = gateway.request(Method::HEAD, &path).send().await.unwrap();
        assert_eq!((head.status(), head.bytes().await.unwrap().len()), (StatusCode::OK, 0));
    }
}

#[tokio::test]
async fn no_such_room() {
    let cluster = Cluster::new();
    let room = u64::from(cluster.rooms(1, true).await[0].get());
    let gateway = cluster.gateway([]);
    let other = if room == 10_000 { 10_001 } else { room - 1 };
    for id in [
        other.to_string(),
        format!("{room}.0"),
        format!("{room}%00"),
        format!("%20{room}"),
        "1".to_owned(),
        "-10000".to_owned(),
        "99999999999999999999999".to_owned(),
        "tea".to_owned(),
        "%F0%9F%8D%AA".to_owned(),
        "9".repeat(4000),
    ] {
        let detail = problem(gateway.get(&format!("/api/rooms/{id}")).await, 404).await;
        assert_eq!(detail, "there is no such room: it has ended, or never was", "{id}");
    }
}

#[tokio::test]
async fn paging_shows_each_room_once() {
    for apart in [true, false] {
        let cluster = Cluster::new();
        let mut made: Vec<u64> = cluster.rooms(230, apart).await.iter().map(|id| u64::from(id.get())).collect();
        let gateway = cluster.gateway([]);

        let pages = pages(&gateway, 100).await;
        let sizes: Vec<_> = pages.iter().map(|page| page["rooms"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [100, 100, 30]);
        let mut shown = ids(&pages);
        if apart {
            made.reverse();
            assert_eq!(shown, made, "newest first");
        }
        shown.sort_unstable();
        made.sort_unstable();
        assert_eq!(shown, made);
    }
}

#[tokio::test]
async fn a_full_last_page_has_no_cursor() {
    let cluster = Cluster::new();
    cluster.rooms(4, true).await;
    let gateway = cluster.gateway([]);
    assert_eq!(pages(&gateway, 2).await.len(), 2);
    assert_eq!(ids(&pages(&gateway, 1).await).len(), 4);
}

#[tokio::test]
async fn limits() {
    let cluster = Cluster::new();
    cluster.rooms(101, true).await;
    let gateway = cluster.gateway([]);
    for (query, count) in [("", 50), ("?limit=1", 1), ("?limit=100", 100), ("?cursor=&limit=", 50), ("?other=1", 50)] {
        let page = gateway.json(&format!("/api/rooms{query}")).await;
        assert_eq!(page["rooms"].as_array().unwrap().len(), count, "{query}");
        assert!(page["cursor"].is_string());
    }
    for limit in ["0", "101", "-1", "ten", "1.5", "1e1", "%20", "99999999999999999999999", "0x10", "null"] {
        let detail = problem(gateway.get(&format!("/api/rooms?limit={limit}")).await, 400).await;
        assert_eq!(detail, "limit must be a whole number from 1 to 100", "{limit}");
    }
    problem(gateway.get("/api/rooms?limit=1&limit=2").await, 400).await;
}

#[tokio::test]
async fn cursors_that_no_page_gave() {
    let cluster = Cluster::new();
    cluster.rooms(3, true).await;
    let gateway = cluster.gateway([]);
    let page = gateway.json("/api/rooms?limit=1").await;
    let good = page["cursor"].as_str().unwrap();
    let tampered =
        [format!("{good}0000000000"), good.replace('-', "_"), good[1..].replace('-', ""), good.to_owned() + "'"];
    let nonsense =
        ["-", "x", "-1", "%00", "1-2", "..%2F..", "99999999999999999999999-10000", "%F0%9F%8D%AA", "1700000000000-x"];
    let huge = "9".repeat(4000);
    let cursors = tampered.iter().map(String::as_str).chain(nonsense).chain([huge.as_str()]);
    for cursor in cursors {
        let detail = problem(gateway.get(&format!("/api/rooms?cursor={cursor}")).await, 400).await;
        assert_eq!(detail, "cursor must be one that a page gave", "{cursor}");
    }
    // None of that was held against the good one.
    gateway.json(&format!("/api/rooms?cursor={good}")).await;
}

#[tokio::test]
async fn a_directory_that_fails_or_hangs() {
    for how in [Away::Refusing, Away::Hanging] {
        let cluster = Cluster::new();
        let gateway = cluster.gateway_over(away(cluster.ports("gateway-1"), how), Health::new(), []);
        for path in ["/api/rooms", "/api/rooms/10000"] {
            let detail = problem(gateway.get(path).await, 503).await;
            assert_eq!(detail, "the rooms cannot be read at the moment: try again", "{path}");
        }
    }
}
