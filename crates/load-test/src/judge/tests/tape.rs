//! What clients did and saw, made by hand.

use super::super::{Kind, Terms, judge};
use crate::journal::{How, NOBODY, Phase, Record, What, digest};
use protocol::{ClientCommand, MessageId, command::SendMessage};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

pub const ROOM: u32 = 20_001;
pub const A: u32 = 10_001;
pub const B: u32 = 10_002;
pub const C: u32 = 10_003;

/// A journal in the making. Actor 0 is client A, 1 is B and so on; time passes by 10 ms with each record.
pub struct Tape {
    pub records: Vec<Record>,
    pub at: Duration,
    pub epoch: &'static str,
    connections: u32,
    commands: u32,
    /// Whose each connection is.
    whose: BTreeMap<u32, u32>,
    senders: BTreeMap<u32, u32>,
    /// What the log has at the end.
    pub log: BTreeMap<u64, u32>,
    /// How messages read otherwise than they were sent.
    pub reads: BTreeMap<u32, Value>,
}

impl Tape {
    pub fn new() -> Self {
        Self {
            records: Vec::new(),
            at: Duration::from_secs(1),
            epoch: "a",
            connections: 0,
            commands: 0,
            whose: BTreeMap::new(),
            senders: BTreeMap::new(),
            log: BTreeMap::new(),
            reads: BTreeMap::new(),
        }
    }

    /// A and B in the room; A has said one thing.
    pub fn two() -> (Self, u32, u32) {
        let mut tape = Self::new();
        let a = tape.guest(A);
        tape.enter(a, "CREATE_ROOM", 0..0, &[A]);
        let b = tape.guest(B);
        tape.enter(b, "JOIN_ROOM", 0..0, &[A, B]);
        tape.came(a, B, 2);
        tape.said(a, 1, 1, &[a, b]);
        (tape, a, b)
    }

    pub fn note(&mut self, connection: u32, what: What) {
        self.at += Duration::from_millis(10);
        let actor = self.whose.get(&connection).map_or(NOBODY, |client| client - A);
        self.records.push(Record { at: self.at, actor, connection, what });
    }

    pub fn pass(&mut self, seconds: u64) {
        self.at += Duration::from_secs(seconds);
    }

    pub fn heard(&mut self, connection: u32, event: Value) {
        self.note(connection, What::Heard(serde_json::from_value(event).unwrap()));
    }

    pub fn sent(&mut self, connection: u32, command: ClientCommand) {
        self.note(connection, What::Sent(command));
    }

    fn id(&mut self) -> String {
        self.commands += 1;
        format!("c-{}", self.commands)
    }

    /// Opens a connection of whoever `client` is on this tape.
    pub fn open(&mut self, client: u32) -> u32 {
        self.connections += 1;
        self.whose.insert(self.connections, client);
        self.note(self.connections, What::Opening("ws://test/ws".into()));
        self.connections
    }

    pub fn guest(&mut self, client: u32) -> u32 {
        let connection = self.open(client);
        self.hello(connection, client, None, None);
        connection
    }

    /// `CONNECT` with the session of `client` and perhaps a position, answered with `given`.
    pub fn hello(&mut self, connection: u32, given: u32, session: Option<u32>, resume: Option<u64>) -> String {
        let id = self.id();
        let resume = resume.map(|seq| json!({"roomId": ROOM, "epoch": self.epoch, "seq": seq}));
        let command = json!({"id": id, "session": session.map(|s| s.to_string()), "resume": resume});
        self.sent(connection, ClientCommand::Connect(serde_json::from_value(command).unwrap()));
        self.heard(
            connection,
            json!({
                "type": "CONNECT", "id": id, "clientId": given, "username": "x", "session": "", "sessionExpiresAt": 1,
                "nodeId": "n", "resumed": session == Some(given), "heartbeatMs": 1,
                "limits": {"messageChars": 1, "usernameChars": 1, "roomNameChars": 1, "frameBytes": 1},
            }),
        );
        id
    }

    pub fn message(&self, seq: u64, message: u32) -> Value {
        let sender = self.senders.get(&message).copied().unwrap_or(A);
        let mut event = json!({
            "type": "NEW_MESSAGE", "roomId": ROOM, "seq": seq, "id": uuid(message), "body": format!("body {message}"),
            "sender": {"clientId": sender, "username": "x"}, "sentAt": 1,
        });
        for (name, value) in self.reads.get(&message).and_then(Value::as_object).into_iter().flatten() {
            event[name] = value.clone();
        }
        event
    }

    /// Enters the room; `messages` are numbered as their positions.
    pub fn enter(&mut self, connection: u32, by: &str, messages: std::ops::Range<u64>, members: &[u32]) {
        let id = self.id();
        let command = match by {
            "CREATE_ROOM" => ClientCommand::CreateRoom(serde_json::from_value(json!({"id": id, "name": "x"})).unwrap()),
            _ => ClientCommand::JoinRoom(serde_json::from_value(json!({"id": id, "roomId": ROOM})).unwrap()),
        };
        self.sent(connection, command);
        self.joined(connection, Some(&id), messages, members, true, None);
    }

    pub fn joined(
        &mut self,
        connection: u32,
        id: Option<&str>,
        messages: std::ops::Range<u64>,
        members: &[u32],
        recovered: bool,
        gap: Option<(u64, u64)>,
    ) {
        let seq = messages.end.saturating_sub(1);
        let messages: Vec<Value> = messages.map(|seq| self.message(seq, seq as u32)).collect();
        let members: Vec<Value> = members.iter().map(|m| json!({"clientId": m, "username": "x"})).collect();
        self.heard(connection, json!({
            "type": "ROOM_JOINED", "id": id, "epoch": self.epoch, "seq": seq, "members": members, "messages": messages,
            "recovered": recovered, "gap": gap.map(|(from, to)| json!({"from": from, "to": to})),
            "room": {"roomId": ROOM, "name": "x", "ownerId": A, "createdAt": 1, "memberCount": members.len()},
        }));
    }

    pub fn came(&mut self, connection: u32, client: u32, count: u32) {
        let joined = json!([{"clientId": client, "username": "x"}]);
        self.heard(connection, json!({"type": "USER_EVENT", "roomId": ROOM, "memberCount": count, "joined": joined}));
    }

    pub fn went(&mut self, connection: u32, client: u32, count: u32) {
        self.heard(connection, json!({"type": "USER_EVENT", "roomId": ROOM, "memberCount": count, "left": [client]}));
    }

    pub fn send(&mut self, connection: u32, message: u32) {
        self.senders.insert(message, self.whose[&connection]);
        let (id, room_id) = (MessageId::new(uuid(message)), protocol::RoomId::new(ROOM.into()).ok());
        let body = protocol::RawText(format!("body {message}"));
        self.sent(connection, ClientCommand::SendMessage(SendMessage { id, room_id, body, reply_to: None }));
    }

    /// Asks for a change, the `message` on this tape, of what is at a position.
    pub fn ask(&mut self, connection: u32, message: u32, target: u64, kind: &str) {
        self.senders.insert(message, self.whose[&connection]);
        let (tag, body) = match kind {
            "edit" => ("EDIT_MESSAGE", format!("body {message}")),
            "delete" => ("DELETE_MESSAGE", digest("(deleted)")),
            _ => ("REACT", format!("body {message}")),
        };
        let command = json!({
            "type": tag, "id": uuid(message), "roomId": ROOM, "seq": target, "body": body, "emoji": body,
            "on": kind == "react",
        });
        self.sent(connection, serde_json::from_value(command).unwrap());
        self.reads.insert(message, json!({"body": body, "change": {"kind": kind, "seq": target}}));
    }

    /// Asked, stored, acknowledged, and told to these.
    pub fn changed(&mut self, connection: u32, message: u32, target: u64, kind: &str, to: &[u32]) {
        self.ask(connection, message, target, kind);
        let seq = u64::from(message);
        self.ack(connection, message, seq, false);
        self.log.insert(seq, message);
        to.iter().for_each(|connection| self.told(*connection, seq, message));
    }

    /// Reads the whole log.
    pub fn read(&mut self, connection: u32) {
        let id = self.id();
        let part = json!({"id": id, "roomId": ROOM, "after": 0});
        self.sent(connection, ClientCommand::FetchHistory(serde_json::from_value(part).unwrap()));
        self.history(connection, &id);
    }

    pub fn history(&mut self, connection: u32, id: &str) {
        let messages: Vec<Value> = self.log.iter().map(|(seq, message)| self.message(*seq, *message)).collect();
        self.heard(
            connection,
            json!({
                "type": "HISTORY", "id": id, "roomId": ROOM, "epoch": self.epoch, "messages": messages, "more": false,
            }),
        );
    }

    pub fn ack(&mut self, connection: u32, message: u32, seq: u64, duplicate: bool) {
        self.heard(
            connection,
            json!({
                "type": "ACK", "id": uuid(message), "roomId": ROOM, "seq": seq, "sentAt": 1, "duplicate": duplicate,
            }),
        );
    }

    pub fn told(&mut self, connection: u32, seq: u64, message: u32) {
        self.heard(connection, self.message(seq, message));
    }

    /// Sent, stored, acknowledged, and told to these.
    pub fn said(&mut self, connection: u32, message: u32, seq: u64, to: &[u32]) {
        self.send(connection, message);
        self.ack(connection, message, seq, false);
        self.log.insert(seq, message);
        to.iter().for_each(|connection| self.told(*connection, seq, message));
    }

    pub fn drop(&mut self, connection: u32) {
        self.note(connection, What::Ended(How::Dropped));
    }

    pub fn refused(&mut self, connection: u32, id: &str, code: &str) {
        self.heard(connection, json!({"type": "ERROR", "id": id, "code": code, "message": "x", "retryAfterMs": 1}));
    }

    pub fn fault(&mut self, begins: bool) {
        self.note(0, What::Fault { number: 0, begins, expels: true, text: "x".to_owned() });
    }

    /// Lets it settle, reads the log, and judges.
    pub fn kinds(mut self) -> Vec<Kind> {
        self.note(0, What::Phase(Phase::Quiet));
        self.pass(30);
        self.note(0, What::Phase(Phase::Settled));
        let messages = self.log.clone().into_iter();
        let messages =
            messages.map(|(seq, message)| serde_json::from_value(self.message(seq, message)).unwrap()).collect();
        let (room, epoch) = (protocol::RoomId::new(ROOM.into()).unwrap(), self.epoch.parse().unwrap());
        self.note(0, What::Log { room, epoch, messages });
        self.pass(30);
        self.note(0, What::Phase(Phase::Over));
        let mut kinds: Vec<Kind> = judge(&self.records, &Terms::default()).violations.iter().map(|v| v.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

pub fn uuid(message: u32) -> Uuid {
    uuid::Builder::from_random_bytes(u128::from(message).to_be_bytes()).into_uuid()
}
