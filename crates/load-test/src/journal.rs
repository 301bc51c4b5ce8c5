//! What every client of an audit did and saw, in one order. The judge knows nothing else.

use client::Raw;
use protocol::{
    ClientCommand, ClientId, Epoch, MessageBody, RawText, RoomId, ServerEvent,
    event::{Message, RoomSummary},
};
use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Who did or saw something, when there is nobody in particular.
pub const NOBODY: u32 = u32::MAX;

/// One thing that was done or seen.
#[derive(Debug, Clone)]
pub struct Record {
    /// Since the audit began. A record is never before the one that was noted before it.
    pub at: Duration,
    /// Which of the auditor's actors: it keeps its number whatever ids the servers give it.
    pub actor: u32,
    /// Which connection; 0 is none. No number is used twice.
    pub connection: u32,
    /// What it was.
    pub what: What,
}

/// What was done or seen.
#[derive(Debug, Clone)]
pub enum What {
    /// A connection is attempted.
    Opening(Arc<str>),
    /// It did not come to a `CONNECT` event.
    Failed(String),
    /// A command is about to be written. Bodies and emoji are [`digest`]s, a session the id that it was given with.
    Sent(ClientCommand),
    /// An event came. Bodies are digests, sessions are left out.
    Heard(ServerEvent),
    /// A frame came that is no event of the contract.
    Garbage(String),
    /// A connection is over, for this client.
    Ended(How),
    /// The client stops reading, on purpose.
    Dozing,
    /// It reads again.
    Awake,
    /// A fault begins or ends.
    Fault {
        /// Its place in the plan.
        number: usize,
        /// Whether this is its beginning.
        begins: bool,
        /// Whether a client may lose its membership by it without knowing: its node lives, and is dead for the others.
        expels: bool,
        /// What it is.
        text: String,
    },
    /// The audit goes on to its next part.
    Phase(Phase),
    /// A complete list of rooms, read at one moment.
    Listed {
        /// Where it was read.
        source: &'static str,
        /// All pages of it.
        rooms: Vec<RoomSummary>,
    },
    /// A room's whole log, read at the end.
    Log {
        /// Which room.
        room: RoomId,
        /// The life of its timeline.
        epoch: Epoch,
        /// All that can still be read, as it came.
        messages: Vec<Message>,
    },
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// By the server, with a close frame.
    Closed(u16, String),
    /// The network ended it.
    Lost(String),
    /// By the client, with a close frame.
    Left,
    /// By the client, without one.
    Dropped,
    /// The client believes it dead: nothing came although something was asked.
    Silent,
}

/// The parts of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Everybody does as the dice say.
    Busy,
    /// Nothing new is begun. Some leave for good, by all the ways there are.
    Quiet,
    /// Whatever was going to happen has had its time: what is there now stays.
    Settled,
    /// What comes after this is not judged.
    Over,
}

/// Takes records from all clients.
#[derive(Debug)]
pub struct Journal {
    begin: Instant,
    records: Mutex<Vec<Record>>,
    connections: AtomicU32,
}

impl Default for Journal {
    fn default() -> Self {
        Self { begin: Instant::now(), records: Mutex::default(), connections: AtomicU32::new(0) }
    }
}

impl Journal {
    /// How long the audit has been going on.
    pub fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    /// A number for a new connection.
    pub fn connection(&self) -> u32 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many connections were numbered so far.
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Notes something.
    pub fn note(&self, actor: u32, connection: u32, what: What) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that the order of the records is the order of their times.
        let at = self.begin.elapsed();
        records.push(Record { at, actor, connection, what });
    }

    /// Looks at what was noted so far.
    pub fn read<T>(&self, look: impl FnOnce(&[Record]) -> T) -> T {
        look(&self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All of it.
    pub fn take(&self) -> Vec<Record> {
        std::mem::take(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Stands for a body in the journal, which would otherwise be the most of it: equal bodies have equal digests.
#[must_use]
pub fn digest(body: &str) -> String {
    let body = body.trim();
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("{:016x} of {} characters", hasher.finish(), body.chars().count())
}

/// A command as the journal keeps it; `owner` is whom its session speaks for.
#[must_use]
pub fn slim_command(command: &ClientCommand, owner: Option<ClientId>) -> ClientCommand {
    let mut slim = command.clone();
    match &mut slim {
        ClientCommand::SendMessage(command) => command.body = RawText(digest(&command.body.0)),
        ClientCommand::EditMessage(command) => command.body = RawText(digest(&command.body.0)),
        ClientCommand::React(command) => command.emoji = RawText(digest(&command.emoji.0)),
        ClientCommand::Connect(command) => {
            command.session = command.session.as_ref().and(owner).map(|owner| owner.to_string());
        }
        _ => {}
    }
    slim
}

/// An event as the journal keeps it.
#[must_use]
pub fn slim_event(mut event: ServerEvent) -> ServerEvent {
    match &mut event {
        ServerEvent::NewMessage(message) => slim_message(message),
        ServerEvent::RoomJoined(joined) => joined.messages.iter_mut().for_each(slim_message),
        ServerEvent::History(history) => history.messages.iter_mut().for_each(slim_message),
        ServerEvent::Connected(connected) => connected.session = String::new(),
        ServerEvent::Ack(ack) => ack.session = None,
        _ => {}
    }
    event
}

/// A message as the journal keeps it.
pub fn slim_message(message: &mut Message) {
    // A digest is a good body; should it not be, the message keeps its own.
    if let Ok(body) = MessageBody::parse(&RawText(digest(message.body.as_str())), 100) {
        message.body = body;
    }
}

/// How a connection that gives this error has ended; `None` if it has not.
#[must_use]
pub fn ending(error: &client::ClientError) -> Option<How> {
    match error {
        client::ClientError::Closed { code: 1006, reason } => Some(How::Lost(reason.clone())),
        client::ClientError::Closed { code, reason } => Some(How::Closed(*code, reason.clone())),
        client::ClientError::Timeout { .. } | client::ClientError::NotAnEvent { .. } => None,
        other => Some(How::Lost(other.to_string())),
    }
}

/// One actor's pen: what it says and hears goes through here, so that none of it is left out.
#[derive(Debug)]
pub struct Link {
    /// Its number in the journal.
    pub number: u32,
    actor: u32,
    journal: Arc<Journal>,
    raw: Option<Raw>,
}

impl Link {
    /// Does the WebSocket handshake.
    ///
    /// # Errors
    /// As [`Raw::connect`]; it is noted.
    pub async fn open(
        journal: &Arc<Journal>,
        actor: u32,
        url: &Arc<str>,
        within: Duration,
    ) -> Result<Self, client::ClientError> {
        let number = journal.connection();
        journal.note(actor, number, What::Opening(url.clone()));
        let options = client::ConnectOptions::new().timeout(within);
        match Raw::connect(url, &options).await {
            Ok(raw) => Ok(Self { number, actor, journal: journal.clone(), raw: Some(raw) }),
            Err(error) => {
                journal.note(actor, number, What::Failed(error.to_string()));
                Err(error)
            }
        }
    }

    /// Notes something about this connection.
    pub fn note(&self, what: What) {
        self.journal.note(self.actor, self.number, what);
    }

    /// Writes a command.
    ///
    /// # Errors
    /// How the connection has ended; it is noted.
    pub async fn say(&mut self, command: &ClientCommand, owner: Option<ClientId>) -> Result<(), How> {
        let Some(raw) = &mut self.raw else { return Err(How::Dropped) };
        let Ok(text) = serde_json::to_string(command) else { return Ok(()) };
        self.journal.note(self.actor, self.number, What::Sent(slim_command(command, owner)));
        match raw.text(text).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.over(ending(&error).unwrap_or(How::Silent))),
        }
    }

    /// The next event, bodies included; `None` when none came in time.
    ///
    /// # Errors
    /// How the connection has ended; it is noted.
    pub async fn hear(&mut self, within: Duration) -> Result<Option<ServerEvent>, How> {
        let Some(raw) = &mut self.raw else { return Err(How::Dropped) };
        match raw.event(within).await {
            Ok(event) => {
                self.journal.note(self.actor, self.number, What::Heard(slim_event(event.clone())));
                Ok(Some(event))
            }
            Err(client::ClientError::NotAnEvent { error, frame }) => {
                self.note(What::Garbage(format!("{error}: {}", frame.chars().take(500).collect::<String>())));
                Ok(None)
            }
            Err(error) => match ending(&error) {
                None => Ok(None),
                Some(how) => Err(self.over(how)),
            },
        }
    }

    /// Ends it in this way.
    pub async fn end(mut self, how: How) {
        let raw = self.raw.take();
        self.note(What::Ended(how.clone()));
        if let (How::Left, Some(raw)) = (how, raw) {
            let _ = tokio::time::timeout(Duration::from_secs(2), raw.close(1000, "")).await;
        }
        // Otherwise it was dropped just now, which is how a connection is lost.
    }

    fn over(&mut self, how: How) -> How {
        self.raw = None;
        self.note(What::Ended(how.clone()));
        how
    }
}
