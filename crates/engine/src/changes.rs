//! What changes of a message do to the timeline, for whoever asks: a node for the author, the admin's calls for an admin.
//! Like [`messages`](crate::view::messages), and unlike the ports, this knows what a message looks like.

use crate::port::{Amendment, Bus, Entry, Original, PortError, Span};
use crate::view::messages;
use bytes::Bytes;
use protocol::{
    ClientId, MessageBody, RoomId, Seq,
    event::Message,
    payload::{DELETED, EDITED, Payload},
};
use uuid::Uuid;

/// A message that can be changed: it is in the log, and neither deleted nor itself a change.
#[derive(Debug, Clone)]
pub struct Standing {
    /// As it was posted.
    pub message: Message,
    /// Of its [`Post`](crate::port::Post).
    pub key: Option<Uuid>,
    /// Its newest edit, if it has one.
    edit: Option<Message>,
}

impl Standing {
    /// Reads it. None: there is no such message, or none that can be changed.
    ///
    /// # Errors
    /// As [`PortError`] says; [`PortError::Amended`] when it was changed while it was read.
    pub async fn read(bus: &dyn Bus, room: RoomId, seq: Seq) -> Result<Option<Self>, PortError> {
        let Some(Original { entry, key, amended }) = original(bus, room, seq).await? else { return Ok(None) };
        let Some(message) = parse(entry).filter(|message| message.change.is_none()) else { return Ok(None) };
        let Some(amended) = amended else { return Ok(Some(Self { message, key, edit: None })) };
        let now = parse(Entry { seq, sent_at: message.sent_at, payload: amended.payload });
        if now.is_none_or(|now| now.deleted.is_some()) {
            return Ok(None);
        }
        // What is newer than the message is in the log as well, unless the two have left it this very moment.
        let edit = original(bus, room, amended.by).await?.and_then(|original| parse(original.entry));
        edit.map(|edit| Some(Self { message, key, edit: Some(edit) })).ok_or(PortError::Amended)
    }

    /// Whether that client wrote it, and not another one that had the same id. One without a key is nobody's.
    #[must_use]
    pub fn is_of(&self, client: ClientId, key: Uuid) -> bool {
        self.message.sender.client_id == client && self.key == Some(key)
    }

    /// What giving it another text does.
    #[must_use]
    pub fn edit(&self, body: &MessageBody) -> Amendment {
        self.amendment(body.as_str(), "edited")
    }

    /// What taking it away does.
    #[must_use]
    pub fn delete(&self) -> Amendment {
        self.amendment(DELETED, "deleted")
    }

    fn amendment(&self, body: &str, noted_as: &'static str) -> Amendment {
        let payload = |message, body| Bytes::from(Payload::again(message, body).encode());
        Amendment {
            target: self.message.seq,
            expect: self.edit.as_ref().map(|edit| edit.seq),
            replacement: payload(&self.message, body),
            noted_as,
            superseded: self.edit.as_ref().map(|edit| (edit.seq, payload(edit, EDITED))),
        }
    }
}

async fn original(bus: &dyn Bus, room: RoomId, seq: Seq) -> Result<Option<Original>, PortError> {
    let slice = bus.originals(room, Span::After(seq.prev()), 1).await?;
    Ok(slice.entries.into_iter().next().filter(|original| original.entry.seq == seq))
}

fn parse(entry: Entry) -> Option<Message> {
    messages(&[entry]).pop()
}
