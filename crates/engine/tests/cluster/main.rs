//! Three engines over the memory backend, with two workers each: what their clients see, in good weather and in bad.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod anything;
mod crowd;
mod harness;
mod lost_answers;
mod operators;
mod ports;

use engine::{
    EngineConfig, HubConfig, Peer, PortError, Retention,
    clock::{Entropy, SeededEntropy},
};
use harness::{Client, Options, SEVERAL_ROOMS, World, message_id, run, settle};
use protocol::{RoomId, event::LeaveReason};
use std::{rc::Rc, sync::atomic::Ordering, time::Duration};

fn numbers(range: std::ops::RangeInclusive<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

/// A room with one member a node, and its first one as the speaker.
async fn conversation(world: &World) -> (Vec<Client>, RoomId) {
    let first = world.guest(0).await;
    let room = first.create().await.unwrap();
    let mut people = vec![first];
    for n in 1..world.nodes.len() {
        let person = world.guest(n).await;
        person.join(room).await.unwrap();
        people.push(person);
    }
    settle().await;
    (people, room)
}

/// A message from each node reaches every member on every node, the sender included, in one order.
#[test]
fn all_nodes_hear_all_in_one_order() {
    run(async {
        let world = World::new(Options::default()).await;
        let (mut people, room) = conversation(&world).await;
        for n in 0..9 {
            let person = world.guest(n).await;
            person.join(room).await.unwrap();
            people.push(person);
        }
        for n in 1..=60 {
            people[n % people.len()].say(room, &n.to_string()).await.unwrap();
        }
        settle().await;
        for person in &people {
            assert_eq!(person.bodies(room), numbers(1..=60));
            world.check(person, room).await;
        }
    });
}

/// Whoever joins while others talk on other nodes sees every message from some point on, and none twice; whatever the
/// order in which the steps of joining and the messages interleave.
#[test]
fn a_join_races_with_messages() {
    for seed in 0..60 {
        run(async move {
            let world = World::new(Options { seed, ..Options::default() }).await;
            world.weather.set(|w| &w.turns, 6);
            let (people, room) = conversation(&world).await;
            let people = people.into_iter().map(Rc::new).collect::<Vec<_>>();
            let mut tasks = tokio::task::JoinSet::new();
            for (n, person) in people.iter().enumerate() {
                let person = person.clone();
                tasks.spawn_local(async move {
                    for i in 0..25 {
                        person.say(room, &format!("{n}/{i}")).await.unwrap();
                    }
                    None
                });
            }
            for n in 0..6 {
                let node = world.nodes[n % 3].clone();
                tasks.spawn_local(async move {
                    for _ in 0..n * 10 {
                        tokio::task::yield_now().await;
                    }
                    let late = Client::connect(&node, None).await.unwrap();
                    late.join(room).await.unwrap();
                    if n % 2 == 0 {
                        // Out and in again: what is on its way still speaks of the first time.
                        late.leave(room).await.unwrap();
                        late.join(room).await.unwrap();
                    }
                    Some(late)
                });
            }
            let late: Vec<Client> = tasks.join_all().await.into_iter().flatten().collect();
            settle().await;
            assert_eq!(people[0].room(room).seq, 75);
            for person in late.iter().chain(people.iter().map(Rc::as_ref)) {
                world.check(person, room).await;
                assert_eq!(person.room(room).refreshes, 0, "seed {seed}: nothing had to be repaired");
            }
        });
    }
}

/// Whoever lost the connection goes on, on another node, with exactly what was missed; nobody is told.
#[test]
fn a_resume_gives_exactly_what_was_missed() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        people[0].say(room, "1").await.unwrap();
        settle().await;
        people[1].lose().await;
        for n in 2..=700 {
            people[0].say(room, &n.to_string()).await.unwrap();
        }
        settle().await;
        let back = people[1].again(&world.nodes[2]).await.unwrap();
        assert_eq!(back.attached_rooms, [room]);
        back.resume(room).await.unwrap();
        people[2].say(room, "701").await.unwrap();
        settle().await;
        assert_eq!(back.bodies(room), numbers(1..=701));
        assert_eq!(back.room(room).gaps, []);
        world.check(&back, room).await;
        assert_eq!(people[0].room(room).user_events, 2, "two who joined, nobody who left");
    });
}

/// What the log has lost is told as a gap, once, and what is left follows.
#[test]
fn a_resume_tells_its_gap() {
    run(async {
        let retention = Retention { messages: 10, ..Retention::default() };
        let world = World::new(Options { retention, ..Options::default() }).await;
        let (people, room) = conversation(&world).await;
        for n in 1..=5 {
            people[0].say(room, &n.to_string()).await.unwrap();
        }
        settle().await;
        people[1].lose().await;
        for n in 6..=40 {
            people[0].say(room, &n.to_string()).await.unwrap();
        }
        let back = people[1].again(&world.nodes[0]).await.unwrap();
        back.resume(room).await.unwrap();
        settle().await;
        let known = back.room(room);
        assert_eq!(known.gaps.iter().map(|g| (g.from.get(), g.to.get())).collect::<Vec<_>>(), [(6, 30)]);
        assert_eq!(back.bodies(room), [numbers(1..=5), numbers(31..=40)].concat());
    });
}

/// A reader that stops reading is closed as too slow when its queue is full, which costs no more than the queue; the
/// others get everything at once.
#[test]
fn a_slow_reader_costs_only_itself() {
    run(async {
        let hub = HubConfig { outbox_bytes: 16 * 1024, ..HubConfig::default() };
        let world = World::new(Options { hub, ..Options::default() }).await;
        let (people, room) = conversation(&world).await;
        let stuck = world.guest(0).await;
        stuck.join(room).await.unwrap();
        settle().await;
        stuck.widen(100);
        let body = "x".repeat(1000);
        let mut taken = 0;
        while stuck.connection.closing().is_none() {
            people[1].say(room, &body).await.unwrap();
            settle().await;
            taken += 1;
            for person in &people {
                assert_eq!(person.room(room).seq, taken, "nobody waits for it");
            }
            assert!(taken < 20, "its queue is bounded");
        }
        assert!(taken >= 15, "{taken}");
        assert_eq!(world.nodes[0].engine.stats.slow.load(Ordering::Relaxed), 1);
        people[1].say(room, "on").await.unwrap();
        // The rest of the frame that was begun, and the close; not what had been queued.
        stuck.widen(usize::MAX);
        settle().await;
        assert_eq!(stuck.model().closed, Some(4008));
        assert!(stuck.model().rooms[&room].seq <= 1);
        // It goes on from there without having lost anything.
        stuck.lose().await;
        let back = stuck.again(&world.nodes[1]).await.unwrap();
        back.resume(room).await.unwrap();
        settle().await;
        world.check(&back, room).await;
        assert_eq!(back.room(room).gaps, []);
    });
}

/// A socket that takes nothing at all is closed after a while, even when its queue is not full; one that takes a little
/// now and then is not.
#[test]
fn a_stalled_socket_is_closed() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let (stalled, crawling) = (world.guest(0).await, world.guest(0).await);
        for person in [&stalled, &crawling] {
            person.join(room).await.unwrap();
            settle().await;
            person.widen(0);
        }
        people[0].say(room, &"x".repeat(2000)).await.unwrap();
        settle().await;
        for _ in 0..14 {
            assert_eq!((stalled.connection.closing(), crawling.connection.closing()), (None, None));
            world.pass(Duration::from_secs(1)).await;
            crawling.widen(10);
        }
        world.pass(Duration::from_secs(5)).await;
        assert!(stalled.connection.closing().is_some());
        assert_eq!(crawling.connection.closing(), None);
        crawling.widen(usize::MAX);
        settle().await;
        world.check(&crawling, room).await;
    });
}

/// The bus loses, doubles and swaps positions without saying so: each member still gets each once and in order, at
/// the latest with the next position that comes through.
#[test]
fn a_bus_that_loses_and_doubles_is_repaired() {
    let mut refreshes = 0;
    for seed in 0..12 {
        refreshes += lossy(seed);
    }
    assert!(refreshes > 20, "the bad weather was bad: {refreshes}");
}

fn lossy(seed: u64) -> usize {
    let refreshes = Rc::new(std::cell::Cell::new(0));
    let count = refreshes.clone();
    run(async move {
        let world = World::new(Options { seed, ..Options::default() }).await;
        let (mut people, room) = conversation(&world).await;
        world.weather.set(|w| &w.drop, 10);
        world.weather.set(|w| &w.double, 10);
        world.weather.set(|w| &w.swap, 10);
        world.weather.set(|w| &w.turns, 3);
        for n in 1..=80 {
            people[n % 3].say(room, &n.to_string()).await.unwrap();
            if n % 20 == 0 {
                let late = world.guest(n / 20).await;
                late.join(room).await.unwrap();
                people.push(late);
            }
            if n % 7 == 0 {
                settle().await;
            }
        }
        world.weather.clear();
        people[0].say(room, "81").await.unwrap();
        people[0].say(room, "82").await.unwrap();
        settle().await;
        for person in &people {
            world.check(person, room).await;
            assert_eq!(person.room(room).gaps, []);
            assert!(person.connection.closing().is_none());
        }
        for person in &people[..3] {
            assert_eq!(person.bodies(room), numbers(1..=82));
        }
        count.set(people.iter().map(|p| p.room(room).refreshes).sum());
    });
    refreshes.get()
}

/// When the bus says that something may be missing, everything is read again: also the last message, and who is there,
/// which no later position would show to be missing. Whoever was coming in at that moment is shown it, too.
#[test]
fn what_the_bus_says_it_missed_is_read_again() {
    for seed in 0..20 {
        run(async move {
            let world = World::new(Options { seed, ..Options::default() }).await;
            let (people, room) = conversation(&world).await;
            world.weather.set(|w| &w.turns, 4);
            world.weather.everything.store(true, Ordering::Relaxed);
            world.weather.set(|w| &w.drop, 100);
            let mut late = Vec::new();
            for n in 0..6 {
                let node = world.nodes[n % 3].clone();
                late.push(tokio::task::spawn_local(async move {
                    for _ in 0..n * 4 {
                        tokio::task::yield_now().await;
                    }
                    let late = Client::connect(&node, None).await.unwrap();
                    late.join(room).await.unwrap();
                    late
                }));
            }
            people[1].rename("Zoë").await.unwrap();
            people[0].say(room, "1").await.unwrap();
            for _ in 0..seed {
                tokio::task::yield_now().await;
            }
            people[0].say(room, "2").await.unwrap();
            // The weather clears and the bus says so, while some are still coming in.
            world.weather.set(|w| &w.drop, 0);
            for node in &world.nodes {
                node.rough.miss(if seed % 2 == 0 { Some(room) } else { None });
            }
            let mut all = people;
            for late in late {
                all.push(late.await.unwrap());
            }
            settle().await;
            for person in &all {
                world.check(person, room).await;
            }
            for person in &all[..3] {
                assert_eq!(person.bodies(room), ["1", "2"]);
                assert!(person.room(room).refreshes > 0);
            }
        });
    }
}

/// The bus says that it missed something while a room is being read again for that very reason: what that reading was
/// too early for is read by another one.
#[test]
fn what_is_missed_during_a_repair_is_read_again() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let late = world.guest(1).await;
        let lose_and_say_so = async |text: &'static str| {
            world.weather.everything.store(true, Ordering::Relaxed);
            world.weather.set(|w| &w.drop, 100);
            people[0].say(room, text).await.unwrap();
            people[1].rename(text).await.unwrap();
            world.weather.clear();
            for node in &world.nodes {
                node.rough.miss(Some(room));
            }
        };
        lose_and_say_so("1").await;
        // The room is read at once, but the answer takes its time.
        world.weather.set(|w| &w.late_by, 300);
        world.weather.set(|w| &w.late, 100);
        settle().await;
        world.weather.clear();
        let entered = late.arrive(engine::engine::Target::Join(room)).await.unwrap();
        lose_and_say_so("2").await;
        world.pass(Duration::from_secs(1)).await;
        late.enter(entered, true);
        settle().await;
        for person in people.iter().chain([&late]) {
            world.check(person, room).await;
            assert_eq!(person.bodies(room), ["1", "2"]);
        }
    });
}

/// A position is lost while somebody comes in, the first one on its worker, who alone could have told: it is found
/// missing at once, not with the next message.
#[test]
fn what_is_lost_while_one_comes_in_is_found_at_once() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        // The node's other worker has nobody in that room.
        let late = world.guest(1).await;
        let entered = late.arrive(engine::engine::Target::Join(room)).await.unwrap();
        world.weather.set(|w| &w.drop, 100);
        people[0].say(room, "1").await.unwrap();
        world.weather.clear();
        people[0].say(room, "2").await.unwrap();
        settle().await;
        late.enter(entered, true);
        settle().await;
        assert_eq!(late.bodies(room), ["1", "2"]);
        world.check(&late, room).await;
    });
}

/// A room that ends between being read and being shown is shown and then left, so that the command has its answer.
#[test]
fn a_room_that_ends_while_one_comes_in_is_left_again() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let late = world.guest(1).await;
        let entered = late.arrive(engine::engine::Target::Join(room)).await.unwrap();
        people[0].node.ports.directory.end_room(room).await.unwrap();
        settle().await;
        assert_eq!(late.model().left, []);
        late.enter(entered, true);
        settle().await;
        assert_eq!(late.model().left, [(room, LeaveReason::RoomDeleted)]);
        assert!(late.model().rooms.is_empty() && late.connection.rooms().is_empty());
    });
}

/// A worker that is so far behind that its queue overflows reads its rooms again; nobody loses anything, and an order
/// to close a connection is not lost either.
#[test]
fn a_worker_that_falls_behind_reads_again() {
    run(async {
        let retention = Retention { messages: 50_000, ..Retention::default() };
        let world = World::new(Options { retention, nodes: 2, ..Options::default() }).await;
        let (people, room) = conversation(&world).await;
        // Nobody gets a turn meanwhile: the queue of each worker takes 16,384.
        let count = 17_000;
        for n in 1..=count {
            people[0].say(room, &n.to_string()).await.unwrap();
        }
        let third = world.guest(1).await;
        let taken_over = third.again(&world.nodes[0]).await.unwrap();
        settle().await;
        for person in &people {
            assert_eq!(person.room(room).seq, count as u64);
            assert!(person.bodies(room) == numbers(1..=count));
            assert!((1..=2).contains(&person.room(room).refreshes), "{}", person.room(room).refreshes);
        }
        assert_eq!(third.model().closed, Some(4009));
        assert_eq!(taken_over.model().closed, None);
    });
}

/// A newer connection closes the former one, on the same node and on another; and what the former one still tries does
/// nothing.
#[test]
fn a_takeover_closes_the_former_connection() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let mut former = people[1].again(&world.nodes[1]).await.unwrap();
        settle().await;
        assert_eq!(people[1].model().closed, Some(4009));
        for node in [&world.nodes[2], &world.nodes[2], &world.nodes[0]] {
            former.resume(room).await.unwrap();
            let now = former.again(node).await.unwrap();
            settle().await;
            assert_eq!(former.model().closed, Some(4009));
            assert_eq!(former.leave(room).await, Err(PortError::Superseded));
            former.lose().await;
            former = now;
        }
        former.resume(room).await.unwrap();
        world.pass(Duration::from_secs(30)).await;
        world.check(&former, room).await;
        world.check(&people[0], room).await;
        assert_eq!(people[0].room(room).user_events, 2, "two who joined, and nothing since");
    });
}

/// A room that is ended is told as deleted to all its members on all nodes.
#[test]
fn an_ended_room_is_left_by_all() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        people[0].say(room, "last words").await.unwrap();
        assert_eq!(world.nodes[2].ports.directory.end_room(room).await, Ok(3));
        settle().await;
        for person in &people {
            assert_eq!(person.model().left, [(room, LeaveReason::RoomDeleted)]);
            assert_eq!(person.connection.rooms(), []);
            assert_eq!(person.connection.closing(), None);
            assert_eq!(person.join(room).await, Err(PortError::RoomNotFound));
        }
        let next = people[0].create().await.unwrap();
        people[1].join(next).await.unwrap();
        settle().await;
        world.check(&people[1], next).await;
    });
}

/// Moving to another room is told to the one that moves as a move, and to the others as a departure.
#[test]
fn a_move_is_told_to_both_sides() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let host = world.guest(0).await;
        let other = host.create().await.unwrap();
        people[1].join(other).await.unwrap();
        people[0].say(room, "not for those who moved").await.unwrap();
        host.say(other, "hello").await.unwrap();
        settle().await;
        let model = people[1].model();
        assert_eq!(model.left, [(room, LeaveReason::Moved)]);
        assert_eq!(model.rooms.keys().collect::<Vec<_>>(), [&other]);
        for (person, room) in [(&people[0], room), (&people[2], room), (&people[1], other), (&host, other)] {
            world.check(person, room).await;
        }
    });
}

/// Silence is answered with a ping and then with 4040, and no `CONNECT` with 4001; whoever answers stays.
#[test]
fn silence_ends_a_connection() {
    run(async {
        let world = World::new(Options { hub: HubConfig::default(), ..Options::default() }).await;
        let (silent, lively) = (world.guest(0).await, world.guest(0).await);
        let stranger = silent.hub.open(silent.connection.wire.clone(), Peer::default());
        let hub = silent.hub.clone();
        world.pass(Duration::from_secs(9)).await;
        assert_eq!(stranger.closing(), None);
        world.pass(Duration::from_secs(2)).await;
        assert_eq!(stranger.closing(), Some(engine::Closing::Ours(protocol::CloseCode::ConnectTimeout)));
        hub.forget(&stranger);
        for _ in 0..4 {
            world.pass(Duration::from_secs(10)).await;
            lively.connection.hear(tokio::time::Instant::now());
        }
        assert_eq!(lively.model().pings, 2);
        world.pass(Duration::from_secs(1)).await;
        assert_eq!(silent.connection.closing(), Some(engine::Closing::Ours(protocol::CloseCode::HeartbeatLost)));
        assert_eq!(lively.connection.closing(), None);
    });
}

/// A node that was paused for longer than its lease closes its connections with 1012 and begins a new life, in which it
/// serves as before, also the rooms that it heard in the former one.
#[test]
fn a_fenced_node_begins_anew() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        // Time passes for the others only: the node does not get to its heartbeat.
        world.clock.advance(Duration::from_secs(11));
        for n in [0, 2] {
            // As if these had not been paused.
            let node = &world.nodes[n];
            let lease = people[n].attachment.lease.clone();
            let _ = node.ports.directory.heartbeat(&lease, Duration::from_secs(10), 0).await.unwrap();
        }
        let before = people[1].attachment.lease.generation;
        world.pass(Duration::from_secs(4)).await;
        for person in &people {
            assert_eq!(person.model().closed, Some(1012));
            person.lose().await;
        }
        let host = world.guest(0).await;
        let new_room = host.create().await.unwrap();
        let back = people[1].again(&world.nodes[1]).await.unwrap();
        assert!(back.attachment.lease.generation > before);
        assert!(matches!(back.resume(room).await, Err(PortError::RoomNotFound)));
        back.join(new_room).await.unwrap();
        host.say(new_room, "hello").await.unwrap();
        settle().await;
        assert_eq!(back.bodies(new_room), ["hello"]);
        world.check(&host, new_room).await;
    });
}

/// A killed node's members are gone for the others once its lease is over.
#[test]
fn the_members_of_a_killed_node_leave() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        world.nodes[1].kill();
        for _ in 0..12 {
            world.pass(Duration::from_secs(1)).await;
        }
        world.check(&people[0], room).await;
        assert_eq!(people[0].room(room).count, 2);
        // The client itself goes on elsewhere, without a gap.
        people[0].say(room, "still here?").await.unwrap();
        let back = people[1].again(&world.nodes[2]).await.unwrap();
        back.resume(room).await.unwrap();
        settle().await;
        world.check(&back, room).await;
        world.check(&people[0], room).await;
    });
}

/// A store that has another message where this node has seen one has lost positions, too, and has filled them again
/// before anybody looked.
#[test]
fn a_store_that_forgot_and_went_on_is_another_timeline() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        people[0].say(room, "to be replaced").await.unwrap();
        settle().await;
        let before = people[0].room(room).epoch;
        world.weather.rewritten.store(true, Ordering::Relaxed);
        world.nodes[1].rough.miss(Some(room));
        settle().await;
        let after = people[1].room(room).epoch;
        assert_ne!(after, before);
        assert_eq!(people[0].room(room).epoch, after, "everybody knows");
    });
}

/// A store that comes back without its newest positions, as one restored from a copy: what is lost is lost, but nobody
/// takes new messages for those that they replace.
#[test]
fn a_store_that_forgot_is_another_timeline() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        people[0].say(room, "to be forgotten").await.unwrap();
        settle().await;
        let before = people[0].room(room).epoch;
        for node in &world.nodes {
            world.weather.set(|w| &w.forgotten, 1);
            node.rough.miss(None);
        }
        settle().await;
        let after = people[0].room(room).epoch;
        assert_ne!(after, before);
        for person in &people {
            assert_eq!(person.room(room).epoch, after, "everybody knows");
        }
    });
}
