//! `JOIN_ROOM`: enters a room.

use super::{Client, Reply};
use engine::engine::Target;
use protocol::command::JoinRoom;

pub(super) async fn run(client: &mut Client, command: JoinRoom) -> Reply {
    let _pass = client.admit().await?;
    client.enter(command.id, Target::Join(command.room_id)).await?;
    Ok(None)
}
