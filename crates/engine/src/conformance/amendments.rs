//! What [`Bus`](crate::port::Bus) promises of amendments.

use super::{Backend, Node, Person, message, payload, post};
use crate::port::{Amended, Amendment, Original, PortError, Post, Slice, Span};
use bytes::Bytes;
use protocol::{RoomId, Seq, policy::Window};
use std::time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;

async fn somewhere(backend: &impl Backend) -> (Node, Person, RoomId) {
    let node = Node::new(backend).await;
    let person = node.guest().await;
    let room = person.room().await;
    (node, person, room)
}

fn amendment(target: u64, expect: Option<u64>, text: &str) -> Amendment {
    let (target, expect) = (Seq::new(target), expect.map(Seq::new));
    Amendment { target, expect, replacement: payload(text), noted_as: "changed", superseded: None }
}

/// What a replacement reads as.
fn noted(text: &str, by: u64) -> Bytes {
    format!("{{\"text\":\"{text}\",\"changed\":{by}}}").into()
}

impl Person {
    async fn amend(&self, room: RoomId, text: &str, amendment: Amendment) -> Result<Seq, PortError> {
        let post = Post { amendment: Some(amendment), ..post(room, self.id, message(), text) };
        self.ports.bus.append(post).await.map(|appended| appended.seq)
    }
}

async fn texts(node: &Node, room: RoomId) -> Vec<Bytes> {
    read(node, room).await.entries.into_iter().map(|entry| entry.payload).collect()
}

async fn read(node: &Node, room: RoomId) -> Slice {
    node.ports.bus.read(room, Span::Newest, 500).await.unwrap()
}

async fn originals(node: &Node, room: RoomId) -> Vec<Original> {
    node.ports.bus.originals(room, Span::Newest, 500).await.unwrap().entries
}

/// On every node and however it is read; who hears hears what was posted, and the original is there for who asks for it.
pub async fn what_is_amended_reads_otherwise_and_stays_as_posted(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    other.subscribe(room).await;
    for text in ["1", "2", "3"] {
        person.say(room, text).await;
    }
    assert_eq!(person.amend(room, "4", amendment(2, None, "two")).await, Ok(Seq::new(4)));
    let expected = [payload("1"), noted("two", 4), payload("3"), payload("4")];
    for node in [&node, &other] {
        assert_eq!(texts(node, room).await, expected);
    }
    let heard = other.heard.entries(room, 4).await;
    assert_eq!(heard.iter().map(|e| &e.payload).collect::<Vec<_>>(), ["1", "2", "3", "4"].map(payload).each_ref());
    let slice = read(&node, room).await;
    let places = |entries: &[crate::port::Entry]| entries.iter().map(|e| (e.seq, e.sent_at)).collect::<Vec<_>>();
    assert_eq!(places(&slice.entries), places(&heard), "in its place, of its time");
    for span in [Span::After(Seq::new(1)), Span::Before(Seq::new(3)), Span::Between(Seq::new(1), Seq::new(3))] {
        let slice = node.ports.bus.read(room, span, 500).await.unwrap();
        let second = slice.entries.iter().find(|entry| entry.seq == Seq::new(2)).unwrap();
        assert_eq!(second.payload, noted("two", 4), "{span:?}");
    }
    let originals = originals(&node, room).await;
    assert_eq!(originals.iter().map(|o| o.entry.clone()).collect::<Vec<_>>(), heard);
    let amended = Some(Amended { by: Seq::new(4), payload: noted("two", 4) });
    let states: Vec<_> = originals.into_iter().map(|o| o.amended).collect();
    assert_eq!(states, [None, amended, None, None]);
}

/// The newest one is in force, and may replace the former one's text, too.
pub async fn an_amendment_replaces_the_one_before_it(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    person.say(room, "1").await;
    person.amend(room, "2", amendment(1, None, "one")).await.unwrap();
    let superseded = Some((Seq::new(2), payload("-")));
    let second = Amendment { superseded, ..amendment(1, Some(2), "uno") };
    assert_eq!(person.amend(room, "3", second).await, Ok(Seq::new(3)));
    assert_eq!(texts(&node, room).await, [noted("uno", 3), payload("-"), payload("3")]);
    let originals = originals(&node, room).await;
    assert_eq!(originals[0].entry.payload, payload("1"));
    assert_eq!(originals[1].amended, Some(Amended { by: Seq::new(3), payload: payload("-") }));
    assert_eq!(originals[1].entry.payload, payload("2"));
}

/// Nothing is posted then, and nothing replaced.
pub async fn who_knows_an_older_state_amends_nothing(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    node.subscribe(room).await;
    person.say(room, "1").await;
    assert_eq!(person.amend(room, "-", amendment(1, Some(1), "-")).await, Err(PortError::Amended));
    person.amend(room, "2", amendment(1, None, "one")).await.unwrap();
    for expect in [None, Some(1), Some(3)] {
        assert_eq!(person.amend(room, "-", amendment(1, expect, "-")).await, Err(PortError::Amended), "{expect:?}");
    }
    assert_eq!(person.say(room, "3").await.seq, Seq::new(3));
    assert_eq!(texts(&node, room).await, [noted("one", 2), payload("2"), payload("3")]);
    assert_eq!(node.heard.entries(room, 3).await.len(), 3);
}

/// Of those who know the same state only one gets its way, on whichever node.
pub async fn of_amendments_that_race_one_wins(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    person.say(room, "1").await;
    let mut tries = JoinSet::new();
    for n in 0..12 {
        let bus = [&node, &other][n % 2].ports.bus.clone();
        let amendment = Some(amendment(1, None, &format!("{n}")));
        let post = Post { amendment, ..post(room, person.id, message(), &format!("{n}")) };
        tries.spawn(async move { bus.append(post).await });
    }
    let tries = tries.join_all().await;
    assert_eq!(tries.iter().filter(|result| result.is_ok()).count(), 1, "{tries:?}");
    assert!(tries.iter().all(|result| matches!(result, Ok(_) | Err(PortError::Amended))), "{tries:?}");
    assert_eq!(read(&node, room).await.newest, Seq::new(2));
}

/// Its answer may have been lost: it is given again, whatever has become of the target meanwhile.
pub async fn a_retry_of_an_amendment_is_known(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    person.say(room, "1").await;
    let edit = Post { amendment: Some(amendment(1, None, "one")), ..post(room, person.id, message(), "2") };
    let first = node.ports.bus.append(edit.clone()).await.unwrap();
    person.amend(room, "3", amendment(1, Some(2), "uno")).await.unwrap();
    let again = node.ports.bus.append(edit).await.unwrap();
    assert_eq!((again.seq, again.sent_at, again.duplicate), (first.seq, first.sent_at, true));
    assert_eq!(texts(&node, room).await, [noted("uno", 3), payload("2"), payload("3")]);
}

/// Neither a position that never was, nor one that the log has lost, by number or by age.
pub async fn what_is_gone_cannot_be_amended(backend: &impl Backend) {
    let (_node, person, room) = somewhere(backend).await;
    person.say(room, "1").await;
    for never in [0, 2, 3, 1 << 52] {
        assert_eq!(person.amend(room, "-", amendment(never, None, "-")).await, Err(PortError::Amended), "{never}");
    }
    for _ in 0..backend.retention().messages {
        person.say(room, "x").await;
    }
    assert_eq!(person.amend(room, "-", amendment(1, None, "-")).await, Err(PortError::Amended), "by number");
    let newest = backend.retention().messages as u64 + 1;
    backend.pass(backend.retention().time + backend.unit()).await;
    assert_eq!(person.amend(room, "-", amendment(newest, None, "-")).await, Err(PortError::Amended), "by age");
    assert_eq!(person.say(room, "y").await.seq, Seq::new(newest + 1));
}

/// Whoever has to read again and try again has not used up anything.
pub async fn what_is_refused_counts_in_no_window(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    person.say(room, "1").await;
    let window = Some(Window { count: 1, window: Duration::from_secs(3600) });
    let limited = |amendment| {
        let post = post(room, person.id, message(), "2");
        node.ports.bus.append(Post { window, amendment: Some(amendment), ..post })
    };
    for _ in 0..3 {
        assert_eq!(limited(amendment(9, None, "-")).await, Err(PortError::Amended));
    }
    limited(amendment(1, None, "one")).await.unwrap();
    let Err(PortError::Limited(_)) = limited(amendment(1, Some(2), "uno")).await else { panic!("one too many") };
    assert_eq!(texts(&node, room).await, [noted("one", 2), payload("2")]);
}

/// A log that goes on for long keeps reading right, however many amendments there were.
pub async fn replacements_go_with_what_the_log_loses(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let kept = backend.retention().messages as u64;
    let mut seq = 0;
    for _ in 0..kept {
        seq = person.say(room, "said").await.seq.get();
        seq = person.amend(room, "edit", amendment(seq, None, "edited")).await.unwrap().get();
    }
    let expected = |at: u64| if at % 2 == 1 { noted("edited", at + 1) } else { payload("edit") };
    let slice = read(&node, room).await;
    assert_eq!((slice.newest.get(), slice.entries.len() as u64), (seq, kept));
    for entry in slice.entries {
        assert_eq!(entry.payload, expected(entry.seq.get()), "{}", entry.seq);
    }
}

/// Positions begin anew with another room of the same id, and what stood there once says nothing. A timeline that lost
/// positions keeps what it has left: what was taken away stays away.
pub async fn another_life_of_a_room_has_none_of_it(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    person.say(room, "1").await;
    person.amend(room, "2", amendment(1, None, "one")).await.unwrap();
    let epoch = read(&node, room).await.epoch;
    node.ports.bus.renew(room, &epoch).await.unwrap();
    assert_eq!(texts(&node, room).await, [noted("one", 2), payload("2")]);
    let next = person.room().await;
    person.say(next, "1").await;
    assert_eq!(texts(&node, next).await, [payload("1")]);
    person.amend(next, "2", amendment(1, None, "eins")).await.unwrap();
    assert_eq!(texts(&node, next).await, [noted("eins", 2), payload("2")]);
}

/// And with nobody else's; what was posted without one has none.
pub async fn a_key_is_kept_with_what_was_posted(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let keys = [Some(Uuid::from_u128(7)), None, Some(Uuid::from_u128(u128::MAX)), Some(Uuid::from_u128(0x0d0a << 64))];
    for key in keys {
        node.ports.bus.append(Post { key, ..post(room, person.id, message(), "x") }).await.unwrap();
    }
    person.amend(room, "5", amendment(1, None, "one")).await.unwrap();
    let kept: Vec<_> = originals(&node, room).await.into_iter().map(|original| original.key).collect();
    assert_eq!(kept[..4], keys);
    let part = node.ports.bus.originals(room, Span::After(Seq::ZERO), 1).await.unwrap();
    assert_eq!((part.entries.len(), part.entries[0].key, part.more), (1, keys[0], true));
    assert_eq!(part.entries[0].amended.as_ref().map(|amended| amended.by), Some(Seq::new(5)));
}
