//! `GET /admin/room`, `GET` and `DELETE /admin/room/{id}`.

use crate::support::{Api, Cluster, Node, body, problem};
use engine::{changes::Standing, port::Post};
use protocol::{
    ClientId, MessageBody, MessageId, RoomId, Seq, Username,
    event::{ChangeKind, Member, MessageChange},
    payload::Payload,
};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

async fn all(api: &Api, query: &str) -> Vec<Value> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.json(&format!("/admin/rooms?{query}&cursor={cursor}")).await;
        assert_eq!(page["roomIds"].as_array().unwrap().len(), page["rooms"].as_array().unwrap().len());
        seen.extend(page["roomIds"].as_array().unwrap().clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn they_are_paged_through_newest_first_and_found() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let maker = cluster.client(&node, "Maker", "203.0.113.7").await;
    let mut made = Vec::new();
    for number in 0..250 {
        made.push(cluster.room(&node, &maker, &format!("Tea {number}")).await);
        cluster.clock.advance(Duration::from_millis(1));
    }
    made.reverse();
    let api = cluster.admin(&[]).await;
    for limit in [1, 7, 100, 101, 250, 500] {
        if limit > 1 {
            assert_eq!(json!(all(&api, &format!("limit={limit}")).await), json!(made), "{limit}");
        }
        // Those with a 9: 9, 19 … 249, and 90 to 99, 190 to 199.
        let found = all(&api, &format!("limit={limit}&query=9")).await;
        let nines: Vec<_> = made
            .iter()
            .enumerate()
            .filter(|(index, id)| (249 - index).to_string().contains('9') || id.to_string().starts_with('9'))
            .map(|(_, id)| id)
            .collect();
        assert_eq!(json!(found), json!(nines), "{limit}");
    }
    assert_eq!(all(&api, "query=tEA%2017&limit=500").await.len(), 11);
    assert_eq!(json!(all(&api, &format!("query={}", made[3])).await), json!([made[3]]));
    let page = api.json("/admin/room?limit=500").await;
    assert_eq!((&page["total"], &page["rooms"][0]["seq"]), (&json!(250), &json!(0)));
    assert_eq!(page["rooms"][0]["memberCount"], 1);
}

#[tokio::test]
async fn one_with_its_people_and_its_timeline() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea & biscuits").await;
    for number in 0..3_u128 {
        let id = Uuid::from_u128(number).to_string();
        let id = serde_json::from_value(json!(id)).unwrap();
        let post = Post {
            room,
            client: zoe.0,
            id,
            payload: "{}".into(),
            window: None,
            key: None,
            amendment: None,
            trace: None,
        };
        node.ports.bus.append(post).await.unwrap();
    }
    let api = cluster.admin(&[]).await;
    let detail = api.json(&format!("/admin/room/{room}")).await;
    let people = json!([{"clientId": zoe.0, "username": "Zoë"}]);
    assert!(detail["epoch"].is_string());
    assert_eq!(
        detail,
        json!({
            "roomId": room, "name": "Tea & biscuits", "ownerId": zoe.0, "createdAt": 1_700_000_000_000_u64,
            "memberCount": 1, "members": people, "messageCount": 3, "seq": 3, "epoch": detail["epoch"],
            "participantCount": 1, "participants": people,
        })
    );
    assert_eq!(api.json("/admin/room").await["rooms"][0]["seq"], 3);
}

#[tokio::test]
async fn one_that_is_deleted_is_gone() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea").await;
    let api = cluster.admin(&[]).await;
    let removed = body(api.delete(&format!("/admin/rooms/{room}?reason=off-topic")).await, 200).await;
    assert_eq!(
        removed,
        json!({"totalRemoved": 1, "message": format!("Room {room} was deleted with 1 member in it"), "unconfirmed": []})
    );
    problem(api.get(&format!("/admin/room/{room}")).await, 404).await;
    problem(api.delete(&format!("/admin/room/{room}")).await, 404).await;
    assert_eq!(api.json(&format!("/admin/client/{}", zoe.0)).await["roomIds"], json!([]));

    let log = api.audit().await;
    assert_eq!(log[0]["outcome"], "refused");
    assert_eq!((&log[1]["action"], &log[1]["reason"]), (&json!("room_delete"), &json!("off-topic")));
    assert_eq!((&log[1]["before"]["name"], &log[1]["after"]), (&json!("Tea"), &json!(null)));
}

/// Somebody who talks, as a node has it done.
struct Talker<'a> {
    node: &'a Node,
    room: RoomId,
    sender: Member,
}

impl<'a> Talker<'a> {
    fn new(node: &'a Node, room: RoomId, client_id: ClientId, name: &str) -> Self {
        let username = Username::parse(&name.into(), 16).unwrap();
        Self { node, room, sender: Member { client_id, username } }
    }

    async fn post(&self, payload: impl FnOnce(MessageId) -> Vec<u8>, post: impl FnOnce(Post) -> Post) -> Seq {
        let id = MessageId::new(Uuid::new_v4());
        let whole = Post {
            room: self.room,
            client: self.sender.client_id,
            key: Some(Uuid::nil()),
            id,
            payload: payload(id).into(),
            amendment: None,
            window: None,
            trace: None,
        };
        self.node.ports.bus.append(post(whole)).await.unwrap().seq
    }

    async fn say(&self, body: &str, reply_to: Option<Seq>) -> Seq {
        self.post(|id| Payload::message(self.room, id, &self.sender, body, reply_to).encode(), |post| post).await
    }

    async fn change(&self, seq: Seq, kind: ChangeKind, body: &str) -> Seq {
        let standing = Standing::read(self.node.ports.bus.as_ref(), self.room, seq).await.unwrap().unwrap();
        let amendment = match kind {
            ChangeKind::Edit => Some(standing.edit(&MessageBody::parse(&body.into(), 100).unwrap())),
            ChangeKind::Delete => Some(standing.delete()),
            ChangeKind::React | ChangeKind::Unreact => None,
        };
        let change = MessageChange { kind, seq, by_admin: false };
        let payload = |id| Payload::change(self.room, id, &self.sender, body, change).encode();
        self.post(payload, |post| Post { amendment, ..post }).await
    }
}

fn versions(message: &Value) -> Vec<(u64, &str)> {
    let version = |version: &'_ Value| version["seq"].as_u64().unwrap();
    let versions = message["versions"].as_array().unwrap();
    versions.iter().map(|v| (version(v), v["body"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn messages_are_shown_as_they_were_written() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea").await;
    let talker = Talker::new(&node, room, zoe.0, "Zoë");
    let first = talker.say("one", None).await;
    let second = talker.say("two", Some(first)).await;
    cluster.clock.advance(Duration::from_secs(1));
    for (at, kind, body) in [
        (first, ChangeKind::Edit, "uno"),
        (first, ChangeKind::React, "👍"),
        (first, ChangeKind::Edit, "eins"),
        (first, ChangeKind::Delete, ""),
    ] {
        talker.change(at, kind, body).await;
    }
    talker.say("three", None).await;
    let api = cluster.admin(&[]).await;
    let page = api.json(&format!("/admin/room/{room}/messages")).await;
    assert_eq!((page["messages"].as_array().unwrap().len(), &page["more"]), (3, &json!(false)));
    let message = &page["messages"][0];
    assert_eq!(versions(message), [(1, "one"), (3, "uno"), (5, "eins")]);
    assert_eq!((&message["body"], &message["deleted"]), (&json!("eins"), &json!(6)));
    assert_eq!(message["versions"][1]["at"], message["sentAt"].as_u64().unwrap() + 1000);
    assert_eq!(message["sender"], json!({"clientId": zoe.0, "username": "Zoë"}));
    assert_eq!((&page["messages"][1]["replyTo"], versions(&page["messages"][1])), (&json!(first), vec![(2, "two")]));
    assert_eq!(page["messages"][1].get("deleted"), None);

    // In parts: changes are none, and a message has all its versions wherever a part ends.
    for path in ["room", "rooms"] {
        let part = api.json(&format!("/admin/{path}/{room}/message?limit=1")).await;
        assert_eq!((&part["messages"][0]["seq"], &part["more"]), (&json!(7), &json!(true)));
        let part = api.json(&format!("/admin/{path}/{room}/messages?limit=1&before={second}")).await;
        assert_eq!(part, json!({"messages": [message], "more": false}));
    }
    assert_eq!(
        api.json(&format!("/admin/room/{room}/messages?before=1")).await,
        json!({"messages": [], "more": false})
    );
    for bad in ["before=x", "before=-1", "limit=0", "limit=501"] {
        problem(api.get(&format!("/admin/room/{room}/messages?{bad}")).await, 400).await;
    }
    problem(api.get("/admin/room/99999/messages").await, 404).await;
}

#[tokio::test]
async fn a_page_goes_on_through_any_number_of_reactions() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea").await;
    let talker = Talker::new(&node, room, zoe.0, "Zoë");
    let first = talker.say("first", None).await;
    for _ in 0..600 {
        talker.change(first, ChangeKind::React, "👍").await;
    }
    talker.change(first, ChangeKind::Edit, "still first").await;
    let api = cluster.admin(&[]).await;
    let page = api.json(&format!("/admin/room/{room}/messages")).await;
    assert_eq!(versions(&page["messages"][0]), [(1, "first"), (602, "still first")]);
}

#[tokio::test]
async fn a_message_that_is_deleted_is_gone_for_members() {
    let cluster = Cluster::new();
    let node = cluster.node("node-1").await;
    let zoe = cluster.client(&node, "Zoë", "203.0.113.7").await;
    let room = cluster.room(&node, &zoe, "Tea").await;
    node.ports.bus.subscribe(room).await.unwrap();
    let talker = Talker::new(&node, room, zoe.0, "Zoë");
    let first = talker.say("secret", None).await;
    let edit = talker.change(first, ChangeKind::Edit, "secret still").await;
    let api = cluster.admin(&[]).await;
    let removed = body(api.delete(&format!("/admin/rooms/{room}/message/{first}?reason=spam")).await, 200).await;
    let message = format!("Message 1 of room {room} was deleted");
    assert_eq!(removed, json!({"totalRemoved": 1, "message": message, "unconfirmed": []}));
    let read = node.ports.bus.read(room, engine::port::Span::Newest, 9).await.unwrap().entries;
    let texts: Vec<_> = read.iter().map(|entry| String::from_utf8(entry.payload.to_vec()).unwrap()).collect();
    assert!(texts.iter().all(|text| !text.contains("secret")), "{texts:?}");
    let last: Value = serde_json::from_str(&texts[2]).unwrap();
    assert_eq!(last["change"], json!({"kind": "delete", "seq": 1, "byAdmin": true}));
    assert_eq!((&last["sender"]["clientId"], &last["body"]), (&json!(zoe.0), &json!("(deleted)")));
    // Not twice, and neither a change nor what never was.
    for seq in [first.get(), edit.get(), 3, 4, 0] {
        problem(api.delete(&format!("/admin/room/{room}/messages/{seq}")).await, 404).await;
    }
    let log = api.audit().await;
    assert_eq!(log[0]["outcome"], "refused");
    let done = &log[5];
    assert_eq!(
        (&done["action"], &done["outcome"], &done["reason"]),
        (&json!("message_delete"), &json!("done"), &json!("spam"))
    );
    assert_eq!(done["target"], format!("message 1 of room {room}"));
    assert!(!done.to_string().contains("secret"), "what it said is not in the log");
}
