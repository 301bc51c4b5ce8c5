//! What a client makes of what it hears.

use super::{Actor, Me, SAID, SEEN, Said, Talk};
use crate::{judge::act::post, workload::Role};
use protocol::{
    ClientCommand, CorrelationId, ErrorCode, RoomId, Seq, ServerEvent, command::Resume, event::CommandError,
};
use std::{sync::PoisonError, time::Duration};
use tokio::time::Instant;

impl Actor {
    /// Takes an event in.
    pub(super) fn take(&mut self, talk: &mut Talk, event: ServerEvent) {
        match event {
            ServerEvent::Connected(connected) => {
                (talk.welcome, self.failures) = (true, 0);
                if self.me.as_ref().is_some_and(|me| me.client != connected.client_id) {
                    // What this one says would be somebody else's message.
                    self.pending.clear();
                    self.said.clear();
                }
                self.me = Some(Me { client: connected.client_id, session: connected.session });
                let soon = Instant::now() + self.dice.time(Duration::ZERO, Duration::from_secs(1));
                self.pending.iter_mut().for_each(|pending| pending.due = pending.due.min(soon));
            }
            ServerEvent::RoomJoined(joined) => {
                self.answered(joined.id.as_ref(), None);
                let room = joined.room.room_id;
                let here = |place: &Resume| place.room_id == room && place.epoch == joined.epoch;
                if !self.place.as_ref().is_some_and(here) {
                    self.seen.clear();
                }
                joined.messages.iter().for_each(|message| self.see(message.seq));
                self.place = Some(Resume { room_id: room, epoch: joined.epoch, seq: joined.seq });
                self.desk.entered(room);
                match self.role {
                    Role::Anchor | Role::Roamer => self.desk.open_room(room),
                    Role::Host(n) => self.set_parlour(n, Some(room)),
                    Role::Visitor(_) => talk.deed = Instant::now() + self.desk.settings.silence,
                }
            }
            ServerEvent::RoomLeft(left) => {
                self.answered(left.id.as_ref(), None);
                if self.place.as_ref().is_some_and(|place| place.room_id == left.room_id) {
                    self.place = None;
                }
            }
            ServerEvent::NewMessage(message) => {
                if let Some(place) = self.place.as_mut().filter(|place| place.room_id == message.room_id) {
                    place.seq = place.seq.max(message.seq);
                    self.see(message.seq);
                }
            }
            ServerEvent::Ack(ack) => {
                if let (Some(session), Some(me)) = (ack.session, &mut self.me) {
                    me.session = session;
                }
                self.answered(ack.id.as_ref(), ack.seq);
            }
            ServerEvent::Reconnect(reconnect) => {
                talk.moving = Some(Instant::now() + Duration::from_millis(reconnect.after_ms));
            }
            ServerEvent::CommandError(error) => self.refused(talk, &error),
            _ => {}
        }
    }

    /// A command has its answer.
    fn answered(&mut self, id: Option<&CorrelationId>, seq: Option<Seq>) {
        let Some(at) = self.pending.iter().position(|pending| Some(&pending.id) == id) else { return };
        let command = self.pending.swap_remove(at).command;
        if let (Some((_, Some(room), _)), Some(seq)) = (post(&command), seq) {
            self.said.push_back(Said { command, room, seq });
            if self.said.len() > SAID {
                self.said.pop_front();
            }
        }
    }

    fn see(&mut self, seq: Seq) {
        self.seen.push_back(seq);
        if self.seen.len() > SEEN {
            self.seen.pop_front();
        }
    }

    fn refused(&mut self, talk: &mut Talk, error: &CommandError) {
        let wait = Duration::from_millis(error.retry_after_ms.unwrap_or(1000));
        let again = Instant::now() + wait + self.dice.time(Duration::ZERO, Duration::from_millis(500));
        if !talk.welcome {
            // CONNECT may be sent again; after that the connection has to be.
            talk.hello_due = (talk.hellos < 3).then_some(again);
            return;
        }
        let at = self.pending.iter().position(|pending| Some(&pending.id) == error.id.as_ref());
        let Some(at) = at else {
            if error.code == ErrorCode::RoomNotFound {
                self.forget_place(); // the room that CONNECT was to resume
            }
            return;
        };
        if error.code.retryable() {
            self.pending[at].due = again;
            return;
        }
        match self.pending.swap_remove(at).command {
            ClientCommand::JoinRoom(join) if error.code == ErrorCode::RoomNotFound => {
                self.desk.close_room(join.room_id);
                if let Role::Visitor(n) = self.role {
                    self.set_parlour(n, None);
                }
            }
            ClientCommand::SendMessage(_) | ClientCommand::LeaveRoom(_) if error.code == ErrorCode::NotInRoom => {
                self.place = None;
            }
            _ => {}
        }
    }

    fn forget_place(&mut self) {
        if let Some(place) = self.place.take() {
            self.desk.close_room(place.room_id);
            if let Role::Host(n) = self.role {
                self.set_parlour(n, None);
            }
        }
    }

    pub(super) fn set_parlour(&self, n: usize, room: Option<RoomId>) {
        if let Some(parlour) = self.desk.parlours.get(n) {
            *parlour.room.lock().unwrap_or_else(PoisonError::into_inner) = room;
        }
    }

    pub(super) fn parlour(&self, n: usize) -> Option<RoomId> {
        *self.desk.parlours.get(n)?.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
