//! What [`Bus`](crate::port::Bus) promises.

use super::{Backend, LONG, MANY, Node, Person, Recorder, entries, message, payload, post};
use crate::port::{Address, Delivery, Entry, PortError, Post, Slice, Span};
use crate::trace::TraceContext;
use bytes::Bytes;
use protocol::{RoomId, Seq, policy::Window};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;
use uuid::Uuid;

async fn nodes(backend: &impl Backend, count: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(Node::new(backend).await);
    }
    nodes
}

fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|e| e.seq.get()).collect()
}

/// A node, somebody on it, and a room of theirs.
async fn somewhere(backend: &impl Backend) -> (Node, Person, RoomId) {
    let node = Node::new(backend).await;
    let person = node.guest().await;
    let room = person.room().await;
    (node, person, room)
}

async fn read(node: &Node, room: RoomId, span: Span, limit: usize) -> Slice {
    node.ports.bus.read(room, span, limit).await.unwrap()
}

/// Appends from every node at the same time get the positions 1, 2, 3 …, and every node, the senders' own included,
/// is handed the same entries in this order.
pub async fn every_node_hears_the_same_order_without_holes(backend: &impl Backend) {
    const EACH: usize = 40;
    let nodes = nodes(backend, 3).await;
    let owner = nodes[0].guest().await;
    let room = owner.room().await;
    let mut writers = JoinSet::new();
    for node in &nodes {
        node.subscribe(room).await;
    }
    for (n, node) in nodes.iter().enumerate() {
        for w in 0..2 {
            let person = node.guest().await;
            writers.spawn(async move {
                let mut given = Vec::new();
                for i in 0..EACH {
                    let text = format!("{n}/{w}/{i}");
                    let appended = person.say(room, &text).await;
                    assert!(!appended.duplicate);
                    given.push((appended.seq, payload(&text)));
                    tokio::task::yield_now().await;
                }
                assert!(given.is_sorted_by_key(|(seq, _)| *seq), "a writer's own order is kept");
                given
            });
        }
    }
    let mut given: Vec<(Seq, Bytes)> = writers.join_all().await.into_iter().flatten().collect();
    given.sort_unstable_by_key(|(seq, _)| *seq);
    let total = 3 * 2 * EACH;
    assert_eq!(given.iter().map(|(seq, _)| seq.get()).collect::<Vec<_>>(), (1..=total as u64).collect::<Vec<_>>());
    for node in &nodes {
        let heard = node.heard.entries(room, total).await;
        assert_eq!(heard.into_iter().map(|e| (e.seq, e.payload)).collect::<Vec<_>>(), given);
    }
}

/// The log and what was handed out never disagree, down to the time.
pub async fn what_is_read_is_what_was_published(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let reader = Node::new(backend).await;
    node.subscribe(room).await;
    let mut appended = Vec::new();
    for i in 0..8 {
        appended.push(person.say(room, &format!("message {i}")).await);
    }
    let heard = node.heard.entries(room, 8).await;
    let slice = read(&reader, room, Span::Newest, 100).await;
    assert_eq!(slice.entries, heard);
    assert_eq!((slice.oldest, slice.newest, slice.more), (Seq::new(1), Seq::new(8), false));
    let times = |entries: &[Entry]| entries.iter().map(|e| (e.seq, e.sent_at)).collect::<Vec<_>>();
    assert_eq!(times(&heard), appended.iter().map(|a| (a.seq, a.sent_at)).collect::<Vec<_>>());
    assert_eq!(heard[3].payload, payload("message 3"));
}

/// Every node hears by what a message is followed, and that another one is not; the log does not keep it, and whoever
/// repeats a message that is there already tells nobody anything.
pub async fn a_trace_goes_with_what_is_published_and_not_into_the_log(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    node.subscribe(room).await;
    other.subscribe(room).await;
    let (trace, id) = (TraceContext::new(u128::MAX - 1, 2), message());
    for trace in [trace, TraceContext::new(3, 4)] {
        node.ports.bus.append(Post { trace, ..post(room, person.id, id, "followed") }).await.unwrap();
    }
    person.say(room, "not followed").await;
    for node in [&node, &other] {
        let heard = node.heard.entries(room, 2).await;
        assert_eq!(read(node, room, Span::Newest, 9).await.entries, heard);
        let traces = node.heard.all().into_iter().filter_map(|delivery| match delivery {
            Delivery::Entry { trace, .. } => Some(trace),
            _ => None,
        });
        assert_eq!(traces.collect::<Vec<_>>(), [trace, None]);
    }
}

/// The same id from the same client is answered with the first one's position, from whichever node, and is published
/// no second time, whatever it says the second time.
pub async fn an_id_is_posted_once(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    node.subscribe(room).await;
    let id = message();
    let first = node.ports.bus.append(post(room, person.id, id, "once")).await.unwrap();
    person.say(room, "between").await;
    for ports in [&node.ports, &other.ports] {
        let again = ports.bus.append(post(room, person.id, id, "twice")).await.unwrap();
        assert!(again.duplicate);
        assert_eq!((again.seq, again.sent_at), (first.seq, first.sent_at));
    }
    assert_eq!(person.say(room, "after").await.seq, Seq::new(3));
    let heard = node.heard.entries(room, 3).await;
    assert_eq!(
        heard.iter().map(|e| &e.payload).collect::<Vec<_>>(),
        [&payload("once"), &payload("between"), &payload("after")]
    );
    assert_eq!(read(&node, room, Span::Newest, 100).await.entries, heard);
}

/// A retry that overtakes its first try, or runs beside it on another node, does not double the message.
pub async fn concurrent_retries_post_once(backend: &impl Backend) {
    let nodes = nodes(backend, 3).await;
    let person = nodes[0].guest().await;
    let room = person.room().await;
    let id = message();
    let mut tries = JoinSet::new();
    for n in 0..12 {
        let (bus, client) = (nodes[n % 3].ports.bus.clone(), person.id);
        tries.spawn(async move { bus.append(post(room, client, id, "once")).await.unwrap() });
    }
    let tries = tries.join_all().await;
    assert_eq!(tries.iter().filter(|a| !a.duplicate).count(), 1);
    assert!(tries.iter().all(|a| a.seq == Seq::new(1)));
    assert_eq!(read(&nodes[1], room, Span::Newest, 100).await.newest, Seq::new(1));
}

/// An id is the client's and the room's own: nobody can spoil another one's message by guessing its id.
pub async fn an_id_of_another_client_or_room_is_another_message(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let (other, elsewhere) = (node.guest().await, person.room().await);
    let id = message();
    let append = |room, client| node.ports.bus.append(post(room, client, id, "x"));
    let first = append(room, person.id).await.unwrap();
    let others = append(room, other.id).await.unwrap();
    let elsewhere = append(elsewhere, person.id).await.unwrap();
    assert!(!first.duplicate && !others.duplicate && !elsewhere.duplicate);
    assert_eq!([first.seq, others.seq, elsewhere.seq].map(Seq::get), [1, 2, 1]);
}

/// After its time an id is a new message; until then it is not.
pub async fn an_id_is_forgotten_after_its_time(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let (id, remembered) = (message(), backend.retention().duplicates);
    let append = || node.ports.bus.append(post(room, person.id, id, "x"));
    append().await.unwrap();
    backend.pass(remembered - backend.unit()).await;
    assert!(append().await.unwrap().duplicate, "still remembered");
    // A retry does not lengthen the time.
    backend.pass(backend.unit() * 2).await;
    let again = append().await.unwrap();
    assert_eq!((again.duplicate, again.seq), (false, Seq::new(2)));
}

/// The window lets so many messages pass and then none, says how long to wait, and leaves no trace of what it refused;
/// but what was posted is known as such, however full the window is.
pub async fn a_full_window_takes_no_message_but_knows_its_own(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let window = Some(Window { count: 3, window: Duration::from_secs(3600) });
    let limited = |id| Post { window, ..post(room, person.id, id, "x") };
    let ids: Vec<_> = (0..4).map(|_| message()).collect();
    for id in &ids[..3] {
        assert!(!node.ports.bus.append(limited(*id)).await.unwrap().duplicate);
    }
    let Err(PortError::Limited(wait)) = node.ports.bus.append(limited(ids[3])).await else { panic!("one too many") };
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(7200), "{wait:?}");
    let again = node.ports.bus.append(limited(ids[1])).await.unwrap();
    assert_eq!((again.duplicate, again.seq), (true, Seq::new(2)));
    assert_eq!(read(&node, room, Span::Newest, 9).await.newest, Seq::new(3));
    // Somebody else's window is another.
    let other = node.guest().await;
    assert!(node.ports.bus.append(Post { window, ..post(room, other.id, message(), "x") }).await.is_ok());
}

/// A retry counts once, and the window is the cluster's, whichever node a client is on.
pub async fn a_window_counts_a_client_s_messages_on_every_node(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let nodes = [node, Node::new(backend).await];
    let window = Some(Window { count: 5, window: Duration::from_secs(3600) });
    let mut calls = JoinSet::new();
    for n in 0..20 {
        let (bus, id) = (nodes[n % 2].ports.bus.clone(), message());
        let post = Post { window, ..post(room, person.id, id, "x") };
        calls.spawn(async move {
            let first = bus.append(post.clone()).await.is_ok();
            assert_eq!(bus.append(post).await.is_ok(), first, "a retry is answered as the first try was");
            first
        });
    }
    assert_eq!(calls.join_all().await.into_iter().filter(|passed| *passed).count(), 5);
    assert_eq!(read(&nodes[0], room, Span::Newest, 9).await.newest, Seq::new(5));
}

/// One less with each message and none with a retry, and one more at the latest when it says. Without a window nothing.
pub async fn a_window_says_what_is_left(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    assert_eq!(person.say(room, "x").await.budget, None);
    let long = Some(Window { count: 5, window: Duration::from_secs(3600) });
    let append = async |window, id| {
        let post = Post { window, ..post(room, person.id, id, "x") };
        node.ports.bus.append(post).await.unwrap().budget.unwrap()
    };
    for left in (0..5).rev() {
        let id = message();
        let (first, again) = (append(long, id).await, append(long, id).await);
        assert_eq!([first.remaining, again.remaining], [left; 2]);
        assert!(first.one_more_ms > 0 && first.one_more_ms <= 3_600_001, "{first:?}");
    }
    // Somebody who has a shorter one.
    let (node, person, room) = somewhere(backend).await;
    let short = Some(Window { count: 5, window: backend.unit() * 2 });
    let append = async |id| {
        let post = Post { window: short, ..post(room, person.id, id, "x") };
        node.ports.bus.append(post).await.unwrap().budget.unwrap()
    };
    let last = message();
    append(message()).await;
    let before = append(last).await;
    backend.pass(Duration::from_millis(before.one_more_ms)).await;
    let after = append(last).await;
    assert!(after.remaining > before.remaining, "{before:?}, then {after:?}");
}

/// What each way of reading gives, from which end, and whether there is more.
pub async fn spans(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    for i in 1..=8 {
        person.say(room, &i.to_string()).await;
    }
    let cases: [(Span, usize, &[u64], bool); 17] = [
        (Span::Newest, 3, &[6, 7, 8], true),
        (Span::Newest, 8, &[1, 2, 3, 4, 5, 6, 7, 8], false),
        (Span::Newest, 9, &[1, 2, 3, 4, 5, 6, 7, 8], false),
        (Span::Before(Seq::new(6)), 2, &[4, 5], true),
        (Span::Before(Seq::new(3)), 2, &[1, 2], false),
        (Span::Before(Seq::new(1)), 2, &[], false),
        (Span::Before(Seq::ZERO), 2, &[], false),
        (Span::Before(Seq::new(99)), 1, &[8], true),
        (Span::After(Seq::ZERO), 2, &[1, 2], true),
        (Span::After(Seq::new(5)), 3, &[6, 7, 8], false),
        (Span::After(Seq::new(5)), 2, &[6, 7], true),
        (Span::After(Seq::new(8)), 2, &[], false),
        (Span::After(Seq::new((1 << 53) - 1)), 2, &[], false),
        (Span::Between(Seq::new(2), Seq::new(6)), 9, &[3, 4, 5], false),
        (Span::Between(Seq::new(2), Seq::new(6)), 2, &[3, 4], true),
        (Span::Between(Seq::new(5), Seq::new(6)), 2, &[], false),
        (Span::Between(Seq::new(7), Seq::new(3)), 2, &[], false),
    ];
    for (span, limit, expected, more) in cases {
        let slice = read(&node, room, span, limit).await;
        assert_eq!((seqs(&slice.entries).as_slice(), slice.more), (expected, more), "{span:?}, at most {limit}");
        assert_eq!((slice.oldest, slice.newest), (Seq::new(1), Seq::new(8)), "{span:?}");
    }
    let empty = person.room().await;
    let slice = read(&node, empty, Span::Newest, 5).await;
    assert_eq!((slice.oldest, slice.newest, slice.entries, slice.more), (Seq::new(1), Seq::ZERO, vec![], false));
}

/// Whoever was at a position gets all that came after it, no more and no less, page by page if need be.
pub async fn a_position_gives_exactly_what_came_after_it(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let count = 9;
    for i in 1..=count {
        person.say(room, &i.to_string()).await;
    }
    for position in 0..=count {
        let (mut at, mut got) = (Seq::new(position), Vec::new());
        loop {
            let slice = read(&node, room, Span::After(at), 4).await;
            got.extend(seqs(&slice.entries));
            match slice.entries.last() {
                Some(last) if slice.more => at = last.seq,
                _ => break,
            }
        }
        assert_eq!(got, (position + 1..=count).collect::<Vec<_>>(), "after {position}");
    }
}

/// A log holds so many; the oldest make way, positions go on, and the reader can tell what is gone.
pub async fn a_full_log_loses_its_oldest(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let kept = backend.retention().messages as u64;
    let total = kept + 7;
    for i in 1..=total {
        assert_eq!(person.say(room, &i.to_string()).await.seq, Seq::new(i));
    }
    let limit = kept as usize + 100;
    let oldest = total - kept + 1;
    let whole: Vec<u64> = (oldest..=total).collect();
    for span in [Span::Newest, Span::After(Seq::ZERO), Span::After(Seq::new(3)), Span::Before(Seq::new(total + 1))] {
        let slice = read(&node, room, span, limit).await;
        assert_eq!(seqs(&slice.entries), whole, "{span:?}");
        assert_eq!((slice.oldest.get(), slice.newest.get(), slice.more), (oldest, total, false), "{span:?}");
    }
    assert_eq!(read(&node, room, Span::Before(Seq::new(oldest)), 5).await.entries, []);
}

/// Another epoch, told to all who listen, and only once however many noticed the loss; what is left stays.
pub async fn a_timeline_that_lost_positions_becomes_another(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    node.subscribe(room).await;
    person.say(room, "1").await;
    let lost = read(&node, room, Span::Newest, 9).await.epoch;
    node.ports.bus.renew(room, &lost).await.unwrap();
    let renewed = read(&node, room, Span::Newest, 9).await;
    assert_ne!(renewed.epoch, lost);
    assert_eq!((renewed.newest, seqs(&renewed.entries)), (Seq::new(1), vec![1]));
    node.ports.bus.renew(room, &lost).await.unwrap();
    assert_eq!(read(&node, room, Span::Newest, 9).await.epoch, renewed.epoch);
    person.say(room, "2").await;
    node.heard.entries(room, 2).await;
    let told = node.heard.all();
    let missed = told.iter().filter(|d| **d == Delivery::Missed(Some(room))).count();
    assert_eq!(missed, 1, "{told:?}");
    let nowhere = RoomId::new(999_999_998).unwrap();
    assert_eq!(node.ports.bus.renew(nowhere, &lost).await, Err(PortError::RoomNotFound));
}

/// Messages older than the log reaches are gone, but the positions are not given again.
pub async fn an_old_log_is_empty_and_goes_on(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    for i in 0..3 {
        person.say(room, &i.to_string()).await;
    }
    let epoch = read(&node, room, Span::Newest, 1).await.epoch;
    backend.pass(backend.retention().time + backend.unit()).await;
    let slice = read(&node, room, Span::Newest, 9).await;
    assert_eq!((slice.oldest, slice.newest, slice.entries), (Seq::new(4), Seq::new(3), vec![]));
    assert_eq!(person.say(room, "again").await.seq, Seq::new(4));
    let slice = read(&node, room, Span::After(Seq::new(1)), 9).await;
    assert_eq!((slice.oldest, slice.newest, slice.epoch), (Seq::new(4), Seq::new(4), epoch));
    assert_eq!(seqs(&slice.entries), [4]);
}

/// Positions of one room say nothing about another one, and each timeline has a name of its own.
pub async fn each_room_has_a_timeline_of_its_own(backend: &impl Backend) {
    let (node, person, one) = somewhere(backend).await;
    let two = person.room().await;
    node.subscribe(one).await;
    node.subscribe(two).await;
    for _ in 0..3 {
        person.say(one, "one").await;
        person.say(two, "two").await;
    }
    assert_eq!(seqs(&node.heard.entries(one, 3).await), [1, 2, 3]);
    assert_eq!(seqs(&node.heard.entries(two, 3).await), [1, 2, 3]);
    let (one, two) = (read(&node, one, Span::Newest, 1).await, read(&node, two, Span::Newest, 1).await);
    assert_ne!(one.epoch, two.epoch);
}

/// Where there is no room, there is nothing to read or to write, and writing makes none.
pub async fn a_timeline_needs_a_room(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    person.say(room, "x").await;
    person.leave(room).await.unwrap();
    for _ in 0..2 {
        let append = node.ports.bus.append(post(room, person.id, message(), "x")).await;
        assert_eq!(append, Err(PortError::RoomNotFound));
        assert_eq!(node.ports.bus.read(room, Span::Newest, 1).await, Err(PortError::RoomNotFound));
    }
    node.ports.bus.publish(room, None, payload("x")).await.unwrap();
}

/// When `subscribe` has returned, what another node publishes in the next instant is heard. (Backends whose
/// subscription only begins some time after the call fail this one in every tenth round or so.)
pub async fn nothing_is_missed_after_subscribing(backend: &impl Backend) {
    let nodes = nodes(backend, 2).await;
    let person = nodes[0].guest().await;
    let room = person.room().await;
    for round in 1..=50_u64 {
        nodes[1].subscribe(room).await;
        let appended = person.say(room, "now").await;
        assert_eq!(appended.seq, Seq::new(round));
        let heard = nodes[1].heard.entries(room, round as usize).await;
        assert_eq!(heard.last().map(|e| e.seq), Some(appended.seq));
        nodes[1].ports.bus.unsubscribe(room).await.unwrap();
    }
}

/// A node hears the rooms that it asked for, and no others.
pub async fn only_subscribers_hear(backend: &impl Backend) {
    let nodes = nodes(backend, 3).await;
    let person = nodes[0].guest().await;
    let (room, other) = (person.room().await, person.room().await);
    nodes[1].subscribe(room).await;
    nodes[2].subscribe(other).await;
    let guest = nodes[0].guest().await;
    person.say(room, "x").await;
    guest.join(room, MANY).await.unwrap();
    person.ports.bus.publish(room, None, payload("x")).await.unwrap();
    guest.leave(room).await.unwrap();
    nodes[1].heard.changes(room, 2).await;
    for node in [&nodes[0], &nodes[2]] {
        node.settle().await;
        let orders = |d: &Delivery| matches!(d, Delivery::Order(_));
        assert!(node.heard.all().iter().all(orders), "{:?}", node.heard.all());
    }
}

/// Subscribing again does nothing: nothing is heard twice.
pub async fn subscribing_twice_hears_once(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    for _ in 0..3 {
        node.subscribe(room).await;
    }
    person.say(room, "x").await;
    node.heard.entries(room, 1).await;
    node.settle().await;
    assert_eq!(entries(&node.heard.all(), room).len(), 1);
    // And one `unsubscribe` ends it.
    node.ports.bus.unsubscribe(room).await.unwrap();
    person.say(room, "x").await;
    node.settle().await;
    assert_eq!(entries(&node.heard.all(), room).len(), 1);
}

/// `unsubscribe` ends it for this node alone, and `subscribe` begins it anew.
pub async fn who_unsubscribes_hears_nothing_until_it_subscribes_again(backend: &impl Backend) {
    let nodes = nodes(backend, 2).await;
    let person = nodes[0].guest().await;
    let room = person.room().await;
    for node in &nodes {
        node.subscribe(room).await;
    }
    person.say(room, "1").await;
    nodes[1].heard.entries(room, 1).await;
    nodes[1].ports.bus.unsubscribe(room).await.unwrap();
    nodes[1].ports.bus.unsubscribe(room).await.unwrap();
    person.say(room, "2").await;
    nodes[0].heard.entries(room, 2).await;
    nodes[1].settle().await;
    nodes[1].subscribe(room).await;
    person.say(room, "3").await;
    assert_eq!(seqs(&nodes[1].heard.entries(room, 2).await), [1, 3]);
    assert_eq!(seqs(&nodes[0].heard.entries(room, 3).await), [1, 2, 3]);
}

/// What is published without a position comes as it was given, with whom to spare, and is in no log.
pub async fn ephemerals_pass_through_and_are_not_kept(backend: &impl Backend) {
    let nodes = nodes(backend, 2).await;
    let person = nodes[0].guest().await;
    let room = person.room().await;
    for node in &nodes {
        node.subscribe(room).await;
    }
    let bus = &nodes[0].ports.bus;
    let odd = Bytes::from_static("{\"text\":\"\u{1f980} \\u0000 \\n\"}".as_bytes());
    bus.publish(room, Some(person.id), payload("one")).await.unwrap();
    bus.publish(room, None, odd.clone()).await.unwrap();
    for node in &nodes {
        let ephemerals = node.heard.wait("two ephemerals", |all| {
            let all: Vec<_> = all.iter().filter(|d| matches!(d, Delivery::Ephemeral { .. })).cloned().collect();
            (all.len() == 2).then_some(all)
        });
        assert_eq!(
            ephemerals.await,
            [
                Delivery::Ephemeral { room, except: Some(person.id), payload: payload("one") },
                Delivery::Ephemeral { room, except: None, payload: odd.clone() },
            ]
        );
    }
    let slice = read(&nodes[0], room, Span::Newest, 9).await;
    assert_eq!((slice.newest, slice.entries), (Seq::ZERO, vec![]));
}

/// An order reaches the node that it names, or every node and the sender too; in the order in which it was given.
pub async fn orders_reach_one_node_or_all(backend: &impl Backend) {
    let nodes = nodes(backend, 3).await;
    let bus = &nodes[0].ports.bus;
    let order = |text: &str| Bytes::from(format!("{text} {}", Uuid::new_v4()));
    let (to_one, to_self, to_all) = (order("one"), order("self"), order("all"));
    bus.order(Address::Node(nodes[1].id.clone()), to_one.clone()).await.unwrap();
    bus.order(Address::Node(nodes[0].id.clone()), to_self.clone()).await.unwrap();
    bus.order(Address::Everyone, to_all.clone()).await.unwrap();
    for (node, expected) in nodes.iter().zip([vec![&to_self, &to_all], vec![&to_one, &to_all], vec![&to_all]]) {
        let ours = |all: &[Delivery]| -> Vec<Bytes> {
            let ours = |d: &Delivery| match d {
                Delivery::Order(o) if [&to_one, &to_self, &to_all].contains(&o) => Some(o.clone()),
                _ => None,
            };
            all.iter().filter_map(ours).collect()
        };
        node.heard.wait("the order to all", |all| ours(all).contains(&to_all).then_some(())).await;
        node.settle().await;
        // Orders to a node and to all may come by two ways, which have no order between them.
        let (mut heard, mut expected) = (ours(&node.heard.all()), expected.into_iter().cloned().collect::<Vec<_>>());
        heard.sort_unstable();
        expected.sort_unstable();
        assert_eq!(heard, expected);
    }
    // To nobody: no fault of the sender's.
    bus.order(Address::Node(Uuid::new_v4().to_string().parse().unwrap()), to_one).await.unwrap();
}

/// A process that is no node hears orders when it has asked for them, and is not taken for a node.
pub async fn who_listens_hears_orders_without_being_a_node(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let (id, ports) = backend.node().await;
    let heard = Arc::new(Recorder::default());
    ports.bus.attach(heard.clone());
    ports.bus.listen().await.unwrap();
    for (to, order) in [(Address::Node(id.clone()), "to it"), (Address::Everyone, "to all")] {
        node.ports.bus.order(to, Bytes::from_static(order.as_bytes())).await.unwrap();
        let order = Delivery::Order(Bytes::from_static(order.as_bytes()));
        heard.wait("the order", |all| all.contains(&order).then_some(())).await;
    }
    assert!(node.ports.directory.nodes().await.unwrap().iter().all(|listed| listed.node != id));
}

/// What a node hears does not hang on its lease: a node that was reaped hears on until it says otherwise, so that it
/// never believes to hear what it does not.
pub async fn a_subscription_outlives_the_lease(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let late = Node::with_lease(backend, backend.unit()).await;
    late.subscribe(room).await;
    backend.pass(backend.unit() * 2).await;
    node.sweep().await;
    person.say(room, "1").await;
    assert_eq!(seqs(&late.heard.entries(room, 1).await), [1]);
    let _anew = late.ports.directory.register(&late.id, LONG).await.unwrap();
    person.say(room, "2").await;
    assert_eq!(seqs(&late.heard.entries(room, 2).await), [1, 2]);
}
