//! `GET /admin/client`, `GET` and `DELETE /admin/client/{id}`.

use crate::support::{Cluster, body, problem};
use engine::control::Task;
use protocol::CloseCode;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_thousand_are_paged_through_and_none_is_missed() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let mut made = Vec::new();
    for number in 0..1000 {
        made.push(cluster.client(&node, &format!("guest {number}"), "203.0.113.7").await.0);
    }
    made.sort();
    let api = cluster.admin(&[]).await;
    for limit in [1000 / 7, 500, 499] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = api.json(&format!("/admin/clients?limit={limit}&cursor={cursor}")).await;
            assert_eq!(page["total"], 1000);
            assert_eq!(page["clientIds"].as_array().unwrap().len(), page["clients"].as_array().unwrap().len());
            seen.extend(page["clientIds"].as_array().unwrap().clone());
            match page["cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(json!(seen), json!(made), "{limit}");
    }
    assert_eq!(api.json("/admin/client").await["clients"].as_array().unwrap().len(), 50);
    // A cursor is one list's.
    let cursor = api.json("/admin/client?limit=1").await["cursor"].as_str().unwrap().to_owned();
    problem(api.get(&format!("/admin/room?cursor={cursor}")).await, 400).await;
    problem(api.get(&format!("/admin/client?cursor=1{cursor}")).await, 400).await;
}

#[tokio::test]
async fn they_are_found_by_id_name_and_address() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let (zoe, _) = cluster.client(&node, "Zoë Tea", "203.0.113.7").await;
    let (max, _) = cluster.client(&node, "Max", "2001:db8::5").await;
    for number in 0..600 {
        cluster.client(&node, &format!("guest {number}"), "198.51.100.1").await;
    }
    let api = cluster.admin(&[]).await;
    for (query, found) in [
        (zoe.to_string(), vec![zoe]),
        ("zOË".to_owned(), vec![zoe]),
        ("tea".to_owned(), vec![zoe]),
        ("203.0.113.7".to_owned(), vec![zoe]),
        ("203.0.113.0/24".to_owned(), vec![zoe]),
        ("2001:DB8::/32".to_owned(), vec![max]),
        ("nobody".to_owned(), vec![]),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = api.json(&format!("/admin/client?query={query}&cursor={cursor}")).await;
            seen.extend(page["clientIds"].as_array().unwrap().clone());
            match page["cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(json!(seen), json!(found), "{query}");
    }
}

#[tokio::test]
async fn one_with_what_its_node_knows() {
    let cluster = Cluster::new();
    let (node, silent) = (cluster.node("node-1").await, cluster.node("silent").await);
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea").await;
    let api = cluster.admin(&[]).await;
    let id = zoe.0;
    let detail = api.json(&format!("/admin/client/{id}")).await;
    assert_eq!(
        detail,
        json!({
            "clientId": id, "username": "Zoë", "nodeId": "node-1", "roomId": room, "roomIds": [room],
            "connectedAt": 1_700_000_000_000_u64, "ip": "203.0.113.7", "lastSeenAt": 1_700_000_000_001_u64,
            "messagesSent": 7,
        })
    );
    let (max, _) = cluster.client(&silent, "Max", "203.0.113.8").await;
    let detail = api.json(&format!("/admin/clients/{max}")).await;
    assert_eq!((&detail["lastSeenAt"], &detail["messagesSent"]), (&json!(null), &json!(null)));
    assert_eq!((&detail["roomId"], &detail["roomIds"]), (&json!(null), &json!([])));
}

#[tokio::test]
async fn one_that_is_removed_leaves_its_rooms_and_its_node_closes_it() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea").await;
    let api = cluster.admin(&[]).await;
    let id = zoe.0;
    let removed = body(api.delete(&format!("/admin/client/{id}?reason=spam")).await, 200).await;
    assert_eq!(removed, json!({"totalRemoved": 1, "message": format!("Client {id} was removed"), "unconfirmed": []}));
    assert_eq!(*node.tasks.lock().unwrap(), [Task::Remove { client: id, code: CloseCode::Removed.get() }]);
    problem(api.get(&format!("/admin/client/{id}")).await, 404).await;
    problem(api.get(&format!("/admin/room/{room}")).await, 404).await;
    problem(api.delete(&format!("/admin/client/{id}")).await, 404).await;

    let log = api.audit().await;
    assert_eq!((&log[0]["outcome"], &log[0]["action"]), (&json!("refused"), &json!("client_remove")));
    let entry = &log[1];
    assert_eq!(entry["target"], format!("client {id}"));
    assert_eq!(
        (&entry["reason"], &entry["outcome"], &entry["actor"]),
        (&json!("spam"), &json!("done"), &json!("admin"))
    );
    assert_eq!((&entry["before"]["username"], &entry["before"]["ip"]), (&json!("Zoë"), &json!("203.0.113.7")));
    assert_eq!(entry["after"]["left"], json!([room]));
}

#[tokio::test]
async fn a_node_that_does_not_say_so_is_named() {
    let cluster = Cluster::new();
    let silent = cluster.node("silent").await;
    let (id, _) = cluster.client(&silent, "Max", "203.0.113.8").await;
    let api = cluster.admin(&[]).await;
    let removed = body(api.delete(&format!("/admin/client/{id}")).await, 200).await;
    assert_eq!((&removed["totalRemoved"], &removed["unconfirmed"]), (&json!(1), &json!(["silent"])));
    assert_eq!(api.audit().await[0]["outcome"], "unconfirmed");
}

#[tokio::test]
async fn one_within_its_grace_is_there_and_can_be_removed() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let (id, attachment) = cluster.client(&node, "Zoë", "203.0.113.7").await;
    cluster.room(&node, &(id, attachment.clone()), "Tea").await;
    node.ports.directory.detach(id, &attachment, Duration::from_secs(3600)).await.unwrap();
    let api = cluster.admin(&[]).await;
    assert_eq!(api.json(&format!("/admin/client/{id}")).await["nodeId"], json!(null));
    let removed = body(api.delete(&format!("/admin/client/{id}")).await, 200).await;
    assert_eq!((&removed["totalRemoved"], &removed["unconfirmed"]), (&json!(1), &json!([])));
}
