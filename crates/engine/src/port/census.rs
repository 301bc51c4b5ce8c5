//! Who is there, for operators.

use super::{PortError, Unavailable};
use async_trait::async_trait;
use bytes::Bytes;
use protocol::{ClientId, NodeId, RoomId, Seq, Timestamp, Username, event::Member};
use std::net::IpAddr;

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Clients that a connection speaks for.
    pub clients: u64,
    /// Rooms.
    pub rooms: u64,
}

/// A client as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// Its id.
    pub client_id: ClientId,
    /// Its name.
    pub username: Username,
    /// The node whose connection speaks for it; none within its grace.
    pub node: Option<NodeId>,
    /// The rooms that it is in, in the order of joining.
    pub rooms: Vec<RoomId>,
    /// When its connection began to speak for it.
    pub connected_at: Timestamp,
    /// The address that the connection came from.
    pub address: Option<IpAddr>,
}

/// What [`Census::expel`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expelled {
    /// The node that got the order; none if no connection spoke for the client.
    pub node: Option<NodeId>,
    /// The rooms that it was in.
    pub rooms: Vec<RoomId>,
}

/// Everybody who was ever in a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Participants {
    /// How many; counted up to [`PARTICIPANTS_KEPT`].
    pub count: u64,
    /// Those who came last first. Who is forgotten by now has a guest's name.
    pub newest: Vec<Member>,
}

/// Participants that a room remembers: those who came last for the first time.
pub const PARTICIPANTS_KEPT: usize = 10_000;

/// Who is there, for operators. Each call is short, whatever there is: it reads at most `limit` of something, and the
/// caller bounds that.
#[async_trait]
pub trait Census: Send + Sync {
    /// How many there are.
    async fn counts(&self) -> Result<Counts, Unavailable>;

    /// The clients that a connection speaks for, by id, ascending, from the first one after `after`.
    async fn clients(&self, after: Option<ClientId>, limit: usize) -> Result<Vec<ClientRecord>, Unavailable>;

    /// One client: one that a connection speaks for, or that is within its grace.
    async fn client(&self, client: ClientId) -> Result<Option<ClientRecord>, Unavailable>;

    /// The client leaves all its rooms at once, without grace, and no connection speaks for it any more. The node of the
    /// one that did gets `order` in the same step, for the answer to this call may be lost. None: there is no such
    /// client, or it is neither connected nor within its grace.
    async fn expel(&self, client: ClientId, order: Bytes) -> Result<Option<Expelled>, Unavailable>;

    /// The newest positions of these rooms' timelines, of at most 500, in their order. Of a room without a timeline it is 0.
    async fn positions(&self, rooms: &[RoomId]) -> Result<Vec<Seq>, Unavailable>;

    /// Who was ever in a room, while it lives.
    async fn participants(&self, room: RoomId, limit: usize) -> Result<Participants, PortError>;
}
