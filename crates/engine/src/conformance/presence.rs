//! What [`Directory`](crate::port::Directory) tells of connections that are lost, and of those that are there again.

use super::directory::{joined, somewhere, told};
use super::{Backend, LONG, MANY, Node, ONE};
use crate::port::Change;
use protocol::{ClientId, RoomId};

/// Whose connection is lost, as whoever comes in is told, and as each page of the members says.
async fn reconnecting(node: &Node, room: RoomId) -> Vec<ClientId> {
    let listing = node.ports.directory.listing(room, 100).await.unwrap();
    let page = node.ports.directory.members(room, None, 500).await.unwrap();
    let mut by_id = listing.reconnecting.clone();
    by_id.sort_unstable();
    assert_eq!(page.reconnecting, by_id);
    assert!(by_id.iter().all(|id| listing.members.iter().any(|member| member.client_id == *id)));
    listing.reconnecting
}

/// A lost connection is told to each room of its client, on every node, in order with all else; and that it is there
/// again, wherever that is. Nobody is told of somebody who is in no room.
pub async fn a_lost_connection_is_told_and_that_it_is_back(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    let mut person = other.guest().await;
    let second = person.room().await;
    for node in [&node, &other] {
        node.subscribe(room).await;
        node.subscribe(second).await;
    }
    person.join(room, MANY).await.unwrap();
    owner.join(second, MANY).await.unwrap();
    let mut expected = vec![(joined(&person), 2)];
    let mut in_second = vec![(joined(&owner), 2)];
    for to in [&node, &other] {
        person.detach(LONG).await;
        // Twice is once.
        person.detach(LONG).await;
        assert_eq!(reconnecting(&node, room).await, [person.id]);
        (person, _) = to.back(&person).await;
        assert_eq!(reconnecting(&node, room).await, []);
        for told in [&mut expected, &mut in_second] {
            told.extend([(Change::Lost(person.id), 2), (Change::Back(person.id), 2)]);
        }
    }
    person.leave(second).await.unwrap();
    person.leave(room).await.unwrap();
    person.detach(LONG).await;
    let (person, _) = other.back(&person).await;
    person.join(room, MANY).await.unwrap();
    expected.extend([(Change::Left(person.id), 1), (joined(&person), 2)]);
    in_second.push((Change::Left(person.id), 1));
    for node in [&node, &other] {
        assert_eq!(told(node, room, &owner).await, expected);
        assert_eq!(told(node, second, &owner).await, in_second);
    }
}

/// A client that has another connection before it loses the first was never away.
pub async fn nobody_is_told_of_a_move(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    let mut person = node.guest().await;
    person.join(room, ONE).await.unwrap();
    for to in [&other, &node, &node] {
        let (moved, attached) = to.back(&person).await;
        assert_eq!(attached.previous, Some(person.attachment.clone()));
        person.detach(LONG).await;
        person = moved;
    }
    assert_eq!(reconnecting(&node, room).await, []);
    assert_eq!(told(&node, room, &owner).await, [(joined(&person), 2)]);
}

/// Whoever does not come back leaves; and is here, and not back, when it comes after that.
pub async fn who_is_lost_for_good_leaves(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let person = node.guest().await;
    person.join(room, ONE).await.unwrap();
    person.detach(backend.unit()).await;
    backend.pass(backend.unit() * 2).await;
    node.sweep().await;
    let (person, _) = node.back(&person).await;
    person.join(room, ONE).await.unwrap();
    let lost = [(Change::Lost(person.id), 2), (Change::Left(person.id), 1)];
    let expected: Vec<_> = [(joined(&person), 2)].into_iter().chain(lost).chain([(joined(&person), 2)]).collect();
    assert_eq!(told(&node, room, &owner).await, expected);
    assert_eq!(reconnecting(&node, room).await, []);
}

/// Of those whose node is lost, or gives its lease back, nobody is told as long as they may come back; nor that they are.
pub async fn who_loses_its_node_is_not_told_of(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let ends = Node::new(backend).await;
    let (comes, stays_away) = (ends.guest().await, ends.guest().await);
    comes.join(room, ONE).await.unwrap();
    stays_away.join(room, ONE).await.unwrap();
    ends.ports.directory.deregister(&ends.lease, backend.unit() * 4).await.unwrap();
    assert_eq!(reconnecting(&node, room).await, []);
    node.back(&comes).await;
    backend.pass(backend.unit() * 5).await;
    for _ in 0..2 {
        node.sweep().await;
    }
    let all = [(joined(&comes), 2), (joined(&stays_away), 3), (Change::Left(stays_away.id), 2)];
    assert_eq!(told(&node, room, &owner).await, all);
}
