//! `TYPING`: tells the others that one is writing. It has no reply, and is stored nowhere.

use super::{Client, Reply};
use protocol::{ServerEvent, command::Typing, event::MemberTyping};

pub(super) async fn run(client: &mut Client, command: Typing) -> Reply {
    let room_id = client.room(command.room_id)?;
    let client_id = client.id()?;
    let event: ServerEvent =
        MemberTyping { room_id, client_id, username: client.username()?.clone(), typing: command.typing }.into();
    client.node.engine.publish(room_id, Some(client_id), event.encode().into()).await?;
    Ok(None)
}
