//! Lengths and characters: exactly the limit is good, and one more is not.

use crate::support::node;
use serde_json::json;

const ID: &str = "6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11";

#[tokio::test]
async fn names_of_users() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    for (name, kept) in [
        ("a".repeat(16), "a".repeat(16)),
        ("🦀".repeat(16), "🦀".repeat(16)),
        (format!(" \t{}\u{2003}\n", "é".repeat(16)), "é".repeat(16)),
        ("<img onerror=x>".into(), "<img onerror=x>".into()),
    ] {
        let ack = alice.ask(json!({"type": "UPDATE_USERNAME", "id": "u", "username": name})).await;
        assert_eq!(ack["username"], kept);
    }
    for (name, code) in [
        ("a".repeat(17), "too_long"),
        ("🦀".repeat(17), "too_long"),
        (String::new(), "empty"),
        (" \u{a0}\n\t ".into(), "empty"),
        ("a\u{7}b".into(), "invalid_name"),
        ("a\nb".into(), "invalid_name"),
        ("a\u{7f}b".into(), "invalid_name"),
        ("\u{200b}\u{feff}".into(), "invalid_name"),
    ] {
        let error = alice.ask(json!({"type": "UPDATE_USERNAME", "id": "u", "username": name})).await;
        assert_eq!(error["code"], code, "{name:?}");
        // At CONNECT as well, and then one may try again.
        let mut guest = node.plain().await;
        let error = guest.ask(json!({"type": "CONNECT", "id": "c", "username": name})).await;
        assert_eq!(error["code"], code, "{name:?}");
        let connected = guest.ask(json!({"type": "CONNECT", "id": "c", "username": "fine"})).await;
        assert_eq!(connected["username"], "fine");
    }
}

#[tokio::test]
async fn names_of_rooms() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    for (name, code) in [
        ("a".repeat(17), "too_long"),
        (" ".into(), "empty"),
        ("a\u{0}b".into(), "invalid_name"),
        ("\u{2060}".into(), "invalid_name"),
    ] {
        let error = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": name})).await;
        assert_eq!(error["code"], code, "{name:?}");
    }
    let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": format!(" {} ", "🦀".repeat(16))})).await;
    assert_eq!(joined["room"]["name"], "🦀".repeat(16));
}

#[tokio::test]
async fn bodies_of_messages() {
    let node = node(&[]).await;
    let mut alice = node.guest().await;
    alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    for (body, code) in [
        ("a".repeat(2001), "too_long"),
        ("🦀".repeat(2001), "too_long"),
        (String::new(), "empty"),
        (" \n\t\u{3000}".into(), "empty"),
        ("a\rb".into(), "bad_request"),
        ("a\u{0}b".into(), "bad_request"),
        ("a\u{1b}[31mb".into(), "bad_request"),
        ("a\u{9f}b".into(), "bad_request"),
    ] {
        let error = alice.ask(json!({"type": "SEND_MESSAGE", "id": ID, "body": body})).await;
        assert_eq!(error["code"], code, "{body:?}");
    }
    // None of these took a place in the timeline, and the same id is still free.
    let longest = "🦀".repeat(2000);
    alice.send(json!({"type": "SEND_MESSAGE", "id": ID, "body": format!("  {longest}\n")})).await;
    let events = [alice.next().await, alice.next().await];
    assert!(events.iter().all(|e| e["seq"] == 1), "{events:?}");
    assert!(events.iter().any(|e| e["body"] == longest));
}

#[tokio::test]
async fn limits_are_those_of_the_configuration() {
    let node = node(&[("MAX_MESSAGE_CHARS", "5"), ("MAX_USERNAME_CHARS", "4"), ("MAX_ROOM_NAME_CHARS", "3")]).await;
    let mut guest = node.plain().await;
    let connected = guest.ask(json!({"type": "CONNECT", "username": "Four"})).await;
    let limits = json!({"messageChars": 5, "usernameChars": 4, "roomNameChars": 3, "frameBytes": 16_384});
    assert_eq!(connected["limits"], limits);
    for (command, code) in [
        (json!({"type": "UPDATE_USERNAME", "id": ID, "username": "Fives"}), "too_long"),
        (json!({"type": "CREATE_ROOM", "id": ID, "name": "Four"}), "too_long"),
    ] {
        assert_eq!(guest.ask(command).await["code"], code);
    }
    guest.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Tea"})).await;
    assert_eq!(guest.ask(json!({"type": "SEND_MESSAGE", "id": ID, "body": "123456"})).await["code"], "too_long");
}
