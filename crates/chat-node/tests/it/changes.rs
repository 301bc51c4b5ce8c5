//! Edits, deletions, reactions and replies: who may do what, and what is read of it afterwards.

use crate::{
    store::broken::{Broken, Trouble},
    support::{Cluster, SECRET, TestNode, eventually, refusal},
};
use client::{Client, ClientError, ConnectOptions};
use engine::{Retention, clock::MockClock};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use protocol::{
    ClientCommand, ErrorCode, MessageId, RoomId, Seq, ServerEvent,
    command::{DeleteMessage, EditMessage, FetchHistory, React, Resume},
    event::{Ack, ChangeKind, Message, NewMessage, RoomJoined},
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ErrorCode {
    refusal(result).code
}

fn seq(ack: &Ack) -> u64 {
    ack.seq.unwrap().get()
}

async fn act(client: &mut Client, command: ClientCommand) -> Result<Ack, ClientError> {
    match client.request(command).await? {
        ServerEvent::CommandError(error) => Err(ClientError::Refused(error)),
        event => Ok(Ack::try_from(event).unwrap()),
    }
}

/// What one reads of a message.
fn said(message: &Message) -> (u64, &str, Option<u64>, Option<u64>) {
    (message.seq.get(), message.body.as_str(), message.edited.map(Seq::get), message.deleted.map(Seq::get))
}

async fn history(client: &mut Client) -> Vec<Message> {
    client.history(FetchHistory { limit: Some(100), ..Client::newest() }).await.unwrap().messages
}

async fn heard(client: &mut Client, seq: u64) -> NewMessage {
    client.expect::<NewMessage>(|message| message.seq == Seq::new(seq)).await.unwrap()
}

/// Two nodes, Alice on the first and Bob on the second, in one room.
async fn two() -> (TestNode, TestNode, Client, Client, RoomId) {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", &[]).await, cluster.node("n2", &[]).await);
    let (mut alice, mut bob) = (one.client("Alice").await, two.client("Bob").await);
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    bob.join(room).await.unwrap();
    (one, two, alice, bob, room)
}

#[tokio::test]
async fn a_change_has_a_place_of_its_own_on_every_node() {
    let (_one, _two, mut alice, mut bob, _) = two().await;
    assert_eq!(seq(&alice.say("tee").await.unwrap()), 1);
    assert_eq!(seq(&alice.edit(Seq::new(1), "tea").await.unwrap()), 2);
    assert_eq!(seq(&bob.react(Seq::new(1), "👍🏽", true).await.unwrap()), 3);
    assert_eq!(seq(&bob.react(Seq::new(1), "👍🏽", false).await.unwrap()), 4);
    let ack = alice.delete(Seq::new(1)).await.unwrap();
    assert_eq!((seq(&ack), ack.duplicate), (5, Some(false)));
    for client in [&mut alice, &mut bob] {
        heard(client, 1).await;
        for (at, kind, body) in [
            (2, ChangeKind::Edit, "tea"),
            (3, ChangeKind::React, "👍🏽"),
            (4, ChangeKind::Unreact, "👍🏽"),
            (5, ChangeKind::Delete, "(deleted)"),
        ] {
            let message = client.expect::<NewMessage>(|_| true).await.unwrap();
            let change = message.change.unwrap();
            assert_eq!((message.seq.get(), change.kind, change.seq, change.by_admin), (at, kind, Seq::new(1), false));
            assert_eq!(message.body.as_str(), body);
            assert_eq!(
                message.sender.username.as_str(),
                if kind == ChangeKind::Edit || at == 5 { "Alice" } else { "Bob" }
            );
        }
    }
}

/// Whoever reads the log instead of having heard it gets the newest text, and nothing that was taken away.
#[tokio::test]
async fn what_is_read_is_what_is_in_force() {
    let (one, two, mut alice, mut bob, room) = two().await;
    bob.say("hello").await.unwrap();
    let reply = seq(&alice.say_reply(Seq::new(1), "first secret").await.unwrap());
    alice.edit(Seq::new(reply), "second secret").await.unwrap();
    let mut carol = one.client("Carol").await;
    let shown = carol.join(room).await.unwrap().messages;
    assert_eq!(
        shown.iter().map(said).collect::<Vec<_>>(),
        [(1, "hello", None, None), (2, "second secret", Some(3), None), (3, "second secret", None, None),]
    );
    assert_eq!((shown[1].reply_to, shown[2].reply_to), (Some(Seq::new(1)), None));
    alice.edit(Seq::new(reply), "third secret").await.unwrap();
    let expected = [
        (1, "hello", None, None),
        (2, "third secret", Some(4), None),
        (3, "(edited)", None, None),
        (4, "third secret", None, None),
    ];
    assert_eq!(history(&mut bob).await.iter().map(said).collect::<Vec<_>>(), expected);
    alice.delete(Seq::new(reply)).await.unwrap();
    let expected = [
        (1, "hello", None, None),
        (2, "(deleted)", None, Some(5)),
        (3, "(edited)", None, None),
        (4, "(edited)", None, None),
        (5, "(deleted)", None, None),
    ];
    // By no call that a member has is a text read that was taken away.
    for node in [&one, &two] {
        let mut newcomer = node.client("New").await;
        let joined = newcomer.join(room).await.unwrap();
        assert_eq!(joined.messages.iter().map(said).collect::<Vec<_>>(), expected);
        assert_eq!(joined.messages[1].reply_to, Some(Seq::new(1)));
        let resume = Some(Resume { room_id: room, epoch: joined.epoch.clone(), seq: Seq::ZERO });
        let parts = [
            Client::newest(),
            FetchHistory { before: Some(Seq::new(5)), ..Client::newest() },
            FetchHistory { after: Some(Seq::new(1)), ..Client::newest() },
            FetchHistory { after: Some(Seq::new(1)), before: Some(Seq::new(5)), ..Client::newest() },
            FetchHistory { after: Some(Seq::new(2)), limit: Some(1), ..Client::newest() },
        ];
        let mut read = Vec::new();
        for part in parts {
            let messages = newcomer.history(part).await.unwrap().messages;
            assert!(!messages.is_empty());
            read.extend(messages);
        }
        let mut again = node.connect(newcomer.again(resume)).await;
        let resumed = again.expect::<RoomJoined>(|_| true).await.unwrap();
        assert_eq!(resumed.messages.iter().map(said).collect::<Vec<_>>(), expected);
        assert!(resumed.recovered);
        read.extend(again.join(room).await.unwrap().messages);
        for message in read {
            let text = serde_json::to_string(&message).unwrap();
            assert!(!text.contains("secret"), "{text}");
            assert_eq!(said(&message), expected[usize::try_from(message.seq.get()).unwrap() - 1]);
        }
    }
}

#[tokio::test]
async fn who_comes_back_gets_exactly_the_changes_that_it_missed() {
    let (one, _two, mut alice, mut bob, room) = two().await;
    alice.say("tee").await.unwrap();
    heard(&mut bob, 1).await;
    let epoch = bob.join(room).await.unwrap().epoch;
    let resume = Some(Resume { room_id: room, epoch, seq: Seq::new(1) });
    let options = bob.again(resume);
    drop(bob);
    alice.edit(Seq::new(1), "tea").await.unwrap();
    alice.react(Seq::new(1), "❤️", true).await.unwrap();
    alice.edit(Seq::new(1), "Tea").await.unwrap();
    let mut bob = one.connect(options).await;
    let resumed = bob.expect::<RoomJoined>(|_| true).await.unwrap();
    assert!(resumed.recovered);
    let changes: Vec<_> = resumed.messages.iter().map(|m| (said(m), m.change.unwrap().kind)).collect();
    assert_eq!(
        changes,
        [
            ((2, "(edited)", None, None), ChangeKind::Edit),
            ((3, "❤️", None, None), ChangeKind::React),
            ((4, "Tea", None, None), ChangeKind::Edit),
        ]
    );
}

#[tokio::test]
async fn only_its_author_changes_a_message_wherever_and_under_whatever_name() {
    let (_one, two, mut alice, mut bob, _) = two().await;
    alice.say("1").await.unwrap();
    for refused in [bob.edit(Seq::new(1), "mine").await, bob.delete(Seq::new(1)).await] {
        assert_eq!(code(refused), ErrorCode::Forbidden);
    }
    alice.rename("Alicia").await.unwrap();
    alice.edit(Seq::new(1), "2").await.unwrap();
    // Another node, the same session.
    let mut again = two.connect(alice.again(None)).await;
    again.expect::<RoomJoined>(|_| true).await.unwrap();
    again.edit(Seq::new(1), "3").await.unwrap();
    let messages = history(&mut bob).await;
    assert_eq!(
        messages.iter().map(said).collect::<Vec<_>>(),
        [(1, "3", Some(3), None), (2, "(edited)", None, None), (3, "3", None, None),]
    );
    assert_eq!(messages[0].sender.username.as_str(), "Alice", "the name of that moment");
    assert_eq!(messages[2].sender.username.as_str(), "Alicia");
    again.delete(Seq::new(1)).await.unwrap();
}

/// Ids are given again when they are free; what their former holder said is not the new one's.
#[tokio::test]
async fn who_has_got_somebody_s_id_has_not_got_its_messages() {
    let clock = Arc::new(MockClock::new());
    let retention = Retention { clients: Duration::from_secs(1), ..Retention::default() };
    let cluster = Cluster::with(clock.clone(), retention);
    let node = cluster.node("n1", &[("NODE_LEASE", "1h")]).await;
    let (mut alice, mut bob, room) = node.pair().await;
    alice.say("mine").await.unwrap();
    alice.edit(Seq::new(1), "still mine").await.unwrap();
    let id = alice.connected.client_id;
    alice.leave().await.unwrap();
    drop(alice);
    let claims = json!({"iss": "roomful", "aud": "roomful-session", "sub": id.to_string(), "name": "Alice",
        "key": Uuid::new_v4(), "iat": 1, "exp": 99_999_999_999_u64});
    let session =
        encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    let mut other = None;
    let taken = eventually(async || {
        clock.advance(Duration::from_secs(2));
        let client = node.connect(ConnectOptions::new().session(&session)).await;
        let is_it = client.connected.client_id == id;
        other = Some(client).filter(|_| is_it);
        is_it
    });
    assert!(taken.await, "the id was never free again");
    let mut other = other.unwrap();
    other.join(room).await.unwrap();
    for refused in [other.edit(Seq::new(1), "mine now").await, other.delete(Seq::new(1)).await] {
        assert_eq!(code(refused), ErrorCode::Forbidden);
    }
    assert_eq!(said(&history(&mut bob).await[0]), (1, "still mine", Some(2), None));
    // Its own are.
    let own = other.say("own").await.unwrap().seq.unwrap();
    other.delete(own).await.unwrap();
}

#[tokio::test]
async fn what_is_gone_or_no_message_is_not_changed() {
    let cluster = Cluster::with(Arc::new(MockClock::new()), Retention { messages: 12, ..Retention::default() });
    let node = cluster.node("n1", &[]).await;
    let (mut alice, _bob, _) = node.pair().await;
    alice.say("0").await.unwrap();
    alice.edit(Seq::new(1), "1").await.unwrap();
    alice.react(Seq::new(1), "👍", true).await.unwrap();
    alice.delete(Seq::new(1)).await.unwrap();
    // Deleted; an edit, a reaction, a deletion; never there.
    for at in [1, 2, 3, 4, 5, 0, (1 << 53) - 1] {
        let at = Seq::new(at);
        for refused in [alice.edit(at, "x").await, alice.delete(at).await, alice.react(at, "👍", true).await] {
            assert_eq!(code(refused), ErrorCode::Forbidden, "{at}");
        }
    }
    let lost = alice.say("lost").await.unwrap().seq.unwrap();
    for n in 0..12 {
        alice.say(&n.to_string()).await.unwrap();
    }
    for refused in [alice.edit(lost, "x").await, alice.delete(lost).await, alice.react(lost, "👍", false).await] {
        assert_eq!(code(refused), ErrorCode::Forbidden);
    }
    assert_eq!(history(&mut alice).await.last().unwrap().body.as_str(), "11", "nothing came of it");
}

#[tokio::test]
async fn other_rooms_are_nobody_s_business() {
    let (one, _two, mut alice, _bob, room) = two().await;
    alice.say("here").await.unwrap();
    let mut carol = one.client("Carol").await;
    let ask = |room_id| {
        let (id, seq) = (MessageId::new(Uuid::new_v4()), Seq::new(1));
        [
            ClientCommand::EditMessage(EditMessage { id, room_id, seq, body: "x".into() }),
            ClientCommand::DeleteMessage(DeleteMessage { id, room_id, seq }),
            ClientCommand::React(React { id, room_id, seq, emoji: "👍".into(), on: true }),
        ]
    };
    let nowhere = Some(RoomId::new(999_999_998).unwrap());
    let cases = [(Some(room), ErrorCode::Forbidden), (nowhere, ErrorCode::RoomNotFound), (None, ErrorCode::NotInRoom)];
    for (room, expected) in cases {
        for command in ask(room) {
            assert_eq!(code(act(&mut carol, command).await), expected, "{room:?}");
        }
    }
    // Also for who is in another one, and for the author once it has left.
    carol.create_room("Coffee").await.unwrap();
    assert_eq!(code(act(&mut carol, ask(Some(room))[0].clone()).await), ErrorCode::Forbidden);
    alice.leave().await.unwrap();
    assert_eq!(code(act(&mut alice, ask(Some(room))[1].clone()).await), ErrorCode::Forbidden);
}

#[tokio::test]
async fn the_same_act_again_is_answered_and_not_done_again() {
    let (_one, two, mut alice, mut bob, _) = two().await;
    alice.say("0").await.unwrap();
    let id = || MessageId::new(Uuid::new_v4());
    let acts = [
        ClientCommand::EditMessage(EditMessage { id: id(), room_id: None, seq: Seq::new(1), body: "1".into() }),
        ClientCommand::React(React { id: id(), room_id: None, seq: Seq::new(1), emoji: "👍".into(), on: true }),
        ClientCommand::DeleteMessage(DeleteMessage { id: id(), room_id: None, seq: Seq::new(1) }),
    ];
    let mut first = Vec::new();
    for wanted in &acts {
        let ack = act(&mut alice, wanted.clone()).await.unwrap();
        assert_eq!(ack.duplicate, Some(false));
        first.push((ack.seq, ack.sent_at));
    }
    // Also when it is not allowed any more by now, and on another node.
    let mut again = two.connect(alice.again(None)).await;
    again.expect::<RoomJoined>(|_| true).await.unwrap();
    for (wanted, first) in acts.iter().zip(&first) {
        let ack = act(&mut again, wanted.clone()).await.unwrap();
        assert_eq!((ack.duplicate, (ack.seq, ack.sent_at)), (Some(true), *first));
    }
    assert_eq!(history(&mut bob).await.len(), 4);
    // The id is its client's: somebody else's same one is another act.
    assert_eq!(code(act(&mut bob, acts[2].clone()).await), ErrorCode::Forbidden);
}

#[tokio::test]
async fn an_act_whose_answer_was_lost_is_done_once() {
    let cluster = Cluster::new();
    let (ports, store) = Broken::over(cluster.ports("n1"));
    let short = Duration::from_millis(200);
    let node = cluster.start("n1", ports, &[], |config| config.engine.call_timeout = short).await;
    let (mut alice, mut bob, _) = node.pair().await;
    alice.say("0").await.unwrap();
    let edit = |id, body: &str| {
        ClientCommand::EditMessage(EditMessage { id, room_id: None, seq: Seq::new(1), body: body.into() })
    };
    let id = MessageId::new(Uuid::new_v4());
    store.set("append", Trouble::Late(short * 2));
    assert_eq!(code(act(&mut alice, edit(id, "1")).await), ErrorCode::Unavailable);
    store.mend();
    let ack = act(&mut alice, edit(id, "1")).await.unwrap();
    assert_eq!((ack.seq, ack.duplicate), (Some(Seq::new(2)), Some(true)));
    // The question whose it is fails, too.
    store.set("originals", Trouble::Fails);
    assert_eq!(code(alice.delete(Seq::new(1)).await), ErrorCode::Unavailable);
    store.mend();
    let messages = history(&mut bob).await;
    assert_eq!(messages.iter().map(said).collect::<Vec<_>>(), [(1, "1", Some(2), None), (2, "1", None, None)]);
}

#[tokio::test]
async fn acts_that_race_all_have_their_place() {
    let (_one, two, mut alice, mut bob, room) = two().await;
    alice.say("0").await.unwrap();
    for n in 1..=20 {
        let id = MessageId::new(Uuid::new_v4());
        let edit = EditMessage { id, room_id: None, seq: Seq::new(1), body: n.to_string().as_str().into() };
        alice.send(&ClientCommand::EditMessage(edit)).await.unwrap();
        bob.react(Seq::new(1), "👍", n % 2 == 0).await.unwrap();
    }
    alice.ping().await.unwrap();
    let mut carol = two.client("Carol").await;
    let shown = carol.join(room).await.unwrap().messages;
    assert!(shown.iter().map(|m| m.seq.get()).eq(1..=41));
    assert_eq!(shown[0].body.as_str(), "20");
    let edits = shown.iter().filter(|m| m.change.is_some_and(|c| c.kind == ChangeKind::Edit));
    let texts: Vec<_> = edits.map(|m| m.body.as_str()).collect();
    assert!(texts[..19].iter().all(|text| *text == "(edited)") && texts[19] == "20", "{texts:?}");
}

#[tokio::test]
async fn texts_and_emoji_are_checked() {
    let (_one, _two, mut alice, mut bob, _) = two().await;
    alice.say("0").await.unwrap();
    let longest = alice.connected.limits.message_chars;
    alice.edit(Seq::new(1), &"x".repeat(longest)).await.unwrap();
    assert_eq!(code(alice.edit(Seq::new(1), &"x".repeat(longest + 1)).await), ErrorCode::TooLong);
    assert_eq!(code(alice.edit(Seq::new(1), " ").await), ErrorCode::Empty);
    for bad in ["", "x", ":tea:", "👍👍", "<b>", &"👍".repeat(500)] {
        assert_eq!(code(bob.react(Seq::new(1), bad, true).await), ErrorCode::BadRequest, "{bad}");
    }
    // One's own message, too; and one emoji is one, however it is spelled.
    let at = seq(&alice.react(Seq::new(1), "❤", true).await.unwrap());
    assert_eq!(heard(&mut bob, at).await.body.as_str(), "❤️");
}

#[tokio::test]
async fn changes_count_as_messages() {
    for limit in [("LIMIT_MESSAGE_NODE", "4,1h"), ("LIMIT_MESSAGE_CLUSTER", "4/3600s")] {
        let node = crate::support::node(&[limit]).await;
        let (mut alice, _bob, _) = node.pair().await;
        alice.say("0").await.unwrap();
        alice.edit(Seq::new(1), "1").await.unwrap();
        alice.react(Seq::new(1), "👍", true).await.unwrap();
        alice.delete(Seq::new(1)).await.unwrap();
        let error = refusal(alice.say("1").await);
        assert_eq!(error.code, ErrorCode::RateLimited, "{limit:?}");
        assert!(error.retry_after_ms.is_some_and(|ms| ms > 0));
    }
}

/// The smaller one of both layers, so that whoever heeds it is never refused.
#[tokio::test]
async fn an_ack_says_how_many_more_may_follow() {
    for limits in [
        [("LIMIT_MESSAGE_NODE", "5,1h"), ("LIMIT_MESSAGE_CLUSTER", "off")],
        [("LIMIT_MESSAGE_NODE", "off"), ("LIMIT_MESSAGE_CLUSTER", "5/3600s")],
        [("LIMIT_MESSAGE_NODE", "5,1h"), ("LIMIT_MESSAGE_CLUSTER", "9/3600s")],
        [("LIMIT_MESSAGE_NODE", "9,1h"), ("LIMIT_MESSAGE_CLUSTER", "5/3600s")],
    ] {
        let node = crate::support::node(&limits).await;
        let (mut alice, _bob, _) = node.pair().await;
        let acks = [
            alice.say("0").await.unwrap(),
            alice.say_reply(Seq::new(1), "1").await.unwrap(),
            alice.edit(Seq::new(1), "2").await.unwrap(),
            alice.react(Seq::new(1), "👍", true).await.unwrap(),
            alice.delete(Seq::new(1)).await.unwrap(),
        ];
        let budgets = acks.map(|ack| ack.budget.unwrap());
        assert_eq!(budgets.map(|budget| budget.remaining), [4, 3, 2, 1, 0], "{limits:?}");
        assert!(budgets.iter().all(|budget| (1..=2 * 3_600_000).contains(&budget.one_more_ms)), "{budgets:?}");
        assert_eq!(code(alice.say("6").await), ErrorCode::RateLimited, "{limits:?}");
    }
}

#[tokio::test]
async fn who_waits_as_told_has_one_more() {
    for limit in [("LIMIT_MESSAGE_NODE", "2,50ms"), ("LIMIT_MESSAGE_CLUSTER", "2/1s")] {
        let node = crate::support::node(&[limit]).await;
        let (mut alice, _bob, _) = node.pair().await;
        let mut budget = alice.say("0").await.unwrap().budget.unwrap();
        for n in 0..4 {
            if budget.remaining == 0 {
                tokio::time::sleep(Duration::from_millis(budget.one_more_ms)).await;
            }
            budget = alice.say(&n.to_string()).await.unwrap().budget.unwrap();
        }
    }
}

#[tokio::test]
async fn without_limits_there_is_no_budget() {
    let (_one, _two, mut alice, _bob, _) = two().await;
    assert_eq!(alice.say("0").await.unwrap().budget, None);
    assert_eq!(alice.edit(Seq::new(1), "1").await.unwrap().budget, None);
}
