//! What all processes write while people talk and an operator acts: lines that a collector can read, and nothing that is
//! nobody else's business.

use crate::{
    promises::node,
    support::{
        PATIENCE, eventually,
        http::{Response, parse, request},
        programs::options,
        site,
    },
};
use client::{Client, ConnectOptions};
use cluster::{Cluster, Programs, Signal};
use protocol::{Seq, event::NewMessage};
use serde_json::{Value, json};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    time::timeout,
};

const PASSWORD: &str = "an admin's password 90125";
const BODY: &str = "a body that is nobody's business 4711";
const NAME: &str = "Xanthippe8153";
const RENAMED: &str = "Hypatia2718";
const NOTICE: &str = "a notice for those here 1618";
const QUERY: &str = "a-query-with-a-token-31415";
/// Of somebody whom a node is told of by its proxy, and of somebody whom nginx sees.
const FAR: &str = "203.0.113.77";
const NEAR: Ipv4Addr = Ipv4Addr::new(127, 9, 8, 7);

/// Asks from an address of its own.
async fn from_near(site: SocketAddr, line: &str, lines: &[&str]) -> Response {
    let exchange = async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((NEAR, 0))).unwrap();
        let mut stream = socket.connect(site).await.unwrap();
        let head = format!("{line} HTTP/1.1\r\nhost: {site}\r\nconnection: close\r\n{}\r\n\r\n", lines.join("\r\n"));
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    parse(&timeout(PATIENCE, exchange).await.expect("no answer in time"))
}

/// What is written in the directory, by file.
fn logs(dir: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

fn lines(logs: &[(String, String)], of: &str) -> Vec<Value> {
    let (_, text) = logs.iter().find(|(name, _)| name == of).unwrap_or_else(|| panic!("no {of}"));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{of}: {e}: {line}"))).collect()
}

#[tokio::test]
async fn every_line_can_be_read_and_none_tells_what_is_nobodys_business() {
    let (mut options, dir) = options(2);
    // An empty one is unset, whatever the environment of the tests has.
    let env = [("LOG_FORMAT", "json"), ("LOG_LEVEL", "trace"), ("LOG_ADDRESSES", ""), ("ADMIN_PASS", PASSWORD)];
    options.env.extend(env.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let mut cluster = Cluster::start(options, &mut |_| {}).await.unwrap();
    let dir = dir.path().join("run");
    let at: SocketAddr = cluster.url().trim_start_matches("http://").parse().unwrap();

    // A conversation across both nodes.
    let far = || ConnectOptions::new().header("x-forwarded-for", FAR);
    let url = format!("{}?{QUERY}", node(&mut cluster, 0));
    let mut one = Client::connect(&url, far().username(NAME).header("x-request-id", "of-one")).await.unwrap();
    let mut two = Client::connect(&node(&mut cluster, 1), ConnectOptions::new()).await.unwrap();
    let session = one.connected.session.clone();
    let room = one.create_room("Tea").await.unwrap().room.room_id;
    two.join(room).await.unwrap();
    one.say(BODY).await.unwrap();
    two.expect(|message: &NewMessage| message.seq == Seq::new(1)).await.unwrap();
    one.rename(RENAMED).await.unwrap();

    // An operator, from right to wrong.
    let json = "content-type: application/json";
    let login = |password: &str| json!({"username": "admin", "password": password}).to_string();
    let refused = request(at, "POST", "/admin/login", &[json], login("a wrong one 60221").as_bytes()).await;
    assert_eq!(refused.status, 401);
    let answer = request(at, "POST", "/admin/login", &[json], login(PASSWORD).as_bytes()).await.json();
    let token = answer["token"].as_str().unwrap().to_owned();
    let bearer = format!("authorization: Bearer {token}");
    let notice = json!({"text": NOTICE, "level": "info", "reason": "a test"}).to_string();
    request(at, "POST", "/admin/notices", &[json, &bearer], notice.as_bytes()).await;
    let ban = json!({"ip": FAR, "reason": "a test", "ttl": "1h"}).to_string();
    request(at, "POST", "/admin/bans", &[json, &bearer], ban.as_bytes()).await;

    // Through nginx; also to who is not there any more.
    let rooms = from_near(at, &format!("GET /api/rooms?{QUERY}"), &["x-request-id: of-near"]).await;
    assert_eq!(rooms.status, 200);
    let unknown = from_near(at, &format!("GET /api/nothing-here?{QUERY}"), &[&bearer]).await;
    assert_eq!(unknown.status, 404);
    for index in 0..2 {
        cluster.node(index).signal(Signal::KILL);
        cluster.node(index).wait(PATIENCE).await;
    }
    let upgrade = ["upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="];
    assert_eq!(from_near(at, &format!("GET /ws?{QUERY}"), &upgrade).await.status, 503);

    // And once more without a store.
    cluster.node(0).start().await.unwrap();
    cluster.node(0).ready(PATIENCE).await.unwrap();
    let mut one =
        Client::connect(&node(&mut cluster, 0), ConnectOptions::new().session(session.clone())).await.unwrap();
    one.create_room("Tea").await.unwrap();
    cluster.redis().signal(Signal::KILL);
    cluster.redis().wait(PATIENCE).await;
    assert!(one.say(BODY).await.is_err());
    drop(one);
    eventually("all is written", async || {
        let logs = logs(&dir);
        let is_near = |line: &Value| line["path"] == "/ws" && line["status"] == "503";
        lines(&logs, "nginx-access.log").iter().any(is_near)
            && lines(&logs, "chat-node-1.log").iter().any(|line| line["message"] == "closed")
    })
    .await;

    let logs = logs(&dir);
    assert!(logs.len() >= 7, "{:?}", logs.iter().map(|(name, _)| name).collect::<Vec<_>>());
    let near = NEAR.to_string();
    let secrets = [PASSWORD, "60221", BODY, NAME, RENAMED, NOTICE, QUERY, FAR, &near, &session, &token];
    for (name, text) in &logs {
        for secret in secrets {
            let told = text.lines().find(|line| line.contains(secret));
            assert!(told.is_none(), "{name} tells {secret:?}: {told:?}");
        }
    }

    for (service, of) in
        [("chat-node", "chat-node-1"), ("chat-node", "chat-node-2"), ("gateway", "gateway"), ("admin-api", "admin-api")]
    {
        let lines = lines(&logs, &format!("{of}.log"));
        assert!(lines.len() > 2, "{of}: {lines:?}");
        for line in lines {
            let fields = line.as_object().unwrap();
            let flat = fields.values().all(|value| !value.is_object() && !value.is_array());
            let named = ["timestamp", "level", "target", "message"].iter().all(|name| line[name].is_string());
            assert!(flat && named && line["service"] == service && line["nodeId"] == of, "{line}");
            let is_request = line["target"] == "runtime::http::observe";
            assert!(!is_request || line["requestId"].is_string(), "{line}");
        }
    }
    let told = |of: &str, what: &str| {
        let told = lines(&logs, of).into_iter().filter(|line| line["message"] == what).collect::<Vec<_>>();
        assert!(!told.is_empty(), "{of} has no line {what:?}");
        told
    };
    // From nginx to the service by the request's name, and from there to all that a connection does by its own.
    assert!(
        told("gateway.log", "request")
            .iter()
            .any(|line| line["requestId"] == "of-near" && line["path"] == "/api/rooms")
    );
    let nginx = lines(&logs, "nginx-access.log");
    assert!(nginx.iter().any(|line| line["requestId"] == "of-near" && line["client"] == "127.9.8.0/24"), "{nginx:?}");
    let opened = told("chat-node-1.log", "opened");
    let of_one = opened.iter().find(|line| line["requestId"] == "of-one").unwrap();
    assert_eq!(of_one["address"], "203.0.113.0/24");
    assert!(of_one["connection"].as_str().is_some_and(|id| !id.is_empty()));
    for what in ["closed", "a command could not be carried out"] {
        let told = told("chat-node-1.log", what);
        let known = |line: &Value| opened.iter().any(|opened| opened["connection"] == line["connection"]);
        assert!(told.iter().all(known), "{told:?}");
    }
}

/// The map of nginx's configuration by itself, with the address from the query in place of the peer's.
#[tokio::test]
async fn nginx_shortens_addresses_as_the_services_do() {
    let template = include_str!("../../../../nginx/nginx.conf.template");
    let begin = template.find("map \"${LOG_ADDRESSES} ").unwrap();
    let map = &template[begin..begin + template[begin..].find("\n    }").unwrap() + 6];
    let map = map.replace("$remote_addr", "$arg_a").replace("${LOG_ADDRESSES}", "$arg_how");
    let dir = tempfile::tempdir().unwrap();
    let (root, port) = (dir.path().canonicalize().unwrap(), cluster::Port::any().unwrap());
    let (root, listen) = (root.display(), SocketAddr::from((Ipv4Addr::LOCALHOST, port.number())));
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path \"{root}/{name}\";"))
        .concat();
    let conf = format!(
        "daemon off; master_process off; pid \"{root}/pid\"; error_log stderr crit; events {{}}\n\
         http {{ access_log off; {temporary} {map}\nserver {{ listen {listen}; location / {{ return 200 $logged_address; }} }} }}"
    );
    let file = dir.path().join("nginx.conf");
    fs::write(&file, conf).unwrap();
    let nginx = Programs::find().unwrap().nginx;
    let mut nginx = Command::new(nginx).arg("-c").arg(&file).args(["-e", "stderr"]).spawn().unwrap();
    eventually("it listens", async || tokio::net::TcpStream::connect(listen).await.is_ok()).await;
    let mut seen = Vec::new();
    let cases = [
        ("short", "203.0.113.77", "203.0.113.0/24"),
        ("short", "::ffff:203.0.113.77", "203.0.113.0/24"),
        ("short", "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("short", "2001:db8:1::6", "2001:db8:1::/48"),
        ("short", "2001:db8::6", "2001:db8::/48"),
        ("short", "2001::6", "2001::/48"),
        ("short", "::1", "::/48"),
        ("short", "unix:", "-"),
        ("", "203.0.113.77", "203.0.113.0/24"),
        ("ful", "203.0.113.77", "203.0.113.0/24"),
        ("full", "2001:db8::6", "2001:db8::6"),
        ("off", "203.0.113.77", "-"),
    ];
    for (how, address, _) in cases {
        let answer = request(listen, "GET", &format!("/?how={how}&a={address}"), &[], b"").await;
        seen.push((how, address, String::from_utf8(answer.body).unwrap()));
    }
    nginx.kill().unwrap();
    nginx.wait().unwrap();
    assert_eq!(seen, cases.map(|(how, address, short)| (how, address, short.to_owned())));
}

#[tokio::test]
async fn nginx_is_told_how_to_log_addresses() {
    for (how, logged) in [("full", "127.0.0.1"), ("off", "-")] {
        let nginx = site::Nginx::start(|site| site.log_addresses = how.into()).await;
        request(nginx.address(), "GET", "/", &[], b"").await;
        eventually("it is in the log", async || {
            let log = fs::read_to_string(&nginx.site.access_log).unwrap();
            log.lines().any(|line| serde_json::from_str::<Value>(line).unwrap()["client"] == logged)
        })
        .await;
    }
}
