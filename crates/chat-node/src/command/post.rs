//! What the commands have in common that take a place in the timeline.

use super::{Client, Refusal, Reply};
use crate::trace;
use engine::{
    PortError, Wait, Who,
    port::{Amendment, Appended, Post},
};
use protocol::{
    CorrelationId, MessageId, RoomId,
    event::{Ack, Member},
    payload::Payload,
    policy::Policy,
};
use runtime::traces::Span;

/// One of them, as far as they are alike.
pub(super) struct Act {
    send: Option<Span>,
    /// The command's `id` as it was spelled: that is how its sender knows it.
    echo: Option<CorrelationId>,
    pub(super) id: MessageId,
    pub(super) room: RoomId,
    pub(super) sender: Member,
}

impl Act {
    /// `send` is begun before anything else is done for the command.
    pub(super) fn new(
        client: &Client,
        send: Option<Span>,
        echo: Option<CorrelationId>,
        id: MessageId,
        room: RoomId,
    ) -> Result<Self, Refusal> {
        let sender = Member { client_id: client.id()?, username: client.username()?.clone() };
        Ok(Self { send, echo, id, room, sender })
    }

    fn to_post(&self, client: &Client, payload: &Payload<'_>, amendment: Option<Amendment>) -> Result<Post, Refusal> {
        Ok(Post {
            room: self.room,
            client: self.sender.client_id,
            key: Some(client.speaker()?.identity.key),
            id: self.id,
            payload: payload.encode().into(),
            amendment,
            window: client.node.limiter.window(Policy::Message),
            trace: None,
        })
    }

    /// Gives it its place. None: what it amends is not any more as it was when it was read.
    pub(super) async fn post(
        &self,
        client: &Client,
        payload: &Payload<'_>,
        amendment: Option<Amendment>,
    ) -> Result<Option<Appended>, Refusal> {
        let mut append = self.send.as_ref().and_then(trace::append);
        let trace = append.as_ref().and_then(trace::context);
        let post = Post { trace, ..self.to_post(client, payload, amendment)? };
        let appended = client.node.engine.send(post).await;
        if let Some(append) = &mut append {
            match &appended {
                Ok(appended) => append.note("roomful.duplicate", appended.duplicate),
                Err(_) => append.failed("it got no place"),
            }
        }
        match appended {
            Err(PortError::Limited(wait)) => {
                client.node.limiter.note_refused(Policy::Message, Who::Client(self.sender.client_id));
                Err(Wait(wait).into())
            }
            Err(PortError::Amended) => Ok(None),
            appended => Ok(Some(appended?)),
        }
    }

    /// The place that it has, if it is a retry of one that has.
    pub(super) async fn sent(&self, client: &Client, payload: &Payload<'_>) -> Result<Option<Appended>, Refusal> {
        Ok(client.node.engine.sent(self.to_post(client, payload, None)?).await?)
    }

    /// What its sender is told.
    pub(super) fn done(self, client: &Client, appended: Appended) -> Reply {
        client.connection.posted();
        let budget = match (client.budget, appended.budget) {
            (Some(node), Some(cluster)) => Some(node.and(cluster)),
            (node, cluster) => node.or(cluster),
        };
        Ok(Some(
            Ack {
                room_id: Some(self.room),
                seq: Some(appended.seq),
                sent_at: Some(appended.sent_at),
                duplicate: Some(appended.duplicate),
                budget,
                ..Ack::of(self.echo)
            }
            .into(),
        ))
    }
}
