//! What the commands have in common that change a message. A change takes a place of its own in the timeline; what it
//! replaces (`engine::changes`) is replaced in the same step, or nothing is done.

use super::{Client, RETRY_UNAVAILABLE, Refusal, Reply, post::Act};
use crate::trace;
use engine::{
    PortError,
    changes::Standing,
    port::{Amendment, Span},
};
use protocol::{
    CorrelationId, ErrorCode, MessageId, RoomId, Seq,
    event::{ChangeKind, MessageChange},
    payload::Payload,
};

/// How often a message is read again that somebody else changes at the same time. Only its author and admins can.
const TRIES: usize = 4;

/// What a command wants.
pub(super) struct Wish<'a> {
    /// The command's `id` as it was spelled.
    pub(super) echo: Option<CorrelationId>,
    pub(super) id: MessageId,
    pub(super) room: Option<RoomId>,
    /// Which message.
    pub(super) seq: Seq,
    pub(super) kind: ChangeKind,
    /// As in [`Payload::change`].
    pub(super) body: &'a str,
}

/// Who may do it, and what it replaces.
pub(super) enum Right<'a> {
    /// Its author: this is what it does to the message.
    Author(&'a (dyn Fn(&Standing) -> Amendment + Sync)),
    /// Whoever is in the room; the message stays as it is.
    Anybody,
}

pub(super) async fn run(client: &mut Client, wish: Wish<'_>, right: Right<'_>) -> Reply {
    let send = trace::send(client.connection.id);
    let room = room(client, wish.room).await?;
    let act = Act::new(client, send, wish.echo, wish.id, room)?;
    let change = MessageChange { kind: wish.kind, seq: wish.seq, by_admin: false };
    let payload = Payload::change(room, act.id, &act.sender, wish.body, change);
    let identity = &client.speaker()?.identity;
    for _ in 0..TRIES {
        let standing = match client.node.engine.standing(room, wish.seq).await {
            Err(PortError::Amended) => continue,
            standing => standing?,
        };
        let amendment = match (&standing, &right) {
            (Some(_), Right::Anybody) => None,
            (Some(standing), Right::Author(amend)) if standing.is_of(identity.client, identity.key) => {
                Some(amend(standing))
            }
            (Some(_) | None, _) => {
                // Unless it was done, and this is a retry: what was allowed once may not be any more.
                let sent = act.sent(client, &payload).await?;
                return sent.map_or_else(|| Err(refusal(&right)), |sent| act.done(client, sent));
            }
        };
        if let Some(appended) = act.post(client, &payload, amendment).await? {
            return act.done(client, appended);
        }
    }
    Err(Refusal::Error {
        code: ErrorCode::Unavailable,
        message: "somebody else is changing this message; trying again with the same id is safe".into(),
        retry_after_ms: Some(RETRY_UNAVAILABLE),
    })
}

/// The room that a change is for. Another one than one's own is nobody's business, if there is one.
async fn room(client: &Client, named: Option<RoomId>) -> Result<RoomId, Refusal> {
    match (client.room(named), named) {
        (Err(Refusal::Error { code: ErrorCode::NotInRoom, message, .. }), Some(room)) => {
            client.node.engine.history(room, Span::Newest, 0).await?;
            Err(Refusal::error(ErrorCode::Forbidden, message))
        }
        (room, _) => room,
    }
}

fn refusal(right: &Right<'_>) -> Refusal {
    let message = match right {
        Right::Author(_) => "there is no such message of yours in this room any more",
        Right::Anybody => "there is no such message in this room any more",
    };
    Refusal::error(ErrorCode::Forbidden, message)
}
