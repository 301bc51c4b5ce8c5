//! Whether commands were answered as the contract says, and connections closed as it says.

use super::{
    follow::Connection,
    terms::{Calm, Terms},
    violation::{Kind, Violation},
};
use crate::journal::{How, Phase, Record, What};
use protocol::{
    ClientCommand, CloseCode, CorrelationId, ErrorCode, RoomId, ServerEvent,
    command::FetchHistory,
    event::{CommandError, History},
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

/// Judges it.
#[must_use]
pub fn judge(records: &[Record], connections: &[Connection], calm: &Calm, terms: &Terms) -> Vec<Violation> {
    let by_number: HashMap<u32, &Connection> = connections.iter().map(|c| (c.number, c)).collect();
    let mut service = Service {
        by_number,
        connections,
        calm,
        terms,
        asked: HashMap::new(),
        places: HashMap::new(),
        dozed: HashSet::new(),
        found: Vec::new(),
    };
    for record in records {
        match &record.what {
            What::Phase(Phase::Over) => break,
            What::Sent(command) => service.sent(record, command),
            What::Heard(event) => service.heard(record, event),
            What::Dozing => {
                service.dozed.insert(record.connection);
            }
            What::Ended(How::Closed(code, reason)) => service.closed(record, *code, reason),
            _ => {}
        }
    }
    service.unanswered();
    service.found
}

struct Service<'a> {
    by_number: HashMap<u32, &'a Connection>,
    connections: &'a [Connection],
    calm: &'a Calm,
    terms: &'a Terms,
    asked: HashMap<(u32, CorrelationId), VecDeque<(Duration, &'a ClientCommand)>>,
    /// The room that a connection is in, and has not asked to leave.
    places: HashMap<u32, RoomId>,
    dozed: HashSet<u32>,
    found: Vec<Violation>,
}

impl<'a> Service<'a> {
    fn sent(&mut self, record: &Record, command: &'a ClientCommand) {
        if matches!(command, ClientCommand::JoinRoom(_) | ClientCommand::CreateRoom(_) | ClientCommand::LeaveRoom(_)) {
            self.places.remove(&record.connection);
        }
        if let Some(id) = id_of(command) {
            self.asked.entry((record.connection, id)).or_default().push_back((record.at, command));
        }
    }

    fn heard(&mut self, record: &Record, event: &ServerEvent) {
        let number = record.connection;
        match event {
            ServerEvent::RoomJoined(joined) => {
                self.places.insert(number, joined.room.room_id);
            }
            ServerEvent::RoomLeft(left) if self.places.get(&number) == Some(&left.room_id) => {
                self.places.remove(&number);
            }
            _ => {}
        }
        let Some(id) = reply_to(event) else {
            if let ServerEvent::CommandError(error) = event {
                self.refused(record, error, None);
            }
            return;
        };
        let asked = self.asked.get_mut(&(number, id.clone())).and_then(VecDeque::pop_front);
        if let Some((sent, command)) = asked {
            self.late(number, sent, Some(record.at), command);
            if let (ServerEvent::History(history), ClientCommand::FetchHistory(part)) = (event, command)
                && let Some(wrong) = not_as_asked(history, part)
            {
                let text = format!("HISTORY of room {} {wrong}: {part:?}", history.room_id);
                let violation = Violation::new(Kind::Snapshot, record.at, text).actor(record.actor);
                self.found.push(violation.room(history.room_id));
            }
        }
        if let ServerEvent::CommandError(error) = event {
            self.refused(record, error, asked.map(|(_, command)| command));
        }
    }

    /// A refusal must be one that a client which keeps to the contract can get.
    fn refused(&mut self, record: &Record, error: &CommandError, command: Option<&ClientCommand>) {
        let expected = match error.code {
            ErrorCode::RateLimited | ErrorCode::Unavailable if error.retry_after_ms.is_none() => {
                Some("it does not say how long to wait")
            }
            ErrorCode::RateLimited | ErrorCode::Unavailable | ErrorCode::RoomNotFound | ErrorCode::RoomFull => None,
            // Whether it was forbidden rightly is for whoever knows the messages.
            ErrorCode::Forbidden if command.and_then(super::act::post).is_some_and(|(.., target)| target.is_some()) => {
                None
            }
            ErrorCode::NotInRoom => {
                let Some(ClientCommand::SendMessage(message)) = command else { return };
                let room = self.places.get(&record.connection).copied();
                if message.room_id.is_none() || message.room_id != room {
                    return;
                }
                let text = format!("a member of room {room:?} was told that it is not in it");
                let mut violation = Violation::new(Kind::Expelled, record.at, text).actor(record.actor);
                violation.room = room;
                return self.found.push(violation);
            }
            _ => Some("nothing that was sent deserves it"),
        };
        if let Some(why) = expected {
            let text = format!("ERROR {:?} ({}): {why}", error.code, error.message);
            self.found.push(Violation::new(Kind::Protocol, record.at, text).actor(record.actor));
        }
    }

    fn closed(&mut self, record: &Record, code: u16, reason: &str) {
        let number = record.connection;
        let connection = self.by_number.get(&number).copied();
        let wrong = match CloseCode::from_number(code) {
            // Somebody restarts something, or everything is full: allowed at any time. Sessions are judged elsewhere.
            Some(CloseCode::Restart | CloseCode::TryAgainLater | CloseCode::SessionInvalid) => false,
            Some(CloseCode::TooSlow | CloseCode::HeartbeatLost | CloseCode::ConnectTimeout) => {
                !self.dozed.contains(&number) && self.calm.at(record.at, Duration::from_secs(60))
            }
            Some(CloseCode::TakenOver) => {
                let client = connection.and_then(|c| c.connected).map(|(_, client)| client);
                let opened = connection.map_or(Duration::ZERO, |c| c.opening);
                !self.connections.iter().any(|other| {
                    other.number != number
                        && other
                            .claimed
                            .is_some_and(|(at, claimed)| Some(claimed) == client && at >= opened && at <= record.at)
                })
            }
            _ => code != 1005 && code != 1001,
        };
        if wrong {
            let text = format!("closed with {code} {reason:?}, for no reason that this client gave");
            self.found.push(Violation::new(Kind::Protocol, record.at, text).actor(record.actor));
        }
    }

    fn late(&mut self, number: u32, sent: Duration, answered: Option<Duration>, command: &ClientCommand) {
        let Some(connection) = self.by_number.get(&number) else { return };
        let due = self.calm.after(sent, self.terms.answer, number);
        if answered.unwrap_or(connection.until) <= due {
            return;
        }
        let name = serde_json::to_value(command).ok().and_then(|v| v["type"].as_str().map(str::to_owned));
        let name = name.unwrap_or_default();
        let text = match answered {
            Some(at) => format!("{name} was answered after {:.1} s", (at - sent).as_secs_f64()),
            None => format!("{name} was not answered in {:.1} s", (connection.until - sent).as_secs_f64()),
        };
        self.found.push(Violation::new(Kind::Unanswered, sent, text).actor(connection.actor));
    }

    fn unanswered(&mut self) {
        let mut left: Vec<_> = std::mem::take(&mut self.asked).into_iter().collect();
        left.sort_by_key(|(_, asked)| asked.front().map(|(at, _)| *at));
        for ((number, _), asked) in left {
            for (sent, command) in asked {
                self.late(number, sent, None, command);
            }
        }
    }
}

/// What a page of history has that was not asked for.
fn not_as_asked(history: &History, part: &FetchHistory) -> Option<&'static str> {
    let seqs = || history.messages.iter().map(|message| message.seq);
    if seqs().zip(seqs().skip(1)).any(|(a, b)| b != a.next()) {
        Some("has a hole")
    } else if part.after.is_some_and(|after| seqs().any(|seq| seq <= after)) {
        Some("goes below what was asked")
    } else if part.before.is_some_and(|before| seqs().any(|seq| seq >= before)) {
        Some("goes above what was asked")
    } else if part.limit.is_some_and(|limit| history.messages.len() as u64 > limit) {
        Some("has more than was asked")
    } else {
        None
    }
}

/// The id by which a command's reply is recognised.
#[must_use]
pub fn id_of(command: &ClientCommand) -> Option<CorrelationId> {
    match command {
        ClientCommand::Connect(c) => c.id.clone(),
        ClientCommand::CreateRoom(c) => c.id.clone(),
        ClientCommand::JoinRoom(c) => c.id.clone(),
        ClientCommand::LeaveRoom(c) => c.id.clone(),
        ClientCommand::SendMessage(c) => Some(c.id.into()),
        ClientCommand::UpdateUsername(c) => c.id.clone(),
        ClientCommand::FetchHistory(c) => c.id.clone(),
        ClientCommand::ListRooms(c) => c.id.clone(),
        ClientCommand::ListMembers(c) => c.id.clone(),
        ClientCommand::Ping(c) => c.id.clone(),
        ClientCommand::EditMessage(c) => Some(c.id.into()),
        ClientCommand::DeleteMessage(c) => Some(c.id.into()),
        ClientCommand::React(c) => Some(c.id.into()),
        ClientCommand::Typing(_) => None,
    }
}

/// The command that an event answers.
#[must_use]
pub fn reply_to(event: &ServerEvent) -> Option<&CorrelationId> {
    match event {
        ServerEvent::Connected(e) => e.id.as_ref(),
        ServerEvent::RoomJoined(e) => e.id.as_ref(),
        ServerEvent::RoomLeft(e) => e.id.as_ref(),
        ServerEvent::Ack(e) => e.id.as_ref(),
        ServerEvent::History(e) => e.id.as_ref(),
        ServerEvent::Rooms(e) => e.id.as_ref(),
        ServerEvent::Members(e) => e.id.as_ref(),
        ServerEvent::Pong(e) => e.id.as_ref(),
        ServerEvent::CommandError(e) => e.id.as_ref(),
        _ => None,
    }
}
