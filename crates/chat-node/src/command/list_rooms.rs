//! `LIST_ROOMS`: reads a page of the room list.

use super::{Client, Reply, fetch_history::limit};
use protocol::{
    command::ListRooms,
    event::Rooms,
    limits::{ROOMS_LIMIT_DEFAULT, ROOMS_LIMIT_MAX},
};

pub(super) async fn run(client: &mut Client, command: ListRooms) -> Reply {
    let limit = limit(command.limit, ROOMS_LIMIT_DEFAULT, ROOMS_LIMIT_MAX)?;
    let page = client.node.engine.rooms(command.cursor.as_deref(), limit).await?;
    Ok(Some(Rooms { id: command.id, rooms: page.rooms, cursor: page.cursor }.into()))
}
