//! `GET /api/openapi.json`. That it names every answer that a test got is checked where answers are got
//! ([`support`](crate::support)).

use crate::support::{Cluster, VERSION};
use serde_json::{Value, json};

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
    ];
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.keys().collect::<Vec<_>>(), expected.iter().map(|(path, _)| path).collect::<Vec<_>>());
    for (path, statuses) in expected {
        let call = &paths[path]["get"];
        assert!(call["summary"].is_string() && call["operationId"].is_string(), "{path}");
        let answers = call["responses"].as_object().unwrap();
        assert_eq!(answers.keys().collect::<Vec<_>>(), statuses, "{path}");
        for (status, answer) in answers {
            assert!(answer["description"].is_string());
            let refused = !(status == "200" || (path == "/api/health" && status == "503"));
            let kind = if refused { "application/problem+json" } else { "application/json" };
            assert!(answer["content"][kind]["schema"].is_object(), "{path} {status}");
        }
        assert!(answers["429"]["headers"]["Retry-After"].is_object());
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
async fn another_services_calls_are_merged() {
    #[derive(utoipa::OpenApi)]
    #[openapi(tags((name = "admin", description = "x")), paths(login))]
    struct Admin;
    #[utoipa::path(post, path = "/admin/login", responses((status = 200, description = "x")))]
    #[allow(dead_code)]
    fn login() {}

    let mut document = gateway::document(VERSION);
    document.merge(<Admin as utoipa::OpenApi>::openapi());
    let document = serde_json::to_value(document).unwrap();
    assert!(document["paths"]["/admin/login"]["post"].is_object() && document["paths"]["/api/rooms"].is_object());
    assert_eq!(document["info"]["title"], "Roomful");
}
