//! Rooms with many members, who are told of each other together.

use super::*;
use engine::fold;
use harness::RoomModel;

/// In a crowded room changes are told together, a few events instead of one each; and when they have been told, everybody
/// knows who is there.
#[test]
fn a_crowd_is_told_together() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let mut crowd = Vec::new();
        for n in 0..150 {
            let person = world.guest(n).await;
            person.join(room).await.unwrap();
            crowd.push(person);
            if n == 60 {
                world.pass(fold::GATHER * 2).await;
            }
        }
        for (n, person) in crowd.iter().enumerate() {
            match n % 4 {
                0 => person.leave(room).await.unwrap(),
                1 => person.rename(&format!("name {n}")).await.unwrap(),
                2 => {
                    person.leave(room).await.unwrap();
                    person.join(room).await.unwrap();
                }
                _ => {}
            }
        }
        world.pass(fold::GATHER * 2).await;
        let there: Vec<_> = crowd.iter().enumerate().filter(|(n, _)| n % 4 != 0).map(|(_, p)| p).collect();
        for person in people.iter().chain(there) {
            world.check(person, room).await;
        }
        let events = people[0].room(room).user_events;
        assert!(events < 60, "about 50 before it was a crowd, and a few for 200 changes since: {events}");
    });
}

/// Of a crowd that loses its connections, and comes back, a few events tell; of who was back before anybody was told, none.
#[test]
fn a_crowd_that_is_away_is_told_together() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = conversation(&world).await;
        let mut crowd = Vec::new();
        for n in 0..150 {
            let person = world.guest(n).await;
            person.join(room).await.unwrap();
            crowd.push(person);
        }
        world.pass(fold::GATHER * 2).await;
        let told = |kind: fn(&RoomModel) -> usize| people.iter().map(|p| kind(&p.room(room))).collect::<Vec<_>>();
        let before = told(|room| room.user_events);
        let lose = async |who: &[Client]| {
            for person in who {
                person.lose().await;
            }
        };
        lose(&crowd).await;
        world.pass(fold::GATHER * 2).await;
        assert_eq!(people[0].room(room).away, crowd.iter().map(|p| p.id).collect());
        let events = told(|room| room.presence_events);
        assert!(events.iter().all(|n| (1..=4).contains(n)), "one for 150, or a few if it takes longer: {events:?}");

        let mut back = Vec::new();
        for (n, person) in crowd.iter().enumerate() {
            let again = person.again(&world.nodes[n % 3]).await.unwrap();
            again.resume(room).await.unwrap();
            back.push(again);
        }
        world.pass(fold::GATHER * 2).await;
        for person in people.iter().chain(&back) {
            world.check(person, room).await;
            assert!(person.room(room).away.is_empty());
        }
        let events = told(|room| room.presence_events);
        lose(&back[..1]).await;
        let again = back[0].again(&world.nodes[1]).await.unwrap();
        again.resume(room).await.unwrap();
        world.pass(fold::GATHER * 2).await;
        assert_eq!(told(|room| room.presence_events), events, "it was back before anybody was told");
        assert_eq!(told(|room| room.user_events), before, "nobody came or left");
    });
}
