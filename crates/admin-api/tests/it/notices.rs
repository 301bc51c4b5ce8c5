//! `POST /admin/notices`.

use crate::support::{Cluster, body, problem};
use engine::control::Task;
use protocol::event::NoticeLevel;
use serde_json::{Value, json};

#[tokio::test]
async fn everybody_is_told_by_every_node() {
    let cluster = Cluster::new();
    let (one, _silent) = (cluster.node("node-1").await, cluster.node("silent").await);
    let api = cluster.admin(&[]).await;
    let sent = body(api.post("/admin/notices", json!({"text": "Back\nsoon", "level": "warning"})).await, 202).await;
    assert_eq!(sent, json!({"message": "The notice goes to everybody", "unconfirmed": ["silent"]}));
    let told = Task::Notice { text: "Back\nsoon".into(), level: NoticeLevel::Warning };
    assert_eq!(*one.tasks.lock().unwrap(), [told]);
    let entry = api.audit().await.swap_remove(0);
    assert_eq!((&entry["action"], &entry["target"]), (&json!("notice_send"), &json!("everybody")));
    assert_eq!((&entry["after"]["text"], &entry["outcome"]), (&json!("Back\nsoon"), &json!("unconfirmed")));
}

#[tokio::test]
async fn a_room_is_told_over_its_own_way() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea").await;
    node.ports.bus.subscribe(room).await.unwrap();
    let api = cluster.admin(&[]).await;
    let sent = body(api.post("/admin/notice", json!({"text": "Hush", "roomId": room})).await, 202).await;
    assert_eq!(sent, json!({"message": format!("The notice goes to room {room}"), "unconfirmed": []}));
    let heard = node.heard.lock().unwrap().clone();
    let event: Value = serde_json::from_slice(&heard[0]).unwrap();
    assert_eq!((&event["type"], heard.len()), (&json!("NOTICE"), 1));
    assert!(event.to_string().contains("Hush") && event.to_string().contains("info"), "{event}");
    assert_eq!(*node.tasks.lock().unwrap(), [Task::Hear], "whoever has heard this has heard that");
    problem(api.post("/admin/notices", json!({"text": "Hush", "roomId": 99_999})).await, 404).await;
}

#[tokio::test]
async fn what_is_no_notice_is_refused() {
    let api = Cluster::new().admin(&[]).await;
    for text in ["", "\0", "a\tb", "a\rb", "\u{7f}", "\u{85}", &"x".repeat(501)] {
        problem(api.post("/admin/notices", json!({"text": text})).await, 400).await;
        assert_eq!(api.audit().await[0]["outcome"], "refused", "{text:?}");
    }
    body(api.post("/admin/notices", json!({"text": "é".repeat(500)})).await, 202).await;
    for bad in [json!({}), json!({"text": 5}), json!({"text": "x", "level": "loud"}), json!({"text": "x", "roomId": 1})]
    {
        problem(api.post("/admin/notices", bad).await, 400).await;
    }
    problem(api.post("/admin/notices", json!({"text": "x".repeat(5000)})).await, 413).await;
}
