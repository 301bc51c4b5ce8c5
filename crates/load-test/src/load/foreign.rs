//! What is said on a connection that does not speak the project's own contract.

use super::{
    connection::State,
    dialect::Dialect,
    driver::Driver,
    figures::Slice,
    line::Line,
    packet::{self, Packet, packet},
    shared::Newest,
};

/// Where each connection is in what each sender of its room has said, where there is no timeline to say so.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Senders of one room; those of a room are `rooms` apart.
    of_room: usize,
    rooms: usize,
    /// By connection and sender.
    lines: Vec<Line>,
    /// How much each connection has sent.
    sent: Vec<u64>,
}

impl Counts {
    pub(super) fn new(dialect: Dialect, connections: usize, senders: usize, rooms: usize) -> Self {
        if dialect != Dialect::SocketIo {
            return Self::default();
        }
        let of_room = senders.div_ceil(rooms);
        Self { of_room, rooms, lines: vec![Line::after(0); connections * of_room], sent: vec![0; connections] }
    }

    #[inline]
    fn line(&mut self, slot: usize, sender: u64) -> Option<&mut Line> {
        let at = sender as usize / self.rooms;
        if at < self.of_room { self.lines.get_mut(slot * self.of_room + at) } else { None }
    }

    /// The number of each sender of a connection's room, and how far the connection is with it.
    pub(super) fn of(&self, slot: usize, room: u32) -> impl Iterator<Item = (usize, u64)> {
        let lines = self.lines.iter().skip(slot * self.of_room).take(self.of_room);
        lines.enumerate().map(move |(at, line)| (at * self.rooms + room as usize, line.newest()))
    }
}

impl Driver {
    /// The connection is a WebSocket now.
    pub(super) fn greet_foreign(&mut self, slot: usize, now: u64) {
        self.connections[slot].state = State::Greeting;
        if self.shared.load.dialect == Dialect::Listen {
            self.arrived(slot, now);
        }
    }

    #[inline]
    pub(super) fn on_packet(&mut self, slot: usize, text: &[u8], now: u64) {
        match packet(self.shared.run, text) {
            Packet::Message { sender, count, due } => self.on_counted(slot, (sender, count), due, now),
            other => self.on_other(slot, other, now),
        }
    }

    #[inline]
    fn on_counted(&mut self, slot: usize, (sender, count): (u64, u64), due: u64, now: u64) {
        let connection = &mut self.connections[slot];
        self.counters.delivered += 1;
        let line = self.counts.line(slot, sender);
        let (State::Live, Some(line)) = (connection.state, line) else {
            self.counters.reordered += 1;
            return;
        };
        if sender as usize % self.shared.rooms.len() != connection.room as usize {
            return self.lose(slot, "a message of another room");
        }
        let seen = line.see(count);
        self.note_seen(seen);
        if (self.measured.0..self.measured.1).contains(&due) {
            self.slice.delivery.note(now.saturating_sub(due));
        }
    }

    fn on_other(&mut self, slot: usize, packet: Packet, now: u64) {
        let state = self.connections[slot].state;
        match (packet, state) {
            (Packet::Open, State::Greeting) => packet::connect(&mut self.text),
            (Packet::Ping, _) => {
                self.counters.pings += 1;
                packet::pong(&mut self.text);
            }
            (Packet::Connected, State::Greeting) => {
                self.connections[slot].state = State::Joining;
                packet::join(&mut self.text, u64::from(self.connections[slot].room) + 1);
            }
            (Packet::Ack(0), State::Joining) => return self.arrived(slot, now),
            (Packet::Ack(due), State::Live) => return self.on_ack(slot, Some(due), 0, now),
            (Packet::Refused, _) => return self.lose(slot, "the server ended the session"),
            _ => return,
        }
        self.say(slot);
    }

    fn arrived(&mut self, slot: usize, now: u64) {
        let connection = &mut self.connections[slot];
        connection.state = State::Live;
        self.setups -= 1;
        self.live += 1;
        self.counters.joined += 1;
        self.slice.setup.note(now.saturating_sub(connection.since));
    }

    /// Writes a message of that sender into `text`.
    pub(super) fn count_message(&mut self, slot: usize, room: u64, due: u64) {
        let sender = self.number(slot);
        let Some(count) = self.counts.sent.get_mut(slot) else { return };
        *count += 1;
        if let Some(known) = self.shared.senders.get(sender as usize) {
            known.reached(*count);
        }
        packet::send(&mut self.text, self.shared.run, (sender, *count), room, self.shared.load.bytes, due);
    }

    /// What is still to come, and what there had to be.
    pub(super) fn count_lacking(&self, slice: &mut Slice) {
        for (slot, connection) in self.connections.iter().enumerate() {
            let alive = connection.state == State::Live;
            for (sender, newest) in self.counts.of(slot, connection.room).filter(|_| alive) {
                let sent = self.shared.senders.get(sender).map_or(0, Newest::get);
                slice.lacking += sent.saturating_sub(newest);
                slice.expected += sent;
            }
        }
    }
}
