//! Problems, request ids, security headers.

use crate::support::{Running, start};
use actix_web::{
    HttpResponse,
    error::ErrorInternalServerError,
    middleware::{Next, from_fn},
    web,
};
use reqwest::{Client, Response, StatusCode};
use runtime::http::{
    CONTENT_SECURITY_POLICY, Endpoint, PROBLEM_JSON, Problem, RequestId, SECURITY_HEADERS, only_get, only_post,
};
use serde::Deserialize;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

#[derive(Deserialize)]
struct Login {
    username: String,
}

#[derive(Deserialize)]
struct Page {
    limit: u8,
}

fn server() -> Running {
    start(|server, _, _| {
        server.routes(Arc::new(|cfg| {
            cfg.service(only_get("/hello", || async { "hello" }))
                .service(only_post("/login", |login: web::Json<Login>| async move { login.into_inner().username }))
                .service(only_post("/text", |text: String| async move { text }))
                .service(only_get("/page", |page: web::Query<Page>| async move { page.limit.to_string() }))
                .service(
                    Endpoint::at_any(&["/room/{id}", "/rooms/{id}"])
                        .get(|id: web::Path<u32>| async move { id.to_string() })
                        .delete(|_: web::Path<u32>| async { HttpResponse::NoContent().finish() }),
                )
                .service(only_get("/id", |id: RequestId| async move { id.to_string() }))
                .service(only_get("/slow-down", || async {
                    Err::<String, _>(Problem::too_many_requests(Duration::from_millis(1500)))
                }))
                .service(only_get("/bare", || async { HttpResponse::Conflict().finish() }))
                .service(only_get("/own", || async { HttpResponse::Conflict().body("as I said") }))
                .service(only_get("/broken", || async {
                    Err::<String, _>(ErrorInternalServerError("redis://:hunter2@host"))
                }))
                .service(only_get("/page.html", || async {
                    HttpResponse::Ok().insert_header(("content-security-policy", CONTENT_SECURITY_POLICY)).body("<p>")
                }))
                .service(
                    web::scope("/guarded")
                        .wrap(from_fn(|_, _: Next<actix_web::body::BoxBody>| async {
                            Err::<actix_web::dev::ServiceResponse, _>(Problem::unauthorized("no token").into())
                        }))
                        .route("/x", web::get().to(|| async { "secret" })),
                );
        }))
    })
}

/// What every refusal must be; returns its detail.
async fn problem(response: Response, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["type"], "about:blank");
    assert_eq!(body["title"], status.canonical_reason().unwrap());
    assert_eq!(body["status"], status.as_u16());
    assert_eq!(body["requestId"], id.as_str());
    body["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn unknown_paths() {
    let server = server();
    problem(server.get("/nowhere").await, StatusCode::NOT_FOUND).await;
    problem(server.get("/room/x").await, StatusCode::NOT_FOUND).await;
    problem(server.get("/rooms/-1").await, StatusCode::NOT_FOUND).await;
    assert_eq!(server.get("/room/7").await.text().await.unwrap(), "7");
    assert_eq!(server.get("/rooms/7").await.text().await.unwrap(), "7");
}

#[tokio::test]
async fn methods() {
    let server = server();
    let client = Client::new();
    for (method, path, allow) in
        [("POST", "/hello", "GET, HEAD"), ("GET", "/login", "POST"), ("PUT", "/rooms/7", "GET, HEAD, DELETE")]
    {
        let response = client.request(method.parse().unwrap(), server.url(path)).send().await.unwrap();
        assert_eq!(response.headers()["allow"], allow);
        problem(response, StatusCode::METHOD_NOT_ALLOWED).await;
    }
    let head = client.head(server.url("/hello")).send().await.unwrap();
    assert_eq!((head.status(), &head.headers()["content-length"]), (StatusCode::OK, &"5".parse().unwrap()));
    let deleted = client.delete(server.url("/room/7")).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let server = server();
    let client = Client::new();
    let post = |body: &str| {
        client.post(server.url("/login")).header("content-type", "application/json").body(body.to_owned()).send()
    };
    assert_eq!(post(r#"{"username":"a"}"#).await.unwrap().text().await.unwrap(), "a");
    for body in ["", "null", "[]", "{", r#"{"username":7}"#, "\u{0}", r#"{"username":"\ud800"}"#] {
        problem(post(body).await.unwrap(), StatusCode::BAD_REQUEST).await;
    }
    let untyped = client.post(server.url("/login")).body("{}").send().await.unwrap();
    assert!(problem(untyped, StatusCode::BAD_REQUEST).await.contains("application/json"));
    problem(server.get("/page?limit=x").await, StatusCode::BAD_REQUEST).await;
    problem(server.get("/page").await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn a_body_that_is_too_long_is_answered_also_while_it_is_still_coming() {
    let server = server();
    let client = Client::new();
    let login = client.post(server.url("/login")).header("content-type", "application/json");
    let response = login.try_clone().unwrap().body(" ".repeat(4097)).send().await.unwrap();
    assert!(problem(response, StatusCode::PAYLOAD_TOO_LARGE).await.contains("4096"));
    assert_eq!(
        login.body(format!("{:<4096}", r#"{"username":"a"}"#)).send().await.unwrap().status(),
        StatusCode::OK,
        "the limit itself is fine"
    );

    let text = client.post(server.url("/text")).body("x".repeat(4097)).send().await.unwrap();
    problem(text, StatusCode::PAYLOAD_TOO_LARGE).await;

    let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
    for head in ["content-length: 50000000", "transfer-encoding: chunked"] {
        let mut raw = server.connect().await;
        raw.send(&format!("POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{head}\r\n\r\n")).await;
        raw.send(&chunk.repeat(100)).await;
        let (head, body) = raw.answer().await;
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
        assert!(body.contains(r#""status":413"#), "{body}");
    }
}

#[tokio::test]
async fn request_ids() {
    let server = server();
    let client = Client::new();
    let ask = async |id: &str| client.get(server.url("/id")).header("x-request-id", id).send().await.unwrap();

    let kept = ask("edge-7.a_B").await;
    assert_eq!(kept.headers()["x-request-id"], "edge-7.a_B");
    assert_eq!(kept.text().await.unwrap(), "edge-7.a_B", "the handler sees it too");
    for forged in ["a b", "<script>", &"a".repeat(65)] {
        let replaced = ask(forged).await;
        let id = replaced.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
        assert_eq!(replaced.text().await.unwrap(), id);
    }
}

#[tokio::test]
async fn security_headers_are_on_every_answer() {
    let server = server();
    for path in ["/hello", "/nowhere", "/broken", "/guarded/x", "/slow-down"] {
        let response = server.get(path).await;
        for (name, value) in SECURITY_HEADERS {
            assert_eq!(response.headers()[name], value, "{path}");
        }
    }
    let page = server.get("/page.html").await;
    assert_eq!(page.headers().get_all("content-security-policy").iter().count(), 1);
    assert_eq!(page.headers()["content-security-policy"], CONTENT_SECURITY_POLICY);
}

#[tokio::test]
async fn errors_of_every_origin() {
    let server = server();

    let slow_down = server.get("/slow-down").await;
    assert_eq!(slow_down.headers()["retry-after"], "2");
    problem(slow_down, StatusCode::TOO_MANY_REQUESTS).await;

    problem(server.get("/bare").await, StatusCode::CONFLICT).await;
    assert_eq!(server.get("/own").await.text().await.unwrap(), "as I said");

    let detail = problem(server.get("/broken").await, StatusCode::INTERNAL_SERVER_ERROR).await;
    assert!(!detail.contains("hunter2"), "{detail}");

    let guarded = server.get("/guarded/x").await;
    assert_eq!(guarded.headers()["www-authenticate"], "Bearer");
    assert_eq!(problem(guarded, StatusCode::UNAUTHORIZED).await, "no token");
}

#[tokio::test]
async fn nonsense_is_refused_and_the_server_lives_on() {
    let server = server();
    for nonsense in
        ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /a b HTTP/1.1\r\nhost: x\r\n\r\n"]
    {
        let mut raw = server.connect().await;
        raw.send(nonsense).await;
        assert!(raw.rest().await.starts_with(b"HTTP/1.1 400 "), "{nonsense:?}");
    }
    let mut raw = server.connect().await;
    // The server may well be gone before all of this is sent.
    let _ = tokio::io::AsyncWriteExt::write_all(
        &mut raw.0,
        format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n", "a".repeat(300_000)).as_bytes(),
    )
    .await;
    assert!(raw.head().await.starts_with("HTTP/1.1 431 "));
    assert_eq!(server.get("/hello").await.text().await.unwrap(), "hello");
}
