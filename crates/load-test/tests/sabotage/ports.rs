//! Ports that break one promise each.

use async_trait::async_trait;
use bytes::Bytes;
use engine::{
    PortError, Ports, Unavailable,
    port::{
        Address, Appended, Attached, Attachment, Beat, Bus, Claim, Directory, Joined, Listing, MembersPage, NewRoom,
        NodeLease, NodeRecord, Original, Post, RoomRules, RoomsPage, Sink, Slice, Span, Swept,
    },
};
use protocol::{ClientId, Epoch, MessageId, NodeId, RoomId, Seq, Timestamp, Username};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    Nothing,
    /// One append in so many is acknowledged and not stored.
    LoseAppends(u64),
    /// A retry is posted again.
    DoubleRetries,
    /// What is edited or deleted stays as it was.
    KeepText,
    /// Subscribing returns before it takes effect.
    SkipBarrier(Duration),
    /// A lost connection is never given up.
    SwallowDetach,
    /// One new guest in so many gets somebody's id.
    TwinClients(u64),
}

/// Ports of one node.
pub struct Broken {
    inner: Ports,
    how: Sabotage,
    cluster: Arc<Cluster>,
}

/// What the broken nodes share.
#[derive(Default)]
pub struct Cluster {
    calls: AtomicU64,
    appended: Mutex<HashSet<(ClientId, MessageId)>>,
    given: Mutex<Vec<ClientId>>,
    /// Who a connection really is.
    twins: Mutex<HashMap<(u64, u64), ClientId>>,
}

impl Broken {
    pub fn ports(inner: Ports, how: Sabotage, cluster: Arc<Cluster>) -> Ports {
        let broken = Arc::new(Self { inner: inner.clone(), how, cluster });
        Ports { bus: broken.clone(), directory: broken, ..inner }
    }

    fn one_in(&self, many: u64) -> bool {
        (self.cluster.calls.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(many)
    }

    fn real(&self, client: ClientId, attachment: &Attachment) -> ClientId {
        let key = (attachment.lease.generation, attachment.connection);
        self.cluster.twins.lock().unwrap().get(&key).copied().unwrap_or(client)
    }
}

#[async_trait]
impl Bus for Broken {
    fn attach(&self, sink: Arc<dyn Sink>) {
        self.inner.bus.attach(sink);
    }

    async fn subscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        if let Sabotage::SkipBarrier(late) = self.how {
            let bus = self.inner.bus.clone();
            tokio::spawn(async move {
                tokio::time::sleep(late).await;
                let _ = bus.subscribe(room).await;
            });
            return Ok(());
        }
        self.inner.bus.subscribe(room).await
    }

    async fn unsubscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        self.inner.bus.unsubscribe(room).await
    }

    async fn append(&self, mut post: Post) -> Result<Appended, PortError> {
        let again = !self.cluster.appended.lock().unwrap().insert((post.client, post.id));
        match self.how {
            Sabotage::LoseAppends(many) if !again && self.one_in(many) => {
                let newest = self.inner.bus.read(post.room, Span::Newest, 1).await?.newest;
                return Ok(Appended { seq: newest.next(), sent_at: Timestamp(1), duplicate: false, budget: None });
            }
            // What amends position 0 asks whether it was done already.
            Sabotage::KeepText => post.amendment = post.amendment.filter(|amendment| amendment.target == Seq::ZERO),
            Sabotage::DoubleRetries if again => post.id = MessageId::new(Uuid::new_v4()),
            _ => {}
        }
        self.inner.bus.append(post).await
    }

    async fn publish(&self, room: RoomId, except: Option<ClientId>, payload: Bytes) -> Result<(), Unavailable> {
        self.inner.bus.publish(room, except, payload).await
    }

    async fn read(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice, PortError> {
        self.inner.bus.read(room, span, limit).await
    }

    async fn originals(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice<Original>, PortError> {
        self.inner.bus.originals(room, span, limit).await
    }

    async fn renew(&self, room: RoomId, lost: &Epoch) -> Result<(), PortError> {
        self.inner.bus.renew(room, lost).await
    }

    async fn order(&self, to: Address, order: Bytes) -> Result<(), Unavailable> {
        self.inner.bus.order(to, order).await
    }
}

#[async_trait]
impl Directory for Broken {
    async fn register(&self, node: &NodeId, lease: Duration) -> Result<NodeLease, Unavailable> {
        self.inner.directory.register(node, lease).await
    }

    async fn begin_anew(&self, former: &NodeLease, lease: Duration) -> Result<NodeLease, PortError> {
        self.inner.directory.begin_anew(former, lease).await
    }

    async fn heartbeat(&self, lease: &NodeLease, time: Duration, connections: u32) -> Result<Beat, Unavailable> {
        self.inner.directory.heartbeat(lease, time, connections).await
    }

    async fn deregister(&self, lease: &NodeLease, grace: Duration) -> Result<(), Unavailable> {
        self.inner.directory.deregister(lease, grace).await
    }

    async fn nodes(&self) -> Result<Vec<NodeRecord>, Unavailable> {
        self.inner.directory.nodes().await
    }

    async fn attach(&self, attachment: &Attachment, claim: Claim) -> Result<Attached, PortError> {
        let fresh = claim.identity.is_none();
        let mut attached = self.inner.directory.attach(attachment, claim).await?;
        if let Sabotage::TwinClients(many) = self.how
            && fresh
        {
            let twin = self.one_in(many).then(|| self.cluster.given.lock().unwrap().last().copied()).flatten();
            if let Some(twin) = twin {
                let key = (attachment.lease.generation, attachment.connection);
                self.cluster.twins.lock().unwrap().insert(key, attached.client_id);
                attached.client_id = twin;
            }
            self.cluster.given.lock().unwrap().push(attached.client_id);
        }
        Ok(attached)
    }

    async fn detach(&self, client: ClientId, attachment: &Attachment, grace: Duration) -> Result<(), Unavailable> {
        if self.how == Sabotage::SwallowDetach {
            return Ok(());
        }
        self.inner.directory.detach(self.real(client, attachment), attachment, grace).await
    }

    async fn rename(&self, client: ClientId, attachment: &Attachment, name: Username) -> Result<(), PortError> {
        self.inner.directory.rename(self.real(client, attachment), attachment, name).await
    }

    async fn create_room(
        &self,
        client: ClientId,
        attachment: &Attachment,
        new: NewRoom,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        self.inner.directory.create_room(self.real(client, attachment), attachment, new, rules).await
    }

    async fn join(
        &self,
        client: ClientId,
        attachment: &Attachment,
        room: RoomId,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        self.inner.directory.join(self.real(client, attachment), attachment, room, rules).await
    }

    async fn leave(&self, client: ClientId, attachment: &Attachment, room: RoomId) -> Result<(), PortError> {
        self.inner.directory.leave(self.real(client, attachment), attachment, room).await
    }

    async fn end_room(&self, room: RoomId) -> Result<u32, PortError> {
        self.inner.directory.end_room(room).await
    }

    async fn rooms_of(&self, client: ClientId, attachment: &Attachment) -> Result<Vec<RoomId>, PortError> {
        self.inner.directory.rooms_of(self.real(client, attachment), attachment).await
    }

    async fn listing(&self, room: RoomId, limit: usize) -> Result<Listing, PortError> {
        self.inner.directory.listing(room, limit).await
    }

    async fn members(&self, room: RoomId, after: Option<ClientId>, limit: usize) -> Result<MembersPage, PortError> {
        self.inner.directory.members(room, after, limit).await
    }

    async fn rooms(&self, cursor: Option<&str>, limit: usize) -> Result<RoomsPage, PortError> {
        self.inner.directory.rooms(cursor, limit).await
    }

    async fn sweep(&self) -> Result<Swept, Unavailable> {
        self.inner.directory.sweep().await
    }
}
