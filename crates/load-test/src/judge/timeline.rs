//! What the timelines of all rooms were, put together from everything that anybody was shown: nothing lost, doubled or
//! altered, and nobody shown something else than the others.

use super::{
    act::{Act, Sent, post},
    violation::{Kind, Violation},
};
use crate::journal::{Phase, Record, What};
use protocol::{ClientId, Epoch, MessageId, RoomId, Seq, ServerEvent, event::Message};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

/// One life of one room.
pub type LifeId = (RoomId, Epoch);

/// What is at a position.
#[derive(Debug, Clone)]
pub struct Position {
    /// Which message.
    pub id: MessageId,
    /// Who was the first to tell.
    pub actor: u32,
    /// When the position was known to exist.
    pub at: Duration,
}

/// One life of one room, as far as anybody saw it.
#[derive(Debug, Default)]
pub struct Life {
    /// What is where.
    pub positions: BTreeMap<Seq, Position>,
    /// When its log was read, at the end, and the positions that it had then.
    pub log: Option<(Duration, BTreeMap<Seq, MessageId>)>,
    places: HashMap<MessageId, Seq>,
}

/// A message's acknowledgements.
#[derive(Default)]
struct Acked {
    seq: Option<Seq>,
    posted: u32,
}

/// The lives of all rooms, and what is wrong with them.
#[derive(Default)]
pub struct Timelines {
    /// All of them.
    pub lives: BTreeMap<LifeId, Life>,
    /// What went wrong.
    pub violations: Vec<Violation>,
    /// All that was to take a position.
    pub sent: HashMap<MessageId, Sent>,
    acked: HashMap<MessageId, Acked>,
    /// Acknowledged: by whom, when, and where.
    promises: Vec<(u32, Duration, LifeId, Seq, MessageId)>,
    ours: HashSet<ClientId>,
    complained: HashSet<(MessageId, Kind)>,
}

/// Puts them together.
#[must_use]
pub fn timelines(records: &[Record]) -> Timelines {
    let mut all = Timelines::default();
    let mut clients: HashMap<u32, ClientId> = HashMap::new(); // by connection
    let mut epochs: HashMap<(u32, RoomId), Epoch> = HashMap::new(); // by actor
    let mut settled = None;
    for record in records {
        let (at, actor) = (record.at, record.actor);
        match &record.what {
            What::Phase(Phase::Settled) => settled = Some(at),
            What::Phase(Phase::Over) => break,
            What::Sent(command) => {
                let client = clients.get(&record.connection).copied();
                if let (Some((id, room, _)), Some(act)) = (post(command), Act::of(command)) {
                    all.sent.entry(id).or_insert(Sent { actor, client, room, at, act });
                }
            }
            What::Heard(ServerEvent::Connected(connected)) => {
                clients.insert(record.connection, connected.client_id);
                all.ours.insert(connected.client_id);
            }
            What::Heard(ServerEvent::RoomJoined(joined)) => {
                let life = (joined.room.room_id, joined.epoch.clone());
                epochs.insert((actor, life.0), joined.epoch.clone());
                joined.messages.iter().for_each(|message| all.shown(at, actor, &life, message));
            }
            What::Heard(ServerEvent::NewMessage(message)) => {
                if let Some(epoch) = epochs.get(&(actor, message.room_id)) {
                    all.shown(at, actor, &(message.room_id, epoch.clone()), message);
                }
            }
            What::Heard(ServerEvent::History(history)) => {
                let life = (history.room_id, history.epoch.clone());
                history.messages.iter().for_each(|message| all.shown(at, actor, &life, message));
            }
            What::Heard(ServerEvent::Ack(ack)) => {
                let id = ack.id.as_ref().and_then(|id| id.as_str().parse::<MessageId>().ok());
                if let (Some(id), Some(room), Some(seq)) = (id, ack.room_id, ack.seq)
                    && let Some(epoch) = epochs.get(&(actor, room))
                {
                    let life = (room, epoch.clone());
                    all.acknowledged(at, actor, room, id, seq, ack.duplicate == Some(true));
                    all.place(at, actor, &life, seq, id, "its ACK");
                    all.promises.push((actor, at, life, seq, id));
                }
            }
            What::Log { room, epoch, messages } => {
                let life = (*room, epoch.clone());
                // Without other evidence: it was there when all had settled.
                let known = settled.unwrap_or(at);
                messages.iter().for_each(|message| all.shown(known.min(at), actor, &life, message));
                all.read(at, actor, &life, messages);
            }
            _ => {}
        }
    }
    all.keep_promises();
    all
}

impl Timelines {
    fn complain(&mut self, id: MessageId, kind: Kind, violation: Violation) {
        if self.complained.insert((id, kind)) {
            self.violations.push(violation);
        }
    }

    /// Somebody was shown a message.
    fn shown(&mut self, at: Duration, actor: u32, life: &LifeId, message: &Message) {
        let (id, seq, room) = (message.id, message.seq, life.0);
        self.place(at, actor, life, seq, id, "a message");
        let client = message.sender.client_id;
        let violation = |text: String| {
            Violation::new(Kind::Altered, at, format!("{seq} of room {room}, {id}: {text}"))
                .room(room)
                .actor(actor)
                .client(client)
        };
        let wrong = match self.sent.get(&id) {
            Some(sent) if sent.client.is_some_and(|sender| sender != client) => {
                Some(violation(format!("it is said to be from {client}, and actor {} sent it", sent.actor)))
            }
            Some(sent) if sent.room.is_some_and(|sent| sent != room) => {
                Some(violation("it was sent to another room".to_owned()))
            }
            Some(sent) => sent.act.differs(message).map(violation),
            // Somebody else's message is none of our business, one in our name is.
            None => self.ours.contains(&client).then(|| violation("nobody sent it".to_owned())),
        };
        if let Some(violation) = wrong {
            self.complain(id, Kind::Altered, violation);
        }
    }

    /// Somebody learnt that a message is at a position.
    fn place(&mut self, at: Duration, actor: u32, life: &LifeId, seq: Seq, id: MessageId, by: &str) {
        let room = life.0;
        let entry = self.lives.entry(life.clone()).or_default();
        let here = entry.positions.entry(seq).or_insert(Position { id, actor, at });
        let mut wrong = Vec::new();
        if here.id != id {
            let text = format!("{seq} of room {room} is {} for actor {}, and by {by} {id}", here.id, here.actor);
            wrong.push(Violation::new(Kind::Conflict, at, text).room(room).actor(actor).actor(here.actor));
        }
        let place = *entry.places.entry(id).or_insert(seq);
        if place != seq {
            let text = format!("{id} is at {place} and, by {by}, at {seq} of room {room}");
            wrong.push(Violation::new(Kind::Doubled, at, text).room(room).actor(actor));
        }
        for mut violation in wrong {
            violation.actors.extend(self.sent.get(&id).map(|sent| sent.actor));
            self.complain(id, violation.kind, violation);
        }
    }

    fn acknowledged(&mut self, at: Duration, actor: u32, room: RoomId, id: MessageId, seq: Seq, duplicate: bool) {
        let acked = self.acked.entry(id).or_default();
        acked.posted += u32::from(!duplicate);
        let (posted, first) = (acked.posted, *acked.seq.get_or_insert(seq));
        let text = if first != seq {
            format!("{id} was acknowledged at {first}, and now at {seq} of room {room}")
        } else if posted > 1 {
            format!("{id}, at {seq} of room {room}, was acknowledged twice as new")
        } else {
            return;
        };
        self.complain(id, Kind::AckDisagrees, Violation::new(Kind::AckDisagrees, at, text).room(room).actor(actor));
    }

    /// A log was read to its end.
    fn read(&mut self, at: Duration, actor: u32, life: &LifeId, messages: &[Message]) {
        let room = life.0;
        let seqs = || messages.iter().map(|message| message.seq);
        if let Some((before, after)) = seqs().zip(seqs().skip(1)).find(|(a, b)| *b != a.next()) {
            let text = format!("the log of room {room} goes on from {before} with {after}");
            self.violations.push(Violation::new(Kind::Lost, at, text).room(room).actor(actor));
        }
        let log = messages.iter().map(|message| (message.seq, message.id)).collect();
        self.lives.entry(life.clone()).or_default().log = Some((at, log));
    }

    /// Whatever was acknowledged, or shown to anybody, is in the log, as far as that reaches.
    fn keep_promises(&mut self) {
        let mut lost: Vec<(MessageId, Violation)> = Vec::new();
        for (actor, at, life, seq, id) in &self.promises {
            if let Some(text) = self.lives.get(life).and_then(|l| l.missing(*seq, *id)) {
                let text = format!("{id} was acknowledged at {seq} of room {}, but {text}", life.0);
                lost.push((*id, Violation::new(Kind::Lost, *at, text).room(life.0).actor(*actor)));
            }
        }
        for (life, entry) in &self.lives {
            for (seq, position) in &entry.positions {
                if let Some(text) = entry.missing(*seq, position.id) {
                    let text = format!("actor {} saw {} at {seq}, but {text}", position.actor, position.id);
                    let violation = Violation::new(Kind::Lost, position.at, text).room(life.0).actor(position.actor);
                    lost.push((position.id, violation));
                }
            }
        }
        for (id, violation) in lost {
            self.complain(id, Kind::Lost, violation);
        }
    }
}

impl Life {
    /// Why a message is missing from the log that was read at the end, if it is.
    fn missing(&self, seq: Seq, id: MessageId) -> Option<String> {
        let (_, log) = self.log.as_ref()?;
        match (log.get(&seq), log.first_key_value()) {
            (Some(there), _) if *there == id => None,
            (Some(other), _) => Some(format!("the log has {other} there")),
            // Trimmed: nobody can say any more.
            (None, Some((oldest, _))) if seq < *oldest => None,
            (None, Some(_)) => Some("the log ends before it".to_owned()),
            (None, None) => Some("the log is empty".to_owned()),
        }
    }
}
