//! Whether messages were changed by those who may, only by them, and for everybody who reads afterwards: what was edited or
//! deleted away is shown to nobody who asks later.

use super::{
    act::{Act, Sent, post},
    follow::Connection,
    terms::Terms,
    timeline::{LifeId, Timelines},
    violation::{Kind, Violation},
};
use crate::journal::{Phase, Record, What, digest};
use protocol::{
    ClientCommand, ClientId, CorrelationId, ErrorCode, MessageId, Seq, ServerEvent,
    event::{ChangeKind, Message},
    payload::EDITED,
};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// A change that is in a timeline.
struct Change<'a> {
    seq: Seq,
    /// When anybody was told of it.
    known: Duration,
    id: MessageId,
    sent: &'a Sent,
    kind: ChangeKind,
    body: &'a str,
}

/// How often something was sent, and refused for good.
#[derive(Default)]
struct Tries {
    sent: u32,
    refused: u32,
    last: Duration,
}

struct Changes<'a> {
    timelines: &'a Timelines,
    terms: &'a Terms,
    clients: HashMap<u32, ClientId>,
    /// By what they change, in their order.
    of: HashMap<(&'a LifeId, Seq), Vec<Change<'a>>>,
    asked: HashMap<(u32, CorrelationId), (Duration, &'a ClientCommand)>,
    places: HashMap<u32, LifeId>,
    tries: HashMap<MessageId, Tries>,
    complained: HashSet<(MessageId, Kind)>,
    found: Vec<Violation>,
}

/// Judges it.
#[must_use]
pub fn judge(records: &[Record], connections: &[Connection], timelines: &Timelines, terms: &Terms) -> Vec<Violation> {
    let clients = connections.iter().filter_map(|c| Some((c.number, c.connected?.1))).collect();
    let mut changes = Changes {
        timelines,
        terms,
        clients,
        of: changes(timelines),
        asked: HashMap::new(),
        places: HashMap::new(),
        tries: HashMap::new(),
        complained: HashSet::new(),
        found: Vec::new(),
    };
    changes.rights();
    for record in records {
        match &record.what {
            What::Phase(Phase::Over) => break,
            What::Sent(command) => changes.sent(record, command),
            What::Heard(event) => changes.heard(record, event),
            _ => {}
        }
    }
    changes.traces();
    changes.found
}

fn changes(timelines: &Timelines) -> HashMap<(&LifeId, Seq), Vec<Change<'_>>> {
    let mut of: HashMap<_, Vec<_>> = HashMap::new();
    for (life, entry) in &timelines.lives {
        for (seq, position) in &entry.positions {
            let Some(sent) = timelines.sent.get(&position.id) else { continue };
            let Act::Change { kind, target, body } = &sent.act else { continue };
            let change = Change { seq: *seq, known: position.at, id: position.id, sent, kind: *kind, body };
            of.entry((life, *target)).or_default().push(change);
        }
    }
    of
}

impl<'a> Changes<'a> {
    fn complain(&mut self, id: MessageId, violation: Violation) {
        if self.complained.insert((id, violation.kind)) {
            self.found.push(violation);
        }
    }

    fn of<'b>(&'b self, life: &'b LifeId, target: Seq) -> &'b [Change<'a>] {
        self.of.get(&(life, target)).map_or(&[], Vec::as_slice)
    }

    fn original(&self, life: &LifeId, seq: Seq) -> Option<&'a Sent> {
        self.timelines.sent.get(&self.timelines.lives.get(life)?.positions.get(&seq)?.id)
    }

    /// Nobody changes what is another's, is gone, or is no message.
    fn rights(&mut self) {
        let mut wrong = Vec::new();
        for ((life, target), changes) in &self.of {
            let original = self.original(life, *target);
            let deleted = changes.iter().find(|change| change.kind == ChangeKind::Delete);
            for change in changes {
                let (sent, rewrites) = (change.sent, change.sent.act.rewrites());
                let stranger = |by: &&Sent| rewrites && by.client.zip(sent.client).is_some_and(|(a, b)| a != b);
                // A reaction takes nothing away: it may cross with the deletion.
                let gone = |by: &&Change<'_>| change.seq > by.seq && (rewrites || sent.at > by.known);
                let text = if *target >= change.seq {
                    "which was not there yet".to_owned()
                } else if original.is_some_and(|original| matches!(original.act, Act::Change { .. })) {
                    "which is a change itself".to_owned()
                } else if let Some(author) = original.filter(stranger) {
                    format!("which actor {} wrote", author.actor)
                } else if let Some(by) = deleted.filter(gone) {
                    format!("which {} had deleted", by.seq)
                } else {
                    continue;
                };
                let text = format!("{} of room {}: {:?} of {target}, {text}", change.seq, life.0, change.kind);
                let mut violation = Violation::new(Kind::Trespass, change.known, text).room(life.0).actor(sent.actor);
                violation.actors.extend(original.map(|original| original.actor));
                wrong.push((change.id, violation));
            }
        }
        wrong.sort_by_key(|(_, violation)| violation.at);
        wrong.into_iter().for_each(|(id, violation)| self.complain(id, violation));
    }

    fn sent(&mut self, record: &Record, command: &'a ClientCommand) {
        if matches!(command, ClientCommand::JoinRoom(_) | ClientCommand::CreateRoom(_) | ClientCommand::LeaveRoom(_)) {
            self.places.remove(&record.connection);
        }
        if let Some((id, ..)) = post(command) {
            let tries = self.tries.entry(id).or_default();
            (tries.sent, tries.last) = (tries.sent + 1, record.at);
        }
        if let Some(id) = super::service::id_of(command) {
            // The first of several is the one that proves least.
            self.asked.entry((record.connection, id)).or_insert((record.at, command));
        }
    }

    fn heard(&mut self, record: &Record, event: &ServerEvent) {
        let number = record.connection;
        let asked = super::service::reply_to(event).and_then(|id| self.asked.get(&(number, id.clone()))).copied();
        let since = asked.map(|(at, _)| at);
        match event {
            ServerEvent::RoomJoined(joined) => {
                let life = (joined.room.room_id, joined.epoch.clone());
                joined.messages.iter().for_each(|message| self.shown(record, since, &life, message));
                self.places.insert(number, life);
            }
            ServerEvent::RoomLeft(left) if self.places.get(&number).is_some_and(|place| place.0 == left.room_id) => {
                self.places.remove(&number);
            }
            ServerEvent::History(history) => {
                let life = (history.room_id, history.epoch.clone());
                history.messages.iter().for_each(|message| self.shown(record, since, &life, message));
            }
            ServerEvent::NewMessage(message) => {
                if let Some(life) = self.places.get(&number).filter(|place| place.0 == message.room_id).cloned() {
                    self.shown(record, None, &life, message);
                }
            }
            ServerEvent::CommandError(error) if !error.code.retryable() && error.code != ErrorCode::Internal => {
                let Some((command, (id, ..))) = asked.and_then(|(_, command)| Some((command, post(command)?))) else {
                    return;
                };
                self.tries.entry(id).or_default().refused += 1;
                if error.code == ErrorCode::Forbidden {
                    self.forbidden(record, command);
                }
            }
            _ => {}
        }
    }

    /// Somebody was shown an entry; when it was asked for is known where it was.
    fn shown(&mut self, record: &Record, asked: Option<Duration>, life: &LifeId, message: &Message) {
        let Some(sent) = self.timelines.sent.get(&message.id) else { return };
        let (target, version) = match &sent.act {
            Act::Say { .. } => (message.seq, message.deleted.or(message.edited).unwrap_or(message.seq)),
            Act::Change { kind: ChangeKind::Edit, target, .. } => (*target, message.seq),
            Act::Change { .. } => return,
        };
        let changes = self.of(life, target);
        let superseded = matches!(sent.act, Act::Change { .. }) && message.body.as_str() == digest(EDITED);
        let gone = superseded || message.deleted.is_some();
        let altered = match &sent.act {
            Act::Change { .. } if superseded => {
                let later = changes.iter().any(|change| change.sent.act.rewrites() && change.seq > message.seq);
                let log = self.timelines.lives.get(life).is_some_and(|life| life.log.is_some());
                (log && !later).then(|| "nothing took its text away".to_owned())
            }
            Act::Say { .. } if message.deleted.or(message.edited).is_some() => {
                self.disagrees(life, message, version, changes)
            }
            _ => None,
        };
        let newer = |change: &&Change<'_>| {
            change.sent.act.rewrites() && change.seq > version && asked.is_some_and(|asked| change.known < asked)
        };
        let disclosed = changes.iter().find(newer).filter(|_| !gone).map(|change| {
            let since = record.at.saturating_sub(change.known).as_secs_f64();
            format!("{:?} at {} took its text away {since:.1} s before", change.kind, change.seq)
        });
        for (kind, text) in [(Kind::Altered, altered), (Kind::Disclosed, disclosed)] {
            let Some(text) = text else { continue };
            let text = format!("{} of room {}, {}: {text}", message.seq, life.0, message.id);
            let violation = Violation::new(kind, record.at, text).room(life.0).actor(record.actor).actor(sent.actor);
            self.complain(message.id, violation);
        }
    }

    /// What a message says of the change that it is said to have.
    fn disagrees(&self, life: &LifeId, message: &Message, by: Seq, changes: &[Change<'_>]) -> Option<String> {
        let Some(change) = changes.iter().find(|change| change.seq == by) else {
            let known = self.timelines.lives.get(life).is_some_and(|life| life.positions.contains_key(&by));
            return known.then(|| format!("{by} is said to change it, and does not"));
        };
        match (message.deleted, change.kind) {
            (Some(_), ChangeKind::Delete) => None,
            (None, ChangeKind::Edit) if change.body == message.body.as_str() => None,
            (None, ChangeKind::Edit) => Some(format!("it says {}, and {by} says {}", message.body, change.body)),
            (_, kind) => Some(format!("{by} is said to change it, and is {kind:?}")),
        }
    }

    /// A member may change what it wrote, and react to what is there.
    fn forbidden(&mut self, record: &Record, command: &ClientCommand) {
        let (Some((id, Some(room), Some(target))), Some(act)) = (post(command), Act::of(command)) else { return };
        let Some(life) = self.places.get(&record.connection).filter(|place| place.0 == room) else { return };
        let Some(original) = self.original(life, target) else { return };
        let own = original.actor == record.actor && original.client == self.clients.get(&record.connection).copied();
        let allowed = matches!(original.act, Act::Say { .. })
            && (own || !act.rewrites())
            && self.of(life, target).iter().all(|change| change.kind != ChangeKind::Delete);
        let newest = self.timelines.lives.get(life).and_then(|life| life.positions.keys().next_back());
        let kept = self.terms.log_max.zip(newest).is_some_and(|(max, newest)| target.get() + max > newest.get());
        if allowed && kept {
            let text = format!("{target} of room {room} is there, and its change {id} was forbidden");
            let violation = Violation::new(Kind::Protocol, record.at, text).room(room).actor(record.actor);
            self.complain(id, violation);
        }
    }

    /// What was refused each time was not done.
    fn traces(&mut self) {
        let mut wrong = Vec::new();
        for (life, entry) in &self.timelines.lives {
            for (seq, position) in &entry.positions {
                let Some(tries) = self.tries.get(&position.id) else { continue };
                if tries.sent > 0 && tries.sent == tries.refused {
                    let text = format!("{} was refused, and is at {seq} of room {}", position.id, life.0);
                    let violation = Violation::new(Kind::Trespass, tries.last.max(position.at), text).room(life.0);
                    wrong.push((position.id, violation.actor(position.actor)));
                }
            }
        }
        wrong.into_iter().for_each(|(id, violation)| self.complain(id, violation));
    }
}
