//! What a node does for its connections: attach, join, leave, send, resume. It owns the node's life in the cluster.

mod life;
mod messages;
mod operators;

use crate::{
    bans::BanList,
    canary::Canary,
    clock::{Clock, Entropy},
    connection::{Closing, Connection, ConnectionId},
    hub::Hub,
    outbox::Wire,
    port::{
        Attached, Attachment, Claim, Document, Joined, MembersPage, NewRoom, NodeLease, NodeRecord, PortError, Ports,
        RoomRules, RoomsPage, Span, Unavailable,
    },
    router::{Inbox, Router},
    sharing::Sharing,
    stats::{Stats, one},
    trace::Tracer,
    view::{Lists, Position, RoomView},
};
use life::LeaseEnd;
pub(crate) use operators::Heard;
use protocol::{
    ClientId, CloseCode, NodeId, RoomId, Seq, Timestamp, Username,
    event::{LeaveReason, RoomLeft},
};
use std::{
    collections::HashMap,
    future::Future,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    sync::{Notify, Semaphore, mpsc, oneshot},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Connections that are detached at once. When a node loses thousands at the same moment, the backend has other things to
/// do for those who are still there, the node's own heartbeat among them.
const DETACHING: usize = 32;

/// How a node behaves.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// A node that is silent for this long is dead. Default 10 s.
    pub lease: Duration,
    /// How often it says that it lives. Default 3 s.
    pub heartbeat: Duration,
    /// How soon it says that it has more or fewer connections, at most. Default 250 ms.
    pub report: Duration,
    /// How often it looks for dead nodes and members whose grace is over. Default 1 s.
    pub sweep: Duration,
    /// How long a member whose connection was lost stays one. Default 10 s.
    pub grace: Duration,
    /// How long a call to the backend may take. Default 2 s.
    pub call_timeout: Duration,
    /// How long a room without members here is still heard. Default 5 s.
    pub linger: Duration,
    /// How many rooms and members there may be.
    pub rules: RoomRules,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            heartbeat: Duration::from_secs(3),
            report: Duration::from_millis(250),
            sweep: Duration::from_secs(1),
            grace: Duration::from_secs(10),
            call_timeout: Duration::from_secs(2),
            linger: Duration::from_secs(5),
            rules: RoomRules { rooms_per_client: 1, members_per_room: 100_000 },
        }
    }
}

/// Which room to enter.
#[derive(Debug, Clone)]
pub enum Target {
    /// A new one.
    Create(NewRoom),
    /// This one, with its newest messages.
    Join(RoomId),
    /// This one, with all since a position.
    Resume(RoomId, Position),
}

/// A room was entered: nothing of it will be missed from `view.seq` on, once [`Hub::enter`] was called.
#[derive(Debug)]
pub struct Entered {
    /// What to show.
    pub view: RoomView,
    /// The rooms that were left for it.
    pub moved_from: Vec<RoomId>,
}

/// One node.
pub struct Engine {
    /// Its name.
    pub node: NodeId,
    /// How it behaves.
    pub config: EngineConfig,
    /// What it has done.
    pub stats: Stats,
    ports: Ports,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    router: Arc<Router>,
    lease: RwLock<Arc<NodeLease>>,
    lease_end: LeaseEnd,
    reachable: AtomicBool,
    gone: Gone,
    detaching: Semaphore,
    lists: Lists,
    pages: Sharing<(RoomId, Option<ClientId>, usize), MembersPage>,
    /// Connections that may hear other rooms than their clients are in, by attempt.
    doubts: Mutex<HashMap<u64, Doubt>>,
    /// Taken by [`Engine::run`].
    orders: Mutex<Option<mpsc::Receiver<Heard>>>,
    bans: RwLock<Arc<BanList>>,
    /// What they were made of.
    bans_read: tokio::sync::Mutex<Vec<Document>>,
    drain_asked: Notify,
    canary: Canary,
}

/// Connections that are gone although the backend may still take them for alive. Each is given up with the next sweep
/// that reaches it: what it held would else be a member for as long as this node lives.
type Gone = Arc<Mutex<HashMap<u64, Leaving>>>;

#[derive(Clone)]
struct Leaving {
    client: ClientId,
    attachment: Attachment,
    grace: Duration,
}

/// What a node has seen of a timeline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The newest position.
    pub(crate) newest: Seq,
    /// The newest message that it saw itself: where, and of when.
    pub(crate) mark: Option<(Seq, Timestamp)>,
}

/// A connection that is to be compared with what the directory says.
#[derive(Clone)]
struct Doubt {
    client: ClientId,
    attachment: Attachment,
    /// From when on.
    ripe: Instant,
}

/// The answer to an attempt to attach. Whoever stops waiting for it must not leave somebody behind who is connected for
/// everybody else.
struct Attaching {
    attachment: Attachment,
    answer: oneshot::Receiver<Result<Attached, PortError>>,
    attached: Option<Attached>,
    gone: Gone,
    grace: Duration,
}

impl Attaching {
    fn taken(mut self) {
        self.attached = None;
    }
}

impl Drop for Attaching {
    fn drop(&mut self) {
        self.answer.close();
        let late = self.answer.try_recv().ok().and_then(Result::ok);
        if let Some(attached) = self.attached.take().or(late) {
            give_up(&self.gone, attached.client_id, &self.attachment, self.grace);
        }
    }
}

fn give_up(gone: &Gone, client: ClientId, attachment: &Attachment, grace: Duration) {
    let leaving = Leaving { client, attachment: attachment.clone(), grace };
    gone.lock().unwrap_or_else(PoisonError::into_inner).insert(attachment.connection, leaving);
}

/// A connection on its way from room to room. However that ends, and also when nobody waits for the end, it hears
/// afterwards what it is in, and nothing else.
struct Moving<'a, W: Wire> {
    hub: &'a Hub<W>,
    connection: &'a Rc<Connection<W>>,
    /// Where it was.
    former: Vec<RoomId>,
    /// Which of them it has left.
    left: Vec<RoomId>,
    /// Where it has arrived; [`Hub::enter`] goes on from there.
    entered: Option<RoomId>,
}

impl<W: Wire> Drop for Moving<'_, W> {
    fn drop(&mut self) {
        for room in self.connection.rooms() {
            if self.entered == Some(room) {
                continue;
            }
            if !self.former.contains(&room) {
                self.hub.leave(self.connection, room);
            } else if !self.left.contains(&room) {
                self.hub.release(self.connection, room);
            } else {
                self.hub.leave(self.connection, room);
                if self.entered.is_none() {
                    // Nobody else tells it: the command as a whole has failed.
                    let left = RoomLeft { id: None, room_id: room, reason: LeaveReason::Moved };
                    self.hub.send(self.connection, &left.into());
                }
            }
        }
    }
}

impl Engine {
    /// Registers the node and begins to hear the bus.
    ///
    /// # Errors
    /// When the backend cannot be reached.
    pub async fn start(
        node: NodeId,
        ports: Ports,
        config: EngineConfig,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Arc<Self>, Unavailable> {
        let (orders, heard) = operators::orders();
        let stats = Stats::default();
        let router = Arc::new(Router::new(orders, stats.fan_out.clone()));
        ports.bus.attach(router.clone());
        let lease_end = LeaseEnd::in_(config.lease);
        let lease = ports.directory.register(&node, config.lease).await?;
        router.generation.store(lease.generation, Ordering::Release);
        let engine = Arc::new(Self {
            node,
            config,
            stats,
            ports,
            clock,
            entropy,
            router,
            lease: RwLock::new(Arc::new(lease)),
            lease_end,
            reachable: AtomicBool::new(true),
            gone: Gone::default(),
            detaching: Semaphore::new(DETACHING),
            lists: Lists::default(),
            pages: Sharing::default(),
            doubts: Mutex::default(),
            orders: Mutex::new(Some(heard)),
            bans: RwLock::default(),
            bans_read: tokio::sync::Mutex::default(),
            drain_asked: Notify::new(),
            canary: Canary::default(),
        });
        engine.first_bans().await?;
        Ok(engine)
    }

    /// Has messages that are followed be taken down as they are delivered; the first one who asks for it does that.
    pub fn follow_with(&self, tracer: Arc<dyn Tracer>) {
        let _ = self.router.tracer.set(tracer);
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Random numbers.
    pub fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    /// Whether the backend answered the last heartbeat.
    pub fn reachable(&self) -> bool {
        self.reachable.load(Ordering::Acquire)
    }

    /// Asks every client to connect elsewhere, each at a moment of its own within `window`.
    pub fn ask_to_reconnect(&self, window: Duration) {
        self.router.ask_to_reconnect(window);
    }

    /// Closes every connection.
    pub fn close_all(&self, code: CloseCode) {
        self.router.close_all(code);
    }

    /// Rooms that have a member here.
    pub fn rooms_heard(&self) -> usize {
        self.router.interest.rooms_with_members()
    }

    /// What all processes share.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// A queue for one more worker; `None` when there are as many as a node can have.
    pub(crate) fn add_worker(&self) -> Option<Inbox> {
        let inbox = self.router.add_worker()?;
        self.ports.bus.settle();
        Some(inbox)
    }

    fn lease(&self) -> Arc<NodeLease> {
        self.lease.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_lease(&self, lease: NodeLease) {
        self.router.generation.store(lease.generation, Ordering::Release);
        *self.lease.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lease);
    }

    /// No call waits longer than [`EngineConfig::call_timeout`].
    async fn bounded<T, E: From<Unavailable>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        match tokio::time::timeout(self.config.call_timeout, call).await {
            Ok(result) => result,
            Err(_) => Err(Unavailable(format!("no answer within {:?}", self.config.call_timeout)).into()),
        }
    }

    // ------------------------------------------------------------------------------------------------- clients

    /// Makes a connection speak for a client, and closes the one that did until now.
    ///
    /// # Errors
    /// When the backend cannot be reached, or the node's lease has run out.
    pub async fn attach<W: Wire>(
        &self,
        hub: &Hub<W>,
        connection: &Rc<Connection<W>>,
        identity: Option<(ClientId, Uuid)>,
        username: Option<Username>,
        rename: bool,
    ) -> Result<(Attachment, Attached), PortError> {
        let attempt = connection.attempt().ok_or_else(|| Unavailable("too many attempts on one connection".into()))?;
        let attachment = Attachment { lease: self.lease(), connection: attempt };
        let claim =
            Claim { identity, fresh_key: self.entropy.uuid(), username, rename, address: connection.peer.address };
        let (answer, result) = oneshot::channel();
        let grace = self.config.grace;
        let mut attaching = Attaching {
            attachment: attachment.clone(),
            answer: result,
            attached: None,
            gone: self.gone.clone(),
            grace,
        };
        // A task of its own: the connection may end, or the time-out may come, while the backend acts.
        let (directory, gone, by) = (self.ports.directory.clone(), self.gone.clone(), attachment.clone());
        tokio::spawn(async move {
            let attached = directory.attach(&by, claim).await;
            if let (Err(PortError::Unavailable(_)), Some((client, _))) = (&attached, identity) {
                give_up(&gone, client, &by, grace);
            }
            if let Err(Ok(unheard)) = answer.send(attached) {
                give_up(&gone, unheard.client_id, &by, grace);
            }
        });
        let stopped = || PortError::from(Unavailable("the call was given up".into()));
        let attached = self.bounded(async { (&mut attaching.answer).await.unwrap_or_else(|_| Err(stopped())) }).await?;
        attaching.attached = Some(attached.clone());
        hub.identify(connection, attached.client_id, attached.resumed);
        attaching.taken();
        Ok((attachment, attached))
    }

    /// The connection is lost. When the backend cannot be told now, or nobody waits for that, it is told later. Whom an
    /// operator sent away has no grace.
    pub async fn detach(&self, client: ClientId, attachment: &Attachment, why: Option<Closing>) {
        let is_sent_away = matches!(why, Some(Closing::Ours(CloseCode::Banned | CloseCode::Removed)));
        let grace = if is_sent_away { Duration::ZERO } else { self.config.grace };
        give_up(&self.gone, client, attachment, grace);
        // Its turn may come later than with the next sweep, which then does it.
        let Ok(Ok(_turn)) = tokio::time::timeout(self.config.call_timeout, self.detaching.acquire()).await else {
            return;
        };
        if !self.is_gone(attachment) {
            return;
        }
        match self.bounded(self.ports.directory.detach(client, attachment, grace)).await {
            Ok(()) => self.forget_gone(attachment),
            Err(e) => {
                let connection = ConnectionId::of_attempt(attachment.connection);
                tracing::warn!(%connection, %client, error = %e, "could not detach; trying again with the next sweep");
            }
        }
    }

    fn is_gone(&self, attachment: &Attachment) -> bool {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&attachment.connection)
    }

    fn forget_gone(&self, attachment: &Attachment) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).remove(&attachment.connection);
    }

    /// Gives a client another name.
    ///
    /// # Errors
    /// As [`PortError`] says.
    pub async fn rename(&self, client: ClientId, attachment: &Attachment, name: Username) -> Result<(), PortError> {
        self.bounded(self.ports.directory.rename(client, attachment, name)).await
    }

    // --------------------------------------------------------------------------------------------------- rooms

    /// Enters a room. The connection hears it from before the room's log is read, and what it hears is held back until
    /// [`Hub::enter`]: so nothing falls between the two.
    ///
    /// # Errors
    /// As [`PortError`] says. Then the connection is where it was, unless it was the reading of the room that failed:
    /// then it has been told that it left the former one. Trying again is safe in any case.
    pub async fn join<W: Wire>(
        &self,
        hub: &Hub<W>,
        connection: &Rc<Connection<W>>,
        client: ClientId,
        attachment: &Attachment,
        target: Target,
    ) -> Result<Entered, PortError> {
        let former = connection.rooms();
        // Whoever moves is not told of its own leaving as if it were somebody else's.
        former.iter().for_each(|room| {
            hub.hold(connection, *room);
        });
        let mut moving = Moving { hub, connection, former, left: Vec::new(), entered: None };
        let joined = self.try_join(&mut moving, client, attachment, target).await;
        if let Err(PortError::Unavailable(_)) = joined {
            self.doubt(client, attachment.connection);
        }
        joined
    }

    async fn try_join<W: Wire>(
        &self,
        moving: &mut Moving<'_, W>,
        client: ClientId,
        attachment: &Attachment,
        target: Target,
    ) -> Result<Entered, PortError> {
        let (directory, rules) = (&self.ports.directory, self.config.rules);
        let (room, since, created) = match target {
            Target::Create(new) => {
                let joined = self.bounded(directory.create_room(client, attachment, new, rules)).await?;
                (joined.room.room_id, None, Some(joined))
            }
            Target::Join(room) => (room, None, None),
            Target::Resume(room, position) => (room, Some(position), None),
        };
        let has_left = |joined: &Joined, former: &[RoomId]| {
            let mut left = joined.moved_from.clone();
            if rules.rooms_per_client == 1 {
                // Also those that an earlier try has left, whose answer was lost.
                left.extend(former.iter().filter(|former| **former != room && !joined.moved_from.contains(former)));
            }
            left
        };
        if let Some(joined) = &created {
            moving.left = has_left(joined, &moving.former);
        }
        if !moving.hub.hold(moving.connection, room) {
            return Err(PortError::Superseded); // the connection is at its end
        }
        let interest = &self.router.interest;
        self.bounded(interest.enter(self.ports.bus.as_ref(), room, moving.hub.index())).await?;
        if created.is_none() {
            let joined = self.bounded(directory.join(client, attachment, room, rules)).await?;
            moving.left = has_left(&joined, &moving.former);
        }
        // Who looks again at a room that it hears may have more on its way than a fresh view shows.
        let heard = if since.is_none() { moving.hub.position(moving.connection, room) } else { None };
        let mut view = self.view(room, since.as_ref()).await?;
        if let Some(heard) = heard {
            let between = self.bounded(view.take_between(self.ports.bus.as_ref(), &heard)).await?;
            moving.hub.catch_up(moving.connection, room, &between);
        }
        moving.entered = Some(room);
        Ok(Entered { view, moved_from: moving.left.clone() })
    }

    /// Reads a room as it is shown to somebody who comes in.
    ///
    /// # Errors
    /// As [`PortError`] says.
    pub async fn view(&self, room: RoomId, since: Option<&Position>) -> Result<RoomView, PortError> {
        let Ports { bus, directory, .. } = &self.ports;
        self.bounded(RoomView::read(bus.as_ref(), directory.as_ref(), &self.lists, room, since)).await
    }

    /// Reads a room again for those who know it up to `position`, on a node that has seen what is `known`. Should the
    /// store know nothing of that, or something else, then others would be taken for what it has lost: so another epoch
    /// begins.
    pub(crate) async fn read_again(
        &self,
        room: RoomId,
        position: &Position,
        known: &Known,
    ) -> Result<RoomView, PortError> {
        let view = self.view(room, Some(position)).await?;
        if view.epoch != position.epoch || (view.newest >= known.newest && !self.is_rewritten(room, known).await?) {
            return Ok(view);
        }
        tracing::error!(%room, ?known, newest = %view.newest, "the store has lost positions: beginning another epoch");
        one(&self.stats.renewed);
        self.bounded(self.ports.bus.renew(room, &view.epoch)).await?;
        self.view(room, Some(position)).await
    }

    /// Whether there is another message by now where this node has seen one.
    async fn is_rewritten(&self, room: RoomId, known: &Known) -> Result<bool, PortError> {
        let Some((seq, sent_at)) = known.mark else { return Ok(false) };
        let there = self.bounded(self.ports.bus.read(room, Span::After(seq.prev()), 1)).await?;
        Ok(there.entries.first().is_some_and(|entry| entry.seq == seq && entry.sent_at != sent_at))
    }

    /// Leaves a room. Trying again after a lost answer is safe, and succeeds.
    ///
    /// # Errors
    /// As [`PortError`] says; then the connection still hears what it heard.
    pub async fn leave<W: Wire>(
        &self,
        hub: &Hub<W>,
        connection: &Rc<Connection<W>>,
        client: ClientId,
        attachment: &Attachment,
        room: RoomId,
    ) -> Result<(), PortError> {
        let former = connection.rooms();
        let heard = former.contains(&room) && hub.hold(connection, room);
        // If that fails, or nobody waits for the answer: as if nothing had been asked.
        let moving = Moving { hub, connection, former, left: Vec::new(), entered: None };
        let left = self.bounded(self.ports.directory.leave(client, attachment, room)).await;
        if left.is_ok() || left == Err(PortError::NotInRoom) {
            hub.leave(connection, room);
        }
        drop(moving);
        if let Err(PortError::Unavailable(_)) = left {
            self.doubt(client, attachment.connection);
        }
        // Heard, but not in it: an earlier try has left it, whose answer was lost.
        if heard && left == Err(PortError::NotInRoom) { Ok(()) } else { left }
    }

    pub(crate) fn forget_room(&self, room: RoomId, worker: usize) {
        self.router.interest.leave(room, worker, Instant::now());
    }

    /// A page of the room list.
    ///
    /// # Errors
    /// As [`PortError`] says.
    pub async fn rooms(&self, cursor: Option<&str>, limit: usize) -> Result<RoomsPage, PortError> {
        self.bounded(self.ports.directory.rooms(cursor, limit)).await
    }

    /// A page of a room's members, those above `after`; the same one for all who ask for it at the same time.
    ///
    /// # Errors
    /// As [`PortError`] says.
    pub async fn members(&self, room: RoomId, after: Option<ClientId>, limit: usize) -> Result<MembersPage, PortError> {
        let page = self.ports.directory.members(room, after, limit);
        self.bounded(self.pages.ask((room, after, limit), page)).await
    }

    /// The nodes that hold a lease.
    ///
    /// # Errors
    /// When the backend cannot be reached.
    pub async fn nodes(&self) -> Result<Vec<NodeRecord>, Unavailable> {
        self.bounded(self.ports.directory.nodes()).await
    }
}
