//! What is served, and how.

use crate::support::{INDEX, Running, SCRIPT, start};
use reqwest::{Method, Response, StatusCode};
use runtime::http::{CONTENT_SECURITY_POLICY, PROBLEM_JSON, WORKER_SECURITY_POLICY};
use serde_json::Value;
use std::fs;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn accepting(server: &Running, path: &str, encodings: &str) -> Response {
    server.ask(Method::GET, path, &[("accept-encoding", encodings)]).await
}

#[tokio::test]
async fn the_page() {
    let server = start();
    for path in ["/", "/index.html", "/?x=1", "/r/10000", "/r/999999999", "/r/1?from=mail"] {
        let response = server.get(path).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&response, "cache-control"), "no-cache");
        assert_eq!(header(&response, "content-security-policy"), CONTENT_SECURITY_POLICY);
        assert_eq!(response.headers().get_all("content-security-policy").iter().count(), 1);
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert_eq!(response.text().await.unwrap(), INDEX);
    }
}

#[tokio::test]
async fn types_and_times() {
    let server = start();
    for (path, kind, cache) in [
        (SCRIPT, "text/javascript; charset=utf-8", IMMUTABLE),
        ("/assets/chat-Dt0zBjWo.css", "text/css; charset=utf-8", IMMUTABLE),
        ("/assets/logo.png", "image/png", "no-cache"),
        ("/favicon.svg", "image/svg+xml; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/icons/192.png", "image/png", "no-cache"),
        ("/emoji/en.json", "application/json", "no-cache"),
    ] {
        let response = server.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!((header(&response, "content-type"), header(&response, "cache-control")), (kind, cache));
        // Only a page may load anything.
        assert_eq!(header(&response, "content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    }
}

/// It would go on serving the page of a former version if it were cached, and fetch nothing under an API's policy.
#[tokio::test]
async fn the_service_worker() {
    let server = start();
    let first = server.get("/sw.js").await;
    assert_eq!(first.status(), StatusCode::OK);
    let known = server.ask(Method::GET, "/sw.js", &[("if-none-match", header(&first, "etag"))]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    for response in [&first, &known] {
        assert_eq!(header(response, "cache-control"), "no-cache");
        assert_eq!(header(response, "content-security-policy"), WORKER_SECURITY_POLICY);
    }
    assert_eq!(header(&first, "content-type"), "text/javascript; charset=utf-8");
}

#[tokio::test]
async fn encodings() {
    let server = start();
    for (accepted, encoding, body) in [
        ("gzip, deflate, br, zstd", "br", "brotli"),
        ("gzip", "gzip", "gzip"),
        ("br;q=0, gzip", "gzip", "gzip"),
        ("br;q=0, gzip;q=0", "", "plain"),
        ("identity", "", "plain"),
        ("*;q=0", "", "plain"),
    ] {
        let response = accepting(&server, SCRIPT, accepted).await;
        assert_eq!(header(&response, "content-encoding"), encoding, "{accepted}");
        assert_eq!(header(&response, "vary"), "accept-encoding");
        assert_eq!(header(&response, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(response.text().await.unwrap(), body);
    }
    // Only what the build compressed is compressed.
    assert_eq!(header(&accepting(&server, "/assets/chat-Dt0zBjWo.css", "br").await, "content-encoding"), "");
    let page = accepting(&server, "/", "br, gzip").await;
    assert_eq!((header(&page, "content-encoding"), header(&page, "vary")), ("", ""));
}

#[tokio::test]
async fn what_a_cache_has_is_not_sent_again() {
    let server = start();
    let mut tags = Vec::new();
    for accepted in ["br", "gzip", "identity"] {
        let etag = header(&accepting(&server, SCRIPT, accepted).await, "etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "a strong one: {etag}");
        for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
            let headers = [("accept-encoding", accepted), ("if-none-match", known.as_str())];
            let response = server.ask(Method::GET, SCRIPT, &headers).await;
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(header(&response, "etag"), etag);
            assert_eq!(header(&response, "cache-control"), IMMUTABLE);
            assert_eq!(header(&response, "vary"), "accept-encoding");
            assert!(response.bytes().await.unwrap().is_empty());
        }
        tags.push(etag);
    }
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{tags:?}");
    let stale = [("accept-encoding", "br"), ("if-none-match", tags[1].as_str())];
    assert_eq!(server.ask(Method::GET, SCRIPT, &stale).await.status(), StatusCode::OK);
    assert_eq!(server.ask(Method::GET, "/", &[("if-none-match", "nonsense")]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = start();
    for path in ["/", SCRIPT] {
        let (get, head) = (server.get(path).await, server.ask(Method::HEAD, path, &[]).await);
        assert_eq!(head.status(), StatusCode::OK);
        for name in ["content-type", "content-length", "cache-control", "etag", "vary", "content-security-policy"] {
            assert_eq!(header(&head, name), header(&get, name), "{path} {name}");
        }
        assert!(!header(&head, "content-length").is_empty());
        assert!(head.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_was_not_built_is_not_there() {
    let server = start();
    for path in [
        "/nothing",
        "/index",
        "/assets",
        "/assets/",
        "/assets/chat.js",
        "/r",
        "/r/",
        "/r/10000/",
        "/r/10000/x",
        "/r/10000.html",
        "/r/x",
        "/r/-1",
        "/r/%31",
        "/r/12345678901234567",
        "/R/10000",
        "/.env",
        "/.git/config",
        "/package.json",
        "/src/main.ts",
        "/dist/index.html",
        "/assets/chat-DhdSee0Q.js.map",
        "/assets/chat-DhdSee0Q.js.br",
        "/assets/chat-DhdSee0Q.js.gz",
        "/orphan.js",
        "/orphan.js.br",
    ] {
        for method in [Method::GET, Method::POST] {
            let response = server.ask(method, path, &[]).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(header(&response, "content-type"), PROBLEM_JSON);
            assert_eq!(response.json::<Value>().await.unwrap()["status"], 404);
        }
    }
}

#[tokio::test]
async fn no_path_leads_out() {
    let server = start();
    let outside = server.root.path().join("package.json");
    let absolute = outside.to_str().unwrap();
    for target in [
        "/../package.json",
        "/assets/../../package.json",
        "/assets/../index.html",
        "/%2e%2e/package.json",
        "/%2e%2e%2fpackage.json",
        "/..%2fpackage.json",
        "/..%5cpackage.json",
        "/%252e%252e/package.json",
        "/..;/package.json",
        "/assets/..\\..\\package.json",
        "/%2eenv",
        "/.%65nv",
        "/index.html%00",
        "/index.html/",
        "//index.html",
        "/./index.html",
        "//etc/passwd",
        "/%c0%ae%c0%ae/package.json",
        absolute,
    ] {
        let answer = server.raw(target).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(status == "404" || status == "400", "{target}: {answer}");
        assert!(!answer.contains(INDEX) && !answer.contains("\r\n\r\n{}"), "{target}");
    }
}

#[tokio::test]
async fn what_comes_later_is_not_served() {
    let server = start();
    let dist = server.root.path().join("dist");
    fs::write(dist.join("later.txt"), "x").unwrap();
    fs::write(dist.join("index.html"), "changed").unwrap();
    assert_eq!(server.get("/later.txt").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(server.get("/").await.text().await.unwrap(), INDEX);
}

#[tokio::test]
async fn other_methods_and_other_routes() {
    let server = start();
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let response = server.ask(method, "/", &[]).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header(&response, "allow"), "GET, HEAD");
    }
    for (path, body) in [("/api/before", "before"), ("/api/after", "after")] {
        assert_eq!(server.get(path).await.text().await.unwrap(), body);
    }
}
