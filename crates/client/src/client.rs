//! Commands, replies and events.

use crate::{ClientError, ConnectOptions, Raw};
use protocol::{
    ClientCommand, CorrelationId, ErrorCode, RawText, ServerEvent,
    command::{Connect, Resume},
    event::{CommandError, Connected},
};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// A client that the server knows.
#[derive(Debug)]
pub struct Client {
    /// What the server said to `CONNECT`. Renaming keeps its name and session up to date.
    pub connected: Connected,
    raw: Raw,
    /// Events that came while something else was waited for, oldest first.
    kept: VecDeque<ServerEvent>,
    commands: u64,
    timeout: Duration,
}

impl Client {
    /// Does the handshake, says `CONNECT`, and waits for the answer. A room that is resumed follows as an event. A server
    /// that is too busy is asked again on the same socket, when it says so, for as long as the time-out is.
    ///
    /// # Errors
    /// [`ClientError::Rejected`] when the server does not want to upgrade, [`ClientError::Closed`] when it does not want
    /// the session, [`ClientError::Refused`] when it does not want the name.
    pub async fn connect(url: &str, options: ConnectOptions) -> Result<Self, ClientError> {
        let mut raw = Raw::connect(url, &options).await?;
        let id = numbered(0)?;
        let command = ClientCommand::Connect(Connect {
            id: Some(id),
            session: options.session,
            username: options.username.map(RawText),
            resume: options.resume,
        });
        let text = encode(&command)?;
        let deadline = Instant::now() + options.timeout;
        let connected = loop {
            raw.text(text.clone()).await?;
            match raw.event(options.timeout).await? {
                ServerEvent::Connected(connected) => break connected,
                ServerEvent::CommandError(error) => match again(&error).filter(|again| *again < deadline) {
                    Some(again) => tokio::time::sleep_until(again).await,
                    None => return Err(ClientError::Refused(error)),
                },
                got => return Err(ClientError::Unexpected { wanted: "CONNECT", got: Box::new(got) }),
            }
        };
        Ok(Self { connected, raw, kept: VecDeque::new(), commands: 0, timeout: options.timeout })
    }

    /// What it takes to be the same client again.
    pub fn again(&self, resume: Option<Resume>) -> ConnectOptions {
        let options = ConnectOptions::new().session(&self.connected.session).timeout(self.timeout);
        ConnectOptions { resume, ..options }
    }

    /// Sends a command as it is, and waits for nothing.
    ///
    /// # Errors
    /// When the socket is closed, or takes nothing.
    pub async fn send(&mut self, command: &ClientCommand) -> Result<(), ClientError> {
        self.raw.text(encode(command)?).await
    }

    /// The next event, in the order in which they came.
    ///
    /// # Errors
    /// [`ClientError::Timeout`] when none comes, [`ClientError::Closed`] when none will.
    pub async fn next(&mut self, within: Duration) -> Result<ServerEvent, ClientError> {
        match self.kept.pop_front() {
            Some(event) => Ok(event),
            None => self.raw.event(within).await,
        }
    }

    /// Sends a command, under an id of this client's own if it has none, and waits for its reply, which may be an
    /// `ERROR`. Other events that come meanwhile are kept for [`Client::next`].
    ///
    /// # Errors
    /// As [`Client::next`], and [`ClientError::NoReply`] for a command that is not answered.
    pub async fn request(&mut self, mut command: ClientCommand) -> Result<ServerEvent, ClientError> {
        self.commands += 1;
        let id = identify(&mut command, numbered(self.commands)?)?;
        let leaves = matches!(command, ClientCommand::LeaveRoom(_));
        // Joining has two answers under the one-room policy; the former room's ROOM_LEFT is not the one asked for.
        let answers = |event: &ServerEvent| {
            reply_to(event) == Some(&id) && (leaves || !matches!(event, ServerEvent::RoomLeft(_)))
        };
        self.send(&command).await?;

        let until = Until::new(self.timeout, "a reply");
        loop {
            match self.arriving(&until).await? {
                event if answers(&event) => return Ok(event),
                event => self.kept.push_back(event),
            }
        }
    }

    /// The first event of kind `T` that `wanted` says yes to, whether it has come already or comes yet. The others are
    /// kept for [`Client::next`].
    ///
    /// # Errors
    /// As [`Client::next`].
    pub async fn expect<T>(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Result<T, ClientError>
    where
        T: TryFrom<ServerEvent, Error = ServerEvent> + Into<ServerEvent>,
    {
        let until = Until::new(self.timeout, std::any::type_name::<T>());
        let mut older = std::mem::take(&mut self.kept);
        loop {
            let event = match older.pop_front() {
                Some(event) => event,
                None => self.arriving(&until).await?,
            };
            let other = match T::try_from(event) {
                Ok(event) if wanted(&event) => {
                    self.kept.append(&mut older);
                    return Ok(event);
                }
                Ok(event) => event.into(),
                Err(event) => event,
            };
            self.kept.push_back(other);
        }
    }

    /// Reads for as long as told, and keeps what comes: heartbeats are answered meanwhile.
    ///
    /// # Errors
    /// [`ClientError::Closed`] and the like; that nothing came is none.
    pub async fn idle(&mut self, time: Duration) -> Result<(), ClientError> {
        let until = Until::new(time, "the end");
        loop {
            match self.arriving(&until).await {
                Ok(event) => self.kept.push_back(event),
                Err(ClientError::Timeout { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whatever came and was not asked for, oldest first.
    pub fn take_kept(&mut self) -> Vec<ServerEvent> {
        self.kept.drain(..).collect()
    }

    /// Waits until the server closes, and says how.
    ///
    /// # Errors
    /// [`ClientError::Timeout`] when it does not.
    pub async fn closed(&mut self, within: Duration) -> Result<(u16, String), ClientError> {
        let until = Until::new(within, "the server to close");
        loop {
            match self.arriving(&until).await {
                Ok(event) => self.kept.push_back(event),
                Err(ClientError::Closed { code, reason }) => return Ok((code, reason)),
                Err(error) => return Err(error),
            }
        }
    }

    /// The socket without manners. What is read from it does not come as an event.
    pub fn raw(&mut self) -> &mut Raw {
        &mut self.raw
    }

    /// Says goodbye. Dropping the client instead is a connection that is lost.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn close(self) -> Result<(), ClientError> {
        self.raw.close(1000, "").await
    }

    /// The next event from the socket, past those that are kept.
    async fn arriving(&mut self, until: &Until) -> Result<ServerEvent, ClientError> {
        let left = until.deadline.saturating_duration_since(Instant::now());
        self.raw.event(left).await.map_err(|error| match error {
            ClientError::Timeout { .. } => ClientError::Timeout { what: until.what, after: until.within },
            error => error,
        })
    }
}

/// When a server that is too busy now wants to be asked again.
fn again(error: &CommandError) -> Option<Instant> {
    let wait = error.retry_after_ms.filter(|_| error.code == ErrorCode::Unavailable)?;
    Some(Instant::now() + Duration::from_millis(wait))
}

/// A wait of several events.
struct Until {
    deadline: Instant,
    within: Duration,
    what: &'static str,
}

impl Until {
    fn new(within: Duration, what: &'static str) -> Self {
        Self { deadline: Instant::now() + within, within, what }
    }
}

/// The command's id, which is `own` from now on if it had none.
fn identify(command: &mut ClientCommand, own: CorrelationId) -> Result<CorrelationId, ClientError> {
    let id = match command {
        ClientCommand::Connect(command) => &mut command.id,
        ClientCommand::CreateRoom(command) => &mut command.id,
        ClientCommand::JoinRoom(command) => &mut command.id,
        ClientCommand::LeaveRoom(command) => &mut command.id,
        ClientCommand::UpdateUsername(command) => &mut command.id,
        ClientCommand::FetchHistory(command) => &mut command.id,
        ClientCommand::ListRooms(command) => &mut command.id,
        ClientCommand::ListMembers(command) => &mut command.id,
        ClientCommand::Ping(command) => &mut command.id,
        ClientCommand::SendMessage(command) => return Ok(command.id.into()),
        ClientCommand::EditMessage(command) => return Ok(command.id.into()),
        ClientCommand::DeleteMessage(command) => return Ok(command.id.into()),
        ClientCommand::React(command) => return Ok(command.id.into()),
        ClientCommand::Typing(_) => return Err(ClientError::NoReply("TYPING")),
    };
    Ok(id.get_or_insert(own).clone())
}

/// Which command an event answers, if it says so.
fn reply_to(event: &ServerEvent) -> Option<&CorrelationId> {
    match event {
        ServerEvent::Connected(event) => event.id.as_ref(),
        ServerEvent::RoomJoined(event) => event.id.as_ref(),
        ServerEvent::RoomLeft(event) => event.id.as_ref(),
        ServerEvent::Ack(event) => event.id.as_ref(),
        ServerEvent::History(event) => event.id.as_ref(),
        ServerEvent::Rooms(event) => event.id.as_ref(),
        ServerEvent::Members(event) => event.id.as_ref(),
        ServerEvent::Pong(event) => event.id.as_ref(),
        ServerEvent::CommandError(event) => event.id.as_ref(),
        // All others are news, whatever is added to them.
        _ => None,
    }
}

fn numbered(number: u64) -> Result<CorrelationId, ClientError> {
    format!("client-{number}").parse().map_err(|error: protocol::id::IdError| ClientError::Request(error.to_string()))
}

fn encode(command: &ClientCommand) -> Result<String, ClientError> {
    serde_json::to_string(command).map_err(|error| ClientError::Request(error.to_string()))
}
