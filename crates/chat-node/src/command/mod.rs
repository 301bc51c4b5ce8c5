//! What clients ask for: one file a command. Each takes the client and its payload, and gives a reply or a refusal; the
//! rest (limits, the echo of `id`, floods) is the same for all and is here.

mod change;
mod connect;
mod create_room;
mod delete_message;
mod edit_message;
mod fetch_history;
mod join_room;
mod leave_room;
mod list_members;
mod list_rooms;
mod ping;
mod post;
mod react;
mod send_message;
mod typing;
mod update_username;

use crate::{
    admission::{Full, Pass},
    connection::Strikes,
    node::Node,
    session::Identity,
    statistics::Resumed,
};
use engine::{
    Closing, Connection, Hub, PortError, Unavailable, Wait, Who,
    connection::ConnectionId,
    engine::{Entered, Target},
    port::Attachment,
};
use protocol::{
    ClientCommand, ClientId, CloseCode, CorrelationId, ErrorCode, RoomId, ServerEvent, TextError, Username, decode,
    event::{Budget, CommandError, LeaveReason, RoomLeft},
    policy::Policy,
};
use runtime::telemetry::LoggedAddress;
use std::{io, mem::MaybeUninit, net::IpAddr, rc::Rc, sync::Arc};
use tokio::{net::TcpStream, time::Instant};

/// What to wait before trying again when the backend is away, in milliseconds.
const RETRY_UNAVAILABLE: u64 = 1000;

/// One connection, and who speaks on it.
pub(crate) struct Client {
    pub(crate) node: Arc<Node>,
    pub(crate) hub: Rc<Hub<TcpStream>>,
    pub(crate) connection: Rc<Connection<TcpStream>>,
    address: IpAddr,
    speaker: Option<Box<Speaker>>,
    strikes: Strikes,
    /// What the node's limit of messages had left after this command.
    budget: Option<Budget>,
}

/// Who speaks, once `CONNECT` has said so.
struct Speaker {
    identity: Identity,
    attachment: Attachment,
}

/// Why a command is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    Error {
        code: ErrorCode,
        message: String,
        retry_after_ms: Option<u64>,
    },
    Close(CloseCode),
    /// The store does not answer.
    Unavailable(Unavailable),
    /// Another connection speaks for the client now, or this node's lease has run out.
    Superseded,
}

/// A reply to send; `None` when the command has none, or has sent it itself.
type Reply = Result<Option<ServerEvent>, Refusal>;

/// Reads a frame and does what it asks.
pub(crate) async fn obey(client: &mut Client, frame: &[u8]) {
    let (id, command) = match decode(frame) {
        Ok(read) => read,
        Err(rejection) => {
            let refusal = Refusal::Error { code: rejection.code, message: rejection.message, retry_after_ms: None };
            client.refuse(rejection.id, refusal);
            if client.speaker.is_none() {
                client.hub.close(&client.connection, CloseCode::Policy);
            }
            return;
        }
    };
    match carry_out(client, &id, command).await {
        Ok(Some(reply)) => client.hub.send(&client.connection, &reply),
        Ok(None) => {}
        Err(refusal) => client.refuse(id, refusal),
    }
}

async fn carry_out(client: &mut Client, id: &Option<CorrelationId>, command: ClientCommand) -> Reply {
    if let ClientCommand::Connect(connect) = command {
        return connect::run(client, connect).await;
    }
    let Some(speaker) = client.connection.client() else {
        client.refuse(id.clone(), Refusal::not_connected());
        return Err(Refusal::Close(CloseCode::Policy));
    };
    let (limiter, who) = (&client.node.limiter, Who::Client(speaker));
    match policy_of(&command) {
        // The timeline asks the cluster's layer: a message has to be worth one round trip, not two.
        Policy::Message => client.budget = limiter.check_node(Policy::Message, who)?,
        policy => limiter.check(policy, who).await?,
    }
    match command {
        ClientCommand::CreateRoom(c) => create_room::run(client, c).await,
        ClientCommand::JoinRoom(c) => join_room::run(client, c).await,
        ClientCommand::LeaveRoom(c) => leave_room::run(client, c).await,
        ClientCommand::SendMessage(c) => send_message::run(client, id.clone(), c).await,
        ClientCommand::EditMessage(c) => edit_message::run(client, id.clone(), c).await,
        ClientCommand::DeleteMessage(c) => delete_message::run(client, id.clone(), c).await,
        ClientCommand::React(c) => react::run(client, id.clone(), c).await,
        ClientCommand::UpdateUsername(c) => update_username::run(client, c).await,
        ClientCommand::Typing(c) => typing::run(client, c).await,
        ClientCommand::FetchHistory(c) => fetch_history::run(client, c).await,
        ClientCommand::ListRooms(c) => list_rooms::run(client, c).await,
        ClientCommand::Ping(c) => Ok(ping::run(client, c)),
        ClientCommand::ListMembers(c) => list_members::run(client, c).await,
        ClientCommand::Connect(_) => Ok(None), // above
    }
}

fn policy_of(command: &ClientCommand) -> Policy {
    match command {
        ClientCommand::SendMessage(_)
        | ClientCommand::EditMessage(_)
        | ClientCommand::DeleteMessage(_)
        | ClientCommand::React(_) => Policy::Message,
        ClientCommand::CreateRoom(_) => Policy::RoomCreate,
        ClientCommand::Typing(_) => Policy::Typing,
        ClientCommand::Connect(_)
        | ClientCommand::JoinRoom(_)
        | ClientCommand::LeaveRoom(_)
        | ClientCommand::UpdateUsername(_)
        | ClientCommand::FetchHistory(_)
        | ClientCommand::ListRooms(_)
        | ClientCommand::ListMembers(_)
        | ClientCommand::Ping(_) => Policy::Command,
    }
}

impl Client {
    pub(crate) fn new(
        node: Arc<Node>,
        hub: Rc<Hub<TcpStream>>,
        connection: Rc<Connection<TcpStream>>,
        address: IpAddr,
    ) -> Self {
        Self { node, hub, connection, address, speaker: None, strikes: Strikes::default(), budget: None }
    }

    /// The connection is over; the client's membership is not, yet.
    pub(crate) async fn detach(&mut self, why: Closing) {
        if let Some(speaker) = self.speaker.take() {
            self.node.engine.detach(speaker.identity.client, &speaker.attachment, Some(why)).await;
        }
    }

    /// One more thing that a well-behaved client does not do.
    pub(crate) fn strike(&mut self) {
        if self.strikes.add(Instant::now()) {
            let (connection, client) = (ConnectionId(self.connection.id), self.connection.client());
            tracing::info!(%connection, ?client, address = %LoggedAddress(self.address), "flooding");
            self.hub.close(&self.connection, CloseCode::Flooding);
        }
    }

    /// Counts a ping or a pong. Whether it is to be answered: not past the limit, where it is a strike instead. Before
    /// `CONNECT` there is no client to have a limit, and each one is a strike.
    pub(crate) fn control(&mut self) -> bool {
        let allowed = match self.connection.client() {
            Some(id) => self.node.limiter.check_node(Policy::Command, Who::Client(id)).is_ok(),
            None => {
                self.strike();
                return true;
            }
        };
        if !allowed {
            self.strike();
        }
        allowed
    }

    pub(crate) fn reject_binary(&mut self) {
        self.refuse(None, Refusal::error(ErrorCode::BadRequest, "frames are JSON text; this one was binary"));
        if self.speaker.is_none() {
            self.hub.close(&self.connection, CloseCode::Policy);
        }
    }

    fn refuse(&mut self, id: Option<CorrelationId>, refusal: Refusal) {
        match refusal {
            Refusal::Unavailable(e) => {
                let connection = ConnectionId(self.connection.id);
                tracing::warn!(%connection, error = %e, "a command could not be carried out");
                self.refuse(id, Refusal::unavailable());
            }
            Refusal::Error { code, message, retry_after_ms } => {
                self.node.statistics.refused(code);
                self.hub.send(&self.connection, &CommandError { id, code, message, retry_after_ms }.into());
                // Before CONNECT no limit counts what is refused.
                let uncounted = self.speaker.is_none();
                if uncounted || matches!(code, ErrorCode::RateLimited | ErrorCode::BadRequest | ErrorCode::NotConnected)
                {
                    self.strike();
                }
            }
            Refusal::Close(code) => self.hub.close(&self.connection, code),
            Refusal::Superseded => {
                let code =
                    self.speaker.as_ref().map_or(CloseCode::Restart, |s| self.node.engine.superseded(&s.attachment));
                self.hub.close(&self.connection, code);
            }
        }
    }

    fn speaker(&self) -> Result<&Speaker, Refusal> {
        self.speaker.as_deref().ok_or_else(Refusal::not_connected)
    }

    fn id(&self) -> Result<ClientId, Refusal> {
        Ok(self.speaker()?.identity.client)
    }

    fn username(&self) -> Result<&Username, Refusal> {
        Ok(&self.speaker()?.identity.username)
    }

    /// The room that a command is about: the one it names, or the only one.
    fn room(&self, named: Option<RoomId>) -> Result<RoomId, Refusal> {
        let rooms = self.connection.rooms();
        match (named, rooms.as_slice()) {
            (Some(room), rooms) if rooms.contains(&room) => Ok(room),
            (Some(room), _) => Err(Refusal::error(ErrorCode::NotInRoom, format!("you are not in room {room}"))),
            (None, [room]) => Ok(*room),
            (None, []) => Err(Refusal::error(ErrorCode::NotInRoom, "you are in no room")),
            (None, _) => Err(Refusal::error(ErrorCode::BadRequest, "you are in several rooms: name one as `roomId`")),
        }
    }

    /// Waits for its turn to come in.
    async fn admit(&self) -> Result<Pass, Refusal> {
        let pass = match self.node.gate.enter().await {
            Ok(pass) => pass,
            Err(full) => {
                if self.speaker.is_none() {
                    self.connection.excuse(Instant::now() + full.0);
                }
                return Err(full.into());
            }
        };
        if pass.waited && (self.connection.closing().is_some() || self.has_hung_up()) {
            // It has lost patience, and may well be in the line again: nothing is begun for nobody.
            return Err(Refusal::Close(CloseCode::TryAgainLater));
        }
        Ok(pass)
    }

    /// Whether the peer has closed its half, and said nothing more before.
    fn has_hung_up(&self) -> bool {
        match socket2::SockRef::from(&self.connection.wire).peek(&mut [MaybeUninit::uninit()]) {
            Ok(bytes) => bytes == 0,
            Err(e) => !matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        }
    }

    /// Enters a room, and shows it.
    async fn enter(&mut self, id: Option<CorrelationId>, target: Target) -> Result<(), Refusal> {
        let Speaker { identity, attachment } = self.speaker()?;
        let engine = &self.node.engine;
        let resumes = matches!(target, Target::Resume(..));
        let entered = engine.join(&self.hub, &self.connection, identity.client, attachment, target).await;
        if let Some(outcome) = Some(&entered).filter(|_| resumes).and_then(outcome) {
            self.node.statistics.resumed(outcome);
        }
        let entered = entered?;
        let Entered { view, moved_from } = entered;
        for room_id in moved_from {
            let left = RoomLeft { id: None, room_id, reason: LeaveReason::Moved };
            self.hub.send(&self.connection, &left.into());
        }
        self.hub.enter(&self.connection, &view, id);
        Ok(())
    }
}

/// What a client that wanted to go on got. None: it may try again.
fn outcome(entered: &Result<Entered, PortError>) -> Option<Resumed> {
    match entered {
        Ok(entered) if entered.view.recovered => Some(Resumed::Recovered),
        Ok(entered) if entered.view.gap.is_some() => Some(Resumed::Gap),
        Ok(_) => Some(Resumed::Lost),
        Err(PortError::Unavailable(_) | PortError::Superseded | PortError::Limited(_) | PortError::Amended) => None,
        Err(
            PortError::RoomNotFound
            | PortError::RoomFull
            | PortError::NotInRoom
            | PortError::TooManyRooms
            | PortError::BadCursor,
        ) => Some(Resumed::Lost),
    }
}

impl Refusal {
    fn not_connected() -> Self {
        Self::error(ErrorCode::NotConnected, "the first frame must be CONNECT")
    }

    fn unavailable() -> Self {
        Self::Error {
            code: ErrorCode::Unavailable,
            message: "the server cannot reach its store; trying again with the same id is safe".into(),
            retry_after_ms: Some(RETRY_UNAVAILABLE),
        }
    }

    fn error(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Error { code, message: message.into(), retry_after_ms: None }
    }
}

impl From<TextError> for Refusal {
    fn from(e: TextError) -> Self {
        Self::error(e.code(), e.to_string())
    }
}

impl From<Wait> for Refusal {
    fn from(wait: Wait) -> Self {
        Self::Error {
            code: ErrorCode::RateLimited,
            message: "too many in too short a time".into(),
            retry_after_ms: Some(wait.millis()),
        }
    }
}

impl From<Full> for Refusal {
    fn from(Full(wait): Full) -> Self {
        Self::Error {
            code: ErrorCode::Unavailable,
            message: "too many are coming in just now; try again after this time".into(),
            retry_after_ms: Some(Wait(wait).millis()),
        }
    }
}

impl From<Unavailable> for Refusal {
    fn from(e: Unavailable) -> Self {
        Self::Unavailable(e)
    }
}

impl From<PortError> for Refusal {
    fn from(e: PortError) -> Self {
        let code = match e {
            PortError::Unavailable(e) => return e.into(),
            PortError::Superseded => return Self::Superseded,
            PortError::RoomNotFound => ErrorCode::RoomNotFound,
            PortError::RoomFull => ErrorCode::RoomFull,
            PortError::NotInRoom => ErrorCode::NotInRoom,
            PortError::Limited(wait) => return Wait(wait).into(),
            PortError::TooManyRooms => ErrorCode::Forbidden,
            PortError::BadCursor => ErrorCode::BadRequest,
            PortError::Amended => ErrorCode::Forbidden,
        };
        Self::error(code, e.to_string())
    }
}
