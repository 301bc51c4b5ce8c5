//! What nginx refuses itself: always a problem.

use crate::support::{
    http::{get, raw, request},
    site::{Nginx, at, nobody},
    upstream::{Manner, Upstream},
};

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable() {
    // With no admin API at all, and with one that does not answer; the site starts with either.
    for admin_api in [None, Some(nobody())] {
        let nginx = Nginx::start(|site| site.admin_api = admin_api).await;
        for path in ["/admin/login", "/admin/servers", "/admin/live", "/api/health", "/ws"] {
            let response = get(nginx.address(), path, &[]).await;
            response.assert_problem(503);
            assert_eq!(response.one("retry-after"), "1");
        }
        assert_eq!(get(nginx.address(), "/", &[]).await.status, 200);
    }
}

#[tokio::test]
async fn logins_are_counted_before_they_cost_anything() {
    let service = Upstream::start(Manner::Echo).await;
    let nginx = Nginx::start(|site| site.admin_api = Some(at(&[&service]))).await;
    let mut refused = Vec::new();
    for n in 0..30 {
        // However it is spelled, and whoever the client says it is.
        let path = ["/admin/login", "/admin//login", "/admin/%6cogin"][n % 3];
        let forged = format!("x-forwarded-for: 10.0.0.{n}");
        let response = request(nginx.address(), "POST", path, &[&forged], b"{}").await;
        match response.status {
            200 => {}
            _ => refused.push(response),
        }
    }
    // Eleven at once, and one each three seconds that this takes, which are few on any machine.
    assert!((10..=19).contains(&refused.len()), "{}", refused.len());
    for response in refused {
        response.assert_problem(429);
        assert_eq!(response.one("retry-after"), "3");
    }
    // The rest of the API is not.
    for _ in 0..30 {
        assert_eq!(get(nginx.address(), "/admin/servers", &[]).await.status, 200);
    }
}

#[tokio::test]
async fn at_least_ten_people_can_log_in_at_once() {
    let service = Upstream::start(Manner::Echo).await;
    let nginx = Nginx::start(|site| site.admin_api = Some(at(&[&service]))).await;
    for _ in 0..10 {
        assert_eq!(request(nginx.address(), "POST", "/admin/login", &[], b"{}").await.status, 200);
    }
}

#[tokio::test]
async fn too_much_and_nonsense() {
    let service = Upstream::start(Manner::Echo).await;
    let nginx = Nginx::start(|site| {
        site.gateway = at(&[&service]);
        site.admin_api = Some(at(&[&service]));
    })
    .await;
    let address = nginx.address();
    for path in ["/api/x", "/admin/x", "/ws"] {
        let lines = ["content-length: 16385"];
        request(address, "POST", path, &lines, b"").await.assert_problem(413);
        get(address, &format!("{path}?{}", "a".repeat(9000)), &[]).await.assert_problem(414);
        get(address, path, &[&format!("x: {}", "a".repeat(9000))]).await.assert_problem(431);
        let many: Vec<_> = (0..40).map(|n| format!("x-{n}: {}", "a".repeat(1000))).collect();
        get(address, path, &many.iter().map(String::as_str).collect::<Vec<_>>()).await.assert_problem(431);
        // HTTP/1.1 without a host, two of them, a length that is none, and both ways of saying how long a body is.
        for lines in [
            "",
            "host: a\r\nhost: b\r\n",
            "host: a\r\ncontent-length: x\r\n",
            "host: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n",
        ] {
            raw(address, format!("GET {path} HTTP/1.1\r\n{lines}\r\n").as_bytes()).await.assert_problem(400);
        }
    }
    raw(address, b"nonsense\r\n\r\n").await.assert_problem(400);
    raw(address, b"GET /%zz HTTP/1.1\r\nhost: a\r\n\r\n").await.assert_problem(400);
    raw(address, b"GET / HTTP/3.0\r\nhost: a\r\n\r\n").await.assert_problem(505);
    raw(address, b"TRACE /api/x HTTP/1.1\r\nhost: a\r\n\r\n").await.assert_problem(405);
}
