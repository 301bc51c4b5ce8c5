//! What reaches the services, and what comes back.

use crate::support::{
    eventually,
    http::{Response, get, request},
    site::{Nginx, at},
    upstream::{Manner, Upstream},
};
use runtime::http::SECURITY_HEADERS;
use serde_json::Value;
use std::fs;

/// The value of a header as it reached the service.
fn reached(response: &Response, name: &str) -> Vec<String> {
    assert_eq!(response.status, 200, "{response:?}");
    let headers = response.json()["headers"].as_array().unwrap().clone();
    let values = headers.into_iter().filter(|pair| pair[0] == name);
    values.map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_a_client_forges_does_not_arrive() {
    let service = Upstream::start(Manner::Echo).await;
    let nginx = Nginx::start(|site| {
        site.gateway = at(&[&service]);
        site.chat_nodes = at(&[&service]);
        site.admin_api = Some(at(&[&service]));
    })
    .await;
    let forged = [
        "x-forwarded-for: 1.2.3.4",
        "X-FORWARDED-FOR: 5.6.7.8, 127.0.0.1",
        "x-forwarded-proto: https",
        "x-forwarded-host: evil.example",
        "forwarded: for=1.2.3.4",
        "x-real-ip: 1.2.3.4",
        "x_forwarded_for: 1.2.3.4",
        // Another protocol would be a tunnel past nginx.
        "upgrade: h2c",
        "http2-settings: AAMAAABkAARAAAAAAAIAAAAA",
    ];
    let site = nginx.address().to_string();
    for path in ["/api/x", "/api", "/ws", "/admin/x", "/admin/live"] {
        let response = get(nginx.address(), path, &forged).await;
        assert_eq!(reached(&response, "x-forwarded-for"), ["127.0.0.1"], "{path}");
        assert_eq!(reached(&response, "x-forwarded-proto"), ["http"]);
        for name in ["x-forwarded-host", "host"] {
            assert_eq!(reached(&response, name), [site.as_str()], "{path}");
        }
        for name in ["forwarded", "x-real-ip", "x_forwarded_for", "upgrade", "connection"] {
            assert_eq!(reached(&response, name), [""; 0], "{name} at {path}");
        }
        assert_eq!(response.json()["line"], format!("GET {path} HTTP/1.1"));
    }
    // Where a WebSocket is at home, and nowhere else.
    let websocket = ["upgrade: WebSocket"];
    for (path, upgrade) in [("/ws", &["websocket"][..]), ("/admin/live", &["websocket"]), ("/api/x", &[])] {
        let response = get(nginx.address(), path, &websocket).await;
        assert_eq!(reached(&response, "upgrade"), upgrade, "{path}");
        assert_eq!(reached(&response, "connection"), if upgrade.is_empty() { &[][..] } else { &["upgrade"] }, "{path}");
    }
}

#[tokio::test]
async fn a_request_has_one_name_everywhere() {
    let service = Upstream::start(Manner::Echo).await;
    let nginx = Nginx::start(|site| site.gateway = at(&[&service])).await;
    let kept = get(nginx.address(), "/api/x?secret=1", &["x-request-id: a.b-c_9"]).await;
    assert_eq!(reached(&kept, "x-request-id"), ["a.b-c_9"]);
    for harmful in ["a b", "\"}", &"a".repeat(65)] {
        let replaced = get(nginx.address(), "/api/x", &[&format!("x-request-id: {harmful}")]).await;
        let ids = reached(&replaced, "x-request-id");
        assert!(ids.len() == 1 && ids[0] != harmful && ids[0].len() == 32, "{ids:?}");
    }
    get(nginx.address(), "/not/there?secret=1", &["x-request-id: here"]).await.assert_problem(404);
    eventually("both are in the log", async || {
        let log = fs::read_to_string(&nginx.site.access_log).unwrap();
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let has = |id: &str, path: &str, status: &str| {
            lines.iter().any(|line| line["requestId"] == id && line["path"] == path && line["status"] == status)
        };
        assert!(!log.contains("secret"));
        has("a.b-c_9", "/api/x", "200") && has("here", "/not/there", "404")
    })
    .await;
}

#[tokio::test]
async fn answers_of_services_come_as_they_are() {
    let service = Upstream::start(Manner::Echo).await;
    let refusing = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
                    content-length: 17\r\nconnection: close\r\n\r\n{\"its\":\"own ones\"}";
    let degraded = Upstream::start(Manner::Says(&refusing[..refusing.len() - 1])).await;
    let nginx = Nginx::start(|site| {
        site.gateway = at(&[&service]);
        site.admin_api = Some(at(&[&service]));
        site.chat_nodes = at(&[&degraded]);
    })
    .await;
    for path in ["/api/x", "/admin/x"] {
        let response = get(nginx.address(), path, &["accept-encoding: gzip"]).await;
        for (name, value) in SECURITY_HEADERS {
            assert_eq!(response.one(name), value, "{path}");
        }
        assert_eq!(response.one("cache-control"), "no-store");
    }
    // A service's own refusal is not replaced, when there is nobody else to ask.
    let response = get(nginx.address(), "/ws", &[]).await;
    assert_eq!((response.status, response.body.as_slice()), (503, &b"{\"its\":\"own ones\""[..]));
}

#[tokio::test]
async fn a_body_arrives_and_a_token_is_not_compressed() {
    let service = Upstream::start(Manner::Echo).await;
    let nginx = Nginx::start(|site| {
        site.gateway = at(&[&service]);
        site.admin_api = Some(at(&[&service]));
    })
    .await;
    let long = format!("x-long: {}", "a".repeat(3000));
    let accept = [long.as_str(), "accept-encoding: gzip"];
    let api = request(nginx.address(), "POST", "/api/x", &accept, &[b'x'; 8192]).await;
    assert_eq!((api.status, api.one("content-encoding")), (200, "gzip"));
    let admin = request(nginx.address(), "POST", "/admin/x", &accept, &[b'x'; 8192]).await;
    assert_eq!(admin.status, 200);
    assert!(admin.all("content-encoding").is_empty());
    assert_eq!(reached(&admin, "content-length"), ["8192"]);
}
