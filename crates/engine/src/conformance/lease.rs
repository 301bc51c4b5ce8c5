//! What [`Directory`](crate::port::Directory) promises of nodes and their leases.

use super::directory::{joined, somewhere, told};
use super::{Backend, LONG, Node, ONE, claim};
use crate::port::{Beat, Change, PortError};
use std::time::Duration;
use tokio::task::JoinSet;

/// A node that keeps telling that it lives is not reaped, however long that is.
pub async fn a_lease_is_kept_by_heartbeats(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let lease = backend.unit() * 4;
    let alive = Node::with_lease(backend, lease).await;
    let person = alive.guest().await;
    person.join(room, ONE).await.unwrap();
    for _ in 0..6 {
        backend.pass(backend.unit()).await;
        assert_eq!(alive.ports.directory.heartbeat(&alive.lease, lease, 1).await, Ok(Beat::Alive));
        assert_eq!(node.sweep().await.nodes, 0);
    }
    assert_eq!(told(&node, room, &owner).await, [(joined(&person), 2)]);
}

/// A node whose lease ran out is reaped by whichever node looks first, and its members leave then and there: the
/// lease was their grace. However many look at once, each is told once.
pub async fn a_dead_node_is_reaped_once(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let dead = Node::with_lease(backend, backend.unit() * 2).await;
    let mut people = vec![dead.guest().await, dead.guest().await, dead.guest().await];
    for person in &people {
        person.join(room, ONE).await.unwrap();
    }
    let alone = dead.guest().await.room().await;
    let (moved, _) = node.back(&people.remove(1)).await;
    assert_eq!(node.sweep().await.nodes, 0, "it lives");
    backend.pass(backend.unit() * 3).await;
    let mut sweeps = JoinSet::new();
    for _ in 0..6 {
        let directory = node.ports.directory.clone();
        sweeps.spawn(async move { directory.sweep().await.unwrap() });
    }
    let swept = sweeps.join_all().await;
    assert_eq!(swept.iter().map(|s| s.nodes).sum::<u32>(), 1, "{swept:?}");
    assert_eq!(swept.iter().map(|s| s.members).sum::<u32>(), 3, "{swept:?}");
    let told = told(&node, room, &owner).await;
    let mut left: Vec<_> = told[3..].iter().map(|(change, _)| change.clone()).collect();
    left.sort_by_key(|change| if let Change::Left(id) = change { id.get() } else { 0 });
    people.sort_by_key(|p| p.id);
    assert_eq!(left, people.iter().map(|p| Change::Left(p.id)).collect::<Vec<_>>());
    assert_eq!(told[3..].iter().map(|(_, count)| *count).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(node.members(room).await, [owner.id, moved.id], "who had moved in time stays");
    assert_eq!(node.ports.directory.room(alone, 9).await, Err(PortError::RoomNotFound));
}

/// A node that was paused for longer than its lease learns it from its heartbeat, and none of its connections can act.
pub async fn a_node_that_was_reaped_cannot_act(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let lease = backend.unit() * 2;
    let paused = Node::with_lease(backend, lease).await;
    let person = paused.guest().await;
    person.join(room, ONE).await.unwrap();
    backend.pass(backend.unit() * 3).await;
    node.sweep().await;
    assert_eq!(person.join(room, ONE).await, Err(PortError::Superseded));
    assert_eq!(person.create(ONE).await, Err(PortError::Superseded));
    assert_eq!(person.rename("ghost").await, Err(PortError::Superseded));
    assert_eq!(person.leave(room).await, Err(PortError::Superseded));
    let attached = paused.ports.directory.attach(&paused.connection(), claim(None)).await;
    assert_eq!(attached, Err(PortError::Superseded));
    for _ in 0..2 {
        assert_eq!(paused.ports.directory.heartbeat(&paused.lease, lease, 1).await, Ok(Beat::Fenced));
    }
    person.detach(Duration::ZERO).await;
    paused.ports.directory.deregister(&paused.lease, Duration::ZERO).await.unwrap();

    // Another life of the same node begins from nothing, and its clients get their ids back.
    let anew = paused.ports.directory.register(&paused.id, LONG).await.unwrap();
    assert_ne!(anew, *paused.lease);
    assert_eq!(paused.ports.directory.heartbeat(&anew, LONG, 1).await, Ok(Beat::Alive));
    assert_eq!(paused.ports.directory.heartbeat(&paused.lease, lease, 1).await, Ok(Beat::Fenced));
    let attached = node.back(&person).await.1;
    assert_eq!((attached.rooms, attached.resumed, attached.previous), (vec![], true, None));
    assert_eq!(told(&node, room, &owner).await, [(joined(&person), 2), (Change::Left(person.id), 1)]);
}

/// A node that ends in good order leaves its clients the grace to go elsewhere; those who do never left.
pub async fn giving_the_lease_back_starts_the_grace(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let drained = Node::new(backend).await;
    let (moves, stays_away) = (drained.guest().await, drained.guest().await);
    for person in [&moves, &stays_away] {
        person.join(room, ONE).await.unwrap();
    }
    drained.ports.directory.deregister(&drained.lease, backend.unit() * 4).await.unwrap();
    assert_eq!(moves.leave(room).await, Err(PortError::Superseded));
    let listed = node.ports.directory.nodes().await.unwrap();
    assert!(listed.iter().all(|n| n.node != drained.id));
    backend.pass(backend.unit()).await;
    assert_eq!(node.sweep().await, crate::port::Swept::default());
    let (moved, attached) = node.back(&moves).await;
    assert_eq!((attached.rooms, attached.previous), (vec![room], None));
    // Giving it back twice does nothing more.
    drained.ports.directory.deregister(&drained.lease, LONG).await.unwrap();
    backend.pass(backend.unit() * 4).await;
    node.sweep().await;
    let told = told(&node, room, &owner).await;
    assert_eq!(told[2..], [(Change::Left(stays_away.id), 2)]);
    assert_eq!(node.members(room).await, [owner.id, moved.id]);
}

/// A node that died and is back under its name at once, before anybody reaped it: the former life counts no more, but
/// its members have the rest of its lease to come back.
pub async fn a_restarted_node_fences_its_former_life(backend: &impl Backend) {
    let (node, owner, room) = somewhere(backend).await;
    let lease = backend.unit() * 4;
    let former = Node::with_lease(backend, lease).await;
    let (returns, gone) = (former.guest().await, former.guest().await);
    for person in [&returns, &gone] {
        person.join(room, ONE).await.unwrap();
    }
    let anew = Node::start(former.id.clone(), backend.again(&former.id).await, LONG).await;
    assert_ne!(anew.lease.generation, former.lease.generation);
    assert_eq!(former.ports.directory.heartbeat(&former.lease, lease, 2).await, Ok(Beat::Fenced));
    assert_eq!(gone.leave(room).await, Err(PortError::Superseded));
    // What is left of the former life, if it still lives, cannot end the new one.
    former.ports.directory.deregister(&former.lease, Duration::ZERO).await.unwrap();
    assert_eq!(anew.ports.directory.heartbeat(&anew.lease, LONG, 0).await, Ok(Beat::Alive));

    backend.pass(backend.unit()).await;
    node.sweep().await;
    let (back, attached) = anew.back(&returns).await;
    assert_eq!((attached.rooms, attached.resumed, attached.previous), (vec![room], true, None));
    backend.pass(lease).await;
    node.sweep().await;
    assert_eq!(told(&node, room, &owner).await[2..], [(Change::Left(gone.id), 2)]);
    assert_eq!(node.members(room).await, [owner.id, back.id]);
}

/// A node that was fenced begins anew, but not against another process that lives under its name.
pub async fn a_name_that_another_lives_under_is_not_taken_back(backend: &impl Backend) {
    let former = Node::with_lease(backend, backend.unit() * 2).await;
    backend.pass(backend.unit() * 3).await;
    let directory = &former.ports.directory;
    assert_eq!(directory.heartbeat(&former.lease, LONG, 0).await, Ok(Beat::Fenced));
    let anew = directory.begin_anew(&former.lease, LONG).await.unwrap();
    assert_ne!(anew.generation, former.lease.generation);
    assert_eq!(directory.heartbeat(&anew, LONG, 0).await, Ok(Beat::Alive));

    // Somebody starts under the same name, and the one before is not to answer in kind.
    let other = Node::start(former.id.clone(), backend.again(&former.id).await, backend.unit() * 4).await;
    assert_eq!(directory.heartbeat(&anew, LONG, 0).await, Ok(Beat::Fenced));
    assert_eq!(directory.begin_anew(&anew, LONG).await, Err(PortError::Superseded));
    assert_eq!(other.ports.directory.heartbeat(&other.lease, backend.unit() * 4, 0).await, Ok(Beat::Alive));
    // When that one is gone the name is free.
    backend.pass(backend.unit() * 5).await;
    let again = directory.begin_anew(&anew, LONG).await.unwrap();
    assert_eq!(directory.heartbeat(&again, LONG, 0).await, Ok(Beat::Alive));
}

/// Every node that holds a lease is listed, by name, with what its last heartbeat said.
pub async fn nodes_are_listed(backend: &impl Backend) {
    let (one, two) = (Node::new(backend).await, Node::new(backend).await);
    let short = Node::with_lease(backend, backend.unit()).await;
    assert_eq!(one.ports.directory.heartbeat(&one.lease, LONG, 17).await, Ok(Beat::Alive));
    backend.pass(backend.unit() * 2).await;
    assert_eq!(two.ports.directory.heartbeat(&two.lease, LONG, 4).await, Ok(Beat::Alive));
    let listed = one.ports.directory.nodes().await.unwrap();
    assert!(listed.is_sorted_by(|a, b| a.node < b.node));
    assert!(listed.iter().all(|n| n.node != short.id), "its lease is over, though nobody has reaped it yet");
    let find = |node: &Node| listed.iter().find(|n| n.node == node.id).expect("a living node");
    assert_eq!((find(&one).connections, find(&two).connections), (17, 4));
    assert!(find(&one).last_seen_at < find(&two).last_seen_at);
    assert!(find(&two).started_at < find(&two).last_seen_at);
}
