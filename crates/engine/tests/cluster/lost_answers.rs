//! Answers that come too late, or never.

use super::*;
use crate::harness::Fake;
use protocol::Username;

/// The answer to an attempt to connect comes too late, or its connection has ended meanwhile: nobody is left behind who
/// is there for everybody else.
#[test]
fn a_connection_that_was_given_up_leaves_no_ghost() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        people[1].lose().await;
        world.weather.set(|w| &w.late, 100);
        let again = people[1].again(&world.nodes[2]);
        assert!(matches!(again.await, Err(PortError::Unavailable(_))));
        // Another one is dropped in the middle.
        let again = people[2].again(&world.nodes[0]);
        assert!(tokio::time::timeout(Duration::from_secs(1), again).await.is_err());
        world.weather.clear();
        world.pass(Duration::from_secs(6)).await;
        for _ in 0..12 {
            world.pass(Duration::from_secs(1)).await;
        }
        assert_eq!(people[2].model().closed, Some(4009), "whom the lost one took over from is told all the same");
        assert_eq!(people[0].room(room).count, 1);
        world.check(&people[0], room).await;
    });
}

/// The answer to CONNECT is lost, and the client tries again on the same connection, as it may: what is given up of the
/// first attempt leaves the second one alone.
#[test]
fn a_lost_attempt_does_not_end_the_next_one() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let (node, hub) = (&world.nodes[1], &people[1].hub);
        let person = world.guest(1).await;
        person.join(room).await.unwrap();
        person.lose().await;
        let connection = hub.open(Fake::new(), Peer::default());
        let identity = Some((person.id, person.key));
        world.weather.set(|w| &w.late, 100);
        let lost = node.engine.attach(hub, &connection, identity, None, false).await;
        assert!(matches!(lost, Err(PortError::Unavailable(_))));
        world.weather.clear();
        let (attachment, attached) = node.engine.attach(hub, &connection, identity, None, false).await.unwrap();
        assert!(attached.resumed);
        for _ in 0..12 {
            world.pass(Duration::from_secs(1)).await;
            connection.hear(tokio::time::Instant::now());
        }
        assert_eq!(connection.closing(), None);
        let name = Username::parse(&"still here".into(), 16).unwrap();
        node.engine.rename(person.id, &attachment, name).await.unwrap();
        assert_eq!(people[0].room(room).count, 4, "nobody has left");
    });
}

/// A departure that the backend could not be told is told when it is back.
#[test]
fn a_departure_in_bad_weather_is_told_later() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        world.weather.set(|w| &w.refuse, 100);
        people[1].lose().await;
        assert!(tokio::time::timeout(Duration::ZERO, people[2].lose()).await.is_ok());
        world.pass(Duration::from_secs(3)).await;
        world.weather.clear();
        for _ in 0..13 {
            world.pass(Duration::from_secs(1)).await;
        }
        assert_eq!(people[0].room(room).count, 1);
    });
}

/// The answers to joining and leaving are lost, and the client tries again: it ends where it wanted to be, hears that
/// room and no other.
#[test]
fn a_lost_answer_is_made_good_by_trying_again() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let host = world.guest(0).await;
        let other = host.create().await.unwrap();
        world.weather.set(|w| &w.late, 100);
        assert!(matches!(people[1].join(other).await, Err(PortError::Unavailable(_))));
        world.weather.clear();
        assert_eq!(people[1].connection.rooms(), [room], "as far as it knows");
        people[1].join(other).await.unwrap();
        people[0].say(room, "not for those who moved").await.unwrap();
        settle().await;
        assert_eq!(people[1].connection.rooms(), [other]);
        assert_eq!(people[1].model().left, [(room, LeaveReason::Moved)]);
        world.check(&people[1], other).await;

        // Dropped in the middle, at any point: it hears either what it did or what it asked for, and can go on.
        world.weather.set(|w| &w.turns, 5);
        for steps in 0..60 {
            let to = if people[1].connection.rooms() == [other] { room } else { other };
            give_up_after(steps, people[1].join(to)).await;
            settle().await;
            people[1].join(to).await.unwrap();
            settle().await;
            assert_eq!(people[1].connection.rooms(), [to]);
            world.check(&people[1], to).await;
        }
        let at = people[1].connection.rooms()[0];
        world.weather.clear();
        world.weather.set(|w| &w.late, 100);
        assert!(matches!(people[1].leave(at).await, Err(PortError::Unavailable(_))));
        world.weather.clear();
        people[1].leave(at).await.unwrap();
        settle().await;
        assert_eq!(people[1].model().rooms.len(), 0);
        assert_eq!(people[1].leave(at).await, Err(PortError::NotInRoom));
    });
}

/// Polls a future so often, and drops it then.
async fn give_up_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// One has moved, but the new room cannot be read: one is told that one left the former room, and no longer hears it.
#[test]
fn a_move_whose_room_cannot_be_read_is_still_a_move() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let host = world.guest(0).await;
        let other = host.create().await.unwrap();
        world.weather.unreadable.store(true, Ordering::Relaxed);
        assert!(matches!(people[1].join(other).await, Err(PortError::Unavailable(_))));
        world.weather.unreadable.store(false, Ordering::Relaxed);
        people[0].say(room, "not for those who moved").await.unwrap();
        settle().await;
        assert_eq!(people[1].model().left, [(room, LeaveReason::Moved)]);
        people[1].join(other).await.unwrap();
        settle().await;
        world.check(&people[1], other).await;
        world.check(&people[0], room).await;
    });
}

/// A repair that the backend does not answer is tried again until it does; meanwhile nothing is lost, nobody is closed.
#[test]
fn a_repair_waits_for_the_backend() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        world.weather.unreadable.store(true, Ordering::Relaxed);
        world.weather.set(|w| &w.drop, 100);
        people[0].say(room, "1").await.unwrap();
        world.weather.clear();
        for n in 2..=20 {
            people[0].say(room, &n.to_string()).await.unwrap();
            world.pass(Duration::from_millis(300)).await;
        }
        assert_eq!(people[2].room(room).seq, 0, "not without the first one");
        world.weather.unreadable.store(false, Ordering::Relaxed);
        world.pass(Duration::from_secs(1)).await;
        for person in &people {
            assert_eq!(person.bodies(room), numbers(1..=20));
            world.check(person, room).await;
        }
    });
}

/// The answer to a join is lost, and the client does not try again: it is where the directory has it, and the connection
/// that thinks otherwise is closed, so that the client learns it by coming back.
#[test]
fn who_is_astray_comes_back() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let host = world.guest(0).await;
        let other = host.create().await.unwrap();
        // So that these nodes hear the room already, and joining is all that is asked for.
        let listeners = [world.guest(1).await, world.guest(2).await];
        for listener in &listeners {
            listener.join(other).await.unwrap();
        }
        world.weather.set(|w| &w.late, 100);
        assert!(matches!(people[1].join(other).await, Err(PortError::Unavailable(_))));
        // Another one loses an answer, and tries again: nothing is wrong with it.
        assert!(matches!(people[2].join(other).await, Err(PortError::Unavailable(_))));
        world.weather.clear();
        people[2].join(other).await.unwrap();
        assert_eq!(people[1].connection.rooms(), [room], "it hears the room that it is not in any more");
        for _ in 0..16 {
            world.pass(Duration::from_secs(1)).await;
            people
                .iter()
                .chain([&host])
                .chain(&listeners)
                .for_each(|person| person.connection.hear(tokio::time::Instant::now()));
        }
        assert_eq!(people[1].model().closed, Some(1012));
        assert_eq!([people[0].model().closed, people[2].model().closed], [None, None]);
        let back = people[1].again(&world.nodes[0]).await.unwrap();
        assert_eq!(back.attached_rooms, [other]);
    });
}

/// The order to close a connection that was taken over is lost, with all else that was published while the node was deaf:
/// when it hears again it finds out.
#[test]
fn an_order_that_nobody_heard_is_made_good() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        world.nodes[1].rough.deafen(true);
        let elsewhere = people[1].again(&world.nodes[2]).await.unwrap();
        elsewhere.resume(room).await.unwrap();
        world.pass(Duration::from_secs(1)).await;
        assert_eq!(people[1].model().closed, None, "it knows nothing");
        world.nodes[1].rough.deafen(false);
        world.nodes[1].rough.miss(None);
        for _ in 0..6 {
            world.pass(Duration::from_secs(1)).await;
        }
        assert_eq!(people[1].model().closed, Some(4009));
        assert_eq!([people[0].model().closed, elsewhere.model().closed], [None, None]);
        people[1].lose().await;
        world.check(&elsewhere, room).await;
    });
}
