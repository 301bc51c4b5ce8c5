//! What [`Directory`](crate::port::Directory) promises.

use super::room_list::list;
use super::{Backend, LONG, MANY, Node, ONE, Person, changes, claim, entries, new_room, username};
use crate::control::Order;
use crate::port::{Attachment, Change, Claim, Delivery, NewRoom, PortError, RoomRules, Span};
use protocol::{ClientId, CloseCode, RoomId, Seq, Username, event::Member};
use std::{collections::BTreeSet, time::Duration};
use tokio::task::JoinSet;
use uuid::Uuid;

pub(super) fn member(person: &Person) -> Member {
    Member { client_id: person.id, username: person.name.clone() }
}

pub(super) fn joined(person: &Person) -> Change {
    Change::Joined(member(person))
}

/// A room with somebody in it, on a node that hears it.
pub(super) async fn somewhere(backend: &impl Backend) -> (Node, Person, RoomId) {
    let node = Node::new(backend).await;
    let person = node.guest().await;
    let room = person.room().await;
    node.subscribe(room).await;
    (node, person, room)
}

/// All that was told of a room's membership until now. (A message is posted and waited for: what was told before it has
/// come by then.)
pub(super) async fn told(node: &Node, room: RoomId, by: &Person) -> Vec<(Change, u32)> {
    let seq = by.say(room, "marker").await.seq;
    node.heard
        .wait("the marker", |all| entries(all, room).iter().any(|e| e.seq == seq).then(|| changes(all, room)))
        .await
}

// --------------------------------------------------------------------------------------------------- identity

/// No two of the living have the same id, however many come at once to however many nodes.
pub async fn ids_are_unique_under_concurrency(backend: &impl Backend) {
    const EACH: usize = 250;
    let mut comers = JoinSet::new();
    for _ in 0..8 {
        let node = Node::new(backend).await;
        comers.spawn(async move {
            let mut ids = Vec::new();
            for _ in 0..EACH {
                ids.push(node.guest().await.id);
                tokio::task::yield_now().await;
            }
            ids
        });
    }
    let ids: Vec<ClientId> = comers.join_all().await.into_iter().flatten().collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 8 * EACH);
    assert!(ids.iter().all(|id| id.get() <= 99_999), "five digits while there are enough");
}

/// Whoever chose no name is called after its id; whoever did, is called that.
pub async fn a_guest_is_named_after_its_id(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let (guest, attached) = node.attach(claim(None)).await;
    assert_eq!(guest.name, Username::guest(guest.id));
    assert_eq!((attached.rooms, attached.resumed, attached.previous), (vec![], false, None));
    let fresh_key = Uuid::new_v4();
    let claim = Claim { fresh_key, username: Some(username("Zoë 🦀")), ..claim(None) };
    let (zoe, attached) = node.attach(claim).await;
    assert_eq!((zoe.name.as_str(), zoe.key, attached.resumed), ("Zoë 🦀", fresh_key, false));
}

/// Whoever has the key of an id gets it back on any node: its name, its rooms, its key.
pub async fn an_identity_is_given_back(backend: &impl Backend) {
    let (one, two) = (Node::new(backend).await, Node::new(backend).await);
    let person = one.guest().await;
    person.rename("Ann").await.unwrap();
    let (first, second) = (person.room().await, person.room().await);
    person.detach(LONG).await;
    let (back, attached) = two.back(&person).await;
    assert_eq!((back.id, back.key, back.name.as_str()), (person.id, person.key, "Ann"));
    assert_eq!((attached.resumed, attached.previous), (true, None));
    assert_eq!(attached.rooms, [first, second], "in the order in which they were entered");
}

/// Without the right key an id is not given away; the comer is somebody new, and its owner notices nothing.
pub async fn a_wrong_key_gets_a_new_id(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let person = node.guest().await;
    let room = person.room().await;
    for lost in [false, true] {
        if lost {
            person.detach(LONG).await;
        }
        let (other, attached) = node.attach(claim(Some((person.id, Uuid::new_v4())))).await;
        assert_ne!(other.id, person.id);
        assert_ne!(other.key, person.key);
        assert_eq!((attached.rooms, attached.resumed, attached.previous), (vec![], false, None));
        if !lost {
            person.rename("still me").await.unwrap();
        }
    }
    assert_eq!(node.back(&person).await.1.username.as_str(), "still me");
    assert_eq!(node.members(room).await, [person.id]);
}

/// After its time the cluster forgets an id; as long as nobody else has it, its session still gets it.
pub async fn a_forgotten_id_is_given_back_if_it_is_free(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let person = node.guest().await;
    person.rename("Ann").await.unwrap();
    person.detach(Duration::ZERO).await;
    backend.pass(backend.retention().clients + backend.unit()).await;
    node.sweep().await;
    node.sweep().await;
    let claimed = Claim { username: Some(username("Bob")), ..claim(Some((person.id, person.key))) };
    let (back, attached) = node.attach(claimed).await;
    assert_eq!((back.id, back.key, attached.resumed), (person.id, person.key, true));
    assert_eq!(back.name.as_str(), "Bob", "the record is gone, so the session's name counts");
    // Somebody else's by now: a session with another key gets nothing of it.
    let (other, attached) = node.attach(claim(Some((person.id, Uuid::new_v4())))).await;
    assert!(other.id != person.id && !attached.resumed);
}

/// The name that a session carries does not replace the one on record; the one that was typed in just now does, and
/// the rooms are told.
pub async fn a_name_is_taken_at_connecting_if_it_was_asked_for(backend: &impl Backend) {
    let (node, person, room) = somewhere(backend).await;
    let claimed =
        |name, rename| Claim { username: Some(username(name)), rename, ..claim(Some((person.id, person.key))) };
    let (back, _) = node.attach(claimed("from session", false)).await;
    assert_eq!(back.name, person.name);
    let (back, attached) = node.attach(claimed("typed in", true)).await;
    assert_eq!((back.name.as_str(), attached.username.as_str()), ("typed in", "typed in"));
    assert_eq!(told(&node, room, &back).await, [(Change::Renamed(member(&back)), 1)]);
}

/// A newer connection of the same client takes over: it is told whom to close, and whatever the former one does from
/// then on does nothing.
pub async fn a_takeover_ends_the_former_connection(backend: &impl Backend) {
    let (one, former, room) = somewhere(backend).await;
    let two = Node::new(backend).await;
    let elsewhere = two.guest().await.room().await;
    let (now, attached) = two.back(&former).await;
    assert_eq!(attached.previous.as_ref(), Some(&former.attachment));
    assert_eq!(attached.rooms, [room]);
    let Attachment { lease, connection } = &former.attachment;
    let close = Order::close(lease.generation, *connection, CloseCode::TakenOver);
    let ordered = |told: &[Delivery]| {
        let is_it = |d: &&Delivery| matches!(d, Delivery::Order(order) if Order::decode(order) == Some(close.clone()));
        told.iter().find(is_it).map(|_| ())
    };
    one.heard.wait("the order to close the former connection", ordered).await;

    assert_eq!(former.rename("ghost").await, Err(PortError::Superseded));
    assert_eq!(former.create(ONE).await, Err(PortError::Superseded));
    assert_eq!(former.join(elsewhere, ONE).await, Err(PortError::Superseded));
    assert_eq!(former.leave(room).await, Err(PortError::Superseded));
    former.detach(Duration::ZERO).await;
    backend.pass(backend.unit()).await;
    one.sweep().await;
    assert_eq!(told(&one, room, &now).await, []);
    assert_eq!(one.members(room).await, [now.id]);
    now.rename("me").await.unwrap();

    // And back again: now the other one is the former.
    let (_, attached) = one.back(&now).await;
    assert_eq!(attached.previous, Some(now.attachment.clone()));
    assert_eq!(now.leave(room).await, Err(PortError::Superseded));
}

/// A node that gave its lease back cannot make connections speak for anybody.
pub async fn nobody_attaches_without_a_lease(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let attachment = node.connection();
    node.ports.directory.deregister(&node.lease, Duration::ZERO).await.unwrap();
    let attached = node.ports.directory.attach(&attachment, claim(None)).await;
    assert_eq!(attached, Err(PortError::Superseded));
}

// ------------------------------------------------------------------------------------------------------ rooms

/// Who makes a room is in it, owns it, and can talk in it at once.
pub async fn creating_enters(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let person = node.guest().await;
    let created =
        node.ports.directory.create_room(person.id, &person.attachment, new_room("Tea & 🍪"), ONE).await.unwrap();
    assert_eq!((created.already, created.moved_from), (false, vec![]));
    let room = created.room;
    assert_eq!((room.name.as_str(), room.owner_id, room.member_count), ("Tea & 🍪", person.id, 1));
    assert_eq!(node.ports.directory.room(room.room_id, 9).await.unwrap(), (room.clone(), vec![member(&person)]));
    let slice = node.ports.bus.read(room.room_id, Span::Newest, 9).await.unwrap();
    assert_eq!((slice.newest, slice.entries), (Seq::ZERO, vec![]));
    assert_eq!(person.say(room.room_id, "hello").await.seq, Seq::new(1));
}

/// A retry of a request whose answer was lost finds the room that the first try made; another request makes another one.
pub async fn a_request_makes_one_room(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let person = node.guest().await;
    let create = async |request: Option<&str>| {
        let new = NewRoom { request: request.map(|id| id.parse().unwrap()), ..new_room("room") };
        person.ports.directory.create_room(person.id, &person.attachment, new, MANY).await.unwrap()
    };
    let first = create(Some("1")).await;
    let again = create(Some("1")).await;
    assert_eq!((again.already, again.room.room_id), (true, first.room.room_id));
    assert_eq!(again.room.member_count, 1);
    person.say(first.room.room_id, "the timeline goes on").await;
    let other = create(Some("2")).await;
    let new = NewRoom { request: Some("2".parse().unwrap()), ..new_room("named otherwise") };
    let named = person.ports.directory.create_room(person.id, &person.attachment, new, MANY).await.unwrap();
    let nameless = [create(None).await, create(None).await].map(|joined| joined.room.room_id);
    let all: std::collections::HashSet<_> =
        [first.room.room_id, other.room.room_id, named.room.room_id].into_iter().chain(nameless).collect();
    assert_eq!(all.len(), 5);
    // A room that one has left is not found again.
    let left = create(Some("3")).await.room.room_id;
    person.leave(left).await.unwrap();
    assert!(!create(Some("3")).await.already);
}

/// Who comes in is told to the room with its name and the exact count, and is shown the room.
pub async fn joining_tells_the_room_and_shows_it(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    let person = other.guest().await;
    let shown = person.join(room, ONE).await.unwrap();
    assert_eq!((shown.already, &shown.moved_from), (false, &vec![]));
    assert_eq!((shown.room.room_id, shown.room.owner_id, shown.room.member_count), (room, owner.id, 2));
    assert_eq!(node.heard.changes(room, 1).await, [(joined(&person), 2)]);
    let (now, members) = other.ports.directory.room(room, 9).await.unwrap();
    assert_eq!((now, members), (shown.room, vec![member(&owner), member(&person)]));
}

/// Whoever is in a room already is shown it again, and nobody is told.
pub async fn joining_twice_does_nothing(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    for rules in [ONE, MANY, RoomRules { rooms_per_client: 1, members_per_room: 1 }] {
        let again = owner.join(room, rules).await.unwrap();
        assert_eq!((again.already, again.moved_from, again.room.member_count), (true, vec![], 1));
    }
    assert_eq!(told(&node, room, &owner).await, []);
}

/// Who leaves is told to the room.
pub async fn leaving_tells_the_room(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let person = node.guest().await;
    person.join(room, ONE).await.unwrap();
    person.leave(room).await.unwrap();
    assert_eq!(node.heard.changes(room, 2).await, [(joined(&person), 2), (Change::Left(person.id), 1)]);
    assert_eq!(node.members(room).await, [owner.id]);
    // And may come again, behind those who stayed.
    person.join(room, ONE).await.unwrap();
    assert_eq!(node.members(room).await, [owner.id, person.id]);
}

/// One cannot leave what one is not in, nor what is not there.
pub async fn leaving_needs_membership(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let person = node.guest().await;
    assert_eq!(person.leave(room).await, Err(PortError::NotInRoom));
    let ended = person.room().await;
    person.leave(ended).await.unwrap();
    assert_eq!(person.leave(ended).await, Err(PortError::NotInRoom));
    assert_eq!(told(&node, room, &owner).await, []);
}

/// The rooms that one is in, asked for by the connection that speaks for one, and by no other.
pub async fn whoever_is_in_doubt_can_ask_where_it_is(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let person = node.guest().await;
    let rooms = async |person: &Person| person.ports.directory.rooms_of(person.id, &person.attachment).await;
    assert_eq!(rooms(&person).await, Ok(vec![]));
    let (one, two) = (person.room().await, person.room().await);
    assert_eq!(rooms(&person).await, Ok(vec![one, two]));
    person.leave(one).await.unwrap();
    let (again, _) = node.back(&person).await;
    assert_eq!(rooms(&again).await, Ok(vec![two]));
    assert_eq!(rooms(&person).await, Err(PortError::Superseded));
}

/// Another name is told to each room that one is in, and to no other; the same name again is not.
pub async fn a_rename_is_told_to_every_room(backend: &impl Backend) {
    let (node, mut person, one) = somewhere(backend).await;
    let (two, left) = (person.room().await, person.room().await);
    let stays = node.guest().await;
    stays.join(left, MANY).await.unwrap();
    node.subscribe(two).await;
    node.subscribe(left).await;
    person.leave(left).await.unwrap();
    for _ in 0..2 {
        person.rename("Zoë").await.unwrap();
    }
    person.name = username("Zoë");
    for room in [one, two] {
        assert_eq!(told(&node, room, &person).await, [(Change::Renamed(member(&person)), 1)]);
        assert_eq!(node.ports.directory.room(room, 9).await.unwrap().1, [member(&person)]);
    }
    assert_eq!(told(&node, left, &stays).await, [(Change::Left(person.id), 1)]);
}

/// Many come, go and rename themselves at once on several nodes; every node is told the same in the same order, each
/// count is what the changes until then add up to, and what is left is what the directory says.
pub async fn membership_is_told_in_the_order_it_took_effect(backend: &impl Backend) {
    const ROUNDS: usize = 6;
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Node::new(backend).await);
    }
    let owner = nodes[0].guest().await;
    let room = owner.room().await;
    let mut people = JoinSet::new();
    let mut expected = 0;
    for node in &nodes {
        node.subscribe(room).await;
    }
    for n in 0..9 {
        let person = nodes[n % 3].guest().await;
        let stays = n % 2 == 0;
        expected += 3 * ROUNDS - usize::from(stays);
        people.spawn(async move {
            for round in 0..ROUNDS {
                person.join(room, ONE).await.unwrap();
                tokio::task::yield_now().await;
                person.rename(&format!("{n}/{round}")).await.unwrap();
                if !stays || round + 1 < ROUNDS {
                    tokio::task::yield_now().await;
                    person.leave(room).await.unwrap();
                }
            }
        });
    }
    people.join_all().await;
    let heard = nodes[0].heard.changes(room, expected).await;
    let mut members = vec![member(&owner)];
    for (change, count) in &heard {
        match change {
            Change::Joined(member) => members.push(member.clone()),
            Change::Left(id) => members.retain(|m| m.client_id != *id),
            Change::Renamed(new) => {
                let known = members.iter_mut().find(|m| m.client_id == new.client_id);
                *known.expect("only members are renamed") = new.clone();
            }
            Change::Lost(_) | Change::Back(_) => panic!("nobody lost a connection"),
        }
        assert_eq!(*count as usize, members.len(), "after {change:?} in {heard:#?}");
    }
    for node in &nodes {
        assert_eq!(node.heard.changes(room, expected).await, heard);
        let (room, listed) = node.ports.directory.room(room, 100).await.unwrap();
        assert_eq!((&listed, room.member_count), (&members, 6));
    }
}

/// Under the one-room policy, entering a room (or making one) leaves the former one in the same step.
pub async fn one_room_moves_at_once(backend: &impl Backend) {
    let (node, first, one) = somewhere(backend).await;
    let second = node.guest().await;
    let two = second.create(ONE).await.unwrap().room.room_id;
    node.subscribe(two).await;
    let person = node.guest().await;
    person.join(one, ONE).await.unwrap();

    let moved = person.join(two, ONE).await.unwrap();
    assert_eq!((moved.moved_from, moved.room.member_count), (vec![one], 2));
    assert_eq!(told(&node, one, &first).await, [(joined(&person), 2), (Change::Left(person.id), 1)]);
    assert_eq!(told(&node, two, &second).await, [(joined(&person), 2)]);

    let created = person.create(ONE).await.unwrap();
    assert_eq!(created.moved_from, [two]);
    assert_eq!(node.members(two).await, [second.id]);
    let (_, attached) = node.back(&person).await;
    assert_eq!(attached.rooms, [created.room.room_id], "one room, not three");
    // The room that one leaves for another ends if one was alone in it.
    let (back, _) = node.back(&person).await;
    back.join(one, ONE).await.unwrap();
    assert_eq!(back.join(created.room.room_id, ONE).await, Err(PortError::RoomNotFound));
}

/// What cannot be entered moves nobody.
pub async fn a_failing_join_leaves_one_where_one_was(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = node.guest().await;
    let (full, ended) = (other.room().await, other.room().await);
    other.leave(ended).await.unwrap();
    let tight = RoomRules { members_per_room: 1, ..ONE };
    assert_eq!(owner.join(full, tight).await, Err(PortError::RoomFull));
    assert_eq!(owner.join(ended, ONE).await, Err(PortError::RoomNotFound));
    assert_eq!(told(&node, room, &owner).await, []);
    assert_eq!(node.members(room).await, [owner.id]);
    assert_eq!(node.members(full).await, [other.id]);
}

/// With several rooms allowed nobody is moved, and one more than allowed is refused without any effect.
pub async fn several_rooms_up_to_the_limit(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let (owner, person) = (node.guest().await, node.guest().await);
    let rules = RoomRules { rooms_per_client: 2, ..MANY };
    let rooms = [owner.room().await, owner.room().await, owner.room().await];
    for room in &rooms[..2] {
        assert_eq!(person.join(*room, rules).await.unwrap().moved_from, []);
    }
    assert_eq!(person.join(rooms[2], rules).await, Err(PortError::TooManyRooms));
    assert_eq!(person.create(rules).await, Err(PortError::TooManyRooms));
    assert!(person.join(rooms[1], rules).await.unwrap().already, "in it already: not one more");
    assert_eq!(node.members(rooms[2]).await, [owner.id]);
    person.leave(rooms[0]).await.unwrap();
    person.join(rooms[2], rules).await.unwrap();
}

/// A room takes so many members; a place that becomes free can be had.
pub async fn a_full_room_takes_nobody(backend: &impl Backend) {
    let (node, _, room) = somewhere(backend).await;
    let rules = RoomRules { members_per_room: 2, ..ONE };
    let (second, third) = (node.guest().await, node.guest().await);
    second.join(room, rules).await.unwrap();
    assert_eq!(third.join(room, rules).await, Err(PortError::RoomFull));
    assert!(second.join(room, rules).await.unwrap().already, "who is in it needs no place");
    second.leave(room).await.unwrap();
    third.join(room, rules).await.unwrap();
}

/// The last places are not given twice.
pub async fn only_so_many_enter_a_full_room_at_once(backend: &impl Backend) {
    let nodes = [Node::new(backend).await, Node::new(backend).await];
    let room = nodes[0].guest().await.room().await;
    let rules = RoomRules { members_per_room: 5, ..ONE };
    let mut comers = JoinSet::new();
    for n in 0..20 {
        let person = nodes[n % 2].guest().await;
        comers.spawn(async move { person.join(room, rules).await });
    }
    let results = comers.join_all().await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 4);
    assert!(results.iter().all(|r| matches!(r, Ok(_) | Err(PortError::RoomFull))), "{results:?}");
    assert_eq!(nodes[0].members(room).await.len(), 5);
}

/// Of a large room those who came first are listed, and all are counted.
pub async fn the_first_members_are_listed(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let mut members = vec![member(&owner)];
    for _ in 0..9 {
        let person = node.guest().await;
        person.join(room, ONE).await.unwrap();
        members.push(member(&person));
    }
    owner.leave(room).await.unwrap();
    owner.join(room, ONE).await.unwrap();
    let (room, listed) = node.ports.directory.room(room, 4).await.unwrap();
    assert_eq!((room.member_count, &listed[..]), (10, &members[1..5]));
}

// ------------------------------------------------------------------------------------------------------ graces

/// Whose connection is lost is a member until its grace is over; then it leaves, and the room is told once.
pub async fn a_detached_member_stays_for_its_grace(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    let person = other.guest().await;
    person.join(room, ONE).await.unwrap();
    person.detach(backend.unit() * 4).await;
    backend.pass(backend.unit()).await;
    assert_eq!(node.sweep().await.members, 0);
    let lost = (Change::Lost(person.id), 2);
    assert_eq!(told(&node, room, &owner).await, [(joined(&person), 2), lost.clone()]);
    assert_eq!(node.members(room).await, [owner.id, person.id]);

    backend.pass(backend.unit() * 4).await;
    let mut swept = 0;
    for _ in 0..2 {
        swept += node.sweep().await.members + other.sweep().await.members;
    }
    assert_eq!(swept, 1);
    assert_eq!(told(&node, room, &owner).await, [(joined(&person), 2), lost, (Change::Left(person.id), 1)]);
    // Its id is still its own for a while, but it is in no room any more.
    let (_, attached) = other.back(&person).await;
    assert_eq!((attached.rooms, attached.resumed), (vec![], true));
}

/// Who comes back within the grace, on whichever node, never left for the others.
pub async fn who_comes_back_in_time_never_left(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    let mut person = node.guest().await;
    person.join(room, ONE).await.unwrap();
    for to in [&other, &node, &other] {
        person.detach(backend.unit() * 4).await;
        backend.pass(backend.unit()).await;
        let (back, attached) = to.back(&person).await;
        assert_eq!((attached.rooms, attached.resumed, attached.previous), (vec![room], true, None));
        person = back;
        backend.pass(backend.unit() * 5).await;
        node.sweep().await;
        assert!(person.join(room, ONE).await.unwrap().already);
    }
    let told = told(&node, room, &owner).await;
    let moves = |(change, count): &&(Change, u32)| *count != 2 || !matches!(change, Change::Lost(_) | Change::Back(_));
    assert_eq!(told.iter().filter(moves).collect::<Vec<_>>(), [&(joined(&person), 2)]);
}

/// A node that notices late that a connection is gone does not harm the one that came after it.
pub async fn a_late_detach_of_a_former_connection_does_nothing(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let person = node.guest().await;
    person.join(room, ONE).await.unwrap();
    let (now, _) = Node::new(backend).await.back(&person).await;
    person.detach(Duration::ZERO).await;
    backend.pass(backend.unit()).await;
    node.sweep().await;
    assert_eq!(told(&node, room, &owner).await, [(joined(&person), 2)]);
    // Nor does detaching twice begin another grace.
    now.detach(backend.unit()).await;
    now.detach(LONG).await;
    backend.pass(backend.unit() * 2).await;
    node.sweep().await;
    assert_eq!(node.members(room).await, [owner.id]);
}

/// With the last member the room ends: by leaving, and by a grace that ran out.
pub async fn a_room_ends_with_its_last_member(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let (one, two) = (node.guest().await, node.guest().await);
    let (left, lost) = (one.room().await, two.room().await);
    two.join(left, MANY).await.unwrap();
    one.leave(left).await.unwrap();
    assert_eq!(node.members(left).await, [two.id]);
    two.leave(left).await.unwrap();
    two.detach(backend.unit()).await;
    backend.pass(backend.unit() * 2).await;
    node.sweep().await;
    for room in [left, lost] {
        assert_eq!(node.ports.directory.room(room, 9).await, Err(PortError::RoomNotFound));
        assert_eq!(one.join(room, ONE).await, Err(PortError::RoomNotFound));
        assert_eq!(node.ports.directory.end_room(room).await, Err(PortError::RoomNotFound));
        assert_eq!(node.ports.bus.read(room, Span::Newest, 1).await, Err(PortError::RoomNotFound));
        assert!(list(&node, 100).await.iter().all(|r| r.room_id != room));
    }
}

/// A lone member that lost its connection finds its room and all that was said in it, if it is back in time.
pub async fn a_lone_member_s_grace_keeps_the_room(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    owner.say(room, "before").await;
    let epoch = node.ports.bus.read(room, Span::Newest, 9).await.unwrap().epoch;
    owner.detach(backend.unit() * 4).await;
    backend.pass(backend.unit()).await;
    node.sweep().await;
    let (owner, attached) = Node::new(backend).await.back(&owner).await;
    assert_eq!(attached.rooms, [room]);
    backend.pass(backend.unit() * 4).await;
    node.sweep().await;
    assert!(owner.join(room, ONE).await.unwrap().already);
    let slice = node.ports.bus.read(room, Span::Newest, 9).await.unwrap();
    assert_eq!((slice.epoch, slice.newest, slice.entries.len()), (epoch, Seq::new(1), 1));
}

/// A room that is ended is gone for all its members at once; every node that hears it is told once.
pub async fn ending_a_room_tells_its_members(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    other.subscribe(room).await;
    let person = other.guest().await;
    let stays = person.room().await;
    person.join(room, MANY).await.unwrap();
    owner.detach(LONG).await;
    assert_eq!(other.ports.directory.end_room(room).await, Ok(2));
    for node in [&node, &other] {
        let ended = |d: &&Delivery| **d == Delivery::RoomEnded { room };
        node.heard.wait("the end", |all| all.iter().any(|d| ended(&d)).then_some(())).await;
        node.settle().await;
        assert_eq!(node.heard.all().iter().filter(ended).count(), 1);
        let told = [(joined(&person), 2), (Change::Lost(owner.id), 2)];
        assert_eq!(changes(&node.heard.all(), room), told, "nobody left: the room ended");
    }
    assert_eq!(other.ports.directory.end_room(room).await, Err(PortError::RoomNotFound));
    assert_eq!(person.leave(room).await, Err(PortError::NotInRoom));
    assert_eq!(node.back(&owner).await.1.rooms, []);
    assert_eq!(node.back(&person).await.1.rooms, [stays]);
}
