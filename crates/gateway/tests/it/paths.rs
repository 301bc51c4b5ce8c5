//! `GET /api/instance`, and every path and method that is not one.

use crate::support::{Cluster, problem};
use reqwest::Method;
use serde_json::json;

const PATHS: [&str; 4] = ["/api/health", "/api/rooms", "/api/instance", "/api/openapi.json"];

#[tokio::test]
async fn the_instance() {
    let gateway = Cluster::new().gateway([]);
    let body = gateway.json("/api/instance").await;
    assert!(body["uptimeSeconds"].is_u64());
    let uptime = &body["uptimeSeconds"];
    assert_eq!(body, json!({"nodeId": "gateway-1", "service": "gateway", "uptimeSeconds": uptime}));
}

#[tokio::test]
async fn unknown_paths() {
    let gateway = Cluster::new().gateway([]);
    for path in
        ["/api", "/api/", "/api/room", "/api/rooms/", "/api/rooms/10000/x", "/api/health.json", "/apirooms", "/"]
    {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let response = gateway.request(method, path).send().await.unwrap();
            assert_eq!(problem(response, 404).await, "there is nothing at this path", "{path}");
        }
    }
    for target in ["/api/../api/nothing", "/api/%2e%2e/secret", "//api/health", "/api//health", "/api/health%00"] {
        let answer = gateway.raw(&format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{target}: {answer}");
    }
}

#[tokio::test]
async fn wrong_methods() {
    let gateway = Cluster::new().gateway([]);
    for path in PATHS.into_iter().chain(["/api/rooms/10000"]) {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            let response = gateway.request(method, path).send().await.unwrap();
            assert_eq!(response.headers()["allow"], "GET, HEAD", "{path}");
            problem(response, 405).await;
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let gateway = Cluster::new().gateway([]);
    for path in PATHS {
        let get = gateway.get(path).await;
        let head = gateway.request(Method::HEAD, path).send().await.unwrap();
        assert_eq!(head.status(), 200);
        for name in ["content-type", "cache-control", "content-length"] {
            assert_eq!(head.headers().get(name), get.headers().get(name), "{path} {name}");
        }
        assert!(head.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn every_answer_names_its_request_and_is_nobodys_page() {
    let gateway = Cluster::new().gateway([]);
    for path in PATHS {
        let request = gateway.request(Method::GET, path).header("x-request-id", "from-nginx");
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["x-request-id"], "from-nginx");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers().get_all("cache-control").iter().count(), 1);
    }
}

#[tokio::test]
async fn the_processs_own_paths() {
    let gateway = Cluster::new().gateway([]);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(gateway.get(path).await.status(), 200, "{path}");
    }
    assert!(gateway.ended().await);
}
