//! `LEAVE_ROOM`: leaves a room.

use super::{Client, Reply, Speaker};
use protocol::{
    command::LeaveRoom,
    event::{LeaveReason, RoomLeft},
};

pub(super) async fn run(client: &mut Client, command: LeaveRoom) -> Reply {
    let room_id = client.room(command.room_id)?;
    let Speaker { identity, attachment } = client.speaker()?;
    client.node.engine.leave(&client.hub, &client.connection, identity.client, attachment, room_id).await?;
    Ok(Some(RoomLeft { id: command.id, room_id, reason: LeaveReason::Left }.into()))
}
