//! `GET /api/openapi.json`. That it names every answer that a test got is checked where answers are got
//! ([`support`](crate::support)).

use crate::support::{Cluster, PATIENCE, VERSION, config};
use gateway::Gateway;
use runtime::{
    health::Health,
    lifecycle::Lifecycle,
    metrics::Metrics,
    server::{HttpServer, bind},
};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Every `$ref` in a document.
fn references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

#[tokio::test]
async fn it_describes_every_call() {
    let gateway = Cluster::new().gateway([]);
    let document = gateway.json("/api/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["info"]["title"], "Roomful");
    assert_eq!(document["info"]["version"], VERSION);

    let expected = [
        ("/api/health", vec!["200", "429", "503"]),
        ("/api/instance", vec!["200", "429"]),
        ("/api/openapi.json", vec!["200", "429"]),
        ("/api/rooms", vec!["200", "400", "429", "503"]),
        ("/api/rooms/{id}", vec!["200", "404", "429", "503"]),
    ];
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.keys().collect::<Vec<_>>(), expected.iter().map(|(path, _)| path).collect::<Vec<_>>());
    for (path, statuses) in expected {
        let call = &paths[path]["get"];
        assert!(call["summary"].is_string() && call["operationId"].is_string(), "{path}");
        let answers = call["responses"].as_object().unwrap();
        assert_eq!(answers.keys().collect::<Vec<_>>(), statuses, "{path}");
        for (status, answer) in answers {
            let shared = answer["$ref"].as_str().map(|reference| document.pointer(&reference[1..]).unwrap());
            let answer = shared.unwrap_or(answer);
            assert!(answer["description"].is_string());
            let refused = !(status == "200" || (path == "/api/health" && status == "503"));
            let kind = if refused { "application/problem+json" } else { "application/json" };
            assert!(answer["content"][kind]["schema"].is_object(), "{path} {status}");
            // The description has no need to show itself.
            let shown = answer["content"][kind]["example"].is_object();
            assert!(shown || (path == "/api/openapi.json" && status == "200"), "{path} {status}");
            assert_eq!(answer["headers"]["Retry-After"].is_object(), status == "429");
        }
    }
    assert!(gateway.ended().await);
}

#[tokio::test]
async fn parameters_have_their_range_and_every_reference_leads_somewhere() {
    let document = Cluster::new().gateway([]).json("/api/openapi.json").await;
    let parameters = document["paths"]["/api/rooms"]["get"]["parameters"].as_array().unwrap();
    let names: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cursor", "limit"]);
    assert!(parameters.iter().all(|parameter| parameter["in"] == "query" && parameter["required"] == json!(false)));
    let limit = &parameters[1]["schema"];
    assert_eq!((&limit["minimum"], &limit["maximum"], &limit["default"]), (&json!(1), &json!(100), &json!(50)));

    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.contains(&"#/components/schemas/Problem".to_owned()));
    for reference in found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn another_services_calls_are_described_as_well() {
    #[derive(utoipa::OpenApi)]
    #[openapi(info(title = "Admin"), paths(login))]
    struct Admin;
    #[utoipa::path(post, path = "/admin/login", responses((status = 200, description = "Signed in.")))]
    #[allow(dead_code)] // described, never called
    fn login() {}

    let cluster = Cluster::new();
    let (clock, node) = (cluster.clock.clone(), "roomful".parse().unwrap());
    let gateway = Gateway::new(config([]), node, cluster.ports("roomful"), clock, Health::new(), VERSION)
        .describing(<Admin as utoipa::OpenApi>::openapi());
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("http://{}/api/openapi.json", listener.local_addr().unwrap());
    let server = HttpServer::new("roomful", listener, Metrics::new("roomful", VERSION).unwrap())
        .workers(1)
        .routes(gateway.routes());
    let lifecycle = Lifecycle::new();
    let ends_with = lifecycle.clone();
    let background = lifecycle.spawn(async move { gateway.run(&ends_with).await });
    let ends_with = lifecycle.clone();
    tokio::spawn(async move { server.run(&ends_with, ends_with.soft.clone()).await });

    let document: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert!(document["paths"]["/admin/login"]["post"].is_object() && document["paths"]["/api/rooms"].is_object());
    assert_eq!(document["info"]["title"], "Roomful");

    assert!(lifecycle.shutdown(PATIENCE).await);
    assert!(background.await.unwrap().is_some(), "the background work ended when it was asked to");
}

#[test]
fn what_the_admin_api_calls_by_the_same_name_is_the_same() {
    let ours = serde_json::to_value(gateway::document(VERSION)).unwrap();
    let theirs = serde_json::to_value(admin_api::document(VERSION)).unwrap();
    for kind in ["schemas", "responses"] {
        let (ours, theirs) = (&ours["components"][kind], &theirs["components"][kind]);
        for (name, is) in ours.as_object().unwrap() {
            assert!(theirs[name].is_null() || theirs[name] == *is, "{kind} {name}");
        }
    }
}
