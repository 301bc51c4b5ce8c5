//! `SEND_MESSAGE`: gives a message its place in the timeline.

use super::{Client, Refusal, Reply, post::Act};
use crate::trace;
use protocol::{CorrelationId, MessageBody, command::SendMessage, payload::Payload};

/// `id` is the command's as it was spelled: that is how its sender knows it.
pub(super) async fn run(client: &mut Client, id: Option<CorrelationId>, command: SendMessage) -> Reply {
    let send = trace::send(client.connection.id);
    let room = client.room(command.room_id)?;
    let body = MessageBody::parse(&command.body, client.node.config.limits.message_chars)?;
    let act = Act::new(client, send, id, command.id, room)?;
    let payload = Payload::message(room, act.id, &act.sender, body.as_str(), command.reply_to);
    let appended = act.post(client, &payload, None).await?;
    // It amends nothing, so nothing can have been amended.
    let appended = appended.ok_or_else(Refusal::unavailable)?;
    act.done(client, appended)
}
