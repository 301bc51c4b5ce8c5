//! What a command does to a timeline, as its author wants it.

use crate::journal::digest;
use protocol::{
    ClientCommand, ClientId, MessageId, RoomId, Seq,
    event::{ChangeKind, Message},
    payload::{DELETED, EDITED},
};
use std::time::Duration;

/// What takes a position of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A message; texts are digests here.
    Say {
        /// What it says.
        body: String,
        /// What it answers.
        reply_to: Option<Seq>,
    },
    /// A change of the message at a position.
    Change {
        /// Which one.
        kind: ChangeKind,
        /// Of which.
        target: Seq,
        /// The new text, the emoji, or what a deletion says.
        body: String,
    },
}

/// Something as it was sent first.
#[derive(Debug)]
pub struct Sent {
    /// By whom.
    pub actor: u32,
    /// Under which id.
    pub client: Option<ClientId>,
    /// For which room.
    pub room: Option<RoomId>,
    /// When.
    pub at: Duration,
    /// What it is to do.
    pub act: Act,
}

/// The id of a command that takes a position, the room, and the position that it changes, if it is a change.
#[must_use]
pub fn post(command: &ClientCommand) -> Option<(MessageId, Option<RoomId>, Option<Seq>)> {
    match command {
        ClientCommand::SendMessage(c) => Some((c.id, c.room_id, None)),
        ClientCommand::EditMessage(c) => Some((c.id, c.room_id, Some(c.seq))),
        ClientCommand::DeleteMessage(c) => Some((c.id, c.room_id, Some(c.seq))),
        ClientCommand::React(c) => Some((c.id, c.room_id, Some(c.seq))),
        _ => None,
    }
}

impl Act {
    /// Of a command as the journal keeps it.
    #[must_use]
    pub fn of(command: &ClientCommand) -> Option<Self> {
        match command {
            ClientCommand::SendMessage(c) => Some(Self::Say { body: c.body.0.clone(), reply_to: c.reply_to }),
            ClientCommand::EditMessage(c) => {
                Some(Self::Change { kind: ChangeKind::Edit, target: c.seq, body: c.body.0.clone() })
            }
            ClientCommand::DeleteMessage(c) => {
                Some(Self::Change { kind: ChangeKind::Delete, target: c.seq, body: digest(DELETED) })
            }
            ClientCommand::React(c) => {
                let kind = if c.on { ChangeKind::React } else { ChangeKind::Unreact };
                Some(Self::Change { kind, target: c.seq, body: c.emoji.0.clone() })
            }
            _ => None,
        }
    }

    /// How an entry of the timeline differs from it, beyond what edits and deletions do to what is read.
    #[must_use]
    pub fn differs(&self, message: &Message) -> Option<String> {
        let says = message.body.as_str();
        let change = message.change.map(|change| (change.kind, change.seq));
        match self {
            Self::Say { .. } if change.is_some() => Some(format!("it is {change:?}, and a message was sent")),
            Self::Say { reply_to, .. } if *reply_to != message.reply_to => {
                Some(format!("it answers {:?}, and {reply_to:?} was sent", message.reply_to))
            }
            Self::Say { .. } if message.deleted.is_some() => {
                (says != digest(DELETED)).then(|| format!("it is deleted, and says {says}"))
            }
            // What it says then is for whoever knows the edit.
            Self::Say { .. } if message.edited.is_some() => None,
            Self::Change { kind, target, .. } if change != Some((*kind, *target)) => {
                Some(format!("it is {change:?}, and {kind:?} of {target} was sent"))
            }
            Self::Change { .. } if message.edited.or(message.deleted).or(message.reply_to).is_some() => {
                Some("a change is neither edited nor deleted, nor does it answer anything".to_owned())
            }
            Self::Change { kind: ChangeKind::Edit, .. } if says == digest(EDITED) => None,
            Self::Say { body, .. } | Self::Change { body, .. } => {
                (says != body).then(|| format!("it says {says}, and {body} was sent"))
            }
        }
    }

    /// Whether it gives a message another text, or takes it away.
    #[must_use]
    pub fn rewrites(&self) -> bool {
        matches!(self, Self::Change { kind: ChangeKind::Edit | ChangeKind::Delete, .. })
    }
}
