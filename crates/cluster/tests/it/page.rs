//! The page's files.

use crate::support::{
    http::{get, request},
    site::Nginx,
};
use runtime::http::{CONTENT_SECURITY_POLICY, SECURITY_HEADERS, WORKER_SECURITY_POLICY};
use std::{fs, os::unix::fs::symlink, path::Path};

fn put(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn every_answer_has_the_headers_of_the_services_once() {
    let nginx = Nginx::start(|site| {
        put(&site.frontend, "favicon.svg", "<svg/>");
        put(&site.frontend, "sw.js", "worker");
    })
    .await;
    for (path, policy) in [
        ("/", Some(CONTENT_SECURITY_POLICY)),
        ("/index.html", Some(CONTENT_SECURITY_POLICY)),
        ("/r/12345", Some(CONTENT_SECURITY_POLICY)),
        ("/sw.js", Some(WORKER_SECURITY_POLICY)),
        ("/favicon.svg", None),
        ("/nothing.html", None),
        ("/ws", None),
        ("/api/health", None),
        ("/admin/servers", None),
    ] {
        let response = get(nginx.address(), path, &[]).await;
        for (name, value) in SECURITY_HEADERS {
            let expected = policy.filter(|_| name == "content-security-policy").unwrap_or(value);
            assert_eq!(response.one(name), expected, "{name} of {path}");
        }
        assert_eq!(response.one("server"), "nginx", "no version");
        assert_eq!(response.all("cache-control").len(), 1);
    }
}

/// Its calls are beside it, and go elsewhere.
#[tokio::test]
async fn the_dashboard_is_a_page_of_its_own() {
    let nginx = Nginx::start(|site| put(&site.frontend, "admin.html", "<!doctype html>dashboard")).await;
    let page = get(nginx.address(), "/admin/", &[]).await;
    assert_eq!((page.status, page.one("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.one("content-security-policy"), CONTENT_SECURITY_POLICY);
    assert_eq!(page.one("cache-control"), "no-cache");
    assert_eq!(page.body, b"<!doctype html>dashboard");
    let short = get(nginx.address(), "/admin", &[]).await;
    assert_eq!((short.status, short.one("location")), (308, "/admin/"));
    assert_eq!(request(nginx.address(), "POST", "/admin/", &[], b"{}").await.status, 405);
    let none = Nginx::start(|_| ()).await;
    assert_eq!(get(none.address(), "/admin/", &[]).await.status, 404);
}

/// The page asks for the room itself. What is no link is not there.
#[tokio::test]
async fn a_link_to_a_room_is_the_page() {
    let nginx = Nginx::start(|_| ()).await;
    let page = get(nginx.address(), "/", &[]).await;
    for path in ["/r/10000", "/r/999999999", "/r/1?from=mail"] {
        let link = get(nginx.address(), path, &[]).await;
        assert_eq!((link.status, link.one("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        assert_eq!((link.one("cache-control"), link.one("etag")), ("no-cache", page.one("etag")));
        assert_eq!(link.body, page.body);
        assert_eq!(request(nginx.address(), "POST", path, &[], b"{}").await.status, 405);
    }
    for path in ["/r", "/r/", "/r/10000/", "/r/10000/x", "/r/10000.html", "/r/x", "/r/-1", "/r/12345678901234567"] {
        get(nginx.address(), path, &[]).await.assert_problem(404);
    }
}

/// A worker that is cached would go on serving the page of a former version.
#[tokio::test]
async fn what_the_page_is_installed_with() {
    let nginx = Nginx::start(|site| {
        for path in ["manifest.webmanifest", "sw.js", "icons/192.png", "emoji/en.json"] {
            put(&site.frontend, path, "x");
        }
    })
    .await;
    for (path, kind) in [
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/sw.js", "text/javascript; charset=utf-8"),
        ("/icons/192.png", "image/png"),
        ("/emoji/en.json", "application/json"),
    ] {
        let first = get(nginx.address(), path, &[]).await;
        assert_eq!((first.status, first.one("content-type")), (200, kind), "{path}");
        let known = get(nginx.address(), path, &[&format!("if-none-match: {}", first.one("etag"))]).await;
        assert_eq!(known.status, 304, "{path}");
        for answer in [first, known] {
            assert_eq!(answer.one("cache-control"), "no-cache", "{path}");
            let policy = answer.one("content-security-policy");
            assert_eq!(policy == WORKER_SECURITY_POLICY, path == "/sw.js", "{path}: {policy}");
        }
    }
}

#[tokio::test]
async fn a_304_keeps_the_page_alive() {
    let nginx = Nginx::start(|_| ()).await;
    let first = get(nginx.address(), "/", &[]).await;
    assert_eq!((first.status, first.one("cache-control")), (200, "no-cache"));
    assert_eq!(first.one("content-type"), "text/html; charset=utf-8");
    let known = format!("if-none-match: {}", first.one("etag"));
    let second = get(nginx.address(), "/", &[&known]).await;
    assert_eq!((second.status, second.one("cache-control")), (304, "no-cache"));
    // A browser takes these for the cached page's.
    assert_eq!(second.one("content-security-policy"), CONTENT_SECURITY_POLICY);
    assert!(second.body.is_empty());
}

#[tokio::test]
async fn only_a_name_with_a_hash_is_cached_for_good() {
    // As is_hashed in crates/roomful/src/assets/file.rs has them.
    let (hashed, plain) = (
        ["assets/chat-DhdSee0Q.js", "assets/chat-D-3f_aB1.css", "assets/a/x-00000000.js.txt"],
        ["chat-DhdSee0Q.js", "assets/chat.js", "assets/DhdSee0Q.js", "assets/my-document.js", "assets/chat-DhdSee0.js"],
    );
    let nginx = Nginx::start(|site| hashed.iter().chain(&plain).for_each(|path| put(&site.frontend, path, "x"))).await;
    for path in hashed {
        let response = get(nginx.address(), &format!("/{path}"), &[]).await;
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.one("cache-control"), "public, max-age=31536000, immutable", "{path}");
    }
    for path in plain {
        let response = get(nginx.address(), &format!("/{path}"), &[]).await;
        assert_eq!((response.status, response.one("cache-control")), (200, "no-cache"), "{path}");
    }
    get(nginx.address(), "/assets/gone-DhdSee0Q.js", &[]).await.assert_problem(404);
}

#[tokio::test]
async fn types_and_compression() {
    let long = "let x = 1;\n".repeat(200);
    let nginx = Nginx::start(|site| {
        put(&site.frontend, "assets/built.js", &long);
        put(&site.frontend, "assets/built.js.gz", "compressed by the build");
        put(&site.frontend, "assets/plain.css", &long);
        put(&site.frontend, "assets/short.css", "a{}");
        put(&site.frontend, "font.woff2", "x");
    })
    .await;
    let gzip = ["accept-encoding: gzip, br"];
    for (path, kind) in [
        ("/assets/built.js", "text/javascript; charset=utf-8"),
        ("/assets/plain.css", "text/css; charset=utf-8"),
        ("/font.woff2", "font/woff2"),
    ] {
        assert_eq!(get(nginx.address(), path, &[]).await.one("content-type"), kind);
        assert_eq!(get(nginx.address(), path, &gzip).await.one("content-type"), kind);
    }
    let built = get(nginx.address(), "/assets/built.js", &gzip).await;
    assert_eq!((built.one("content-encoding"), built.one("vary")), ("gzip", "Accept-Encoding"));
    assert_eq!(built.body, b"compressed by the build");
    let plain = get(nginx.address(), "/assets/built.js", &[]).await;
    assert_eq!((plain.body.as_slice(), plain.one("vary")), (long.as_bytes(), "Accept-Encoding"));

    let here = get(nginx.address(), "/assets/plain.css", &gzip).await;
    assert_eq!((here.one("content-encoding"), here.one("vary")), ("gzip", "Accept-Encoding"));
    assert!(here.body.len() < long.len() / 4);
    assert!(get(nginx.address(), "/assets/short.css", &gzip).await.all("content-encoding").is_empty());
}

#[tokio::test]
async fn what_is_not_the_page_is_not_there() {
    let nginx = Nginx::start(|site| {
        for path in [".env", ".git/config", "assets/.hidden", "chat.js", "chat.js.gz", "chat.js.br", "chat.js.map"] {
            put(&site.frontend, path, "secret");
        }
        put(site.frontend.parent().unwrap(), "outside.txt", "secret");
        symlink("../outside.txt", site.frontend.join("link.txt")).unwrap();
        symlink("..", site.frontend.join("up")).unwrap();
    })
    .await;
    for path in [
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/assets/.hidden",
        "/.well-known/x",
        "/chat.js.gz",
        "/chat.js.br",
        "/chat.js.map",
        "/link.txt",
        "/up/outside.txt",
        "/assets",
        "/assets/",
        "/assets/%2e%2e/.env",
        "/.problem",
        "/metrics",
        "/livez",
        "/readyz",
        "/apis",
        "/ws/",
        // The page has no address but for links to rooms.
        "/rooms/12345",
    ] {
        get(nginx.address(), path, &[]).await.assert_problem(404);
    }
    get(nginx.address(), "/../outside.txt", &[]).await.assert_problem(400);
    assert_eq!(get(nginx.address(), "/assets/../chat.js", &[]).await.status, 200);
}

#[tokio::test]
async fn the_page_is_only_read() {
    let nginx = Nginx::start(|_| ()).await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let response = request(nginx.address(), method, "/", &[], b"").await;
        response.assert_problem(405);
        assert_eq!(response.one("allow"), "GET, HEAD");
    }
    let head = request(nginx.address(), "HEAD", "/", &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}
