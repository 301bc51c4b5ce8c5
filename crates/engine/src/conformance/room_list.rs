//! What [`Directory`](crate::port::Directory) promises of the room list.

use super::{Backend, Node, ONE, Person};
use crate::port::PortError;
use protocol::{RoomId, event::RoomSummary};
use std::time::Duration;

/// Pages until the end.
pub(super) async fn list(node: &Node, limit: usize) -> Vec<RoomSummary> {
    let (mut all, mut cursor): (Vec<RoomSummary>, Option<String>) = (Vec::new(), None);
    loop {
        let page = node.ports.directory.rooms(cursor.as_deref(), limit).await.unwrap();
        assert!(page.rooms.len() <= limit);
        all.extend(page.rooms);
        match page.cursor {
            Some(next) => {
                assert_ne!(Some(&next), cursor.as_ref(), "pages go on");
                cursor = Some(next);
            }
            None => return all,
        }
    }
}

/// Rooms of one's own, oldest first, a moment apart.
async fn several(backend: &impl Backend, person: &Person, count: usize) -> Vec<RoomId> {
    let mut rooms = Vec::new();
    for _ in 0..count {
        rooms.push(person.room().await);
        backend.pass(Duration::from_millis(3)).await;
    }
    rooms
}

/// Page by page, whatever their size, the list has every room once, newest first, with its name and count.
pub async fn the_room_list_is_complete_and_newest_first(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let (owner, guest) = (node.guest().await, node.guest().await);
    let mut rooms = several(backend, &owner, 23).await;
    guest.join(rooms[4], ONE).await.unwrap();
    let crowded = rooms[4];
    rooms.reverse();
    for limit in [1, 7, 23, 100] {
        let listed = list(&node, limit).await;
        assert!(listed.is_sorted_by(|a, b| a.created_at >= b.created_at));
        let ours: Vec<_> = listed.into_iter().filter(|r| rooms.contains(&r.room_id)).collect();
        assert_eq!(ours.iter().map(|r| r.room_id).collect::<Vec<_>>(), rooms, "{limit} a page");
        for room in ours {
            let count = if room.room_id == crowded { 2 } else { 1 };
            assert_eq!((room.name.as_str(), room.member_count), ("room", count));
        }
    }
}

/// Rooms that come, go and grow while somebody pages neither hide nor double those that stay; the cursor may name a
/// room that is gone.
pub async fn the_room_list_goes_on_while_rooms_come_and_go(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let (owner, guest) = (node.guest().await, node.guest().await);
    let mut rooms = several(backend, &owner, 12).await;
    rooms.reverse();
    let mut seen: Vec<RoomId> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = node.ports.directory.rooms(cursor.as_deref(), 4).await.unwrap();
        seen.extend(page.rooms.iter().map(|r| r.room_id));
        let Some(next) = page.cursor else { break };
        cursor = Some(next);
        // The page's last room ends, a new one comes, and an old one grows.
        if let Some(last) = page.rooms.last().filter(|last| rooms.contains(&last.room_id)) {
            owner.leave(last.room_id).await.unwrap();
        }
        owner.room().await;
        guest.join(rooms[11], ONE).await.unwrap();
    }
    seen.retain(|room| rooms.contains(room));
    assert_eq!(seen, rooms);
}

/// A cursor that no page gave is refused.
pub async fn a_bad_cursor_is_refused(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let long = "9".repeat(1000);
    for bad in ["", "x", "-", "1", "1-", "1-x", "-1-10000", "1-10000-1", "1 10000", "(1", "🦀", long.as_str()] {
        assert_eq!(node.ports.directory.rooms(Some(bad), 5).await, Err(PortError::BadCursor), "{bad:?}");
    }
}
