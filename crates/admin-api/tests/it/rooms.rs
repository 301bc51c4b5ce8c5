//! `GET /admin/room`, `GET` and `DELETE /admin/room/{id}`.

use crate::support::{Api, Cluster, body, problem};
use engine::port::Post;
use serde_json::{Value, json};
use std::time::Duration;

async fn all(api: &Api, query: &str) -> Vec<Value> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.json(&format!("/admin/rooms?{query}&cursor={cursor}")).await;
        assert_eq!(page["roomIds"].as_array().unwrap().len(), page["rooms"].as_array().unwrap().len());
        seen.extend(page["roomIds"].as_array().unwrap().clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn they_are_paged_through_newest_first_and_found() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let maker = cluster.client(&node, "Maker", "203.0.113.7").await;
    let mut made = Vec::new();
    for number in 0..250 {
        made.push(cluster.room(&node, &maker, &format!("Tea {number}")).await);
        cluster.clock.advance(Duration::from_millis(1));
    }
    made.reverse();
    let api = cluster.admin(&[]).await;
    for limit in [1, 7, 100, 101, 250, 500] {
        if limit > 1 {
            assert_eq!(json!(all(&api, &format!("limit={limit}")).await), json!(made), "{limit}");
        }
        // Those with a 9: 9, 19 … 249, and 90 to 99, 190 to 199.
        let found = all(&api, &format!("limit={limit}&query=9")).await;
        let nines: Vec<_> = made
            .iter()
            .enumerate()
            .filter(|(index, id)| (249 - index).to_string().contains('9') || id.to_string().starts_with('9'))
            .map(|(_, id)| id)
            .collect();
        assert_eq!(json!(found), json!(nines), "{limit}");
    }
    assert_eq!(all(&api, "query=tEA%2017&limit=500").await.len(), 11);
    assert_eq!(json!(all(&api, &format!("query={}", made[3])).await), json!([made[3]]));
    let page = api.json("/admin/room?limit=500").await;
    assert_eq!((&page["total"], &page["rooms"][0]["seq"]), (&json!(250), &json!(0)));
    assert_eq!(page["rooms"][0]["memberCount"], 1);
}

#[tokio::test]
async fn one_with_its_people_and_its_timeline() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea & biscuits").await;
    for number in 0..3_u128 {
        let id = uuid::Uuid::from_u128(number).to_string();
        let id = serde_json::from_value(json!(id)).unwrap();
        let post = Post {
            room,
            client: zoe.0,
            id,
            payload: "{}".into(),
            window: None,
            key: None,
            amendment: None,
            trace: None,
        };
        node.ports.bus.append(post).await.unwrap();
    }
    let api = cluster.admin(&[]).await;
    let detail = api.json(&format!("/admin/room/{room}")).await;
    let people = json!([{"clientId": zoe.0, "username": "Zoë"}]);
    assert!(detail["epoch"].is_string());
    assert_eq!(
        detail,
        json!({
            "roomId": room, "name": "Tea & biscuits", "ownerId": zoe.0, "createdAt": 1_700_000_000_000_u64,
            "memberCount": 1, "members": people, "messageCount": 3, "seq": 3, "epoch": detail["epoch"],
            "participantCount": 1, "participants": people,
        })
    );
    assert_eq!(api.json("/admin/room").await["rooms"][0]["seq"], 3);
}

#[tokio::test]
async fn one_that_is_deleted_is_gone() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea").await;
    let api = cluster.admin(&[]).await;
    let removed = body(api.delete(&format!("/admin/rooms/{room}?reason=off-topic")).await, 200).await;
    assert_eq!(
        removed,
        json!({"totalRemoved": 1, "message": format!("Room {room} was deleted with 1 member in it"), "unconfirmed": []})
    );
    problem(api.get(&format!("/admin/room/{room}")).await, 404).await;
    problem(api.delete(&format!("/admin/room/{room}")).await, 404).await;
    assert_eq!(api.json(&format!("/admin/client/{}", zoe.0)).await["roomIds"], json!([]));

    let log = api.audit().await;
    assert_eq!(log[0]["outcome"], "refused");
    assert_eq!((&log[1]["action"], &log[1]["reason"]), (&json!("room_delete"), &json!("off-topic")));
    assert_eq!((&log[1]["before"]["name"], &log[1]["after"]), (&json!("Tea"), &json!(null)));
}
