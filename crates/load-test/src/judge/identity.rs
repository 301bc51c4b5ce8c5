//! Whether ids are what they seem: a client's is its own for as long as it lives, a room's is one room, and a room that
//! keeps a member keeps its timeline.

use super::{
    follow::Connection,
    stay::Stay,
    terms::{Calm, Terms},
    violation::{Kind, Violation},
};
use crate::journal::{How, Phase, Record, What};
use protocol::{ClientCommand, ClientId, CloseCode, CorrelationId, ErrorCode, RoomId, ServerEvent, event::LeaveReason};
use std::{collections::HashMap, time::Duration};

struct Identity<'a> {
    connections: &'a [Connection],
    stays: &'a [Stay],
    by_room: HashMap<RoomId, Vec<&'a Stay>>,
    calm: &'a Calm,
    terms: &'a Terms,
    violations: Vec<Violation>,
}

/// Judges it.
#[must_use]
pub fn judge(
    records: &[Record],
    connections: &[Connection],
    stays: &[Stay],
    calm: &Calm,
    terms: &Terms,
) -> Vec<Violation> {
    let mut by_room: HashMap<RoomId, Vec<&Stay>> = HashMap::new();
    stays.iter().for_each(|stay| by_room.entry(stay.room).or_default().push(stay));
    let mut identity = Identity { connections, stays, by_room, calm, terms, violations: Vec::new() };
    identity.sessions(records);
    identity.clients();
    identity.rooms();
    identity.epochs();
    identity.missing_rooms(records);
    identity.violations
}

impl Identity<'_> {
    /// A session brings its `clientId` back.
    fn sessions(&mut self, records: &[Record]) {
        for connection in self.connections {
            let (Some((_, claimed)), Some((at, given))) = (connection.claimed, connection.connected) else { continue };
            if claimed != given {
                let text = format!("the session of {claimed} was answered with {given}");
                let violation = Violation::new(Kind::IdentityLost, at, text).actor(connection.actor);
                self.violations.push(violation.client(claimed).client(given));
            }
        }
        for record in records {
            match &record.what {
                What::Phase(Phase::Over) => break,
                What::Ended(How::Closed(code, _)) if *code == CloseCode::SessionInvalid.get() => {
                    let text = "a session was refused within its validity";
                    self.violations.push(Violation::new(Kind::IdentityLost, record.at, text).actor(record.actor));
                }
                _ => {}
            }
        }
    }

    /// No two actors have the same id while both are alive: connected, or within the grace.
    fn clients(&mut self) {
        let mut by_client: HashMap<ClientId, Vec<&Connection>> = HashMap::new();
        for connection in self.connections {
            if let Some((_, client)) = connection.connected {
                by_client.entry(client).or_default().push(connection);
            }
        }
        for (client, connections) in by_client {
            self.taken_over(client, &connections);
            let since = |c: &Connection| c.connected.map_or(c.opening, |(at, _)| at);
            let alive = |c: &Connection| {
                let member = self.stays.iter().any(|s| s.connection == c.number && s.until >= c.until);
                if member { c.heard.max(c.until.min(c.heard + self.terms.grace / 2)) } else { c.heard }
            };
            let clash = connections.iter().enumerate().find_map(|(n, a)| {
                let other = |b: &&&Connection| b.actor != a.actor && since(a) < alive(b) && since(b) < alive(a);
                connections[n + 1..].iter().find(other).map(|b| (*a, *b))
            });
            if let Some((a, b)) = clash {
                let text = format!("{client} is actor {} and actor {} at once", a.actor, b.actor);
                let at = since(a).max(since(b));
                let violation = Violation::new(Kind::ClientIdReused, at, text).client(client);
                self.violations.push(violation.actor(a.actor).actor(b.actor));
            }
        }
    }

    /// Whoever connects again takes over: the former connection is closed, and hears nothing more.
    fn taken_over(&mut self, client: ClientId, connections: &[&Connection]) {
        for newer in connections {
            let Some((since, _)) = newer.connected.filter(|_| newer.claimed.is_some()) else { continue };
            let older = |c: &&&Connection| {
                let due = self.calm.after(since, self.terms.promptness, c.number);
                c.actor == newer.actor && c.connected.is_some_and(|(at, _)| at < since) && c.heard > due
            };
            if let Some(older) = connections.iter().find(older) {
                let text = format!(
                    "connection #{} of {client} was taken over by #{}, and hears on at {:.3} s",
                    older.number,
                    newer.number,
                    older.heard.as_secs_f64()
                );
                self.violations.push(Violation::new(Kind::Protocol, since, text).actor(newer.actor).client(client));
            }
        }
    }

    /// No room has two lives at once.
    fn rooms(&mut self) {
        for (room, stays) in &self.by_room {
            let clash = stays.iter().enumerate().find_map(|(n, a)| {
                stays[n + 1..].iter().filter(|b| b.epoch != a.epoch).find_map(|b| {
                    let (lo, hi) = (a.from.max(b.from), a.certain_until().min(b.certain_until()));
                    (lo < hi && self.calm.after(lo, self.terms.promptness, 0) < hi).then_some((*a, *b, lo))
                })
            });
            if let Some((a, b, at)) = clash {
                let text = format!(
                    "room {room} is in epoch {} for actor {}, and in {} for actor {}",
                    a.epoch, a.actor, b.epoch, b.actor
                );
                let violation = Violation::new(Kind::RoomIdReused, at, text).room(*room);
                self.violations.push(violation.actor(a.actor).actor(b.actor));
            }
        }
    }

    /// When this connection was heard last before a moment.
    fn heard(&self, number: u32, before: Duration) -> Duration {
        self.connections.iter().find(|c| c.number == number).map_or(Duration::ZERO, |c| c.heard.min(before))
    }

    /// Whether a client that was heard last at one moment must still have been a member at another.
    fn still_member(&self, heard: Duration, at: Duration) -> bool {
        at.saturating_sub(heard) < self.terms.grace * 6 / 10 && !self.calm.may_expel(heard, at)
    }

    /// A client that was not away for as long as the grace finds the timeline that it knew.
    fn epochs(&mut self) {
        let mut last: HashMap<(u32, RoomId), &Stay> = HashMap::new();
        let mut found = Vec::new();
        for stay in self.stays {
            let before = last.insert((stay.actor, stay.room), stay);
            let Some(before) = before.filter(|b| b.epoch != stay.epoch && b.client == stay.client) else { continue };
            let stayed = before.left.is_none() && before.doubt.is_none();
            if stayed && self.still_member(self.heard(before.connection, before.until), stay.from) {
                let text = format!("room {} was in epoch {}, and is in {}", stay.room, before.epoch, stay.epoch);
                found.push(Violation::new(Kind::EpochChanged, stay.from, text).room(stay.room).actor(stay.actor));
            }
        }
        self.violations.extend(found);
    }

    /// A room that has members is found, and does not end.
    fn missing_rooms(&mut self, records: &[Record]) {
        let mut found = Vec::new();
        for stay in self.stays {
            let told = matches!(stay.left, Some(LeaveReason::RoomDeleted | LeaveReason::Removed));
            let since = stay.until.saturating_sub(self.terms.ghosts);
            let excused = stay.doubt.is_some() || self.calm.may_expel(since, stay.until);
            if told && (!excused || self.witness(stay.room, stay.actor, stay.until).is_some()) {
                let text = format!("room {} was ended, or a member was removed, by nobody: {:?}", stay.room, stay.left);
                found.push(Violation::new(Kind::RoomLost, stay.until, text).room(stay.room).actor(stay.actor));
            }
        }
        let mut asked: HashMap<(u32, CorrelationId), (Duration, RoomId, bool)> = HashMap::new();
        for record in records {
            let number = record.connection;
            match &record.what {
                What::Phase(Phase::Over) => break,
                What::Sent(ClientCommand::Connect(c)) => {
                    if let (Some(id), Some(resume)) = (&c.id, &c.resume) {
                        asked.insert((number, id.clone()), (record.at, resume.room_id, true));
                    }
                }
                What::Sent(ClientCommand::JoinRoom(c)) => {
                    if let Some(id) = &c.id {
                        asked.insert((number, id.clone()), (record.at, c.room_id, false));
                    }
                }
                What::Heard(ServerEvent::CommandError(error)) if error.code == ErrorCode::RoomNotFound => {
                    let asked = error.id.as_ref().and_then(|id| asked.get(&(number, id.clone())));
                    let Some((sent, room, resumes)) = asked else { continue };
                    let mut violation = Violation::new(Kind::RoomLost, record.at, "").room(*room).actor(record.actor);
                    if let Some(witness) = self.witness(*room, record.actor, record.at) {
                        violation.text = format!("room {room} is not found, and actor {witness} is in it");
                        found.push(violation.actor(witness));
                    } else if *resumes && self.was_member(record.actor, *room, *sent) {
                        violation.text = format!("room {room} is not found by a member that was away for a moment");
                        found.push(violation);
                    }
                }
                _ => {}
            }
        }
        self.violations.extend(found);
    }

    /// Somebody else who is in the room at that moment, and was shown something there later.
    fn witness(&self, room: RoomId, actor: u32, at: Duration) -> Option<u32> {
        let alive = |stay: &&&Stay| {
            stay.actor != actor && stay.covers(at, at) && stay.seen.values().any(|seen| *seen > at) && stay.from < at
        };
        self.by_room.get(&room).into_iter().flatten().find(alive).map(|stay| stay.actor)
    }

    fn was_member(&self, actor: u32, room: RoomId, at: Duration) -> bool {
        let before = self.stays.iter().rev().find(|stay| stay.actor == actor && stay.from < at);
        before.is_some_and(|stay| {
            let stayed = stay.room == room && stay.left.is_none();
            // Its own new connection has cast the doubt, if any.
            let lost = stay.doubt.as_ref().is_none_or(|(_, by)| by.is_none());
            stayed && lost && self.still_member(self.heard(stay.connection, stay.until), at)
        })
    }
}
