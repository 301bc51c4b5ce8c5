//! `EDIT_MESSAGE`: gives a message of one's own another text.

use super::{
    Client, Reply,
    change::{self, Right, Wish},
};
use protocol::{CorrelationId, MessageBody, command::EditMessage, event::ChangeKind};

pub(super) async fn run(client: &mut Client, echo: Option<CorrelationId>, command: EditMessage) -> Reply {
    let EditMessage { id, room_id: room, seq, body } = command;
    let text = MessageBody::parse(&body, client.node.config.limits.message_chars)?;
    let wish = Wish { echo, id, room, seq, kind: ChangeKind::Edit, body: text.as_str() };
    change::run(client, wish, Right::Author(&|standing| standing.edit(&text))).await
}
