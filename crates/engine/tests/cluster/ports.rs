//! Ports that behave as badly as a network does: calls that take turns, fail, or never return, and deliveries that are
//! lost, doubled or swapped. What happens is drawn from a seed.

use async_trait::async_trait;
use bytes::Bytes;
use engine::{
    PortError, Ports, Unavailable,
    clock::{Entropy, SeededEntropy},
    port::{
        Address, Appended, Attached, Attachment, Beat, Bus, Claim, Delivery, Directory, Joined, Listing, MembersPage,
        NewRoom, NodeLease, NodeRecord, Original, Post, RoomRules, RoomsPage, Sink, Slice, Span, Swept,
    },
};
use protocol::{ClientId, Epoch, NodeId, RoomId, Seq, Username};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

/// How bad it is; all in percent but `turns`.
#[derive(Default)]
pub struct Weather {
    pub turns: AtomicU32,
    pub drop: AtomicU32,
    pub double: AtomicU32,
    pub swap: AtomicU32,
    /// Whether anything may be lost or doubled, not only positions of a timeline.
    pub everything: AtomicBool,
    /// Calls fail before they take effect.
    pub refuse: AtomicU32,
    /// Calls take effect, and their answer comes when nobody waits for it any more.
    pub late: AtomicU32,
    /// In milliseconds.
    pub late_by: AtomicU32,
    /// `read` fails.
    pub unreadable: AtomicBool,
    /// The store has forgotten so many of its newest positions, until it is told to begin anew.
    pub forgotten: AtomicU32,
    /// The store has other messages than those that it has published, until it is told to begin anew.
    pub rewritten: AtomicBool,
    dice: Option<SeededEntropy>,
}

impl Weather {
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { dice: Some(SeededEntropy::new(seed)), late_by: AtomicU32::new(5000), ..Self::default() })
    }

    pub fn set(&self, what: impl Fn(&Self) -> &AtomicU32, to: u32) {
        what(self).store(to, Ordering::Relaxed);
    }

    pub fn clear(&self) {
        for one in [&self.turns, &self.drop, &self.double, &self.swap, &self.refuse, &self.late] {
            one.store(0, Ordering::Relaxed);
        }
    }

    fn below(&self, bound: u32) -> u32 {
        self.dice.as_ref().map_or(0, |dice| dice.below(bound))
    }

    fn happens(&self, percent: &AtomicU32) -> bool {
        let percent = percent.load(Ordering::Relaxed);
        percent > 0 && self.below(100) < percent
    }

    async fn turns(&self) {
        for _ in 0..self.below(self.turns.load(Ordering::Relaxed) + 1) {
            tokio::task::yield_now().await;
        }
    }

    async fn call<T, E: From<Unavailable>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.turns().await;
        if self.happens(&self.refuse) {
            return Err(Unavailable("bad weather".into()).into());
        }
        let result = call.await;
        if self.happens(&self.late) {
            tokio::time::sleep(Duration::from_millis(self.late_by.load(Ordering::Relaxed).into())).await;
        }
        self.turns().await;
        result
    }
}

/// One node's ports in bad weather.
pub struct Rough {
    inner: Ports,
    weather: Arc<Weather>,
    sink: Mutex<Option<Arc<dyn Sink>>>,
    deaf: Arc<AtomicBool>,
}

impl Rough {
    pub fn new(inner: Ports, weather: Arc<Weather>) -> Arc<Self> {
        Arc::new(Self { inner, weather, sink: Mutex::default(), deaf: Arc::default() })
    }

    pub fn ports(self: &Arc<Self>) -> Ports {
        Ports { bus: self.clone(), directory: self.clone(), ..self.inner.clone() }
    }

    /// Nothing that is published reaches this node.
    pub fn deafen(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::Relaxed);
    }

    /// The bus says that something may be missing.
    pub fn miss(&self, room: Option<RoomId>) {
        let sink = self.sink.lock().unwrap().clone();
        sink.expect("an engine attaches one").deliver(Delivery::Missed(room));
    }
}

struct RoughSink {
    inner: Arc<dyn Sink>,
    deaf: Arc<AtomicBool>,
    weather: Arc<Weather>,
    kept: Mutex<Option<Delivery>>,
}

impl Sink for RoughSink {
    fn deliver(&self, delivery: Delivery) {
        if self.deaf.load(Ordering::Relaxed) {
            return;
        }
        let weather = &self.weather;
        let safe = matches!(delivery, Delivery::Missed(_) | Delivery::Order(_) | Delivery::RoomEnded { .. });
        let entry = matches!(delivery, Delivery::Entry { .. });
        if safe || !(entry || weather.everything.load(Ordering::Relaxed)) {
            return self.inner.deliver(delivery);
        }
        if weather.happens(&weather.drop) {
            return;
        }
        // Only positions may be swapped: of everything else the bus keeps the order.
        let mut kept = self.kept.lock().unwrap();
        if entry && kept.is_none() && weather.happens(&weather.swap) {
            *kept = Some(delivery);
            return;
        }
        if weather.happens(&weather.double) {
            self.inner.deliver(delivery.clone());
        }
        self.inner.deliver(delivery);
        if let Some(kept) = kept.take() {
            self.inner.deliver(kept);
        }
    }
}

#[async_trait]
impl Bus for Rough {
    fn attach(&self, sink: Arc<dyn Sink>) {
        *self.sink.lock().unwrap() = Some(sink.clone());
        let sink =
            RoughSink { inner: sink, deaf: self.deaf.clone(), weather: self.weather.clone(), kept: Mutex::default() };
        self.inner.bus.attach(Arc::new(sink));
    }
    async fn subscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        self.weather.call(self.inner.bus.subscribe(room)).await
    }
    async fn unsubscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        self.weather.call(self.inner.bus.unsubscribe(room)).await
    }
    async fn append(&self, post: Post) -> Result<Appended, PortError> {
        self.weather.call(self.inner.bus.append(post)).await
    }
    async fn publish(&self, room: RoomId, except: Option<ClientId>, payload: Bytes) -> Result<(), Unavailable> {
        self.weather.call(self.inner.bus.publish(room, except, payload)).await
    }
    async fn read(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice, PortError> {
        if self.weather.unreadable.load(Ordering::Relaxed) {
            return Err(Unavailable("unreadable".into()).into());
        }
        let mut slice = self.weather.call(self.inner.bus.read(room, span, limit)).await?;
        let forgotten = self.weather.forgotten.load(Ordering::Relaxed);
        slice.newest = Seq::new(slice.newest.get() - u64::from(forgotten));
        slice.entries.retain(|entry| entry.seq <= slice.newest);
        if self.weather.rewritten.load(Ordering::Relaxed) {
            slice.entries.iter_mut().for_each(|entry| entry.sent_at.0 += 1);
        }
        Ok(slice)
    }
    async fn originals(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice<Original>, PortError> {
        self.weather.call(self.inner.bus.originals(room, span, limit)).await
    }
    async fn renew(&self, room: RoomId, lost: &Epoch) -> Result<(), PortError> {
        self.weather.forgotten.store(0, Ordering::Relaxed);
        self.weather.rewritten.store(false, Ordering::Relaxed);
        self.weather.call(self.inner.bus.renew(room, lost)).await
    }
    async fn order(&self, to: Address, order: Bytes) -> Result<(), Unavailable> {
        self.weather.call(self.inner.bus.order(to, order)).await
    }
}

#[async_trait]
impl Directory for Rough {
    async fn register(&self, node: &NodeId, lease: Duration) -> Result<NodeLease, Unavailable> {
        self.weather.call(self.inner.directory.register(node, lease)).await
    }
    async fn begin_anew(&self, former: &NodeLease, lease: Duration) -> Result<NodeLease, PortError> {
        self.weather.call(self.inner.directory.begin_anew(former, lease)).await
    }
    async fn heartbeat(&self, lease: &NodeLease, time: Duration, connections: u32) -> Result<Beat, Unavailable> {
        self.weather.call(self.inner.directory.heartbeat(lease, time, connections)).await
    }
    async fn deregister(&self, lease: &NodeLease, grace: Duration) -> Result<(), Unavailable> {
        self.weather.call(self.inner.directory.deregister(lease, grace)).await
    }
    async fn nodes(&self) -> Result<Vec<NodeRecord>, Unavailable> {
        self.weather.call(self.inner.directory.nodes()).await
    }
    async fn attach(&self, attachment: &Attachment, claim: Claim) -> Result<Attached, PortError> {
        self.weather.call(self.inner.directory.attach(attachment, claim)).await
    }
    async fn detach(&self, client: ClientId, attachment: &Attachment, grace: Duration) -> Result<(), Unavailable> {
        self.weather.call(self.inner.directory.detach(client, attachment, grace)).await
    }
    async fn rename(&self, client: ClientId, attachment: &Attachment, name: Username) -> Result<(), PortError> {
        self.weather.call(self.inner.directory.rename(client, attachment, name)).await
    }
    async fn create_room(
        &self,
        client: ClientId,
        attachment: &Attachment,
        new: NewRoom,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        self.weather.call(self.inner.directory.create_room(client, attachment, new, rules)).await
    }
    async fn join(
        &self,
        client: ClientId,
        attachment: &Attachment,
        room: RoomId,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        self.weather.call(self.inner.directory.join(client, attachment, room, rules)).await
    }
    async fn leave(&self, client: ClientId, attachment: &Attachment, room: RoomId) -> Result<(), PortError> {
        self.weather.call(self.inner.directory.leave(client, attachment, room)).await
    }
    async fn end_room(&self, room: RoomId) -> Result<u32, PortError> {
        self.weather.call(self.inner.directory.end_room(room)).await
    }
    async fn rooms_of(&self, client: ClientId, attachment: &Attachment) -> Result<Vec<RoomId>, PortError> {
        self.weather.call(self.inner.directory.rooms_of(client, attachment)).await
    }
    async fn listing(&self, room: RoomId, limit: usize) -> Result<Listing, PortError> {
        self.weather.call(self.inner.directory.listing(room, limit)).await
    }
    async fn members(&self, room: RoomId, after: Option<ClientId>, limit: usize) -> Result<MembersPage, PortError> {
        self.weather.call(self.inner.directory.members(room, after, limit)).await
    }
    async fn rooms(&self, cursor: Option<&str>, limit: usize) -> Result<RoomsPage, PortError> {
        self.weather.call(self.inner.directory.rooms(cursor, limit)).await
    }
    async fn sweep(&self) -> Result<Swept, Unavailable> {
        self.weather.call(self.inner.directory.sweep()).await
    }
}
