//! `POST`, `GET /admin/bans`, `DELETE /admin/bans/{id}`.

use crate::support::{Cluster, body, problem};
use engine::{BanList, control::Task, port::Table};
use protocol::CloseCode;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_client_is_out_at_once_and_listed_until_it_ends() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    cluster.room(&node, &zoe, "Tea").await;
    let api = cluster.admin(&[]).await;
    let made =
        body(api.post("/admin/bans", json!({"clientId": zoe.0, "reason": "spam", "seconds": 60})).await, 201).await;
    let id = made["banId"].as_str().unwrap();
    assert_eq!(
        made,
        json!({
            "banId": id, "clientId": zoe.0, "ip": null, "reason": "spam", "createdAt": 1_700_000_000_000_u64,
            "createdBy": "admin", "expiresAt": 1_700_000_060_000_u64, "totalRemoved": 1, "unconfirmed": [],
        })
    );
    assert!(id.starts_with("1700000000000-") && id.len() == 22, "{id}");
    let tasks = node.tasks.lock().unwrap().clone();
    assert!(tasks.contains(&Task::Bans));
    assert!(tasks.contains(&Task::Remove { client: zoe.0, code: CloseCode::Banned.get() }));
    problem(api.get(&format!("/admin/client/{}", zoe.0)).await, 404).await;
    let documents = cluster.ports("test").records.list(Table::Bans, None, 10).await.unwrap();
    assert!(
        BanList::from(&documents).hits(Some((zoe.0, protocol::Timestamp(0))), None, |_| false),
        "nodes read what was written"
    );

    assert_eq!(api.json("/admin/bans").await["bans"][0]["banId"], id);
    cluster.clock.advance(Duration::from_secs(60));
    assert_eq!(api.json("/admin/bans").await, json!({"bans": [], "cursor": null}));
    problem(api.delete(&format!("/admin/bans/{id}")).await, 404).await;
}

#[tokio::test]
async fn an_address_is_written_in_one_way_and_its_ban_can_be_lifted() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let api = cluster.admin(&[]).await;
    for (ip, written) in [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("203.0.113.99/24", "203.0.113.0/24"),
        ("2001:DB8:0::1/48", "2001:db8::/48"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
    ] {
        let made = body(api.post("/admin/ban", json!({"ip": ip, "reason": "flood"})).await, 201).await;
        assert_eq!((&made["ip"], &made["expiresAt"], &made["clientId"]), (&json!(written), &json!(null), &json!(null)));
        assert_eq!((&made["totalRemoved"], &made["unconfirmed"]), (&json!(1), &json!([])));
        cluster.clock.advance(Duration::from_millis(1));
    }
    assert_eq!(node.tasks.lock().unwrap().len(), 5);
    let first = api.json("/admin/bans?limit=2").await;
    let rest = api.json(&format!("/admin/bans?limit=3&cursor={}", first["cursor"].as_str().unwrap())).await;
    let all: Vec<_> = [&first, &rest].iter().flat_map(|page| page["bans"].as_array().unwrap().clone()).collect();
    assert_eq!((all.len(), &rest["cursor"]), (5, &json!(null)));

    for ban in &all {
        let id = ban["banId"].as_str().unwrap();
        assert_eq!(api.delete(&format!("/admin/bans/{id}?reason=sorry")).await.status(), 204);
        problem(api.delete(&format!("/admin/bans/{id}")).await, 404).await;
    }
    assert_eq!(node.tasks.lock().unwrap().len(), 10);
    let log = api.audit().await;
    assert_eq!((&log[1]["action"], &log[1]["reason"]), (&json!("ban_lift"), &json!("sorry")));
    assert_eq!((&log[1]["before"]["ip"], &log[1]["outcome"]), (&json!("203.0.113.9"), &json!("done")));
    let made = log.iter().find(|entry| entry["action"] == "ban_create").unwrap();
    assert_eq!((&made["target"], &made["reason"]), (&json!("address ::ffff:203.0.113.9"), &json!("flood")));
    assert_eq!(made["after"]["ban"]["ip"], "203.0.113.9");
}

#[tokio::test]
async fn a_node_that_does_not_say_so_is_named() {
    let cluster = Cluster::new();
    let (_node, _silent) = (cluster.node("node-1").await, cluster.node("silent").await);
    let api = cluster.admin(&[]).await;
    let made = body(api.post("/admin/bans", json!({"ip": "203.0.113.7", "reason": "flood"})).await, 201).await;
    assert_eq!((&made["totalRemoved"], &made["unconfirmed"]), (&json!(1), &json!(["silent"])));
    assert_eq!(api.audit().await[0]["outcome"], "unconfirmed");
}

#[tokio::test]
async fn what_is_no_ban_is_refused_and_written_down() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")]).await;
    let long = "x".repeat(501);
    for bad in [
        json!({"reason": "spam"}),
        json!({"clientId": 12345, "ip": "203.0.113.7", "reason": "spam"}),
        json!({"clientId": 12345, "reason": ""}),
        json!({"clientId": 12345, "reason": long}),
        json!({"clientId": 12345, "reason": "spam", "seconds": 0}),
        json!({"clientId": 12345, "reason": "spam", "seconds": 315_360_001}),
        json!({"clientId": 12345, "reason": "spam", "seconds": u64::MAX}),
        json!({"ip": "", "reason": "spam"}),
        json!({"ip": "host.example", "reason": "spam"}),
        json!({"ip": "203.0.113.7/33", "reason": "spam"}),
        json!({"ip": "203.0.113.7\u{0}", "reason": "spam"}),
        json!({"ip": long, "reason": "spam"}),
        json!({"ip": "203.0.0.0/15", "reason": "spam"}),
        json!({"ip": "0.0.0.0/0", "reason": "spam"}),
        json!({"ip": "2001:db8::/31", "reason": "spam"}),
        json!({"ip": "10.1.2.3", "reason": "spam"}),
        json!({"ip": "10.1.0.0/16", "reason": "spam", "confirm": true}),
        json!({"ip": "::ffff:192.0.2.1", "reason": "spam"}),
    ] {
        let detail = problem(api.post("/admin/bans", bad.clone()).await, 400).await;
        let entry = api.audit().await.swap_remove(0);
        assert_eq!((&entry["action"], &entry["outcome"]), (&json!("ban_create"), &json!("refused")), "{bad}");
        assert_eq!(entry["detail"], detail.as_str());
        problem(api.post("/admin/bans?dryRun=true", bad).await, 400).await;
    }
    for none in [
        json!({"clientId": 1, "reason": "spam"}),
        json!({"clientId": -5, "reason": "spam"}),
        json!({"clientId": "12345", "reason": "spam"}),
        json!({"clientId": 12345, "reason": "spam", "seconds": -1}),
        json!({"clientId": 12345, "reason": "spam", "seconds": 1.5}),
        json!({"clientId": 12345, "reason": "spam", "confirm": "yes"}),
        json!([]),
    ] {
        problem(api.post("/admin/bans", none).await, 400).await;
    }
    problem(api.post("/admin/bans?dryRun=maybe", json!({"clientId": 12345, "reason": "spam"})).await, 400).await;
    assert_eq!(api.json("/admin/bans").await["bans"], json!([]));
    let wide = json!({"ip": "203.0.0.0/15", "reason": "spam", "confirm": true});
    body(api.post("/admin/bans", wide).await, 201).await;
}

#[tokio::test]
async fn a_dry_run_says_whom_it_would_hit_and_does_nothing() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    for number in 0..700 {
        let ip = format!("203.0.{}.{}", 113 + number % 2, number % 250);
        cluster.client(&node, &format!("guest {number}"), &ip).await;
    }
    cluster.client(&node, "proxied", "203.0.113.200").await;
    let api = cluster.admin(&[("TRUSTED_PROXIES", "203.0.113.200")]).await;
    let preview = |ban: Value| {
        let api = &api;
        async move { body(api.post("/admin/bans?dryRun=true", ban).await, 200).await }
    };
    let hit = preview(json!({"ip": "203.0.113.0/24", "reason": "spam"})).await;
    assert!(hit["total"].as_u64().unwrap() >= 345 && hit["total"].as_u64().unwrap() <= 350, "{}", hit["total"]);
    assert_eq!((hit["clients"].as_array().unwrap().len(), &hit["complete"]), (100, &json!(true)));
    assert!(hit["clients"].as_array().unwrap().iter().all(|client| client["ip"] != "203.0.113.200"));
    let client = hit["clients"][0]["clientId"].clone();
    assert_eq!(preview(json!({"clientId": client, "reason": "spam"})).await["total"], 1);
    assert_eq!(preview(json!({"ip": "198.51.100.1", "reason": "spam"})).await["total"], 0);
    assert_eq!(api.json("/admin/bans").await["bans"], json!([]));
    assert!(node.tasks.lock().unwrap().is_empty());
}
