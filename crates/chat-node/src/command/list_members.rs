//! `LIST_MEMBERS`: reads a page of a room's members.

use super::{Client, Reply, fetch_history::limit};
use engine::PortError;
use protocol::{
    ClientId,
    command::ListMembers,
    event::Members,
    limits::{MEMBERS_LIMIT_DEFAULT, MEMBERS_LIMIT_MAX},
};

pub(super) async fn run(client: &mut Client, command: ListMembers) -> Reply {
    let room_id = client.room(command.room_id)?;
    let limit = limit(command.limit, MEMBERS_LIMIT_DEFAULT, MEMBERS_LIMIT_MAX)?;
    let after = command.cursor.as_deref().map(str::parse::<ClientId>).transpose().map_err(|_| PortError::BadCursor)?;
    let page = client.node.engine.members(room_id, after, limit).await?;
    let cursor = page.members.last().filter(|_| page.more).map(|last| last.client_id.to_string());
    Ok(Some(
        Members {
            id: command.id,
            room_id,
            members: page.members,
            reconnecting: page.reconnecting,
            member_count: page.member_count,
            cursor,
        }
        .into(),
    ))
}
