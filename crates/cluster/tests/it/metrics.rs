//! What real processes export is what `docs/metrics.md` describes: no more, and no less.

use crate::{
    admin,
    promises::node,
    support::{eventually, http::get},
};
use client::{Client, ConnectOptions};
use protocol::{command::Resume, event::NewMessage};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

const DOCS: &str = include_str!("../../../../docs/metrics.md");

/// Which processes a table of the docs is of.
const TABLES: [(&str, &[&str]); 6] = [
    ("Every process", &["chat-node", "gateway", "admin-api"]),
    ("Every process that talks to Redis", &["chat-node", "gateway", "admin-api"]),
    ("The gateway", &["gateway"]),
    ("A chat-node", &["chat-node"]),
    ("Limits", &["chat-node", "gateway", "admin-api"]),
    ("The admin API", &["admin-api"]),
];

/// Names with their types and labels.
type Described = BTreeMap<String, (String, BTreeSet<String>)>;

fn documented(service: &str) -> Described {
    let mut described = Described::new();
    for section in DOCS.split("\n## ").skip(1) {
        let (title, body) = section.split_once('\n').unwrap();
        let table = TABLES.iter().find(|(name, _)| *name == title);
        let (_, services) = table.unwrap_or_else(|| panic!("{title:?}: whose is it?"));
        for row in body.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, kind, unit, labels, meaning, bad] = cells[..] else { panic!("six cells: {row}") };
            let name = name.trim_matches('`').to_owned();
            assert!(!unit.is_empty() && meaning.ends_with('.'), "{row}");
            assert!(bad.is_empty() || bad.ends_with('.'), "{row}");
            let labels = labels.split('·').map(str::trim).filter(|label| !label.is_empty());
            let labels = labels.map(|label| label.split_once("`:").unwrap().0.trim_matches('`').to_owned()).collect();
            if services.contains(&service) {
                assert!(described.insert(name, (kind.to_owned(), labels)).is_none(), "described twice: {row}");
            }
        }
    }
    described
}

/// What a process tells: names with types and labels, and each series with its value.
fn exported(text: &str) -> (Described, BTreeMap<String, f64>) {
    let (mut described, mut series) = (Described::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(described.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new())).is_none(), "twice: {line}");
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(series.insert(name.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
            let (base, labels) = name.split_once('{').unwrap_or((name, ""));
            let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| base.strip_suffix(end));
            let base =
                histogram.filter(|base| described.get(*base).is_some_and(|d| d.0 == "histogram")).unwrap_or(base);
            let labels = labels.trim_end_matches('}').split("\",").filter_map(|label| label.split_once('='));
            let labels = labels.map(|(name, _)| name.to_owned()).filter(|name| name != "le");
            described.get_mut(base).unwrap_or_else(|| panic!("no type: {line}")).1.extend(labels);
        }
    }
    (described, series)
}

async fn scrape(port: u16) -> (Described, BTreeMap<String, f64>) {
    let response = get(SocketAddr::from(([127, 0, 0, 1], port)), "/metrics", &[]).await;
    assert_eq!(response.status, 200);
    exported(&String::from_utf8(response.body).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_described_is_exported_and_the_other_way_round() {
    let (mut cluster, admin, _dir) = admin::start(&[]).await;
    let mut people = Vec::new();
    for n in [0, 1, 1] {
        people.push(Client::connect(&node(&mut cluster, n), ConnectOptions::new()).await.unwrap());
    }
    let joined = people[0].create_room("Tea").await.unwrap();
    for person in &mut people[1..] {
        person.join(joined.room.room_id).await.unwrap();
    }
    for text in ["one", "two", "three"] {
        people[0].say(text).await.unwrap();
    }
    for person in &mut people {
        person.expect::<NewMessage>(|message| message.seq.get() == 3).await.unwrap();
    }
    // One comes back elsewhere, having heard nothing yet.
    let resume = Resume { room_id: joined.room.room_id, epoch: joined.epoch.clone(), seq: joined.seq };
    let again = people[2].again(Some(resume));
    let _again = Client::connect(&node(&mut cluster, 2), again).await.unwrap();
    // A label is nobody's choice: neither a method nor a path becomes one.
    let gateway = cluster.gateway().port();
    let at = SocketAddr::from(([127, 0, 0, 1], gateway));
    for (method, path) in [("GET", "/api/rooms"), ("BREW", "/api/rooms"), ("GET", "/api/made-up"), ("BREW", "/made-up")]
    {
        crate::support::http::request(at, method, path, &[], b"").await;
    }
    admin.get("/admin/servers").await;

    let nodes: Vec<_> = (0..3).map(|n| cluster.node(n).port()).collect();
    let replicas: Vec<_> = admin.replicas.iter().map(SocketAddr::port).collect();
    let all = nodes.iter().map(|port| ("chat-node", *port));
    let all = all.chain([("gateway", gateway)]).chain(replicas.iter().map(|port| ("admin-api", *port)));
    for (service, port) in all {
        let wanted = documented(service);
        // Some is asked of Redis, or of other nodes, in the background.
        eventually(&format!("all of a {service} is there"), async || {
            scrape(port).await;
            scrape(port).await.0.keys().cloned().collect::<BTreeSet<_>>().is_superset(&wanted.keys().cloned().collect())
        })
        .await;
        let (described, series) = scrape(port).await;
        assert_eq!(described, wanted, "{service}");
        assert!(series.len() < 1200, "{service} has {} series", series.len());
        let strange = series.keys().find(|name| name.contains("made-up") || name.contains("BREW"));
        assert_eq!(strange, None, "{service}");
        for name in ["event_loop_lag_seconds_count", "redis_pubsub_lag_seconds_count"] {
            eventually(name, async || scrape(port).await.1[name] > 0.0).await;
        }
        assert_eq!(series[r#"redis_connected{connection="subscriber"}"#], 1.0, "{service}");
        assert_eq!(series[r#"redis_reconnects_total{connection="subscriber"}"#], 0.0, "{service}");
    }

    // Three messages, on the first node to one member and on the second to two.
    for (n, members) in [(0, 1.0), (1, 2.0)] {
        let port = nodes[n];
        eventually("all are delivered", async || {
            scrape(port).await.1["message_delivery_seconds_count"] == 3.0 * members
        })
        .await;
        let series = scrape(port).await.1;
        assert_eq!((series["message_fan_out_count"], series["message_fan_out_sum"]), (3.0, 3.0 * members));
        let mean = series["message_delivery_seconds_sum"] / series["message_delivery_seconds_count"];
        assert!(mean > 0.0 && mean < 5.0, "{mean} s");
    }
    let (first, third) = (scrape(nodes[0]).await.1, scrape(nodes[2]).await.1);
    assert_eq!(first["messages_received_total"], 3.0);
    assert_eq!(first["websocket_connects_total"], 1.0);
    assert_eq!(third[r#"resumes_total{outcome="recovered"}"#], 1.0);
    eventually("the gateway has counted", async || {
        let series = scrape(gateway).await.1;
        let counted = ["cluster_nodes", "cluster_rooms", "cluster_clients"].map(|name| series.get(name).copied());
        counted == [Some(3.0), Some(1.0), Some(3.0)]
    })
    .await;
    let series = scrape(gateway).await.1;
    assert_eq!((series["redis_server_up"], series["redis_server_aof_enabled"]), (1.0, 1.0));
    let sign_ins =
        replicas.iter().map(|port| async { scrape(*port).await.1[r#"admin_sign_ins_total{outcome="done"}"#] });
    assert_eq!(futures_util::future::join_all(sign_ins).await.iter().sum::<f64>(), 1.0);
    cluster.stop().await;
}
