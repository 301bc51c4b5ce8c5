//! What [`Directory`](crate::port::Directory) promises of a room's members, page by page.

use super::directory::{member, somewhere};
use super::{Backend, Node, ONE, Person};
use crate::port::PortError;
use protocol::{ClientId, RoomId, event::Member};
use std::collections::{BTreeMap, BTreeSet};

/// All pages, as large as this.
async fn pages(node: &Node, room: RoomId, limit: usize) -> Vec<Member> {
    let (mut all, mut after): (Vec<Member>, _) = (Vec::new(), None);
    loop {
        let page = node.ports.directory.members(room, after, limit).await.unwrap();
        assert!(page.members.len() <= limit && (!page.more || page.members.len() == limit));
        all.extend(page.members);
        if !page.more {
            assert_eq!(page.member_count as usize, all.len());
            return all;
        }
        after = all.last().map(|last| last.client_id);
    }
}

/// As many more in a room.
async fn fill(node: &Node, room: RoomId, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for _ in 0..count {
        let person = node.guest().await;
        person.join(room, ONE).await.unwrap();
        people.push(person);
    }
    people
}

/// Page by page, whatever their size, each member is listed once, by id, under its newest name. Whoever left, or is in
/// another room, is not.
pub async fn members_are_listed_by_id(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let other = Node::new(backend).await;
    let elsewhere = node.guest().await;
    elsewhere.room().await;
    let mut people = fill(&other, room, 22).await;
    people[3].rename("other").await.unwrap();
    people[3].name = super::username("other");
    people.swap_remove(7).leave(room).await.unwrap();
    // Who comes again is in another place by arrival, and in the same one by id.
    people[9].leave(room).await.unwrap();
    people[9].join(room, ONE).await.unwrap();
    people.push(owner);
    let expected: BTreeMap<ClientId, Member> = people.iter().map(|person| (person.id, member(person))).collect();
    let expected: Vec<Member> = expected.into_values().collect();
    for limit in [1, 7, 11, 22, 23, 500] {
        assert_eq!(pages(&node, room, limit).await, expected, "{limit} a page");
    }
}

/// Members that come and go while somebody pages neither hide nor double those that stay; the one at which a page ended
/// may be gone.
pub async fn members_are_listed_while_others_come_and_go(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let mut gone = fill(&node, room, 20).await;
    let stay: BTreeSet<ClientId> = fill(&node, room, 15).await.iter().map(|p| p.id).chain([owner.id]).collect();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = node.ports.directory.members(room, after, 4).await.unwrap();
        seen.extend(page.members.iter().map(|member| member.client_id));
        let Some(last) = seen.last().filter(|_| page.more) else { break };
        after = Some(*last);
        match gone.iter().position(|person| Some(person.id) == after) {
            Some(n) => gone.swap_remove(n).leave(room).await.unwrap(),
            None => gone.pop().unwrap().leave(room).await.unwrap(),
        }
        fill(&node, room, 2).await;
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "each once: {seen:?}");
    assert!(stay.is_subset(&seen.iter().copied().collect()), "{stay:?} in {seen:?}");
}

/// Of a room that is none there are none.
pub async fn only_a_room_has_members(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let past = ClientId::new(u64::from(ClientId::MAX)).unwrap();
    let page = node.ports.directory.members(room, Some(past), 5).await.unwrap();
    assert_eq!((page.members, page.member_count, page.more), (vec![], 1, false));
    owner.leave(room).await.unwrap();
    assert_eq!(node.ports.directory.members(room, None, 5).await, Err(PortError::RoomNotFound));
}
