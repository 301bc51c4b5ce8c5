//! The description. That it names every answer that a test got is checked where answers are got
//! ([`support`](crate::support)).

use crate::support::VERSION;
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

#[test]
fn every_call_is_described_with_examples_and_who_may_call_it() {
    let document = serde_json::to_value(admin_api::document(VERSION)).unwrap();
    assert_eq!(document["info"]["version"], VERSION);
    let mut count = 0;
    for (path, calls) in document["paths"].as_object().unwrap() {
        for (method, call) in calls.as_object().unwrap() {
            count += 1;
            let what = format!("{method} {path}");
            assert!(call["summary"].is_string() && call["operationId"].is_string(), "{what}");
            let open = matches!(path.as_str(), "/admin/login" | "/admin/live");
            let expected = if open { json!([{}]) } else { json!([{"adminToken": []}]) };
            assert_eq!(call["security"], expected, "{what}");
            let answers = call["responses"].as_object().unwrap();
            assert!(open || (answers.contains_key("401") && answers.contains_key("503")), "{what}");
            assert_eq!(answers.contains_key("413"), call["requestBody"].is_object(), "{what}");
            for (status, answer) in answers {
                let shared = answer["$ref"].as_str().map(|reference| document.pointer(&reference[1..]).unwrap());
                let answer = shared.unwrap_or(answer);
                assert!(answer["description"].is_string(), "{what} {status}");
                if !matches!(status.as_str(), "101" | "204") {
                    for content in answer["content"].as_object().unwrap().values() {
                        assert!(content["schema"].is_object() && !content["example"].is_null(), "{what} {status}");
                    }
                }
            }
            if call["requestBody"].is_object() {
                assert!(call["requestBody"]["content"]["application/json"]["example"].is_object(), "{what}");
            }
        }
    }
    assert_eq!(count, 21);
    assert_eq!(document["components"]["securitySchemes"]["adminToken"]["scheme"], "bearer");
    assert_eq!(document.get("security"), None, "others are merged with it");

    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
}

#[test]
fn what_is_sent_is_described_strictly() {
    let document = serde_json::to_value(admin_api::document(VERSION)).unwrap();
    // As everywhere, fields that nobody knows are ignored: a later version may know them.
    for name in ["Login", "PasswordChange", "NewBan", "NewNotice"] {
        assert_eq!(document["components"]["schemas"][name].get("additionalProperties"), None, "{name}");
    }
    let parameters = document["paths"]["/admin/client"]["get"]["parameters"].as_array().unwrap();
    let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!((&limit["schema"]["minimum"], &limit["schema"]["maximum"]), (&json!(1), &json!(500)));
    let node = &document["paths"]["/admin/servers/{nodeId}/drain"]["post"]["parameters"][0];
    assert!(node["schema"]["pattern"].is_string(), "{node}");
}
