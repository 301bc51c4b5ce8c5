//! `SEND_MESSAGE`: gives a message its place in the timeline.

use super::{Client, Refusal, Reply};
use crate::trace;
use engine::{PortError, Wait, Who, port::Post};
use protocol::{
    CorrelationId, MessageBody, MessageId, RoomId,
    command::SendMessage,
    event::{Ack, Member},
    policy::Policy,
};
use serde::Serialize;

/// `NEW_MESSAGE` without `seq` and `sentAt`, which the timeline gives: it is encoded once, here, and every node puts
/// the two in front.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    r#type: &'static str,
    room_id: RoomId,
    id: MessageId,
    sender: &'a Member,
    body: &'a MessageBody,
}

/// `id` is the command's as it was spelled: that is how its sender knows it.
pub(super) async fn run(client: &mut Client, id: Option<CorrelationId>, command: SendMessage) -> Reply {
    let send = trace::send(client.connection.id);
    let room_id = client.room(command.room_id)?;
    let body = MessageBody::parse(&command.body, client.node.config.limits.message_chars)?;
    let sender = Member { client_id: client.id()?, username: client.username()?.clone() };
    let payload = encode(room_id, command.id, &sender, &body)?;
    let window = client.node.limiter.window(Policy::Message);
    let mut append = send.as_ref().and_then(trace::append);
    let trace = append.as_ref().and_then(trace::context);
    let post = Post { room: room_id, client: sender.client_id, id: command.id, payload: payload.into(), window, trace };
    let appended = client.node.engine.send(post).await;
    if let Some(append) = &mut append {
        match &appended {
            Ok(appended) => append.note("roomful.duplicate", appended.duplicate),
            Err(_) => append.failed("it got no place"),
        }
    }
    // Here, and not when the answer is made.
    drop(append);
    let appended = match appended {
        Err(PortError::Limited(wait)) => {
            client.node.limiter.note_refused(Policy::Message, Who::Client(sender.client_id));
            return Err(Wait(wait).into());
        }
        appended => appended?,
    };
    client.connection.posted();
    Ok(Some(
        Ack {
            room_id: Some(room_id),
            seq: Some(appended.seq),
            sent_at: Some(appended.sent_at),
            duplicate: Some(appended.duplicate),
            ..Ack::of(id)
        }
        .into(),
    ))
}

fn encode(room_id: RoomId, id: MessageId, sender: &Member, body: &MessageBody) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(&Payload { r#type: "NEW_MESSAGE", room_id, id, sender, body }).map_err(|e| {
        tracing::error!(error = %e, "a message that cannot be encoded");
        Refusal::error(protocol::ErrorCode::Internal, "the message could not be encoded")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::frame;
    use protocol::{ServerEvent, sample};

    #[test]
    fn the_payload_becomes_the_event() {
        let Some(event @ ServerEvent::NewMessage(message)) =
            &sample::events().into_iter().find(|e| matches!(e, ServerEvent::NewMessage(_)))
        else {
            panic!("no sample")
        };
        let payload = encode(message.room_id, message.id, &message.sender, &message.body).unwrap();
        let json = frame::splice(message.seq, message.sent_at, &payload);
        assert_eq!(&serde_json::from_slice::<ServerEvent>(&json).unwrap(), event);
    }
}
