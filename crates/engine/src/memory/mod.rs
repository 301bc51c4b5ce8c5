//! The memory backend: any number of nodes in one process. It is what `make run` uses and what tests make clusters of.
//!
//! One mutex guards the whole cluster. Everything under it is short and never waits, and what it buys is that
//! "in the order in which they took effect" needs no proof.

mod bus;
mod census;
mod directory;
mod log;
mod records;
mod throttle;

use crate::{
    clock::{Clock, Entropy},
    port::{Attachment, Change, Delivery, NodeLease, Ports, Sink},
};
use log::Log;
use protocol::{
    ClientId, CorrelationId, Epoch, NodeId, RoomId, RoomName, Timestamp, Username,
    event::{Member, Room},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// How much of a timeline is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Messages a room.
    pub messages: usize,
    /// For how long.
    pub time: Duration,
    /// How long a message's `id` is remembered.
    pub duplicates: Duration,
    /// How long a client's id and name are kept for it after its last connection.
    pub clients: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            messages: 1000,
            time: Duration::from_secs(24 * 3600),
            duplicates: Duration::from_secs(600),
            clients: Duration::from_secs(3600),
        }
    }
}

/// A cluster in memory.
#[derive(Clone)]
pub struct MemoryCluster(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    retention: Retention,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sinks: HashMap<NodeId, Arc<dyn Sink>>,
    nodes: BTreeMap<NodeId, NodeState>,
    generations: u64,
    clients: HashMap<ClientId, ClientState>,
    rooms: HashMap<RoomId, RoomState>,
    /// Who hears what. As on a real bus, this hangs neither on the room's life nor on the node's lease: a node must
    /// never believe that it hears what it does not.
    subscribers: HashMap<RoomId, BTreeSet<NodeId>>,
    /// The list's order: newest first is this one backwards.
    by_age: BTreeSet<(Timestamp, RoomId)>,
    /// When somebody's grace or record ends, and whose.
    deadlines: BTreeSet<(Timestamp, ClientId)>,
    windows: HashMap<(protocol::policy::Policy, String), throttle::Counts>,
    windows_swept: Option<Timestamp>,
    /// Whom a connection speaks for.
    attached: BTreeSet<ClientId>,
    records: records::Store,
}

struct NodeState {
    generation: u64,
    until: Timestamp,
    started_at: Timestamp,
    last_seen_at: Timestamp,
    connections: u32,
    clients: HashSet<ClientId>,
}

struct ClientState {
    key: Uuid,
    username: Username,
    /// In the order of joining.
    rooms: Vec<RoomId>,
    /// By which request it made which room, the last time.
    made: Option<(CorrelationId, RoomId)>,
    presence: Presence,
    connected_at: Timestamp,
    address: Option<IpAddr>,
}

enum Presence {
    Attached(Attachment),
    /// A member until then; whether its rooms were told.
    Grace {
        until: Timestamp,
        is_told: bool,
    },
    /// In no room; the id is kept until then.
    Kept(Timestamp),
}

impl Presence {
    fn is_told_lost(&self) -> bool {
        matches!(self, Self::Grace { is_told: true, .. })
    }
}

struct RoomState {
    name: RoomName,
    owner: ClientId,
    created_at: Timestamp,
    /// By arrival, so that "the first members" is a prefix.
    members: BTreeMap<u64, ClientId>,
    arrivals: u64,
    /// Where each member stands in `members`, by id.
    places: BTreeMap<ClientId, u64>,
    participants: census::Participation,
    log: Log,
}

impl MemoryCluster {
    /// An empty cluster.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, retention: Retention) -> Self {
        Self(Arc::new(Shared { clock, entropy, retention, state: Mutex::default() }))
    }

    /// The ports of one node.
    #[must_use]
    pub fn node(&self, node: NodeId) -> Ports {
        let handle = Arc::new(MemoryNode { shared: self.0.clone(), node });
        Ports {
            bus: handle.clone(),
            directory: handle.clone(),
            throttle: handle.clone(),
            census: handle.clone(),
            records: handle,
        }
    }
}

/// One node's handle; all ports in one.
struct MemoryNode {
    shared: Arc<Shared>,
    node: NodeId,
}

impl MemoryNode {
    fn fresh_epoch(&self) -> Result<Epoch, crate::PortError> {
        // A UUID is always a good one.
        self.shared.entropy.uuid().simple().to_string().parse().map_err(|_| crate::PortError::RoomNotFound)
    }

    /// A panic elsewhere must not end every other connection: each change under the lock is whole before anything
    /// that could panic, so a poisoned lock still guards a good state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}

impl State {
    fn tell(&self, room: RoomId, delivery: &Delivery) {
        for node in self.subscribers.get(&room).into_iter().flatten() {
            if let Some(sink) = self.sinks.get(node) {
                sink.deliver(delivery.clone());
            }
        }
    }

    fn tell_change(&self, id: RoomId, change: Change) {
        let Some(room) = self.rooms.get(&id) else { return };
        self.tell(id, &Delivery::Membership { room: id, change, member_count: room.count() });
    }

    /// Adds a member and tells the room. The caller has checked that it is none yet.
    fn enter(&mut self, id: RoomId, client: ClientId) {
        let (Some(room), Some(state)) = (self.rooms.get_mut(&id), self.clients.get_mut(&client)) else { return };
        room.arrivals += 1;
        room.members.insert(room.arrivals, client);
        room.places.insert(client, room.arrivals);
        room.participants.note(client);
        state.rooms.push(id);
        let member = Member { client_id: client, username: state.username.clone() };
        self.tell_change(id, Change::Joined(member));
    }

    /// Removes a member, tells the room, and ends it after the last one.
    fn exit(&mut self, id: RoomId, client: ClientId) {
        if let Some(state) = self.clients.get_mut(&client) {
            state.rooms.retain(|r| *r != id);
        }
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if let Some(place) = room.places.remove(&client) {
            room.members.remove(&place);
        }
        if room.members.is_empty() {
            self.forget_room(id);
        } else {
            self.tell_change(id, Change::Left(client));
        }
    }

    fn forget_room(&mut self, id: RoomId) -> Option<RoomState> {
        let room = self.rooms.remove(&id)?;
        self.by_age.remove(&(room.created_at, id));
        Some(room)
    }

    /// Puts a client into another presence, and keeps the deadlines and the node's list in step.
    fn set_presence(&mut self, client: ClientId, presence: Presence) {
        let Some(state) = self.clients.get_mut(&client) else { return };
        match &state.presence {
            Presence::Attached(old) => {
                if let Some(node) = self.nodes.get_mut(&old.lease.node) {
                    node.clients.remove(&client);
                }
            }
            Presence::Grace { until, .. } | Presence::Kept(until) => {
                self.deadlines.remove(&(*until, client));
            }
        }
        if matches!(presence, Presence::Attached(_)) {
            self.attached.insert(client);
        } else {
            self.attached.remove(&client);
        }
        match &presence {
            Presence::Attached(new) => {
                if let Some(node) = self.nodes.get_mut(&new.lease.node) {
                    node.clients.insert(client);
                }
            }
            Presence::Grace { until, .. } | Presence::Kept(until) => {
                self.deadlines.insert((*until, client));
            }
        }
        state.presence = presence;
    }

    fn holds(&self, lease: &NodeLease) -> bool {
        self.nodes.get(&lease.node).is_some_and(|n| n.generation == lease.generation)
    }
}

impl RoomState {
    fn count(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    fn describe(&self, id: RoomId) -> Room {
        Room {
            room_id: id,
            name: self.name.clone(),
            owner_id: self.owner,
            created_at: self.created_at,
            member_count: self.count(),
        }
    }
}
