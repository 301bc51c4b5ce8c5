//! A store that does as a test says.

use async_trait::async_trait;
use bytes::Bytes;
use engine::port::{
    Address, Appended, Attached, Attachment, Beat, Bus, Claim, Directory, Joined, Listing, MembersPage, NewRoom,
    NodeLease, NodeRecord, Original, PortError, Ports, Post, RoomRules, RoomsPage, Sink, Slice, Span, Swept, Throttle,
    Unavailable,
};
use protocol::{
    ClientId, Epoch, NodeId, RoomId, Username,
    policy::{Policy, Window},
};
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};
use tokio::sync::Semaphore;

/// What is wrong with it.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    Fails,
    Hangs,
    /// It does what it is asked, and says so only after this.
    Late(Duration),
    Panics,
    /// It does what it is asked when the test lets it.
    Held,
}

/// The store of one node, in between.
pub struct Broken {
    inner: Ports,
    trouble: Mutex<Option<(&'static str, Trouble)>>,
    held: AtomicUsize,
    let_through: Semaphore,
}

impl Broken {
    pub fn over(inner: Ports) -> (Ports, Arc<Self>) {
        let (trouble, held, let_through) = (Mutex::new(None), AtomicUsize::new(0), Semaphore::new(0));
        let this = Arc::new(Self { inner: inner.clone(), trouble, held, let_through });
        (Ports { bus: this.clone(), directory: this.clone(), throttle: this.clone(), ..inner }, this)
    }

    /// One call of the ports has trouble from now on; `*` is all that clients cause.
    pub fn set(&self, call: &'static str, trouble: Trouble) {
        *self.trouble.lock().unwrap() = Some((call, trouble));
    }

    pub fn mend(&self) {
        *self.trouble.lock().unwrap() = None;
    }

    /// How many calls were held so far.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Lets the one through that was held first.
    pub fn let_one_through(&self) {
        self.let_through.add_permits(1);
    }

    async fn through<T, E: From<Unavailable>>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let own = matches!(name, "register" | "heartbeat" | "deregister" | "sweep");
        let trouble = *self.trouble.lock().unwrap();
        match trouble.filter(|(which, _)| *which == name || (*which == "*" && !own)).map(|(_, trouble)| trouble) {
            None => call.await,
            Some(Trouble::Fails) => Err(Unavailable("broken".into()).into()),
            Some(Trouble::Hangs) => std::future::pending().await,
            Some(Trouble::Held) => {
                // In line before it is counted, so that whoever has seen the count knows the order.
                let mut turn = pin!(self.let_through.acquire());
                let first = std::future::poll_fn(|cx| Poll::Ready(turn.as_mut().poll(cx))).await;
                self.held.fetch_add(1, Ordering::SeqCst);
                let turn = match first {
                    Poll::Ready(turn) => turn,
                    Poll::Pending => turn.await,
                };
                turn.unwrap().forget();
                call.await
            }
            Some(Trouble::Panics) => panic!("on purpose"),
            Some(Trouble::Late(by)) => {
                let answer = call.await;
                tokio::time::sleep(by).await;
                answer
            }
        }
    }
}

/// Each method of a port, passed on.
macro_rules! through {
    ($this:ident . $port:ident . $call:ident ( $($arg:expr),* )) => {
        $this.through(stringify!($call), $this.inner.$port.$call($($arg),*)).await
    };
}

#[async_trait]
impl Bus for Broken {
    fn attach(&self, sink: Arc<dyn Sink>) {
        self.inner.bus.attach(sink);
    }
    async fn subscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        through!(self.bus.subscribe(room))
    }
    async fn unsubscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        through!(self.bus.unsubscribe(room))
    }
    async fn append(&self, post: Post) -> Result<Appended, PortError> {
        through!(self.bus.append(post))
    }
    async fn publish(&self, room: RoomId, except: Option<ClientId>, payload: Bytes) -> Result<(), Unavailable> {
        through!(self.bus.publish(room, except, payload))
    }
    async fn read(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice, PortError> {
        through!(self.bus.read(room, span, limit))
    }
    async fn originals(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice<Original>, PortError> {
        through!(self.bus.originals(room, span, limit))
    }
    async fn renew(&self, room: RoomId, lost: &Epoch) -> Result<(), PortError> {
        through!(self.bus.renew(room, lost))
    }
    async fn order(&self, to: Address, order: Bytes) -> Result<(), Unavailable> {
        through!(self.bus.order(to, order))
    }
}

#[async_trait]
impl Directory for Broken {
    async fn register(&self, node: &NodeId, lease: Duration) -> Result<NodeLease, Unavailable> {
        through!(self.directory.register(node, lease))
    }
    async fn begin_anew(&self, former: &NodeLease, lease: Duration) -> Result<NodeLease, PortError> {
        through!(self.directory.begin_anew(former, lease))
    }
    async fn heartbeat(&self, lease: &NodeLease, time: Duration, connections: u32) -> Result<Beat, Unavailable> {
        through!(self.directory.heartbeat(lease, time, connections))
    }
    async fn deregister(&self, lease: &NodeLease, grace: Duration) -> Result<(), Unavailable> {
        through!(self.directory.deregister(lease, grace))
    }
    async fn nodes(&self) -> Result<Vec<NodeRecord>, Unavailable> {
        through!(self.directory.nodes())
    }
    async fn attach(&self, attachment: &Attachment, claim: Claim) -> Result<Attached, PortError> {
        through!(self.directory.attach(attachment, claim))
    }
    async fn detach(&self, client: ClientId, attachment: &Attachment, grace: Duration) -> Result<(), Unavailable> {
        through!(self.directory.detach(client, attachment, grace))
    }
    async fn rename(&self, client: ClientId, attachment: &Attachment, name: Username) -> Result<(), PortError> {
        through!(self.directory.rename(client, attachment, name))
    }
    async fn create_room(
        &self,
        client: ClientId,
        attachment: &Attachment,
        new: NewRoom,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        through!(self.directory.create_room(client, attachment, new, rules))
    }
    async fn join(
        &self,
        client: ClientId,
        attachment: &Attachment,
        room: RoomId,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        through!(self.directory.join(client, attachment, room, rules))
    }
    async fn leave(&self, client: ClientId, attachment: &Attachment, room: RoomId) -> Result<(), PortError> {
        through!(self.directory.leave(client, attachment, room))
    }
    async fn end_room(&self, room: RoomId) -> Result<u32, PortError> {
        through!(self.directory.end_room(room))
    }
    async fn rooms_of(&self, client: ClientId, attachment: &Attachment) -> Result<Vec<RoomId>, PortError> {
        through!(self.directory.rooms_of(client, attachment))
    }
    async fn listing(&self, room: RoomId, limit: usize) -> Result<Listing, PortError> {
        through!(self.directory.listing(room, limit))
    }
    async fn members(&self, room: RoomId, after: Option<ClientId>, limit: usize) -> Result<MembersPage, PortError> {
        through!(self.directory.members(room, after, limit))
    }
    async fn rooms(&self, cursor: Option<&str>, limit: usize) -> Result<RoomsPage, PortError> {
        through!(self.directory.rooms(cursor, limit))
    }
    async fn sweep(&self) -> Result<Swept, Unavailable> {
        through!(self.directory.sweep())
    }
}

#[async_trait]
impl Throttle for Broken {
    async fn take(&self, policy: Policy, who: &str, window: Window) -> Result<Option<Duration>, Unavailable> {
        through!(self.throttle.take(policy, who, window))
    }
}
