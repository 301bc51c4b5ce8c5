//! What a client does to messages that were sent already, its own and those of others.

use super::{Actor, Said};
use crate::workload::{script::Deed, text};
use protocol::{
    ClientCommand, MessageId, RawText, RoomId, Seq,
    command::{DeleteMessage, EditMessage, React},
};

/// As Unicode spells them in full, which is how they come back.
const EMOJI: &[&str] = &["👍", "👍🏽", "❤️", "🎉", "🦀", "👩‍👩‍👧‍👦"];

impl Actor {
    /// Something that was seen in the room where it is.
    pub(super) fn seen(&mut self) -> Option<Seq> {
        let seen: Vec<Seq> = self.seen.iter().copied().collect();
        self.dice.pick(&seen).copied()
    }

    /// A change, if there is something to change.
    pub(super) fn change(&mut self, deed: Deed, room: RoomId) -> Option<ClientCommand> {
        let own = |is_message: bool| {
            let wanted = move |said: &&Said| {
                said.room == room && is_message == matches!(said.command, ClientCommand::SendMessage(_))
            };
            self.said.iter().filter(wanted).map(|said| said.seq).collect::<Vec<Seq>>()
        };
        let (messages, changes) = (own(true), own(false));
        let target = match deed {
            Deed::Edit | Deed::Delete => self.dice.pick(&messages).copied(),
            // What others wrote most often, also what is gone or a change.
            Deed::Trespass if self.dice.percent(20) => self.dice.pick(&changes).copied(),
            _ => self.seen(),
        }?;
        let (id, room_id) = (MessageId::new(self.dice.uuid()), Some(room));
        Some(match deed {
            Deed::React => {
                let emoji = RawText::from(self.dice.pick(EMOJI).copied()?);
                ClientCommand::React(React { id, room_id, seq: target, emoji, on: self.dice.percent(70) })
            }
            Deed::Edit => self.edit(id, room, target),
            Deed::Trespass if self.dice.percent(50) => self.edit(id, room, target),
            _ => ClientCommand::DeleteMessage(DeleteMessage { id, room_id, seq: target }),
        })
    }

    fn edit(&mut self, id: MessageId, room: RoomId, seq: Seq) -> ClientCommand {
        let body = RawText(text::body(&mut self.dice, self.desk.settings.longest));
        ClientCommand::EditMessage(EditMessage { id, room_id: Some(room), seq, body })
    }
}
