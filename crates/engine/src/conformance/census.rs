//! What [`Census`](crate::port::Census) promises.

use super::directory::{joined, member, somewhere, told};
use super::{Backend, LONG, MANY, Node, ONE, Person, claim, username};
use crate::port::{Change, Claim, ClientRecord, Delivery, Expelled, Participants, PortError};
use bytes::Bytes;
use protocol::{ClientId, RoomId, Username, event::Member};
use std::{net::IpAddr, time::Duration};
use uuid::Uuid;

/// Pages until the end: all clients, in pages of this size.
async fn clients(node: &Node, limit: usize) -> Vec<ClientRecord> {
    let mut all: Vec<ClientRecord> = Vec::new();
    loop {
        let page = node.ports.census.clients(all.last().map(|last| last.client_id), limit).await.unwrap();
        assert!(page.len() <= limit);
        let is_last = page.len() < limit;
        all.extend(page);
        assert!(all.is_sorted_by(|a, b| a.client_id < b.client_id));
        if is_last {
            return all;
        }
    }
}

async fn ids(node: &Node, limit: usize) -> Vec<ClientId> {
    clients(node, limit).await.into_iter().map(|client| client.client_id).collect()
}

async fn find(node: &Node, person: &Person) -> Option<ClientRecord> {
    node.ports.census.client(person.id).await.unwrap()
}

async fn expel(node: &Node, person: &Person) -> Option<Expelled> {
    node.ports.census.expel(person.id, order()).await.unwrap()
}

fn order() -> Bytes {
    Bytes::from(format!("{{\"order\":\"{}\"}}", Uuid::new_v4()))
}

/// Several, by id.
async fn crowd(node: &Node, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for _ in 0..count {
        people.push(node.guest().await);
    }
    people.sort_unstable_by_key(|person| person.id);
    people
}

// ------------------------------------------------------------------------------------------------------ lists

/// Both count and list say who a connection speaks for now: from attaching to detaching, whatever becomes of the client.
pub async fn counts_and_lists_follow_who_is_there(backend: &impl Backend) {
    let (one, two) = (Node::new(backend).await, Node::new(backend).await);
    let before = one.ports.census.counts().await.unwrap();
    let mut people = crowd(&one, 4).await;
    people.extend(crowd(&two, 3).await);
    people.sort_unstable_by_key(|person| person.id);
    let room = people[0].room().await;
    people[1].join(room, ONE).await.unwrap();
    let [owner, member, third, rest @ ..] = &people[..] else { panic!("seven people") };
    let expect = async |some: &[&Person], rooms: u64| {
        let all: Vec<ClientId> = some.iter().copied().chain(rest).map(|person| person.id).collect();
        for node in [&one, &two] {
            let counts = node.ports.census.counts().await.unwrap();
            assert_eq!((counts.clients - before.clients, counts.rooms - before.rooms), (all.len() as u64, rooms));
            for limit in [1, 3, 7, 500] {
                let listed = ids(node, limit).await;
                let ours: Vec<ClientId> = listed.into_iter().filter(|id| all.contains(id)).collect();
                assert_eq!(ours, all, "{limit} a page");
            }
        }
    };
    expect(&[owner, member, third], 1).await;
    // In a room or in none, within its grace or not.
    member.detach(LONG).await;
    third.detach(LONG).await;
    expect(&[owner], 1).await;
    // Back, and over to the other node.
    let (third, _) = one.back(third).await;
    let (third, _) = two.back(&third).await;
    expect(&[owner, &third], 1).await;
    expel(&one, owner).await.unwrap();
    expect(&[&third], 1).await;
    expel(&one, member).await.unwrap();
    expect(&[&third], 0).await;
    assert_eq!(one.ports.census.clients(None, 0).await, Ok(vec![]));
}

/// The clients of a node that gave its lease back, or lost it, are nobody's until they come back.
pub async fn who_lost_its_node_is_not_listed(backend: &impl Backend) {
    let (node, _, room) = somewhere(backend).await;
    let drained = Node::new(backend).await;
    let [member, alone] = [drained.guest().await, drained.guest().await];
    member.join(room, ONE).await.unwrap();
    let before = node.ports.census.counts().await.unwrap().clients;
    drained.ports.directory.deregister(&drained.lease, LONG).await.unwrap();
    assert_eq!(node.ports.census.counts().await.unwrap().clients, before - 2);
    for limit in [1, 500] {
        let listed = ids(&node, limit).await;
        assert!(!listed.contains(&member.id) && !listed.contains(&alone.id), "{listed:?}");
    }
    let found = find(&node, &member).await.expect("it is within its grace");
    assert_eq!((found.node, found.rooms), (None, vec![room]));
    assert_eq!(find(&node, &alone).await, None, "there is nothing that it could come back to");
    assert_eq!(expel(&node, &alone).await, None);
    let (back, _) = node.back(&member).await;
    assert_eq!(find(&node, &back).await.unwrap().node, Some(node.id.clone()));
    assert_eq!(node.ports.census.counts().await.unwrap().clients, before - 1);

    let dead = Node::with_lease(backend, backend.unit() * 2).await;
    let gone = dead.guest().await;
    assert!(ids(&node, 500).await.contains(&gone.id));
    backend.pass(backend.unit() * 3).await;
    node.sweep().await;
    assert!(!ids(&node, 500).await.contains(&gone.id));
    assert_eq!(node.ports.census.counts().await.unwrap().clients, before - 1);
}

/// Who comes and goes while somebody pages neither hides nor doubles those who stay.
pub async fn paging_goes_on_while_others_come_and_go(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let people = crowd(&node, 24).await;
    let mut seen: Vec<ClientId> = Vec::new();
    let mut gone: Vec<ClientId> = Vec::new();
    loop {
        let page = node.ports.census.clients(seen.last().copied(), 4).await.unwrap();
        seen.extend(page.iter().map(|client| client.client_id));
        let Some(last) = seen.last().filter(|_| page.len() == 4) else { break };
        // The page's last one goes, one that is still to come goes, and others come anywhere.
        let rest: Vec<&Person> = people.iter().filter(|p| p.id >= *last && !gone.contains(&p.id)).collect();
        for person in rest.into_iter().step_by(3).take(2) {
            person.detach(Duration::ZERO).await;
            gone.push(person.id);
        }
        crowd(&node, 2).await;
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "nobody twice");
    assert!(gone.len() > 4);
    for person in people.iter().filter(|person| !gone.contains(&person.id)) {
        assert!(seen.contains(&person.id), "{} stayed", person.id);
    }
}

/// A record has what the directory knows, also after the client moved and renamed itself.
pub async fn a_record_says_who_and_where(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let person = node.guest().await;
    let guest = find(&node, &person).await.unwrap();
    assert_eq!((guest.client_id, &guest.username), (person.id, &Username::guest(person.id)));
    assert_eq!((guest.node, guest.rooms, guest.address), (Some(node.id.clone()), vec![], None));
    let rooms = [person.room().await, person.room().await, person.room().await];
    person.leave(rooms[0]).await.unwrap();
    person.join(rooms[0], MANY).await.unwrap_err();
    let other = node.guest().await.room().await;
    person.join(other, MANY).await.unwrap();
    person.rename("Zoë 🦀").await.unwrap();
    let record = find(&node, &person).await.unwrap();
    assert_eq!(record.username.as_str(), "Zoë 🦀");
    assert_eq!(record.rooms, [rooms[1], rooms[2], other], "in the order of joining");
    let listed = clients(&node, 500).await;
    assert_eq!(listed.iter().find(|client| client.client_id == person.id), Some(&record), "both say the same");
}

/// The address and the time are those of the connection that speaks for the client, which is the newest.
pub async fn a_record_is_of_the_newest_connection(backend: &impl Backend) {
    let (one, two) = (Node::new(backend).await, Node::new(backend).await);
    let from = |address: &str, identity| Claim { address: Some(address.parse::<IpAddr>().unwrap()), ..claim(identity) };
    let (person, _) = one.attach(from("192.0.2.7", None)).await;
    let first = find(&two, &person).await.unwrap();
    assert_eq!((&first.node, first.address), (&Some(one.id.clone()), Some("192.0.2.7".parse().unwrap())));
    backend.pass(backend.unit()).await;
    let (person, _) = two.attach(from("2001:db8::7", Some((person.id, person.key)))).await;
    let second = find(&one, &person).await.unwrap();
    assert_eq!((&second.node, second.address), (&Some(two.id.clone()), Some("2001:db8::7".parse().unwrap())));
    assert!(second.connected_at > first.connected_at);
    backend.pass(backend.unit()).await;
    let (person, _) = two.back(&person).await;
    let third = find(&one, &person).await.unwrap();
    assert_eq!(third.address, None, "nothing is left of the former one");
    assert!(third.connected_at > second.connected_at);
}

/// Who is within its grace is not listed, but found, without a node; who is kept or unknown is not found.
pub async fn who_is_within_its_grace_is_found_and_not_listed(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let alone = node.guest().await;
    let connected_at = find(&node, &person).await.unwrap().connected_at;
    person.detach(backend.unit() * 4).await;
    alone.detach(LONG).await;
    assert!(!ids(&node, 500).await.contains(&person.id));
    let found = find(&node, &person).await.unwrap();
    assert_eq!((found.node, found.rooms, found.connected_at), (None, vec![room], connected_at));
    assert_eq!(find(&node, &alone).await, None, "who is in no room has no grace");
    backend.pass(backend.unit() * 5).await;
    node.sweep().await;
    assert_eq!(find(&node, &person).await, None);
    let nobody = ClientId::new(u64::from(ClientId::MAX)).unwrap();
    assert_eq!(node.ports.census.client(nobody).await, Ok(None));
}

// -------------------------------------------------------------------------------------------------- expelling

/// Who is expelled is in no room at once, and its rooms are told; its connection's node gets the order, and the
/// connection speaks for nobody.
pub async fn who_is_expelled_is_nowhere(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    let person = other.guest().await;
    person.join(room, ONE).await.unwrap();
    let alone = person.room().await;
    let order = order();
    let expelled = node.ports.census.expel(person.id, order.clone()).await.unwrap();
    assert_eq!(expelled, Some(Expelled { node: Some(other.id.clone()), rooms: vec![room, alone] }));

    let is_ordered = |all: &[Delivery]| all.contains(&Delivery::Order(order.clone())).then_some(());
    other.heard.wait("the order", is_ordered).await;
    assert_eq!(told(&node, room, &owner).await, [(joined(&person), 2), (Change::Left(person.id), 1)]);
    assert!(is_ordered(&node.heard.all()).is_none(), "it was not for this node");
    assert_eq!(node.members(room).await, [owner.id]);
    assert_eq!(node.ports.directory.room(alone, 9).await, Err(PortError::RoomNotFound), "it was the last one there");
    assert_eq!(node.ports.bus.read(alone, crate::port::Span::Newest, 1).await, Err(PortError::RoomNotFound));
    assert_eq!(find(&node, &person).await, None);
    assert!(!ids(&node, 500).await.contains(&person.id));

    assert_eq!(person.join(room, ONE).await, Err(PortError::Superseded));
    assert_eq!(person.rename("ghost").await, Err(PortError::Superseded));
    assert_eq!(person.create(ONE).await, Err(PortError::Superseded));
    assert_eq!(
        person.ports.directory.rooms_of(person.id, &person.attachment).await,
        Err(PortError::Superseded),
        "and so a connection that missed the order finds out"
    );
    person.detach(LONG).await;
    assert_eq!(find(&node, &person).await, None, "the end of the connection gives it no grace");

    // Whether it may come again is for others to decide.
    let (back, attached) = other.back(&person).await;
    assert_eq!((back.id, attached.resumed, attached.rooms, attached.previous), (person.id, true, vec![], None));
    back.join(room, ONE).await.unwrap();
}

/// Who is within its grace can be expelled, too; there is no connection then, and nobody to order anything.
pub async fn a_grace_ends_with_expulsion(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    let person = other.guest().await;
    person.join(room, ONE).await.unwrap();
    person.detach(LONG).await;
    assert_eq!(expel(&node, &person).await, Some(Expelled { node: None, rooms: vec![room] }));
    let expected = [(joined(&person), 2), (Change::Lost(person.id), 2), (Change::Left(person.id), 1)];
    assert_eq!(told(&node, room, &owner).await, expected);
    other.settle().await;
    assert_eq!(other.heard.all().len(), 1, "{:?}", other.heard.all());
    assert_eq!(other.back(&person).await.1.rooms, []);
}

/// There is nobody to expel who was expelled already, who is kept, or who never was.
pub async fn nobody_is_expelled_twice(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let (person, kept) = (node.guest().await, node.guest().await);
    assert_eq!(expel(&node, &person).await, Some(Expelled { node: Some(node.id.clone()), rooms: vec![] }));
    assert_eq!(expel(&node, &person).await, None);
    kept.detach(LONG).await;
    assert_eq!(expel(&node, &kept).await, None);
    let nobody = ClientId::new(u64::from(ClientId::MAX)).unwrap();
    assert_eq!(node.ports.census.expel(nobody, order()).await, Ok(None));
    // Its id is kept for it, and forgotten in time, like that of anybody who left.
    backend.pass(backend.retention().clients + backend.unit()).await;
    node.sweep().await;
    assert_eq!(expel(&node, &person).await, None);
}

// ----------------------------------------------------------------------------------------------- participants

async fn participants(node: &Node, room: RoomId, limit: usize) -> Participants {
    node.ports.census.participants(room, limit).await.unwrap()
}

/// Everybody who was ever in a room is remembered where it came for the first time, while the room lives.
pub async fn participants_are_remembered_in_the_order_of_coming(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let mut expected = vec![member(&owner)];
    let people = [node.guest().await, node.guest().await, node.guest().await];
    for person in &people {
        person.join(room, ONE).await.unwrap();
        expected.insert(0, member(person));
    }
    assert_eq!(participants(&node, room, 9).await, Participants { count: 4, newest: expected.clone() });
    // Leaving, coming again and another name do not move anybody.
    people[0].leave(room).await.unwrap();
    people[1].leave(room).await.unwrap();
    people[0].join(room, ONE).await.unwrap();
    people[2].rename("Zoë").await.unwrap();
    expected[0].username = username("Zoë");
    assert_eq!(participants(&node, room, 9).await, Participants { count: 4, newest: expected.clone() });
    assert_eq!(participants(&node, room, 2).await, Participants { count: 4, newest: expected[..2].to_vec() });
    assert_eq!(participants(&node, room, 0).await, Participants { count: 4, newest: vec![] });

    assert_eq!(node.ports.directory.end_room(room).await, Ok(3));
    assert_eq!(node.ports.census.participants(room, 9).await, Err(PortError::RoomNotFound));
}

/// Who is forgotten by now is remembered as the guest that anybody of its id would be.
pub async fn a_forgotten_participant_is_a_guest(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let person = node.guest().await;
    person.join(room, ONE).await.unwrap();
    person.rename("Zoë").await.unwrap();
    person.leave(room).await.unwrap();
    person.detach(Duration::ZERO).await;
    let zoe = Member { client_id: person.id, username: username("Zoë") };
    assert_eq!(participants(&node, room, 1).await.newest, [zoe], "its name is kept for a while");
    backend.pass(backend.retention().clients + backend.unit()).await;
    node.sweep().await;
    node.sweep().await;
    let guest = Member { client_id: person.id, username: Username::guest(person.id) };
    assert_eq!(participants(&node, room, 9).await, Participants { count: 2, newest: vec![guest, member(&owner)] });
}

/// Positions of many timelines are asked for at once; what is none has none.
pub async fn positions_are_those_of_the_timelines(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = node.guest().await.create(ONE).await.unwrap().room.room_id;
    for text in ["one", "two", "three"] {
        owner.say(room, text).await;
    }
    let nowhere = RoomId::new(u64::from(RoomId::MAX)).unwrap();
    let positions = node.ports.census.positions(&[other, room, nowhere, room]).await.unwrap();
    assert_eq!(positions.iter().map(|seq| seq.get()).collect::<Vec<_>>(), [0, 3, 0, 3]);
    assert_eq!(node.ports.census.positions(&[]).await, Ok(vec![]));
}
