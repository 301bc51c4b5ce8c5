//! One method for each command that is answered. A refusal is [`ClientError::Refused`].

use crate::{Client, ClientError};
use protocol::{
    ClientCommand, MessageId, RawText, RoomId, Seq, ServerEvent,
    command::{
        CreateRoom, DeleteMessage, EditMessage, FetchHistory, JoinRoom, LeaveRoom, ListMembers, ListRooms, Ping, React,
        SendMessage, UpdateUsername,
    },
    event::{Ack, History, Members, Pong, RoomJoined, RoomLeft, Rooms},
};
use uuid::Uuid;

impl Client {
    /// Makes a room and enters it.
    ///
    /// # Errors
    /// As [`Client::request`], and when the server refuses.
    pub async fn create_room(&mut self, name: &str) -> Result<RoomJoined, ClientError> {
        self.ask("ROOM_JOINED", ClientCommand::CreateRoom(CreateRoom { id: None, name: name.into() })).await
    }

    /// Enters a room.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn join(&mut self, room_id: RoomId) -> Result<RoomJoined, ClientError> {
        self.ask("ROOM_JOINED", ClientCommand::JoinRoom(JoinRoom { id: None, room_id })).await
    }

    /// Leaves the room that one is in.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn leave(&mut self) -> Result<RoomLeft, ClientError> {
        self.ask("ROOM_LEFT", ClientCommand::LeaveRoom(LeaveRoom { id: None, room_id: None })).await
    }

    /// Posts a message to the room that one is in.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn say(&mut self, body: &str) -> Result<Ack, ClientError> {
        self.say_with_id(MessageId::new(Uuid::new_v4()), body).await
    }

    /// The same under a given id, as a retry would.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn say_with_id(&mut self, id: MessageId, body: &str) -> Result<Ack, ClientError> {
        self.ask(
            "ACK",
            ClientCommand::SendMessage(SendMessage { id, room_id: None, body: body.into(), reply_to: None }),
        )
        .await
    }

    /// Posts an answer to the message at a position.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn say_reply(&mut self, to: Seq, body: &str) -> Result<Ack, ClientError> {
        let (id, reply_to) = (MessageId::new(Uuid::new_v4()), Some(to));
        self.ask("ACK", ClientCommand::SendMessage(SendMessage { id, room_id: None, body: body.into(), reply_to }))
            .await
    }

    /// Gives a message of one's own another text.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn edit(&mut self, seq: Seq, body: &str) -> Result<Ack, ClientError> {
        let id = MessageId::new(Uuid::new_v4());
        self.ask("ACK", ClientCommand::EditMessage(EditMessage { id, room_id: None, seq, body: body.into() })).await
    }

    /// Takes a message of one's own away.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn delete(&mut self, seq: Seq) -> Result<Ack, ClientError> {
        let id = MessageId::new(Uuid::new_v4());
        self.ask("ACK", ClientCommand::DeleteMessage(DeleteMessage { id, room_id: None, seq })).await
    }

    /// Puts an emoji to a message, or takes one's own away again.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn react(&mut self, seq: Seq, emoji: &str, on: bool) -> Result<Ack, ClientError> {
        let id = MessageId::new(Uuid::new_v4());
        self.ask("ACK", ClientCommand::React(React { id, room_id: None, seq, emoji: emoji.into(), on })).await
    }

    /// Takes another name.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn rename(&mut self, username: &str) -> Result<Ack, ClientError> {
        let command = UpdateUsername { id: None, username: RawText::from(username) };
        let ack: Ack = self.ask("ACK", ClientCommand::UpdateUsername(command)).await?;
        if let Some(username) = &ack.username {
            self.connected.username = username.clone();
        }
        if let Some(session) = &ack.session {
            self.connected.session.clone_from(session);
        }
        Ok(ack)
    }

    /// Reads a part of a room's log. The default of every field is that of the contract:
    /// `client.history(FetchHistory { before: Some(seq), ..Client::newest() })`.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn history(&mut self, part: FetchHistory) -> Result<History, ClientError> {
        self.ask("HISTORY", ClientCommand::FetchHistory(part)).await
    }

    /// The newest part of the log of the room that one is in.
    #[must_use]
    pub fn newest() -> FetchHistory {
        FetchHistory { id: None, room_id: None, before: None, after: None, limit: None }
    }

    /// Reads a page of the room list.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn list_rooms(&mut self, cursor: Option<&str>, limit: Option<u64>) -> Result<Rooms, ClientError> {
        let command = ListRooms { id: None, cursor: cursor.map(str::to_owned), limit };
        self.ask("ROOMS", ClientCommand::ListRooms(command)).await
    }

    /// Reads a page of the members of the room that one is in.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn list_members(&mut self, cursor: Option<&str>, limit: Option<u64>) -> Result<Members, ClientError> {
        let command = ListMembers { id: None, room_id: None, cursor: cursor.map(str::to_owned), limit };
        self.ask("MEMBERS", ClientCommand::ListMembers(command)).await
    }

    /// Asks for a `PONG`. Whatever the server had for this client before it has come when this returns.
    ///
    /// # Errors
    /// As [`Client::create_room`].
    pub async fn ping(&mut self) -> Result<Pong, ClientError> {
        self.ask("PONG", ClientCommand::Ping(Ping { id: None })).await
    }

    /// The reply that a command has when all is well.
    async fn ask<T>(&mut self, wanted: &'static str, command: ClientCommand) -> Result<T, ClientError>
    where
        T: TryFrom<ServerEvent, Error = ServerEvent>,
    {
        match T::try_from(self.request(command).await?) {
            Ok(reply) => Ok(reply),
            Err(ServerEvent::CommandError(error)) => Err(ClientError::Refused(error)),
            Err(got) => Err(ClientError::Unexpected { wanted, got: Box::new(got) }),
        }
    }
}
