//! Rooms and who may be in them.

use crate::support::{node, refusal};
use protocol::{
    ErrorCode, ServerEvent,
    command::JoinRoom,
    event::{LeaveReason, NewMessage, RoomJoined, RoomLeft, UserEvent},
};
use serde_json::json;

#[tokio::test]
async fn joining_another_room_leaves_the_former_one() {
    let node = node(&[]).await;
    let (mut alice, mut bob, room) = node.pair().await;
    let mut carol = node.guest().await;
    let other = carol.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Coffee"})).await["room"]["roomId"].clone();

    let to = serde_json::from_value(other.clone()).unwrap();
    bob.send(&JoinRoom { id: Some("move".parse().unwrap()), room_id: to }.into_command()).await.unwrap();
    let left = RoomLeft::try_from(bob.next(crate::support::PATIENCE).await.unwrap()).unwrap();
    assert_eq!((left.room_id, left.reason, left.id), (room, LeaveReason::Moved, None));
    let joined = RoomJoined::try_from(bob.next(crate::support::PATIENCE).await.unwrap()).unwrap();
    assert_eq!((joined.room.room_id, joined.id), (to, Some("move".parse().unwrap())));
    alice.expect::<UserEvent>(|e| e.left == [bob.connected.client_id]).await.unwrap();
    assert_eq!(carol.next().await["joined"][0]["username"], "Bob");

    // What is said there is no longer heard here.
    alice.say("to nobody").await.unwrap();
    bob.ping().await.unwrap();
    assert_eq!(bob.take_kept(), []);
    // Making a room moves as well, and the room that nobody is in any more ends.
    alice.create_room("Third").await.unwrap();
    assert_eq!(refusal(bob.join(room).await).code, ErrorCode::RoomNotFound);
}

#[tokio::test]
async fn a_join_that_fails_leaves_one_where_one_was() {
    let node = node(&[("MAX_ROOM_MEMBERS", "2")]).await;
    let (mut alice, mut bob, room) = node.pair().await;
    let mut carol = node.client("Carol").await;
    let full = refusal(carol.join(room).await);
    assert_eq!(full.code, ErrorCode::RoomFull);
    let own = carol.create_room("Own").await.unwrap().room.room_id;
    assert_eq!(refusal(carol.join(room).await).code, ErrorCode::RoomFull);
    assert_eq!(refusal(carol.join("999999999".parse().unwrap()).await).code, ErrorCode::RoomNotFound);
    let ack = carol.say("still in my own").await.unwrap();
    assert_eq!(ack.room_id, Some(own));
    carol.expect::<NewMessage>(|m| m.room_id == own).await.unwrap();
    alice.ping().await.unwrap();
    assert_eq!(alice.take_kept(), []);
    // A place becomes free.
    bob.leave().await.unwrap();
    assert_eq!(carol.join(room).await.unwrap().room.member_count, 2);
}

#[tokio::test]
async fn several_rooms_at_once_where_that_is_allowed() {
    let node = node(&[("MAX_ROOMS_PER_CLIENT", "2")]).await;
    let mut alice = node.guest().await;
    let id = "6d63e6a8-0b57-4d60-8b3e-0d4b8d6b9c11";
    let mut rooms = Vec::new();
    for name in ["One", "Two"] {
        let joined = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": name})).await;
        rooms.push(joined["room"]["roomId"].clone());
    }
    let error = alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Three"})).await;
    assert_eq!(error["code"], "forbidden");
    let error = alice.ask(json!({"type": "SEND_MESSAGE", "id": id, "body": "where?"})).await;
    assert_eq!(error["code"], "bad_request");
    alice.send(json!({"type": "SEND_MESSAGE", "id": id, "roomId": rooms[1], "body": "there"})).await;
    let told = [alice.next().await, alice.next().await];
    assert!(told.iter().all(|e| e["roomId"] == rooms[1]), "{told:?}");
    let left = alice.ask(json!({"type": "LEAVE_ROOM", "id": "l", "roomId": rooms[0]})).await;
    assert_eq!(left["roomId"], rooms[0]);
    assert_eq!(alice.ask(json!({"type": "CREATE_ROOM", "id": "r", "name": "Three"})).await["type"], "ROOM_JOINED");
}

#[tokio::test]
async fn both_rooms_come_back_with_the_session() {
    let node = node(&[("MAX_ROOMS_PER_CLIENT", "2")]).await;
    let mut alice = node.client("Alice").await;
    let one = alice.create_room("One").await.unwrap();
    let two = alice.create_room("Two").await.unwrap();
    let resume = protocol::command::Resume { room_id: two.room.room_id, epoch: two.epoch.clone(), seq: two.seq };
    let mut again = node.connect(alice.again(Some(resume))).await;
    let first = again.expect::<RoomJoined>(|_| true).await.unwrap();
    let second = again.expect::<RoomJoined>(|_| true).await.unwrap();
    assert_eq!((first.room.room_id, first.id.is_some()), (two.room.room_id, true));
    assert_eq!((second.room.room_id, second.id.is_some()), (one.room.room_id, false));
}

/// What the client crate has no need of.
trait IntoCommand {
    fn into_command(self) -> protocol::ClientCommand;
}

impl IntoCommand for JoinRoom {
    fn into_command(self) -> protocol::ClientCommand {
        protocol::ClientCommand::JoinRoom(self)
    }
}

#[tokio::test]
async fn a_room_ends_with_its_last_member() {
    let node = node(&[]).await;
    let (mut alice, mut bob, room) = node.pair().await;
    alice.leave().await.unwrap();
    bob.expect::<UserEvent>(|e| e.member_count == 1).await.unwrap();
    bob.leave().await.unwrap();
    assert_eq!(refusal(alice.join(room).await).code, ErrorCode::RoomNotFound);
    assert_eq!(alice.list_rooms(None, None).await.unwrap().rooms, []);
    bob.ping().await.unwrap();
    assert!(!bob.take_kept().iter().any(|e| matches!(e, ServerEvent::RoomLeft(_))));
}
