//! What is said on a connection, from the handshake to the last delivery.

use super::{
    connection::{Identity, State},
    dialect::Dialect,
    driver::{Driver, Flow},
    frame::{self, Answer, Scan},
    line::{Line, Seen},
    moving::Mover,
    profile::Profile,
    schedule::SECOND,
    text::{self, Back, Connected, Joined, Reconnect, Refusal, Said, Told, said},
};

impl Driver {
    /// Takes in what came, and says how much of it: the rest is the beginning of a frame.
    pub(super) fn take_in(&mut self, slot: usize, bytes: &[u8], now: u64) -> usize {
        let generation = self.connections[slot].generation;
        let mut taken = 0;
        if self.connections[slot].state == State::Upgrading {
            match frame::answer(bytes) {
                Answer::Partial => return 0,
                Answer::Switched(end) => taken = end,
                Answer::Refused(status) => {
                    self.lose(slot, &format!("the handshake was answered with {status}"));
                    return 0;
                }
            }
            match self.shared.load.dialect {
                Dialect::Roomful => self.greet(slot),
                Dialect::SocketIo | Dialect::Listen => self.greet_foreign(slot, now),
            }
        }
        while self.connections[slot].generation == generation {
            match frame::scan(&bytes[taken..]) {
                Scan::Frame(frame::TEXT, text, length) => {
                    taken += length;
                    self.on_text(slot, text, now);
                }
                Scan::Frame(frame::PING, payload, length) => {
                    taken += length;
                    self.counters.pings += 1;
                    self.frame.clear();
                    frame::put(&mut self.frame, frame::PONG, payload);
                    self.write_frame(slot);
                }
                Scan::Frame(frame::CLOSE, payload, _) => {
                    let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                    let why = format!("the server closed with {code}");
                    if !self.goes_on(slot, Some(code), &why) {
                        self.lose(slot, &why);
                    }
                }
                Scan::Frame(_, _, length) => taken += length,
                Scan::Partial => break,
                Scan::Bad(what) => self.lose(slot, &format!("the server sent {what}")),
            }
        }
        taken
    }

    #[inline]
    fn on_text(&mut self, slot: usize, text: &[u8], now: u64) {
        match self.shared.load.dialect {
            Dialect::Roomful => match said(self.shared.run, text) {
                Said::Message(seq, due) => self.on_message(slot, seq, due, now),
                Said::Ack(due, seq) => self.on_ack(slot, due, seq, now),
                Said::Other(kind) => self.on_reply(slot, kind, text, now),
            },
            Dialect::SocketIo => self.on_packet(slot, text, now),
            Dialect::Listen => self.counters.delivered += 1,
        }
    }

    #[inline]
    fn on_message(&mut self, slot: usize, seq: u64, due: Option<u64>, now: u64) {
        let connection = &mut self.connections[slot];
        self.counters.delivered += 1;
        if connection.state != State::Live {
            // Before it was told where the timeline stands.
            self.counters.reordered += 1;
            return;
        }
        let (room, seen) = (connection.room as usize, connection.line.see(seq));
        self.note_seen(seen);
        if let Some(due) = due
            && (self.measured.0..self.measured.1).contains(&due)
        {
            let late = now.saturating_sub(due);
            self.slice.delivery.note(late);
            if self.storm && self.is_storming(slot, now) {
                self.slice.others.note(late);
            }
            if let Some(last) = self.lasts[room].note(seq, late) {
                self.slice.last.note(last);
            }
        }
    }

    #[inline]
    pub(super) fn note_seen(&mut self, seen: Seen) {
        if seen != Seen::Next {
            self.odd(seen);
        }
    }

    #[cold]
    fn odd(&mut self, seen: Seen) {
        match seen {
            Seen::Next => {}
            Seen::Skipped(n) => self.counters.lost += n,
            Seen::Late => {
                self.counters.lost -= 1;
                self.counters.reordered += 1;
            }
            Seen::Again => self.counters.doubled += 1,
        }
    }

    pub(super) fn on_ack(&mut self, slot: usize, due: Option<u64>, seq: u64, now: u64) {
        let connection = &mut self.connections[slot];
        if connection.unanswered == 0 {
            return;
        }
        connection.unanswered -= 1;
        self.outstanding -= 1;
        self.counters.acked += 1;
        self.shared.rooms[connection.room as usize].reached(seq);
        if let Some(due) = due
            && (self.measured.0..self.measured.1).contains(&due)
        {
            self.slice.ack.note(now.saturating_sub(due));
        }
        if let (Some(due), Some(mover)) = (due, &mut self.connections[slot].mover) {
            mover.answered(due);
        }
        self.send_next(slot, now);
    }

    /// In a closed loop each answer is followed by the next message.
    fn send_next(&mut self, slot: usize, now: u64) {
        if let Flow::Closed { end } = self.flow
            && now < end
        {
            // Two answers may come with one read, and a message's `id` is made of its time.
            self.newest_due = now.max(self.newest_due + 1);
            self.send(slot, self.newest_due);
        }
    }

    #[cold]
    fn on_reply(&mut self, slot: usize, kind: &[u8], text: &[u8], now: u64) {
        let bad = match kind {
            b"CONNECT" => {
                serde_json::from_slice::<Connected<'_>>(text).map(|event| self.on_connected(slot, &event)).err()
            }
            b"ROOM_JOINED" => {
                serde_json::from_slice::<Joined<'_>>(text).map(|event| self.on_joined(slot, &event, now)).err()
            }
            b"ERROR" => {
                serde_json::from_slice::<Refusal<'_>>(text).map(|event| self.on_refusal(slot, &event, now)).err()
            }
            b"RECONNECT" if self.rolling => {
                serde_json::from_slice::<Reconnect>(text).map(|event| self.on_reconnect(slot, event, now)).err()
            }
            b"USER_EVENT" | b"PRESENCE" if self.rolling => {
                serde_json::from_slice::<Told>(text).map(|event| self.on_told(&event)).err()
            }
            _ => None,
        };
        if let Some(error) = bad {
            self.lose(slot, &format!("{} is not of the contract: {error}", String::from_utf8_lossy(kind)));
        }
    }

    /// Says who it is, and where it was.
    pub(super) fn greet(&mut self, slot: usize) {
        self.connections[slot].state = State::Greeting;
        let connection = &self.connections[self.client(slot)];
        let back = match (&connection.identity, self.shared.rooms[connection.room as usize].id()) {
            (Some(identity), Some(room)) => {
                Some(Back { session: &identity.session, room, epoch: &identity.epoch, seq: connection.line.newest() })
            }
            _ => None,
        };
        text::connect(&mut self.text, back);
        self.say(slot);
    }

    fn on_connected(&mut self, slot: usize, event: &Connected<'_>) {
        if self.connections[slot].state != State::Greeting {
            return;
        }
        let moves = self.shared.load.profile == Profile::Rollout;
        let (node, client) = (if moves { self.node_named(&event.node) } else { 0 }, self.client(slot));
        if self.connections[client].identity.is_some() {
            // The way back into the room was asked for with CONNECT.
            self.connections[slot].state = State::Joining;
            if let Some(mover) = &mut self.connections[client].mover {
                mover.will_be_on(node);
            }
            return;
        }
        let connection = &mut self.connections[slot];
        connection.mover = moves.then(|| Box::new(Mover::on(node)));
        if self.shared.load.comes_back() {
            let identity = Identity { session: event.session.clone().into_owned(), epoch: String::new() };
            connection.identity = Some(Box::new(identity));
        }
        connection.state = State::Queued;
        self.queued.push(slot);
        self.let_in();
    }

    /// Lets those into their rooms that can be.
    pub(super) fn let_in(&mut self) {
        let queued = std::mem::take(&mut self.queued);
        for slot in queued {
            let connection = &mut self.connections[slot];
            if connection.state != State::Queued {
                continue;
            }
            let room = connection.room as usize;
            match self.shared.rooms[room].id() {
                Some(id) => text::join_room(&mut self.text, id),
                None if self.makes_room(slot) => text::create_room(&mut self.text, room),
                None => {
                    self.queued.push(slot);
                    continue;
                }
            }
            self.connections[slot].state = State::Joining;
            self.say(slot);
        }
    }

    fn on_joined(&mut self, mut slot: usize, event: &Joined<'_>, now: u64) {
        let moved = self.is_next(slot);
        if moved {
            if self.connections[slot].state != State::Joining {
                return;
            }
            slot = self.take_over(slot, now);
            self.arrived = Some((slot, self.connections[slot].generation));
        }
        let connection = &mut self.connections[slot];
        let room = &self.shared.rooms[connection.room as usize];
        let was = connection.state;
        if was == State::Joining {
            connection.state = State::Live;
            self.setups -= 1;
            self.live += 1;
            self.counters.joined += 1;
            let took = now.saturating_sub(connection.since);
            if std::mem::take(&mut connection.cut) {
                self.counters.back += 1;
                self.slice.back.note(took);
            } else {
                self.slice.setup.note(took);
                if room.id().is_none() {
                    room.exists(event.room.id);
                }
            }
            connection.attempt = 0;
        } else if was != State::Live || room.id() != Some(event.room.id) {
            return;
        }
        room.reached(event.seq);
        let known = connection.identity.as_ref().is_some_and(|identity| !identity.epoch.is_empty());
        if was == State::Joining && !known {
            (connection.line, connection.first) = (Line::after(event.seq), event.seq);
        }
        if let Some(identity) = &mut connection.identity {
            if known && identity.epoch != event.epoch {
                // Another life of the room: what was between the two is not to be had, and not known to be nothing.
                self.counters.gaps += 1;
                connection.line = Line::after(event.seq);
            }
            identity.epoch = event.epoch.clone().into_owned();
        }
        // Of one that was there before, all that it missed has to be here.
        if let Some(gap) = &event.gap {
            self.counters.gaps += connection.line.give_up(gap.to);
        }
        let newest = connection.line.newest();
        for message in event.messages.iter().filter(|message| message.seq > newest) {
            self.counters.recovered += 1;
            let seen = self.connections[slot].line.see(message.seq);
            self.odd(seen);
            // To somebody who moves it is a delivery like any other.
            if let Some(due) = self.shared.run.due_of(&message.body).filter(|_| moved)
                && (self.measured.0..self.measured.1).contains(&due)
            {
                self.slice.delivery.note(now.saturating_sub(due));
            }
        }
        let line = &mut self.connections[slot].line;
        if event.seq > line.newest() {
            self.counters.lost += line.give_up(event.seq);
        }
        if moved {
            self.settle_in(slot);
        }
    }

    fn on_refusal(&mut self, slot: usize, event: &Refusal<'_>, now: u64) {
        let connection = &mut self.connections[slot];
        if connection.state == State::Greeting
            && let Some(wait) = event.retry_after_ms
        {
            // On the same socket: a new one would only cost both sides another handshake.
            connection.state = State::Told;
            self.counters.deferred += 1;
            return self.come_later(slot, now + wait * (SECOND / 1000));
        }
        if connection.state != State::Live {
            return self.lose(slot, &format!("refused with {}", event.code));
        }
        if event.id.is_some() && connection.unanswered > 0 {
            connection.unanswered -= 1;
            self.outstanding -= 1;
            self.counters.refused += 1;
            self.because(&format!("a message was refused with {}", event.code));
            self.send_next(slot, now);
        }
    }

    /// Sends a message that was due then.
    pub(super) fn send(&mut self, slot: usize, due: u64) {
        let connection = &mut self.connections[slot];
        let room = self.shared.rooms[connection.room as usize].id();
        let (State::Live | State::Between, Some(room)) = (connection.state, room) else {
            self.counters.withheld += 1;
            return;
        };
        connection.unanswered += 1;
        self.outstanding += 1;
        self.counters.sent += 1;
        if let Some(mover) = &mut connection.mover {
            mover.said(due);
        }
        // Between two connections it is kept, and said on the next one.
        if connection.state == State::Live {
            self.put_message(slot, room, due);
            self.say(slot);
        }
    }

    /// Writes a message that was due then into `text`.
    pub(super) fn put_message(&mut self, slot: usize, room: u64, due: u64) {
        match self.shared.load.dialect {
            Dialect::SocketIo => self.count_message(slot, room, due),
            Dialect::Roomful | Dialect::Listen => {
                let sender = self.number(slot);
                self.shared.run.send_message(&mut self.text, sender, room, self.shared.load.bytes, due);
            }
        }
    }

    /// Sends what is in `text`.
    pub(super) fn say(&mut self, slot: usize) {
        self.frame.clear();
        frame::put(&mut self.frame, frame::TEXT, &self.text);
        self.write_frame(slot);
    }
}
