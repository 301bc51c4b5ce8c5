//! Follows every connection through its rooms: what it was shown there, and whether that follows from what came before.

use super::{
    stay::{Open, Stay, View},
    terms::Terms,
    violation::{Kind, Violation},
};
use crate::journal::{Phase, Record, What};
use protocol::{
    ClientCommand, ClientId, CorrelationId, ErrorCode, RoomId, Seq, ServerEvent,
    command::Resume,
    event::{Gap, Message, RoomJoined, RoomLeft, UserEvent},
    limits::{JOIN_MESSAGES, MEMBERS_LISTED},
};
use std::{collections::HashMap, time::Duration};

/// One connection from beginning to end.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its number.
    pub number: u32,
    /// Whose it is.
    pub actor: u32,
    /// When it was attempted.
    pub opening: Duration,
    /// When it was accepted, and as whom.
    pub connected: Option<(Duration, ClientId)>,
    /// When it presented a session, and whose.
    pub claimed: Option<(Duration, ClientId)>,
    /// The room that it wanted back, and when it said so.
    pub resumes: Option<(Duration, RoomId)>,
    /// The last event.
    pub heard: Duration,
    /// When it ended; at the audit's end at the latest.
    pub until: Duration,
}

/// What following showed.
#[derive(Debug, Default)]
pub struct Followed {
    /// Every connection, in the order of their beginnings.
    pub connections: Vec<Connection>,
    /// Every stay of a connection in a room.
    pub stays: Vec<Stay>,
    /// What went wrong on the way.
    pub violations: Vec<Violation>,
}

/// What a command was that a reply answers.
#[derive(Debug, Clone)]
enum Asked {
    Connect(Option<Resume>),
    Move,
}

struct Tracked {
    connection: Connection,
    asked: HashMap<CorrelationId, Asked>,
    rooms: HashMap<RoomId, usize>,
}

/// Follows them all.
#[must_use]
pub fn follow(records: &[Record], terms: &Terms) -> Followed {
    let mut follower = Follower { terms, open: HashMap::new(), followed: Followed::default() };
    let mut end = Duration::ZERO;
    for record in records {
        end = record.at;
        if matches!(record.what, What::Phase(Phase::Over)) {
            break;
        }
        follower.take(record);
    }
    let numbers: Vec<u32> = follower.open.keys().copied().collect();
    for number in numbers {
        follower.end(number, end);
    }
    let mut followed = follower.followed;
    followed.connections.sort_by_key(|c| (c.opening, c.number));
    followed.stays.sort_by_key(|s| s.from);
    followed
}

struct Follower<'a> {
    terms: &'a Terms,
    open: HashMap<u32, Tracked>,
    followed: Followed,
}

impl Follower<'_> {
    fn take(&mut self, record: &Record) {
        let (at, number) = (record.at, record.connection);
        match &record.what {
            What::Opening(_) => {
                let connection = Connection {
                    number,
                    actor: record.actor,
                    opening: at,
                    connected: None,
                    claimed: None,
                    resumes: None,
                    heard: at,
                    until: at,
                };
                self.open.insert(number, Tracked { connection, asked: HashMap::new(), rooms: HashMap::new() });
            }
            What::Failed(_) | What::Ended(_) => self.end(number, at),
            What::Sent(command) => self.sent(at, number, command),
            What::Heard(event) => self.heard(at, number, event),
            What::Garbage(text) => self.tell(number, Kind::Protocol, at, format!("a frame that is no event: {text}")),
            _ => {}
        }
    }

    fn end(&mut self, number: u32, at: Duration) {
        let Some(mut tracked) = self.open.remove(&number) else { return };
        tracked.connection.until = at;
        for stay in tracked.rooms.into_values() {
            self.followed.stays[stay].until = at;
        }
        self.followed.connections.push(tracked.connection);
    }

    fn sent(&mut self, at: Duration, number: u32, command: &ClientCommand) {
        if let ClientCommand::Connect(connect) = command
            && let Some(claimed) = connect.session.as_ref().and_then(|session| session.parse::<ClientId>().ok())
        {
            // From here on this connection speaks for the client, and no other one.
            let of_client = |t: &&mut Tracked| t.connection.connected.is_some_and(|(_, client)| client == claimed);
            let others: Vec<usize> =
                self.open.values_mut().filter(of_client).flat_map(|t| t.rooms.values().copied()).collect();
            others.into_iter().for_each(|stay| self.followed.stays[stay].doubt(at, None));
            if let Some(tracked) = self.open.get_mut(&number) {
                tracked.connection.claimed.get_or_insert((at, claimed));
            }
        }
        let Some(tracked) = self.open.get_mut(&number) else { return };
        let leaves: Vec<usize> = match command {
            ClientCommand::JoinRoom(join) => {
                tracked.rooms.iter().filter(|(room, _)| **room != join.room_id).map(|(_, stay)| *stay).collect()
            }
            ClientCommand::CreateRoom(_) | ClientCommand::LeaveRoom(_) => tracked.rooms.values().copied().collect(),
            _ => Vec::new(),
        };
        let (id, asked) = match command {
            ClientCommand::Connect(c) => {
                tracked.connection.resumes = c.resume.as_ref().map(|resume| (at, resume.room_id));
                (c.id.clone(), Asked::Connect(c.resume.clone()))
            }
            ClientCommand::CreateRoom(c) => (c.id.clone(), Asked::Move),
            ClientCommand::JoinRoom(c) => (c.id.clone(), Asked::Move),
            ClientCommand::LeaveRoom(c) => (c.id.clone(), Asked::Move),
            _ => return,
        };
        if let Some(id) = &id {
            tracked.asked.insert(id.clone(), asked);
        }
        leaves.into_iter().for_each(|stay| self.followed.stays[stay].doubt(at, id.clone()));
    }

    fn heard(&mut self, at: Duration, number: u32, event: &ServerEvent) {
        let Some(tracked) = self.open.get_mut(&number) else { return };
        tracked.connection.heard = at;
        match event {
            ServerEvent::Connected(connected) => tracked.connection.connected = Some((at, connected.client_id)),
            ServerEvent::RoomJoined(joined) => self.joined(at, number, joined),
            ServerEvent::NewMessage(message) => self.message(at, number, message),
            ServerEvent::RoomLeft(left) => self.left(at, number, left),
            ServerEvent::UserEvent(event) => self.members(at, number, event),
            ServerEvent::CommandError(error) => {
                let Some(id) = &error.id else { return };
                // Refused for good: the client is where it was.
                let known = !matches!(error.code, ErrorCode::Unavailable | ErrorCode::Internal);
                if tracked.asked.contains_key(id) && known {
                    for stay in tracked.rooms.values() {
                        self.followed.stays[*stay].undoubt(id);
                    }
                }
            }
            _ => {}
        }
    }

    // ------------------------------------------------------------------------------------------------- events

    fn message(&mut self, at: Duration, number: u32, message: &Message) {
        let (room, seq) = (message.room_id, message.seq);
        match self.open.get(&number).and_then(|tracked| tracked.rooms.get(&room)).copied() {
            Some(stay) => self.show(stay, at, seq),
            None => {
                let text = format!("{seq} of room {room} came to a client that is not in it");
                self.tell_in(number, room, Kind::Stray, at, text);
            }
        }
    }

    fn left(&mut self, at: Duration, number: u32, left: &RoomLeft) {
        let Some(tracked) = self.open.get_mut(&number) else { return };
        if let Some(stay) = tracked.rooms.remove(&left.room_id) {
            let stay = &mut self.followed.stays[stay];
            stay.until = at;
            stay.left = Some(left.reason);
        }
    }

    fn members(&mut self, at: Duration, number: u32, event: &UserEvent) {
        let stay = self.open.get(&number).and_then(|tracked| tracked.rooms.get(&event.room_id)).copied();
        let Some(stay) = stay.map(|stay| &mut self.followed.stays[stay]) else { return };
        stay.views.extend(event.joined.iter().map(|member| (at, View::Came(member.clone()))));
        stay.views.extend(event.left.iter().map(|client| (at, View::Went(*client))));
        stay.views.extend(event.renamed.iter().map(|member| (at, View::Renamed(member.clone()))));
        stay.views.push((at, View::Count(event.member_count)));
    }

    fn joined(&mut self, at: Duration, number: u32, joined: &RoomJoined) {
        let room = joined.room.room_id;
        if let Some(fault) = contradiction(joined) {
            self.tell_in(number, room, Kind::Snapshot, at, format!("ROOM_JOINED at {}: {fault}", joined.seq));
        }
        let Some(tracked) = self.open.get_mut(&number) else { return };
        let asked = joined.id.as_ref().and_then(|id| tracked.asked.get(id).cloned());
        let known = tracked.rooms.get(&room).copied();
        let goes_on = known.filter(|stay| self.followed.stays[*stay].epoch == joined.epoch);
        if let (Some(other_life), None) = (known, goes_on) {
            self.followed.stays[other_life].until = at;
        }
        let stay = match (goes_on, asked) {
            (Some(stay), asked) => {
                self.look_again(stay, at, joined, asked.is_some());
                stay
            }
            (None, asked) => {
                let resume = match asked {
                    Some(Asked::Connect(Some(resume))) if resume.room_id == room => Some(resume),
                    _ => None,
                };
                self.enter(number, at, joined, resume)
            }
        };
        self.followed.stays[stay].views.push((at, View::All(joined.members.clone(), joined.room.member_count)));
    }

    /// Another look at a room that this connection is in already: what it shows must follow what was shown.
    fn look_again(&mut self, stay: usize, at: Duration, joined: &RoomJoined, asked: bool) {
        if let Some(gap) = joined.gap {
            self.judge_gap(stay, at, joined, gap);
            let stay = &mut self.followed.stays[stay];
            stay.told.push(gap);
            if gap.from <= stay.last.next() {
                stay.last = stay.last.max(gap.to);
            }
        } else if !joined.recovered {
            self.tell_stay(
                stay,
                Kind::NeedlessGap,
                at,
                "recovered: false, on a connection that stayed, and no gap".into(),
            );
        }
        for message in &joined.messages {
            // Who asks for another look is shown again what it has seen.
            if !asked || message.seq > self.followed.stays[stay].last {
                self.show(stay, at, message.seq);
            }
        }
        self.arrive(stay, at, joined.seq);
    }

    /// A room on a connection that was not in it.
    fn enter(&mut self, number: u32, at: Duration, joined: &RoomJoined, resume: Option<Resume>) -> usize {
        let first = joined.messages.first().map_or(joined.seq.next(), |message| message.seq);
        let (actor, client) = self.open.get(&number).map_or((0, None), |tracked| {
            (tracked.connection.actor, tracked.connection.connected.map(|(_, client)| client))
        });
        let other_life = resume.as_ref().is_some_and(|resume| resume.epoch != joined.epoch);
        let resumed = resume.filter(|resume| resume.epoch == joined.epoch);
        let opened = Open { actor, connection: number, client, room: joined.room.room_id, epoch: joined.epoch.clone() };
        let stay = self.followed.stays.len();
        self.followed.stays.push(Stay::new(opened, at, resumed.as_ref().map_or(first.prev(), |resume| resume.seq)));
        if let Some(tracked) = self.open.get_mut(&number) {
            // The one-room policy: whatever it was in, it is not any more. (ROOM_LEFT has said so already.)
            tracked.rooms.insert(joined.room.room_id, stay);
        }
        match resumed {
            Some(resume) => self.resumed(stay, at, joined, &resume),
            None => self.fresh(stay, at, joined, other_life),
        }
        stay
    }

    /// What a resume must bring: all that came after, or a gap.
    fn resumed(&mut self, stay: usize, at: Duration, joined: &RoomJoined, resume: &Resume) {
        let expected = resume.seq.next();
        let first = joined.messages.first().map_or(joined.seq.next(), |message| message.seq);
        if joined.seq < resume.seq {
            let text = format!("resumed from {}, but the newest position is {}", resume.seq, joined.seq);
            self.tell_stay(stay, Kind::Regressed, at, text);
            self.followed.stays[stay].last = first.prev();
        } else if joined.recovered && first != expected {
            let text = format!("resumed from {}, recovered: true, but the first message is {first}", resume.seq);
            self.tell_stay(stay, Kind::FalselyRecovered, at, text);
            self.followed.stays[stay].last = first.prev();
        } else if let Some(gap) = joined.gap {
            if gap.from != expected {
                let text = format!("resumed from {}, but the gap is {} to {}", resume.seq, gap.from, gap.to);
                self.tell_stay(stay, Kind::Snapshot, at, text);
            }
            self.judge_gap(stay, at, joined, gap);
            let stay = &mut self.followed.stays[stay];
            stay.told.push(gap);
            stay.last = gap.to;
        } else if !joined.recovered {
            let text = format!("resumed from {} of the same epoch: recovered: false, and no gap", resume.seq);
            self.tell_stay(stay, Kind::NeedlessGap, at, text);
            self.followed.stays[stay].last = first.prev();
        }
        joined.messages.iter().for_each(|message| self.show(stay, at, message.seq));
        self.arrive(stay, at, joined.seq);
    }

    /// A room as it is shown to somebody who knows nothing of it.
    fn fresh(&mut self, stay: usize, at: Duration, joined: &RoomJoined, other_life: bool) {
        match (other_life, joined.recovered) {
            (true, true) => {
                let text = "resumed in another epoch, and told that nothing is missing".to_owned();
                self.tell_stay(stay, Kind::FalselyRecovered, at, text);
            }
            (false, false) => {
                self.tell_stay(stay, Kind::Snapshot, at, "recovered: false, and nothing was resumed".to_owned());
            }
            _ => {}
        }
        let newest = JOIN_MESSAGES.min(usize::try_from(joined.seq.get()).unwrap_or(usize::MAX));
        let kept = self.terms.log_max.is_some_and(|max| max >= JOIN_MESSAGES as u64);
        if kept && joined.messages.len() != newest {
            let text = format!("at {} it shows {} messages and not {newest}", joined.seq, joined.messages.len());
            self.tell_stay(stay, Kind::Snapshot, at, text);
        }
        joined.messages.iter().for_each(|message| self.show(stay, at, message.seq));
        self.arrive(stay, at, joined.seq);
    }

    // ---------------------------------------------------------------------------------------------- positions

    fn judge_gap(&mut self, stay: usize, at: Duration, joined: &RoomJoined, gap: Gap) {
        // With `max` kept, all above `seq - max` was there when `seq` was the newest.
        let reaches = self.terms.log_max.is_some_and(|max| gap.to.get() > joined.seq.get().saturating_sub(max));
        if reaches {
            let text =
                format!("told that {} to {} are gone, at {}, which the log still has", gap.from, gap.to, joined.seq);
            self.tell_stay(stay, Kind::NeedlessGap, at, text);
        }
    }

    /// A message is shown.
    fn show(&mut self, stay: usize, at: Duration, seq: Seq) {
        let (last, fault) = {
            let stay = &mut self.followed.stays[stay];
            let last = stay.last;
            let fault = stay.take(seq);
            if fault != Some(Kind::Repeated) {
                stay.seen.entry(seq).or_insert(at);
            }
            (last, fault)
        };
        if let Some(kind) = fault {
            self.tell_stay(stay, kind, at, format!("{seq} came, and the newest before it was {last}"));
        }
    }

    /// The newest position is told.
    fn arrive(&mut self, stay: usize, at: Duration, seq: Seq) {
        let last = self.followed.stays[stay].last;
        if seq > last {
            self.followed.stays[stay].pass(seq);
            self.tell_stay(
                stay,
                Kind::Hole,
                at,
                format!("ROOM_JOINED is at {seq}, and {last} was the newest that came"),
            );
        } else if seq < last {
            self.tell_stay(stay, Kind::Regressed, at, format!("ROOM_JOINED is at {seq}, after {last} had come"));
        }
    }

    // ----------------------------------------------------------------------------------------------- violations

    fn tell(&mut self, number: u32, kind: Kind, at: Duration, text: String) {
        let Some(tracked) = self.open.get(&number) else { return };
        let mut violation = Violation::new(kind, at, text).actor(tracked.connection.actor);
        violation.clients.extend(tracked.connection.connected.map(|(_, client)| client));
        self.followed.violations.push(violation);
    }

    fn tell_in(&mut self, number: u32, room: RoomId, kind: Kind, at: Duration, text: String) {
        self.tell(number, kind, at, text);
        if let Some(violation) = self.followed.violations.last_mut() {
            violation.room = Some(room);
        }
    }

    fn tell_stay(&mut self, stay: usize, kind: Kind, at: Duration, text: String) {
        let stay = &self.followed.stays[stay];
        let mut violation = Violation::new(kind, at, text).room(stay.room).actor(stay.actor);
        violation.clients.extend(stay.client);
        self.followed.violations.push(violation);
    }
}

/// What a `ROOM_JOINED` says against itself.
fn contradiction(joined: &RoomJoined) -> Option<&'static str> {
    let (seq, room) = (joined.seq, joined.room.room_id);
    let seqs = || joined.messages.iter().map(|message| message.seq);
    let listed = joined.members.len();
    if joined.messages.iter().any(|message| message.room_id != room) {
        return Some("a message is of another room");
    }
    if seqs().zip(seqs().skip(1)).any(|(a, b)| b != a.next()) {
        return Some("its messages do not follow each other");
    }
    if seqs().next_back().is_some_and(|last| last != seq) {
        return Some("its last message is not its newest position");
    }
    if listed != (joined.room.member_count as usize).min(MEMBERS_LISTED) {
        return Some("memberCount is not the number of its members");
    }
    match joined.gap {
        Some(_) if joined.recovered => Some("it has a gap and says that nothing is missing"),
        Some(gap) if gap.from > gap.to || seqs().next().unwrap_or(seq.next()) != gap.to.next() => {
            Some("its messages do not begin where its gap ends")
        }
        _ => None,
    }
}
