//! Every path and method that is not one, and ids that are none.

use crate::support::{Cluster, problem};
use reqwest::Method;

#[tokio::test]
async fn unknown_paths() {
    let api = Cluster::new().admin(&[]).await;
    for path in [
        "/admin",
        "/admin/",
        "/admin/nothing",
        "/admin/client/12345/x",
        "/admin/servers/node-1",
        "/admin/login/",
        "/admin/room/",
        "/administration",
        "/",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            problem(api.request(method, path).send().await.unwrap(), 404).await;
        }
    }
    for target in ["/admin/../admin/nothing", "//admin/stats", "/admin//stats", "/admin/stats%00", "/admin/%ff"] {
        let answer = api.raw(format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{target}: {answer}");
    }
}

#[tokio::test]
async fn wrong_methods() {
    let api = Cluster::new().admin(&[]).await;
    for (path, allow) in [
        ("/admin/login", "POST"),
        ("/admin/logout", "POST"),
        ("/admin/password", "POST"),
        ("/admin/servers", "GET, HEAD"),
        ("/admin/servers/node-1/drain", "POST"),
        ("/admin/client", "GET, HEAD"),
        ("/admin/clients/12345", "GET, HEAD, DELETE"),
        ("/admin/rooms", "GET, HEAD"),
        ("/admin/room/12345", "GET, HEAD, DELETE"),
        ("/admin/room/12345/messages", "GET, HEAD"),
        ("/admin/rooms/12345/message/7", "DELETE"),
        ("/admin/bans", "GET, HEAD, POST"),
        ("/admin/bans/1700000000000-00000000", "DELETE"),
        ("/admin/notices", "POST"),
        ("/admin/audit", "GET, HEAD"),
        ("/admin/stats", "GET, HEAD"),
        ("/admin/limits", "GET, HEAD"),
        ("/admin/live", "GET, HEAD"),
    ] {
        for method in [Method::PUT, Method::PATCH, Method::OPTIONS] {
            let response = api.request(method, path).send().await.unwrap();
            assert_eq!(response.headers()["allow"], allow, "{path}");
            problem(response, 405).await;
        }
    }
}

#[tokio::test]
async fn ids_that_are_none_name_nothing() {
    let cluster = Cluster::new();
    let api = cluster.admin(&[]).await;
    for id in [
        "0",
        "1",
        "9999",
        "-1",
        "-12345",
        "+12345x",
        "1000000000",
        "99999999999999999999999999",
        "12345.0",
        "1e5",
        "abc",
        "%00",
        "%20",
        "%ff",
        "12345%00",
        "%F0%9F%8D%AA",
        "..",
        "a%2Fb",
        "null",
    ] {
        for path in ["client", "clients", "room", "rooms"] {
            problem(api.get(&format!("/admin/{path}/{id}")).await, 404).await;
            problem(api.delete(&format!("/admin/{path}/{id}")).await, 404).await;
        }
        problem(api.get(&format!("/admin/room/{id}/messages")).await, 404).await;
        problem(api.delete(&format!("/admin/rooms/{id}/message/1")).await, 404).await;
        problem(api.delete(&format!("/admin/room/12345/messages/{id}")).await, 404).await;
        problem(api.delete(&format!("/admin/bans/{id}")).await, 404).await;
        problem(api.send(Method::POST, &format!("/admin/servers/{id}/drain"), None).await, 404).await;
    }
    problem(api.delete(&format!("/admin/bans/{}", "0".repeat(5000))).await, 404).await;
    problem(api.get(&format!("/admin/client/{}", "1".repeat(5000))).await, 404).await;
}

#[tokio::test]
async fn queries_that_cannot_be_read() {
    let api = Cluster::new().admin(&[]).await;
    let long = "x".repeat(501);
    for path in ["/admin/client", "/admin/room", "/admin/bans", "/admin/audit"] {
        for query in [
            "limit=0",
            "limit=501",
            "limit=-1",
            "limit=x",
            "limit=1&limit=2",
            "limit=99999999999999999999",
            "cursor=x",
            "cursor=12345",
            "cursor=%00",
            "cursor=%F0%9F%8D%AA.x",
        ] {
            problem(api.get(&format!("{path}?{query}")).await, 400).await;
        }
        assert_eq!(api.get(&format!("{path}?limit=&cursor=&unknown=%00")).await.status(), 200);
    }
    for path in [
        format!("/admin/client?query={long}"),
        format!("/admin/room?query={long}"),
        format!("/admin/audit?actor={long}"),
        "/admin/audit?action=nothing".to_owned(),
        "/admin/audit?outcome=1".to_owned(),
        "/admin/audit?from=-1".to_owned(),
        "/admin/audit?to=1.5".to_owned(),
        "/admin/audit?to=99999999999999999999999".to_owned(),
        "/admin/audit?format=xml".to_owned(),
    ] {
        problem(api.get(&path).await, 400).await;
    }
    problem(api.delete(&format!("/admin/client/12345?reason={long}")).await, 400).await;
    for query in ["%00", "%ff", "%F0%9F%8D%AA", "%22%27%3B--", "1.2.3.4%2F99"] {
        for path in ["/admin/client", "/admin/room"] {
            assert_eq!(api.get(&format!("{path}?query={query}")).await.status(), 200);
        }
    }
}
