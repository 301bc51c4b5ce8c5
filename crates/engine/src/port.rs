//! The ports that a backend fills in. Everything that nodes share goes through them; the guarantees written here are
//! what [`crate::conformance`] checks.

mod amendment;
mod census;
mod listing;
mod records;

pub use amendment::{Amended, Amendment, Original};
pub use census::{Census, ClientRecord, Counts, Expelled, PARTICIPANTS_KEPT, Participants};
pub use listing::{Listing, MembersPage};
pub use records::{Document, Records, Table};

use crate::trace::TraceContext;
use async_trait::async_trait;
use bytes::Bytes;
use protocol::{
    ClientId, CorrelationId, Epoch, MessageId, NodeId, RoomId, RoomName, Seq, Timestamp, Username,
    event::{Budget, Member, Room, RoomSummary},
    policy::{Policy, Window},
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::time::Instant;
use uuid::Uuid;

/// What a node needs to be one.
#[derive(Clone)]
pub struct Ports {
    /// Timelines and what is published.
    pub bus: Arc<dyn Bus>,
    /// Nodes, clients, rooms and who is in them.
    pub directory: Arc<dyn Directory>,
    /// Limits that hold for the whole cluster.
    pub throttle: Arc<dyn Throttle>,
    /// Who is there, for operators.
    pub census: Arc<dyn Census>,
    /// What operators leave behind.
    pub records: Arc<dyn Records>,
}

/// The backend did not answer in time: whether the call took effect is not known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the backend cannot be reached: {0}")]
pub struct Unavailable(pub String);

/// Why a call on a port failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PortError {
    /// See [`Unavailable`].
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// No such room: it never was, or it has ended.
    #[error("there is no such room")]
    RoomNotFound,
    /// The room has as many members as it may have.
    #[error("the room is full")]
    RoomFull,
    /// The client is not in that room.
    #[error("the client is not in that room")]
    NotInRoom,
    /// The client is in as many rooms as it may be in.
    #[error("the client is in as many rooms as it may be in")]
    TooManyRooms,
    /// The client has posted as much as it may for now; after this time it may post again.
    #[error("the client has posted as much as it may for now")]
    Limited(Duration),
    /// What was to be amended is gone, or somebody else has amended it meanwhile. Nothing was posted.
    #[error("the message is gone or was changed meanwhile")]
    Amended,
    /// The attachment is no longer the client's: a newer connection took over, or the node's lease ran out.
    #[error("a newer connection has taken over")]
    Superseded,
    /// The cursor is not one of ours.
    #[error("the cursor is not one that a page gave")]
    BadCursor,
}

// ---------------------------------------------------------------------------------------------------------- bus

/// One position of a room's timeline. The payload is an event's JSON object without `seq` and `sentAt`
/// ([`crate::frame::splice`] puts them in); the backend never looks into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its position.
    pub seq: Seq,
    /// When the timeline took it.
    pub sent_at: Timestamp,
    /// What it says.
    pub payload: Bytes,
}

/// A message that is to get its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// In which room.
    pub room: RoomId,
    /// Whose it is.
    pub client: ClientId,
    /// What tells that client from others that had the same id before, or will have it ([`Attached::key`]). The log keeps it,
    /// and only [`Bus::originals`] shows it.
    pub key: Option<Uuid>,
    /// What makes a retry known as one.
    pub id: MessageId,
    /// As in [`Entry`].
    pub payload: Bytes,
    /// What it does to earlier ones.
    pub amendment: Option<Amendment>,
    /// How many of them the cluster takes from this client.
    pub window: Option<Window>,
    /// If it is followed, by what.
    pub trace: Option<TraceContext>,
}

/// What [`Bus::append`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The position, or the first one's when this is a duplicate.
    pub seq: Seq,
    /// When the timeline took it.
    pub sent_at: Timestamp,
    /// Whether this key was there already; nothing was published then.
    pub duplicate: bool,
    /// What the window has left, if there is one.
    pub budget: Option<Budget>,
}

/// Which part of a log to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The newest ones.
    Newest,
    /// The newest ones below this position.
    Before(Seq),
    /// The oldest ones above this position.
    After(Seq),
    /// The oldest ones above the first and below the second position.
    Between(Seq, Seq),
}

/// A part of a room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<E = Entry> {
    /// The life of the timeline.
    pub epoch: Epoch,
    /// The oldest position that can still be read; one more than `newest` when the log is empty.
    pub oldest: Seq,
    /// The newest position given, whether it can still be read or not.
    pub newest: Seq,
    /// What was asked for, ascending and without holes.
    pub entries: Vec<E>,
    /// Whether the log has more in the direction that was read.
    pub more: bool,
}

/// Something that happened to a room's membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Came.
    Joined(Member),
    /// Left, was removed, or did not come back in time.
    Left(ClientId),
    /// Has another name.
    Renamed(Member),
    /// Its connection was lost; it is a member as long as its grace lasts.
    Lost(ClientId),
    /// Its connection is there again, after it was told to be lost.
    Back(ClientId),
}

/// What the bus hands to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A new position of a room's timeline.
    Entry {
        /// Which room.
        room: RoomId,
        /// The position.
        entry: Entry,
        /// When the timeline took it, by this process's own clock, as well as the backend knows that. Only for measuring.
        taken: Option<Instant>,
        /// As in its [`Post`]. It goes with what is published, and not into the log.
        trace: Option<TraceContext>,
    },
    /// A membership change, in the order in which the directory made them.
    Membership {
        /// Which room.
        room: RoomId,
        /// What changed.
        change: Change,
        /// Members after the change.
        member_count: u32,
    },
    /// Something for whoever is there now; stored nowhere. A complete JSON event.
    Ephemeral {
        /// Which room.
        room: RoomId,
        /// Who need not hear it.
        except: Option<ClientId>,
        /// The event.
        payload: Bytes,
    },
    /// The room was ended while it had members; they are none any more. (A room that ends with its last member has
    /// nobody left to tell.)
    RoomEnded {
        /// Which room.
        room: RoomId,
    },
    /// An order from another node (see [`crate::control`]).
    Order(Bytes),
    /// Deliveries may have been lost, of this room or of all: read again.
    Missed(Option<RoomId>),
}

/// Takes what the bus delivers. Called in order for each room; it must neither block nor call back into the backend.
pub trait Sink: Send + Sync {
    /// Takes one.
    fn deliver(&self, delivery: Delivery);
}

/// Where an order goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// To one node.
    Node(NodeId),
    /// To every node, the sender included.
    Everyone,
}

/// Timelines, and what is published.
///
/// - `seq` is given, stored and published in one step: 1, 2, 3 … without holes, and a node that is subscribed is
///   handed them in this order. What [`Bus::read`] shows and what was published never disagree.
/// - When [`Bus::subscribe`] has returned, nothing published later is missed, or [`Delivery::Missed`] says so.
/// - The sender's own node hears what it published by the same way as all others.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Where deliveries go from now on; called once.
    fn attach(&self, sink: Arc<dyn Sink>);

    /// This thread has a worker from now on: what is done for it may be done on its runtime, so that no other thread
    /// has to be woken for each message. Called on that thread.
    fn settle(&self) {}

    /// Has orders delivered to a process that is no node. (A node hears them from [`Directory::register`] on.)
    async fn listen(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    /// Makes this node hear a room, from now until [`Bus::unsubscribe`], whatever becomes of the node's lease
    /// meanwhile. Repeating it does nothing.
    async fn subscribe(&self, room: RoomId) -> Result<(), Unavailable>;

    /// Stops hearing a room.
    async fn unsubscribe(&self, room: RoomId) -> Result<(), Unavailable>;

    /// Gives the payload the next position of the room's timeline, or, when this client posted this `id` to this room
    /// within the last 10 minutes, answers with that position. What is new counts in the client's window, and is
    /// refused when that is full ([`PortError::Limited`]); both in one step, since a second one would double what a
    /// message costs. It is the window of [`Policy::Message`], as [`Throttle::take`] counts; a backend may count it for
    /// each room of a client separately.
    ///
    /// With an [`Amendment`], what it says is done in the same step, or else [`PortError::Amended`]; of a retry it is not
    /// looked at.
    async fn append(&self, post: Post) -> Result<Appended, PortError>;

    /// Hands a payload to whoever is subscribed now.
    async fn publish(&self, room: RoomId, except: Option<ClientId>, payload: Bytes) -> Result<(), Unavailable>;

    /// Reads at most `limit` entries of a room's log, as they read now: of what was amended, the replacement.
    async fn read(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice, PortError>;

    /// The same, as they were posted, with whose they are and what has become of them. Not for members.
    async fn originals(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice<Original>, PortError>;

    /// The store has lost positions that it gave, as one does that was restored from a copy: begins another epoch of the
    /// room's timeline, unless that was done already, so that nobody takes new positions for those that were lost. Nodes
    /// that hear the room are told [`Delivery::Missed`].
    async fn renew(&self, room: RoomId, lost: &Epoch) -> Result<(), PortError>;

    /// Hands an order to nodes.
    async fn order(&self, to: Address, order: Bytes) -> Result<(), Unavailable>;
}

// ---------------------------------------------------------------------------------------------------- directory

/// One life of one node: a process that lost its lease and comes back has another generation, and nothing that it
/// remembers from the former one counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NodeLease {
    /// Which node.
    pub node: NodeId,
    /// Which life.
    pub generation: u64,
}

/// A node that holds a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Which node.
    pub node: NodeId,
    /// When it registered.
    pub started_at: Timestamp,
    /// Its last heartbeat.
    pub last_seen_at: Timestamp,
    /// Sockets at its last heartbeat.
    pub connections: u32,
}

/// Whether a lease still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// It does, for another lease time.
    Alive,
    /// It ran out: drop every connection and begin anew.
    Fenced,
}

/// The connection that speaks for a client. Every act of a client names it, so that a connection that was taken over,
/// or a node that was paused for longer than its lease, cannot act any more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attachment {
    /// The node, in one life. Shared, since each connection keeps one.
    pub lease: Arc<NodeLease>,
    /// The connection on that node, and which of its attempts to speak for a client.
    pub connection: u64,
}

/// Who a connection claims to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// From a valid session: the id, and the key that proves that the id was given to this session.
    pub identity: Option<(ClientId, Uuid)>,
    /// The key for a new identity, if one must be made.
    pub fresh_key: Uuid,
    /// The name to take: from `CONNECT`, or else from the session; otherwise the guest's name.
    pub username: Option<Username>,
    /// Whether `username` replaces the one on record.
    pub rename: bool,
    /// Where the connection comes from.
    pub address: Option<IpAddr>,
}

/// Who a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The client.
    pub client_id: ClientId,
    /// The key of its sessions.
    pub key: Uuid,
    /// Its name.
    pub username: Username,
    /// The rooms that it is (still) in.
    pub rooms: Vec<RoomId>,
    /// Whether the claimed identity was given back.
    pub resumed: bool,
    /// The connection that spoke for it until now; its node has been ordered to close it.
    pub previous: Option<Attachment>,
}

/// What joining did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The room.
    pub room: Room,
    /// Whether the client had been in it already; nobody was told then.
    pub already: bool,
    /// The rooms that it left for this one.
    pub moved_from: Vec<RoomId>,
}

/// A room that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    /// What it is called.
    pub name: RoomName,
    /// What makes a retry known as one, if the client gave it.
    pub request: Option<CorrelationId>,
}

/// How many rooms and members there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomRules {
    /// Rooms that a client may be in at once; with 1, joining another one leaves the former.
    pub rooms_per_client: usize,
    /// Members that a room may have.
    pub members_per_room: u32,
}

/// What [`Directory::sweep`] removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Nodes whose lease had run out.
    pub nodes: u32,
    /// Members whose grace had run out.
    pub members: u32,
}

/// A page of the room list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomsPage {
    /// Newest room first.
    pub rooms: Vec<RoomSummary>,
    /// For the next page.
    pub cursor: Option<String>,
}

/// Nodes, clients, rooms, and who is in them.
///
/// - Ids are unique among the living of the whole cluster.
/// - Each call takes effect at once and whole, or not at all.
/// - Every change of a room's membership is handed to the nodes that are subscribed to the room
///   ([`Delivery::Membership`]), in the order in which the changes took effect.
/// - A room ends with its last member. A member whose connection was lost is one until its grace is over.
/// - Members belong to a connection, which belongs to a lease: when the lease has run out, any node's
///   [`Directory::sweep`] makes them leave.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Begins a life of a node. A former one of the same name counts no more; its clients stay members until its lease
    /// would have run out.
    async fn register(&self, node: &NodeId, lease: Duration) -> Result<NodeLease, Unavailable>;

    /// Begins another life after this one was fenced. `Superseded` when somebody else lives under the node's name by
    /// now: two processes that were given the same one must not fence each other without end.
    async fn begin_anew(&self, former: &NodeLease, lease: Duration) -> Result<NodeLease, PortError>;

    /// Keeps the lease. One that is over is lost by asking, too: its clients have had its time as their grace.
    async fn heartbeat(&self, lease: &NodeLease, time: Duration, connections: u32) -> Result<Beat, Unavailable>;

    /// Gives the lease back. The node's clients stay members for `grace`.
    async fn deregister(&self, lease: &NodeLease, grace: Duration) -> Result<(), Unavailable>;

    /// The nodes that hold a lease, ordered by name.
    async fn nodes(&self) -> Result<Vec<NodeRecord>, Unavailable>;

    /// Makes a connection speak for a client: the claimed one if the claim is good, else a new one. The connection that
    /// spoke for it until now is closed with [`protocol::CloseCode::TakenOver`]: its node gets the order
    /// ([`crate::control::Order::Close`]) in the same step, for the answer to this call may be lost.
    async fn attach(&self, attachment: &Attachment, claim: Claim) -> Result<Attached, PortError>;

    /// The connection is lost: the client stays a member for `grace`, and its rooms are told ([`Change::Lost`], and
    /// [`Change::Back`] when it is attached again in time). Does nothing when another connection speaks for the client by
    /// now. (Of those whose node is lost nobody is told before their grace is over.)
    async fn detach(&self, client: ClientId, attachment: &Attachment, grace: Duration) -> Result<(), Unavailable>;

    /// Gives a client another name, and tells its rooms.
    async fn rename(&self, client: ClientId, attachment: &Attachment, name: Username) -> Result<(), PortError>;

    /// Makes a room with a timeline of its own, and enters it; or answers with the room that the client made last, if
    /// it is the same request for a room of the same name, and the client is still in it.
    async fn create_room(
        &self,
        client: ClientId,
        attachment: &Attachment,
        new: NewRoom,
        rules: RoomRules,
    ) -> Result<Joined, PortError>;

    /// Enters a room, and leaves the former one under the one-room policy. Entering a room that one is in does nothing.
    async fn join(
        &self,
        client: ClientId,
        attachment: &Attachment,
        room: RoomId,
        rules: RoomRules,
    ) -> Result<Joined, PortError>;

    /// Leaves a room.
    async fn leave(&self, client: ClientId, attachment: &Attachment, room: RoomId) -> Result<(), PortError>;

    /// Ends a room against its members' will, and says how many it had ([`Delivery::RoomEnded`] tells them).
    async fn end_room(&self, room: RoomId) -> Result<u32, PortError>;

    /// The rooms that a connection's client is in, for whoever is in doubt.
    async fn rooms_of(&self, client: ClientId, attachment: &Attachment) -> Result<Vec<RoomId>, PortError>;

    /// A room and its first `limit` members, those who came first first.
    async fn listing(&self, room: RoomId, limit: usize) -> Result<Listing, PortError>;

    /// The same, for who asks no more.
    async fn room(&self, room: RoomId, limit: usize) -> Result<(Room, Vec<Member>), PortError> {
        self.listing(room, limit).await.map(|listing| (listing.room, listing.members))
    }

    /// At most `limit` members of a room by id, ascending, from the first one above `after`. Whoever is in the room while
    /// all pages are read is on one of them, whoever else comes and goes.
    async fn members(&self, room: RoomId, after: Option<ClientId>, limit: usize) -> Result<MembersPage, PortError>;

    /// A page of the room list, newest room first.
    async fn rooms(&self, cursor: Option<&str>, limit: usize) -> Result<RoomsPage, PortError>;

    /// Reaps nodes whose lease has run out and members whose grace is over. Every node calls it regularly.
    async fn sweep(&self) -> Result<Swept, Unavailable>;
}

// ----------------------------------------------------------------------------------------------------- throttle

/// Limits that hold for the whole cluster, over a sliding window.
#[async_trait]
pub trait Throttle: Send + Sync {
    /// Counts one and lets it pass (`None`), or says how long to wait and counts nothing. However the calls are spread
    /// over nodes and time, no window of `window.window` lets more than `window.count` pass by more than the
    /// approximation of two buckets.
    async fn take(&self, policy: Policy, who: &str, window: Window) -> Result<Option<Duration>, Unavailable>;
}
