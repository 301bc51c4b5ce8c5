//! Random lives.

use super::*;

/// Whatever happens, what a client knows from its last snapshot and the events since is what a fresh snapshot shows.
#[test]
fn a_stale_state_and_its_events_equal_a_fresh_snapshot() {
    for seed in 0..40 {
        run(anything(seed));
    }
}

async fn anything(seed: u64) {
    let several = seed.is_multiple_of(3);
    let mut engine = EngineConfig::default();
    if several {
        engine.rules = SEVERAL_ROOMS;
    }
    let dice = SeededEntropy::new(seed ^ 0xd1ce);
    let below = |bound: usize| dice.below(bound as u32) as usize;
    let world = World::new(Options { seed, engine, ..Options::default() }).await;
    world.weather.set(|w| &w.turns, 4);
    if seed % 2 == 1 {
        world.weather.set(|w| &w.drop, 3);
        world.weather.set(|w| &w.double, 3);
        world.weather.set(|w| &w.swap, 3);
    }
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(world.guest(n).await);
    }
    let mut rooms: Vec<RoomId> = Vec::new();
    for step in 0..220 {
        let n = below(people.len());
        let person = &people[n];
        let in_rooms = person.connection.rooms();
        let one = |rooms: &[RoomId]| (!rooms.is_empty()).then(|| rooms[below(rooms.len())]);
        match below(100) {
            0..5 => {
                rooms.push(person.create().await.unwrap());
            }
            5..25 => {
                if let Some(room) = one(&rooms) {
                    match person.join(room).await {
                        Ok(_) | Err(PortError::RoomNotFound) => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
            25..32 => {
                if let Some(room) = one(&in_rooms) {
                    person.leave(room).await.unwrap();
                }
            }
            32..38 => person.rename(&format!("name {step}")).await.unwrap(),
            38..80 => {
                if let Some(room) = one(&in_rooms) {
                    let (id, body) = (message_id(), format!("{step}"));
                    let first = person.say_as(room, &body, id).await.unwrap();
                    if below(4) == 0 {
                        let again = person.say_as(room, &body, id).await.unwrap();
                        assert!(again.duplicate && again.seq == first.seq);
                    }
                }
            }
            80..95 => {
                // Its connection is lost, or it only believes so; it comes back to any node and goes on.
                settle().await;
                person.model();
                if below(2) == 0 {
                    person.lose().await;
                }
                if below(3) == 0 {
                    let speaker = &people[below(8)];
                    if let Some(room) = one(&speaker.connection.rooms()) {
                        speaker.say(room, "meanwhile").await.unwrap();
                    }
                }
                let back = person.again(&world.nodes[below(3)]).await.unwrap();
                person.lose().await;
                for room in back.attached_rooms.clone() {
                    back.resume(room).await.unwrap();
                }
                people[n] = back;
            }
            _ => settle().await,
        }
    }
    world.weather.clear();
    for room in &rooms {
        // What was lost last is found with the next one.
        if let Some(person) = people.iter().find(|p| p.connection.rooms().contains(room)) {
            person.say(*room, "end").await.unwrap();
            person.say(*room, "end").await.unwrap();
        }
    }
    // Two are away at the end.
    for _ in 0..2 {
        let lost = people.remove(below(people.len()));
        lost.lose().await;
    }
    settle().await;
    let mut checked = 0;
    for person in &people {
        let known: Vec<_> = person.model().rooms.keys().copied().collect();
        let mut heard = person.connection.rooms();
        heard.sort_unstable();
        assert_eq!(known, heard, "seed {seed}");
        for room in known {
            world.check(person, room).await;
            assert_eq!(person.room(room).gaps, []);
            checked += 1;
        }
    }
    assert!(checked > 0);
}
