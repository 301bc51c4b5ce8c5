//! Where each client may have been, from what it asked for and what it was told: a room is a possible one from the command
//! that enters it until the client was told that it is elsewhere, or was gone for long enough.

use super::terms::{Calm, Terms};
use crate::journal::{Phase, Record, What};
use protocol::{ClientCommand, ClientId, RoomId, ServerEvent};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

/// A time, and the time after it.
pub type Span = (Duration, Duration);

/// When each client may have been in each room.
#[derive(Debug, Default)]
pub struct Presence {
    spans: HashMap<(ClientId, RoomId), Vec<Span>>,
    /// Every client of ours, and whose it is.
    pub clients: HashMap<ClientId, BTreeSet<u32>>,
}

#[derive(Default)]
struct Known {
    /// Connections that speak for it, the newest last.
    connections: Vec<u32>,
    /// Possible rooms, and since when.
    rooms: HashMap<RoomId, Duration>,
    /// A `CREATE_ROOM` that is under way.
    creating: Option<Duration>,
    /// When its last connection ended.
    alone: Option<Duration>,
}

impl Presence {
    /// Finds it out.
    #[must_use]
    pub fn new(records: &[Record], calm: &Calm, terms: &Terms) -> Self {
        let mut presence = Self::default();
        let mut known: HashMap<ClientId, Known> = HashMap::new();
        let mut speaks: HashMap<u32, ClientId> = HashMap::new();
        let ghosts_until = |alone: Duration| calm.after(alone, terms.ghosts, 0);
        for record in records {
            let (at, connection) = (record.at, record.connection);
            let client = match &record.what {
                What::Phase(Phase::Over) => break,
                What::Sent(ClientCommand::Connect(connect)) => {
                    connect.session.as_ref().and_then(|session| session.parse::<ClientId>().ok())
                }
                What::Heard(ServerEvent::Connected(connected)) => Some(connected.client_id),
                _ => None,
            };
            if let Some(client) = client {
                presence.clients.entry(client).or_default().insert(record.actor);
                speaks.insert(connection, client);
                let known = known.entry(client).or_default();
                if let Some(alone) = known.alone.take() {
                    let until = ghosts_until(alone);
                    if until < at {
                        known.rooms.drain().for_each(|(room, since)| presence.add(client, room, since, until));
                    }
                }
                if !known.connections.contains(&connection) {
                    known.connections.push(connection);
                }
            }
            let Some(client) = speaks.get(&connection).copied() else { continue };
            let Some(known) = known.get_mut(&client) else { continue };
            let speaks_last = known.connections.last() == Some(&connection);
            match &record.what {
                What::Sent(ClientCommand::Connect(connect)) => {
                    if let Some(resume) = &connect.resume {
                        known.rooms.entry(resume.room_id).or_insert(at);
                    }
                }
                What::Sent(ClientCommand::JoinRoom(join)) => {
                    known.rooms.entry(join.room_id).or_insert(at);
                }
                What::Sent(ClientCommand::CreateRoom(_)) => known.creating = Some(at),
                What::Heard(ServerEvent::RoomJoined(joined)) if speaks_last => {
                    let room = joined.room.room_id;
                    let since = known.creating.take().unwrap_or(at);
                    let since = known.rooms.remove(&room).unwrap_or(since);
                    known.rooms.drain().for_each(|(other, since)| presence.add(client, other, since, at));
                    known.rooms.insert(room, since);
                }
                What::Heard(ServerEvent::RoomLeft(left)) if speaks_last => {
                    if let Some(since) = known.rooms.remove(&left.room_id) {
                        presence.add(client, left.room_id, since, at);
                    }
                }
                What::Ended(_) | What::Failed(_) => {
                    known.connections.retain(|number| *number != connection);
                    if known.connections.is_empty() {
                        known.alone = Some(at);
                    }
                }
                _ => {}
            }
        }
        for (client, known) in known {
            let until = known.alone.map_or(Duration::MAX, ghosts_until);
            known.rooms.into_iter().for_each(|(room, since)| presence.add(client, room, since, until));
        }
        presence
    }

    fn add(&mut self, client: ClientId, room: RoomId, since: Duration, until: Duration) {
        self.spans.entry((client, room)).or_default().push((since, until));
    }

    /// When a client was certainly not in a room, in order.
    #[must_use]
    pub fn absences(&self, client: ClientId, room: RoomId) -> Vec<Span> {
        let mut absences = Vec::new();
        let mut from = Duration::ZERO;
        let mut spans = self.spans.get(&(client, room)).cloned().unwrap_or_default();
        spans.sort_unstable();
        for (since, until) in spans {
            if since > from {
                absences.push((from, since));
            }
            from = from.max(until);
        }
        if from < Duration::MAX {
            absences.push((from, Duration::MAX));
        }
        absences
    }

    /// The clients that may have been in a room at some time between two moments.
    #[must_use]
    pub fn possible(&self, room: RoomId, from: Duration, until: Duration) -> BTreeSet<ClientId> {
        let within = |(since, end): &Span| *since <= until && *end >= from;
        let there = self.spans.iter().filter(|((_, r), spans)| *r == room && spans.iter().any(within));
        there.map(|((client, _), _)| *client).collect()
    }
}
