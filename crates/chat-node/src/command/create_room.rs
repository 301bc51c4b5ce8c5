//! `CREATE_ROOM`: makes a room and enters it.

use super::{Client, Reply};
use engine::{engine::Target, port::NewRoom};
use protocol::{RoomName, command::CreateRoom};

pub(super) async fn run(client: &mut Client, command: CreateRoom) -> Reply {
    let name = RoomName::parse(&command.name, client.node.config.limits.room_name_chars)?;
    let new = NewRoom { name, request: command.id.clone() };
    client.enter(command.id, Target::Create(new)).await?;
    Ok(None)
}
