//! The admin API of a cluster of real processes: three chat-nodes, two replicas of the admin API, nginx in front. What an
//! admin does, clients see within a second, whichever node they are on, and whichever replica was asked.

use crate::{
    promises::{node, site},
    support::{
        eventually,
        http::{Response, get, request},
        programs::options,
    },
};
use client::{Client, ClientError, ConnectOptions};
use cluster::Cluster;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::event::{Notice, Reconnect, UserEvent};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio_tungstenite::{connect_async, tungstenite::Message};

const SECOND: Duration = Duration::from_secs(1);
const PASSWORD: &str = "a password of the tests";

pub struct Admin {
    /// Through nginx, and each replica by itself.
    pub site: SocketAddr,
    pub replicas: Vec<SocketAddr>,
    pub token: String,
}

pub async fn start(env: &[(&str, &str)]) -> (Cluster, Admin, tempfile::TempDir) {
    let (mut options, dir) = options(3);
    options.admin_apis = 2;
    let own = [("ADMIN_PASS", PASSWORD), ("LIMIT_ADMIN_LOGIN_CLUSTER", "off")];
    options.env.extend(own.iter().chain(env).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut cluster = Cluster::start(options, &mut |_| {}).await.unwrap();
    let site = cluster.url().trim_start_matches("http://").parse().unwrap();
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let replicas: Vec<_> = cluster.admin_apis().iter().map(|process| local(process.port())).collect();
    assert_eq!(replicas.len(), 2);
    let mut admin = Admin { site, replicas, token: String::new() };
    admin.token = admin.login(admin.site, PASSWORD).await.json()["token"].as_str().unwrap().to_owned();
    (cluster, admin, dir)
}

impl Admin {
    async fn login(&self, at: SocketAddr, password: &str) -> Response {
        let body = json!({"username": "admin", "password": password}).to_string();
        request(at, "POST", "/admin/login", &["content-type: application/json"], body.as_bytes()).await
    }

    async fn call_at(&self, at: SocketAddr, method: &str, path: &str, body: Option<Value>) -> Response {
        let token = format!("authorization: Bearer {}", self.token);
        let lines = [token.as_str(), "content-type: application/json"];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        request(at, method, path, &lines, body.as_bytes()).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        self.call_at(self.site, method, path, body).await
    }

    /// The body of a call that succeeds.
    pub async fn get(&self, path: &str) -> Value {
        let response = self.call("GET", path, None).await;
        assert_eq!(response.status, 200, "{path}: {response:?}");
        response.json()
    }

    async fn audit(&self) -> Vec<(String, String, String)> {
        let page = self.get("/admin/audit?limit=100").await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = page["entries"].as_array().unwrap().iter();
        entries.map(|e| (text(&e["action"]), text(&e["target"]), text(&e["outcome"]))).collect()
    }
}

/// One on each node, in one room.
async fn people(cluster: &mut Cluster) -> (Vec<Client>, u32) {
    let mut people = Vec::new();
    for n in 0..3 {
        people.push(Client::connect(&node(cluster, n), ConnectOptions::new()).await.unwrap());
    }
    let room = people[0].create_room("Tea").await.unwrap().room.room_id;
    for person in &mut people[1..] {
        person.join(room).await.unwrap();
    }
    (people, room.get())
}

async fn closed(client: &mut Client) -> u16 {
    client.closed(5 * SECOND).await.unwrap().0
}

fn within_a_second(since: Instant, what: &str) {
    assert!(since.elapsed() < SECOND, "{what} took {:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_there_is_is_listed_and_described() {
    let (mut cluster, admin, _dir) = start(&[]).await;
    let (mut people, room) = people(&mut cluster).await;
    for text in ["one", "two", "three"] {
        people[1].say(text).await.unwrap();
    }
    let ids: Vec<_> = people.iter().map(|person| person.connected.client_id.get()).collect();
    let (mut sorted, someone) = (ids.clone(), ids[1]);
    sorted.sort_unstable();

    for path in ["/admin/client", "/admin/clients"] {
        let page = admin.get(path).await;
        assert_eq!((&page["clientIds"], &page["total"], &page["cursor"]), (&json!(sorted), &json!(3), &Value::Null));
    }
    let first = admin.get("/admin/client?limit=2").await;
    assert_eq!(first["clientIds"], json!(sorted[..2]));
    let second = admin.get(&format!("/admin/client?limit=2&cursor={}", first["cursor"].as_str().unwrap())).await;
    assert_eq!((&second["clientIds"], &second["cursor"]), (&json!(sorted[2..]), &Value::Null));

    let detail = admin.get(&format!("/admin/client/{someone}")).await;
    assert_eq!((&detail["clientId"], &detail["nodeId"]), (&json!(someone), &json!("chat-node-2")));
    assert_eq!((&detail["roomId"], &detail["messagesSent"]), (&json!(room), &json!(3)));
    assert_eq!((&detail["username"], &detail["ip"]), (&json!(format!("User {someone}")), &json!("127.0.0.1")));
    assert!(detail["connectedAt"].as_u64() <= detail["lastSeenAt"].as_u64(), "{detail}");

    for path in ["/admin/room", "/admin/rooms"] {
        let page = admin.get(path).await;
        assert_eq!((&page["roomIds"], &page["total"]), (&json!([room]), &json!(1)));
    }
    people[2].leave().await.unwrap();
    let detail = admin.get(&format!("/admin/room/{room}")).await;
    assert_eq!(
        (&detail["name"], &detail["memberCount"], &detail["ownerId"]),
        (&json!("Tea"), &json!(2), &json!(ids[0]))
    );
    assert_eq!((&detail["messageCount"], &detail["seq"]), (&json!(3), &json!(3)));
    let listed = |list: &Value| {
        let mut ids: Vec<_> = list.as_array().unwrap().iter().map(|m| m["clientId"].as_u64().unwrap() as u32).collect();
        ids.sort_unstable();
        ids
    };
    let mut members = ids[..2].to_vec();
    members.sort_unstable();
    assert_eq!((listed(&detail["members"]), listed(&detail["participants"])), (members, sorted));
    assert!(!detail["epoch"].as_str().unwrap().is_empty());

    for id in ["/admin/client/99999", "/admin/room/99999", "/admin/client/x", "/admin/nothing"] {
        admin.call("GET", id, None).await.assert_problem(404);
    }
    let wrong = admin.call("PUT", "/admin/servers", None).await;
    wrong.assert_problem(405);
    assert!(wrong.one("allow").contains("GET"));

    eventually("every node has said how it is", async || {
        let page = admin.get("/admin/servers").await;
        let servers = page["servers"].as_array().unwrap();
        servers.len() == 3 && servers.iter().map(|s| s["connections"].as_u64().unwrap()).sum::<u64>() == 3
    })
    .await;
    let page = admin.get("/admin/server").await;
    let server = &page["servers"][1];
    assert_eq!(
        (&server["nodeId"], &server["service"], &server["draining"]),
        (&json!("chat-node-2"), &json!("chat-node"), &json!(false))
    );
    let fields = ["host", "version", "startedAt", "lastSeenAt", "rooms", "messagesReceived", "messagesDelivered"];
    assert!(fields.iter().all(|field| !server[field].is_null()), "{server}");
    assert_eq!((&server["messagesReceived"], &server["slowConsumersClosed"]), (&json!(3), &json!(0)));
    let stats = admin.get("/admin/stats").await;
    assert_eq!(
        (&stats["now"]["connections"], &stats["now"]["rooms"], &stats["now"]["nodes"]),
        (&json!(3), &json!(1), &json!(3))
    );
    // Each node has measured the way to each other, itself included, as soon as it knew of it.
    eventually("every way is measured", async || {
        let page = admin.get("/admin/servers").await;
        page["servers"].as_array().unwrap().iter().all(|server| {
            let ways = server["canary"].as_array().unwrap();
            ways.len() == 3 && ways.iter().all(|way| way["deliveryMs"].is_number() && way["lost"] == false)
        })
    })
    .await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_and_rooms_are_removed_on_every_node_within_a_second() {
    let (mut cluster, admin, _dir) = start(&[]).await;
    let (mut people, room) = people(&mut cluster).await;
    let mut victim = people.remove(1);
    let id = victim.connected.client_id;
    let since = Instant::now();
    let removed = admin.call("DELETE", &format!("/admin/client/{}?reason=spam", id.get()), None).await;
    assert_eq!((removed.status, &removed.json()["totalRemoved"]), (200, &json!(1)), "{removed:?}");
    assert_eq!(removed.json()["unconfirmed"], json!([]));
    assert_eq!(closed(&mut victim).await, 4011);
    for person in &mut people {
        person.expect::<UserEvent>(|event| event.left == [id]).await.unwrap();
    }
    within_a_second(since, "removing a client");
    admin.call("DELETE", &format!("/admin/client/{}", id.get()), None).await.assert_problem(404);

    let since = Instant::now();
    let deleted = admin.call("DELETE", &format!("/admin/room/{room}"), None).await;
    assert_eq!((deleted.status, &deleted.json()["totalRemoved"]), (200, &json!(2)), "{deleted:?}");
    for person in &mut people {
        let left = person.expect::<protocol::event::RoomLeft>(|_| true).await.unwrap();
        assert_eq!(serde_json::to_value(left.reason).unwrap(), "room_deleted");
    }
    within_a_second(since, "deleting a room");
    admin.call("DELETE", &format!("/admin/room/{room}"), None).await.assert_problem(404);
    assert!(people[0].join(room.to_string().parse().unwrap()).await.is_err());
    people[0].create_room("Again").await.unwrap();

    let audit = admin.audit().await;
    let client = format!("client {}", id.get());
    let expected = [
        ("room_delete", format!("room {room}"), "refused"),
        ("room_delete", format!("room {room}"), "done"),
        ("client_remove", client.clone(), "refused"),
        ("client_remove", client, "done"),
    ];
    let expected = expected.map(|(action, target, outcome)| (action.to_owned(), target, outcome.to_owned()));
    assert_eq!(audit[..4], expected, "{audit:?}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bans_hold_on_every_node_until_they_are_lifted_or_over() {
    let (mut cluster, admin, _dir) = start(&[]).await;
    let (mut people, _) = people(&mut cluster).await;
    let id = people[2].connected.client_id.get();
    let ban = json!({"clientId": id, "reason": "spam"});
    let preview = admin.call("POST", "/admin/bans?dryRun=true", Some(ban.clone())).await;
    assert_eq!((preview.status, &preview.json()["total"]), (200, &json!(1)), "{preview:?}");
    assert_eq!(preview.json()["clients"][0]["clientId"], json!(id));
    people[2].ping().await.unwrap();

    let since = Instant::now();
    let made = admin.call("POST", "/admin/bans", Some(ban)).await;
    assert_eq!((made.status, &made.json()["unconfirmed"]), (201, &json!([])), "{made:?}");
    assert_eq!(closed(&mut people[2]).await, 4010);
    within_a_second(since, "banning a client");
    for n in 0..3 {
        let refused = Client::connect(&node(&mut cluster, n), people[2].again(None)).await;
        assert!(matches!(refused, Err(ClientError::Closed { code: 4010, .. })), "on node {n}");
    }
    let listed = admin.get("/admin/bans").await;
    assert_eq!((&listed["bans"][0]["clientId"], &listed["bans"][0]["createdBy"]), (&json!(id), &json!("admin")));
    let path = format!("/admin/bans/{}", made.json()["banId"].as_str().unwrap());
    assert_eq!(admin.call_at(admin.replicas[1], "DELETE", &path, None).await.status, 204);
    admin.call("DELETE", &path, None).await.assert_problem(404);
    Client::connect(&node(&mut cluster, 0), people[2].again(None)).await.unwrap();

    // A network, for two seconds.
    let from = |address: &str| ConnectOptions::new().header("x-forwarded-for", address);
    let mut hit = Client::connect(&node(&mut cluster, 1), from("203.0.113.9")).await.unwrap();
    let mut spared = Client::connect(&node(&mut cluster, 1), from("203.0.114.9")).await.unwrap();
    let network = json!({"ip": "203.0.113.0/24", "reason": "flood", "seconds": 2});
    let made = admin.call("POST", "/admin/bans", Some(network)).await;
    assert_eq!((made.status, &made.json()["totalRemoved"]), (201, &json!(1)), "{made:?}");
    assert_eq!(closed(&mut hit).await, 4010);
    spared.ping().await.unwrap();
    eventually("the ban is over", async || {
        let mut back = match Client::connect(&node(&mut cluster, 2), from("203.0.113.10")).await {
            Ok(back) => back,
            Err(ClientError::Closed { code: 4010, .. }) => return false,
            Err(e) => panic!("{e}"),
        };
        back.ping().await.is_ok()
    })
    .await;

    for bad in [
        json!({"ip": "0.0.0.0/0", "reason": "all"}),
        json!({"ip": "127.0.0.1", "reason": "the proxy"}),
        json!({"ip": "300.1.1.1", "reason": "no address"}),
        json!({"reason": "nobody"}),
        json!({"clientId": -1, "reason": "x"}),
        json!({"clientId": id, "reason": ""}),
        json!({"clientId": id, "reason": "x", "seconds": 0}),
    ] {
        admin.call("POST", "/admin/bans", Some(bad)).await.assert_problem(400);
    }
    // All but the proxy, through which everybody here comes.
    let all =
        admin.call("POST", "/admin/bans", Some(json!({"ip": "0.0.0.0/0", "reason": "all", "confirm": true}))).await;
    assert_eq!(all.status, 201);
    assert_eq!(closed(&mut spared).await, 4010);
    people[0].ping().await.unwrap();
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_and_drains_reach_clients_and_the_feed_shows_it() {
    let (mut cluster, admin, _dir) = start(&[("DRAIN_WINDOW", "1s")]).await;
    let (mut people, room) = people(&mut cluster).await;
    let mut elsewhere = Client::connect(&node(&mut cluster, 0), ConnectOptions::new()).await.unwrap();
    let since = Instant::now();
    let to_room = json!({"text": "tea is ready", "level": "info", "roomId": room});
    assert_eq!(admin.call("POST", "/admin/notices", Some(to_room)).await.status, 202);
    let to_all = json!({"text": "deploy at nine", "level": "warning"});
    assert_eq!(admin.call("POST", "/admin/notice", Some(to_all)).await.status, 202);
    for person in &mut people {
        let first = person.expect::<Notice>(|_| true).await.unwrap();
        let second = person.expect::<Notice>(|_| true).await.unwrap();
        assert_eq!([first.text, second.text], ["tea is ready", "deploy at nine"]);
    }
    assert_eq!(elsewhere.expect::<Notice>(|_| true).await.unwrap().text, "deploy at nine");
    within_a_second(since, "two notices");
    let nowhere = json!({"text": "x", "roomId": 99999});
    admin.call("POST", "/admin/notices", Some(nowhere)).await.assert_problem(404);

    // Through nginx, as the dashboard does it.
    let (mut feed, _) = connect_async(format!("ws://{}/admin/live", admin.site)).await.unwrap();
    feed.send(Message::text(json!({"token": admin.token}).to_string())).await.unwrap();
    let mut figures = async || loop {
        if let Message::Text(text) = feed.next().await.unwrap().unwrap() {
            return serde_json::from_str::<Value>(&text).unwrap();
        }
    };
    let first = figures().await;
    assert_eq!(first["servers"].as_array().unwrap().len(), 3, "{first}");

    let since = Instant::now();
    assert_eq!(admin.call("POST", "/admin/servers/chat-node-2/drain", None).await.status, 202);
    people[1].expect::<Reconnect>(|_| true).await.unwrap();
    within_a_second(since, "asking to reconnect");
    let drained = SocketAddr::from(([127, 0, 0, 1], cluster.node(1).port()));
    assert_eq!(get(drained, "/readyz", &[]).await.status, 503);
    let mut moved = Client::connect(&site(&cluster), people[1].again(None)).await.unwrap();
    assert_ne!(moved.connected.node_id.as_str(), "chat-node-2");
    moved.say("here again").await.unwrap();
    eventually("the feed shows the drain", async || {
        let now = figures().await;
        now["servers"].as_array().unwrap().iter().any(|s| s["nodeId"] == "chat-node-2" && s["draining"] == true)
    })
    .await;
    admin.call("POST", "/admin/servers/nobody/drain", None).await.assert_problem(404);

    let (mut stranger, _) = connect_async(format!("ws://{}/admin/live", admin.replicas[0])).await.unwrap();
    stranger.send(Message::text(r#"{"token":"x"}"#)).await.unwrap();
    let farewell = stranger.next().await.unwrap().unwrap();
    let Message::Close(Some(close)) = farewell else { panic!("{farewell:?}") };
    assert_eq!(u16::from(close.code), 1008);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_given_back_works_on_no_replica() {
    let (cluster, mut admin, _dir) = start(&[]).await;
    for at in [admin.site, admin.replicas[0], admin.replicas[1]] {
        assert_eq!(admin.call_at(at, "GET", "/admin/servers", None).await.status, 200);
        get(at, "/admin/servers", &[]).await.assert_problem(401);
    }
    assert_eq!(admin.call_at(admin.replicas[0], "POST", "/admin/logout", None).await.status, 204);
    for at in [admin.site, admin.replicas[0], admin.replicas[1]] {
        admin.call_at(at, "GET", "/admin/servers", None).await.assert_problem(401);
    }

    let wrong = admin.login(admin.replicas[0], "not it").await;
    wrong.assert_problem(401);
    let again = admin.login(admin.replicas[1], PASSWORD).await;
    assert_eq!(again.status, 200);
    admin.token = again.json()["token"].as_str().unwrap().to_owned();
    let change = json!({"password": PASSWORD, "newPassword": "another password of the tests"});
    assert_eq!(admin.call_at(admin.replicas[0], "POST", "/admin/password", Some(change)).await.status, 204);
    admin.call_at(admin.replicas[1], "GET", "/admin/servers", None).await.assert_problem(401);
    admin.login(admin.replicas[1], PASSWORD).await.assert_problem(401);
    let fresh = admin.login(admin.replicas[1], "another password of the tests").await;
    admin.token = fresh.json()["token"].as_str().unwrap().to_owned();
    // Whoever tries too often is refused, and shown.
    while admin.login(admin.replicas[0], "not it").await.status != 429 {}
    eventually("the refusal is shown", async || {
        let page = admin.get("/admin/limits").await;
        page["limited"].as_array().unwrap().iter().any(|limited| {
            (&limited["nodeId"], &limited["policy"], &limited["ip"])
                == (&json!("admin-api"), &json!("admin_login"), &json!("127.0.0.1"))
        })
    })
    .await;
    let audit = admin.audit().await;
    let refused = ("login".to_owned(), String::new(), "refused".to_owned());
    assert!(audit.iter().filter(|(action, _, outcome)| (action, outcome) == (&refused.0, &refused.2)).count() >= 3);
    assert!(audit.iter().any(|(action, _, outcome)| action == "password_change" && outcome == "done"), "{audit:?}");
    cluster.stop().await;
}
