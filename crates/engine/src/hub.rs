//! One a worker thread: its connections by room. Everything here is on one thread, so there is no lock, and no borrow
//! lives across an await. A room message arrives as one item; its frame is pushed on each member's queue, and the
//! flusher writes all queues that have something. Under load its batches grow by themselves; when idle nothing waits.

mod errand;
mod feed;
mod following;
mod member;
mod repair;
mod tick;

use crate::{
    connection::{Closing, Connection, ConnectionId, Peer},
    engine::Engine,
    fold, frame,
    outbox::{Flushed, Wire},
    port::{Change, Entry, PortError},
    router::{Command, Inbox, Item, Router},
    stats::{Taken, Tally},
    view::{Position, RoomView},
};
use bytes::Bytes;
pub(crate) use errand::{Errand, Receipt};
use feed::{Feed, HELD, Held, How};
use following::Following;
use member::Member;
use protocol::{
    ClientId, CloseCode, CorrelationId, RoomId, ServerEvent, Timestamp,
    event::{LeaveReason, Reconnect, RoomLeft},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    sync::{Notify, Semaphore, mpsc},
    task::JoinSet,
    time::{Duration, Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// How a worker treats its connections.
#[derive(Debug, Clone, Copy)]
pub struct HubConfig {
    /// Bytes that may wait for one connection. Default 1 MiB.
    pub outbox_bytes: usize,
    /// How often a connection is pinged; one that is silent for two of them is closed. Default 25 s.
    pub heartbeat: Duration,
    /// How long a connection may go without `CONNECT`. Default 10 s.
    pub connect_timeout: Duration,
    /// How long a socket may take nothing while something waits for it. Default 15 s.
    pub stall: Duration,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            outbox_bytes: 1 << 20,
            heartbeat: Duration::from_secs(25),
            connect_timeout: Duration::from_secs(10),
            stall: Duration::from_secs(15),
        }
    }
}

/// Items taken at once before the flusher gets its turn.
const BATCH: usize = 512;
/// Connections written before the other tasks of this worker get a turn: a room of 10,000 must not hold them up.
const TURN: usize = 256;
/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(250);

/// Rooms that a worker reads again at the same time: after an outage of the backend all of them want to be.
const REPAIRS: usize = 64;

/// A repair's outcome: the room, which reading it was, and what was read.
type Repaired = (RoomId, u64, Result<RoomView, PortError>);

/// The connections of one worker.
pub struct Hub<W> {
    engine: Arc<Engine>,
    config: HubConfig,
    index: usize,
    numbers: Cell<u64>,
    state: RefCell<State<W>>,
    flush: Notify,
    /// Frames written past the queues since the other tasks of this worker had a turn.
    through: Cell<usize>,
    /// Bytes that waited for its connections when it looked last …
    queued: Cell<u64>,
    /// … and members in its rooms.
    members: Cell<u64>,
    tally: Rc<Tally>,
}

struct State<W> {
    connections: HashMap<u64, Rc<Connection<W>>>,
    /// Who speaks for whom, by the newest that said so.
    speakers: HashMap<ClientId, u64>,
    feeds: HashMap<RoomId, Feed<W>>,
    dirty: Vec<Rc<Connection<W>>>,
    /// Rooms in which something is missing, to be read again.
    broken: Vec<RoomId>,
    /// How often a room was read again; each reading has a number.
    readings: u64,
    delivered: u64,
    following: Following,
}

/// What only the run loop has.
pub struct HubQueue {
    items: mpsc::Receiver<Item>,
    commands: mpsc::UnboundedReceiver<Command>,
    lagged: Arc<AtomicBool>,
}

impl<W: Wire> Hub<W> {
    /// One more worker of a node; `None` when there are as many as a node can have.
    #[must_use]
    pub fn new(engine: Arc<Engine>, config: HubConfig) -> Option<(Rc<Self>, HubQueue)> {
        let Inbox { index, items, commands, lagged } = engine.add_worker()?;
        let tally = Rc::new(Tally::new(engine.stats.delivery.clone()));
        let hub = Self {
            engine,
            config,
            index,
            numbers: Cell::new(0),
            state: RefCell::new(State {
                connections: HashMap::new(),
                speakers: HashMap::new(),
                feeds: HashMap::new(),
                dirty: Vec::new(),
                broken: Vec::new(),
                readings: 0,
                delivered: 0,
                following: Following::default(),
            }),
            flush: Notify::new(),
            through: Cell::new(0),
            queued: Cell::new(0),
            members: Cell::new(0),
            tally,
        };
        Some((Rc::new(hub), HubQueue { items, commands, lagged }))
    }

    /// Takes deliveries and writes queues, until cancelled.
    pub async fn run(self: Rc<Self>, queue: HubQueue, cancel: CancellationToken) {
        let HubQueue { mut items, mut commands, lagged } = queue;
        let mut batch = Vec::with_capacity(BATCH);
        let mut tick = tokio::time::interval(TICK.min(self.config.heartbeat / 4));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Owned by this loop: dropping it ends every repair.
        let mut repairs: JoinSet<Repaired> = JoinSet::new();
        let turns = Arc::new(Semaphore::new(REPAIRS));
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                taken = items.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        return;
                    }
                    let alone = taken == 1;
                    batch.drain(..).for_each(|item| self.apply(item, alone));
                }
                Some(command) = commands.recv() => self.obey(command),
                () = self.flush.notified() => {}
                due = tick.tick() => {
                    let now = Instant::now();
                    self.engine.stats.was_late(now.saturating_duration_since(due));
                    self.on_tick(now);
                }
                Some(done) = repairs.join_next() => {
                    match done {
                        Ok((room, reading, view)) => self.finish_repair(room, reading, view),
                        // A mistake of ours, and nobody knows of which room: without another reading it would stay silent.
                        Err(e) => {
                            tracing::error!(error = %e, "reading a room again failed");
                            self.apply(Item::Missed(None), false);
                        }
                    }
                }
            }
            if lagged.swap(false, Ordering::AcqRel) {
                tracing::warn!(worker = self.index, "a worker fell behind: reading its rooms again");
                self.apply(Item::Missed(None), false);
            }
            self.start_repairs(&mut repairs, &turns);
            if self.state.borrow().dirty.is_empty() && self.through.get() < TURN {
                continue;
            }
            self.through.set(0);
            // Let the other tasks of this worker add to what is about to be written.
            tokio::task::yield_now().await;
            self.flush_dirty().await;
        }
    }

    // --------------------------------------------------------------------------------------------- connections

    /// Takes a socket over.
    pub fn open(&self, wire: W, peer: Peer) -> Rc<Connection<W>> {
        let number = self.numbers.get();
        self.numbers.set(number + 1);
        let id = Router::connection_id(self.index, number);
        let connection = Rc::new(Connection::new(id, wire, peer, self.tally.clone(), Instant::now()));
        self.state.borrow_mut().connections.insert(id, connection.clone());
        self.engine.stats.connections.fetch_add(1, Ordering::Relaxed);
        if connection.is_banned_by(&self.engine.bans()) {
            self.close(&connection, CloseCode::Banned);
        }
        connection
    }

    /// Forgets a connection. Its client is a member of its rooms until its grace is over.
    pub fn forget(&self, connection: &Rc<Connection<W>>) {
        connection.set_closing(Closing::Gone);
        connection.rooms().into_iter().for_each(|room| self.leave(connection, room));
        let mut state = self.state.borrow_mut();
        if let Some(client) = connection.client()
            && state.speakers.get(&client) == Some(&connection.id)
        {
            state.speakers.remove(&client);
        }
        if state.connections.remove(&connection.id).is_some() {
            self.engine.stats.connections.fetch_sub(1, Ordering::Relaxed);
            self.engine.stats.count_bytes(connection);
        }
    }

    /// Whether so much waits for a connection that it should get no more replies for now. A client that asks faster than
    /// it reads is made to wait, long before it is too slow.
    pub fn backlogged(&self, connection: &Connection<W>) -> bool {
        connection.outbox.borrow().bytes() > self.config.outbox_bytes / 4
    }

    /// Sends an event to one connection.
    pub fn send(&self, connection: &Rc<Connection<W>>, event: &ServerEvent) {
        self.push(connection, frame::text(event.encode().as_bytes()));
    }

    /// Puts a frame on one connection's queue.
    pub fn push(&self, connection: &Rc<Connection<W>>, frame: Bytes) {
        let pushed = self.state.borrow_mut().push(connection, frame, self.config.outbox_bytes);
        self.flush.notify_one();
        if !pushed {
            self.close(connection, CloseCode::TooSlow);
        }
    }

    /// Closes a connection: it hears nothing more but this.
    pub fn close(&self, connection: &Rc<Connection<W>>, code: CloseCode) {
        if !connection.set_closing(Closing::Ours(code)) {
            return;
        }
        if code == CloseCode::TooSlow {
            self.engine.stats.slow.fetch_add(1, Ordering::Relaxed);
            connection.outbox.borrow_mut().abandon();
        }
        connection.rooms().into_iter().for_each(|room| self.leave(connection, room));
        connection.outbox.borrow_mut().push_last(frame::close(code));
        self.state.borrow_mut().mark(connection);
        self.flush.notify_one();
    }

    /// Closes every connection.
    pub fn close_all(&self, code: CloseCode) {
        let all: Vec<_> = self.state.borrow().connections.values().cloned().collect();
        all.iter().for_each(|connection| self.close(connection, code));
    }

    /// Calls `f` with every connection that speaks for a client.
    pub fn for_each(&self, f: impl Fn(&Rc<Connection<W>>)) {
        let all: Vec<_> = self.state.borrow().connections.values().cloned().collect();
        all.iter().filter(|c| c.client().is_some()).for_each(f);
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.state.borrow().connections.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // --------------------------------------------------------------------------------------------------- rooms

    /// Which worker of its node this is.
    pub fn index(&self) -> usize {
        self.index
    }

    /// `is_known`: it has proved that the id was its own before.
    pub(crate) fn identify(&self, connection: &Rc<Connection<W>>, client: ClientId, is_known: bool) {
        connection.set_client(client, if is_known { Timestamp(0) } else { self.engine.now() });
        self.state.borrow_mut().speakers.insert(client, connection.id);
        connection.pinged.set(Instant::now());
        // Now, and not when it was asked who it is: a ban that came between finds it either here or by name.
        if connection.is_banned_by(&self.engine.bans()) {
            self.close(connection, CloseCode::Banned);
        }
    }

    /// Begins to hear a room, without passing it on yet. False when the connection is at its end.
    pub(crate) fn hold(&self, connection: &Rc<Connection<W>>, room: RoomId) -> bool {
        if connection.closing().is_some() {
            return false;
        }
        let mut state = self.state.borrow_mut();
        let feed = state.feeds.entry(room).or_default();
        match feed.members.get(connection.id) {
            Some(member) => {
                member.held.get_or_insert_default();
            }
            None => {
                feed.members.add(Member::new(connection.clone()));
                connection.rooms.borrow_mut().push(room);
            }
        }
        true
    }

    /// Passes on what was held back, from where it stopped.
    pub(crate) fn release(&self, connection: &Rc<Connection<W>>, room: RoomId) {
        {
            let mut state = self.state.borrow_mut();
            let State { feeds, dirty, broken, readings, delivered, .. } = &mut *state;
            let Some(feed) = feeds.get_mut(&room) else { return };
            let Some(member) = feed.members.get(connection.id) else { return };
            if !member.pass_on(delivered) {
                tracing::warn!(%room, after = %member.after, "positions are missing: reading the room again");
                member.stale = Some(*readings);
            }
            mark(dirty, connection);
            feed.repair(room, broken);
        }
        self.flush.notify_one();
    }

    /// How far a connection is in a room that it was shown.
    pub(crate) fn position(&self, connection: &Connection<W>, room: RoomId) -> Option<Position> {
        let mut state = self.state.borrow_mut();
        let feed = state.feeds.get_mut(&room)?;
        let epoch = feed.epoch.clone()?;
        let member = feed.members.get(connection.id).filter(|member| member.entered)?;
        Some(Position { epoch, seq: member.after })
    }

    /// Hands on what lies between where a connection is and what it is about to be shown.
    pub(crate) fn catch_up(&self, connection: &Connection<W>, room: RoomId, between: &[Entry]) {
        let mut state = self.state.borrow_mut();
        let State { feeds, delivered, .. } = &mut *state;
        let Some(member) = feeds.get_mut(&room).and_then(|feed| feed.members.get(connection.id)) else { return };
        for entry in between.iter().filter(|entry| entry.seq > member.after) {
            let frame = frame::entry(entry.seq, entry.sent_at, &entry.payload);
            connection.outbox.borrow_mut().push_last(frame);
            *delivered += 1;
        }
        member.after = between.last().map_or(member.after, |last| last.seq.max(member.after));
    }

    /// Shows a room to the connection, by the `ROOM_JOINED` that answers `id`, and passes on all that came after it was
    /// read.
    pub fn enter(&self, connection: &Rc<Connection<W>>, view: &RoomView, id: Option<CorrelationId>) {
        let (room, epoch, seq, count) = (view.room.room_id, &view.epoch, view.seq, view.room.member_count);
        if connection.outbox.borrow().bytes() >= self.config.outbox_bytes {
            return self.close(connection, CloseCode::TooSlow);
        }
        let shown = frame::text(&view.encode(id));
        let entered = {
            let mut state = self.state.borrow_mut();
            let State { feeds, readings, .. } = &mut *state;
            let feed = feeds.get_mut(&room);
            let other_life = feed.as_ref().is_some_and(|feed| feed.epoch.as_ref().is_some_and(|e| e != epoch));
            if let Some(feed) = feed
                && let Some(member) = feed.members.get(connection.id)
            {
                (member.after, member.entered, member.count) = (seq, true, count);
                connection.outbox.borrow_mut().push_last(shown.clone());
                feed.epoch.get_or_insert_with(|| epoch.clone());
                feed.last = feed.last.max(Some(seq));
                if other_life {
                    feed.doubt(*readings);
                }
                true
            } else {
                false
            }
        };
        if entered {
            self.release(connection, room);
        } else if connection.closing().is_none() {
            // It ended since it was read.
            self.push(connection, shown);
            self.send(connection, &room_deleted(room));
        }
    }

    /// Hears a room no longer.
    pub fn leave(&self, connection: &Rc<Connection<W>>, room: RoomId) {
        connection.rooms.borrow_mut().retain(|r| *r != room);
        let mut state = self.state.borrow_mut();
        let Some(feed) = state.feeds.get_mut(&room) else { return };
        feed.members.remove(connection.id);
        if feed.members.is_empty() {
            state.feeds.remove(&room);
            self.engine.forget_room(room, self.index);
        }
    }
}

// ---------------------------------------------------------------------------------------------------- deliveries

impl<W: Wire> Hub<W> {
    /// `alone`: nothing else came with it.
    fn apply(&self, item: Item, alone: bool) {
        match item {
            Item::Entry { room, .. } | Item::Membership { room, .. } | Item::Ephemeral { room, .. } => {
                self.to_room(room, item, alone);
            }
            Item::RoomEnded(room) => self.end_room(room),
            Item::Missed(room) => {
                if room.is_none() {
                    // Also what the directory did to somebody may have been missed.
                    self.for_each(|connection| self.doubt(connection));
                }
                let mut state = self.state.borrow_mut();
                let State { feeds, broken, readings, .. } = &mut *state;
                for (id, feed) in feeds.iter_mut().filter(|(id, _)| room.is_none_or(|room| room == **id)) {
                    feed.doubt(*readings);
                    feed.repair(*id, broken);
                }
            }
        }
    }

    fn obey(&self, command: Command) {
        match command {
            Command::Close { connection, code } => {
                let found = self.state.borrow().connections.get(&Connection::<W>::id_of(connection)).cloned();
                // It may have tried again since, and what it speaks for now is nobody else's.
                if let Some(found) = found.filter(|found| found.attempted() == connection) {
                    self.close(&found, code);
                }
            }
            Command::CloseAll(code) => self.close_all(code),
            Command::Compare { connection, rooms } => self.compare(connection, &rooms),
            Command::Errand { errand, receipt } => self.run_errand(&errand, &receipt),
            Command::Reconnect(window) => {
                let window = u32::try_from(window.as_millis()).unwrap_or(u32::MAX);
                self.for_each(|connection| {
                    let after_ms = self.engine.entropy().below(window).into();
                    self.send(connection, &Reconnect { after_ms }.into());
                });
            }
        }
    }

    /// A connection that hears other rooms than its client is in is to come back, and be told where it is: whichever of
    /// the two is right, they must not go on side by side.
    fn compare(&self, attempt: u64, rooms: &[RoomId]) {
        let found = self.state.borrow().connections.get(&Connection::<W>::id_of(attempt)).cloned();
        let Some(found) = found.filter(|found| found.attempted() == attempt && found.closing().is_none()) else {
            return;
        };
        let heard = found.rooms();
        let is_moving = {
            let mut state = self.state.borrow_mut();
            heard.iter().any(|room| {
                let feed = state.feeds.get_mut(room);
                feed.and_then(|feed| feed.members.get(found.id)).is_some_and(|member| !member.live())
            })
        };
        if is_moving {
            // It is about to learn it by itself, or to be in doubt again.
            return;
        }
        let is_astray = heard.len() != rooms.len() || heard.iter().any(|room| !rooms.contains(room));
        if is_astray && !found.astray.get() {
            // It may have moved while the directory was asked: once more.
            self.doubt(&found);
        } else if is_astray {
            let (connection, client) = (ConnectionId(found.id), found.client());
            tracing::warn!(%connection, ?client, ?heard, ?rooms, "a connection hears other rooms than its client is in");
            self.close(&found, CloseCode::Restart);
        }
        found.astray.set(is_astray);
    }

    fn to_room(&self, room: RoomId, item: Item, alone: bool) {
        let mut state = self.state.borrow_mut();
        let State { feeds, speakers, dirty, broken, readings, delivered, following, .. } = &mut *state;
        let Some(feed) = feeds.get_mut(&room) else { return };
        if let Some(waiting) = &mut feed.waiting {
            if waiting.len() < HELD {
                waiting.push(item);
            } else {
                // Too much to keep, so it is read again after all.
                waiting.clear();
                feed.doubt(*readings);
            }
            return;
        }
        // With little to do, what is queued now would be written next, and alone. A crowd's turn comes in portions.
        let through = alone && dirty.is_empty() && feed.members.len() <= TURN;
        let how = How { limit: self.config.outbox_bytes, through };
        let handed = match item {
            Item::Entry { seq, sent_at, frame, taken, reach, followed, .. } => {
                if let Some(last) = feed.last.filter(|last| seq > last.next()) {
                    tracing::warn!(%room, after = %last, %seq, "positions are missing: reading the room again");
                    feed.doubt(*readings);
                    if feed.repair(room, broken) {
                        feed.waiting.get_or_insert_default().push(Item::Entry {
                            room,
                            seq,
                            sent_at,
                            frame,
                            taken,
                            reach,
                            followed,
                        });
                        return;
                    }
                }
                feed.last = feed.last.max(Some(seq));
                feed.mark = feed.mark.max(Some((seq, sent_at)));
                let taken = taken.map_or(Taken::NOT, |at| self.tally.mark(at));
                let length = frame.len();
                let handed = feed.deliver(&Held::Entry(seq, frame, taken), None, how, *readings, dirty);
                *delivered += handed.delivered;
                if handed.written > 0 {
                    self.tally.add(taken, handed.written);
                    self.tally.settle();
                }
                match reach {
                    Some(reach) => reach.add(handed.delivered),
                    None if handed.delivered > 0 => self.engine.stats.fan_out.observe(handed.delivered),
                    None => {}
                }
                if let Some(message) = followed {
                    following.handed(message, handed.delivered, length, !dirty.is_empty());
                }
                if handed.left_out {
                    feed.repair(room, broken);
                }
                handed
            }
            Item::Membership { change, member_count, .. } => {
                if let Change::Left(client) = &change
                    && let Some(member) = speakers.get(client).and_then(|connection| feed.members.get(*connection))
                    && member.live()
                {
                    // It may be of an earlier stay; or something took the client out, and did not tell the connection.
                    self.doubt(&member.connection);
                }
                if member_count >= fold::CROWD || feed.fold.due().is_some() {
                    feed.fold.add(change, member_count, Instant::now());
                    return;
                }
                let (about, except) = match &change {
                    Change::Joined(member) => (Some(member.client_id), None),
                    Change::Left(client) => (Some(*client), None),
                    Change::Renamed(_) => (None, None),
                    Change::Lost(client) | Change::Back(client) => (None, Some(*client)),
                };
                let frame = frame::text(fold::single(room, change, member_count).encode().as_bytes());
                let told = match except {
                    Some(_) => Held::Other(frame),
                    None => Held::Membership { room, about, member_count, frame },
                };
                feed.deliver(&told, except, how, *readings, dirty)
            }
            Item::Ephemeral { except, frame, .. } => feed.deliver(&Held::Other(frame), except, how, *readings, dirty),
            Item::RoomEnded(_) | Item::Missed(_) => return,
        };
        if through {
            self.through.set(self.through.get() + feed.members.len());
        }
        drop(state);
        self.close_slow(&handed.slow);
    }

    fn doubt(&self, connection: &Connection<W>) {
        if let Some(client) = connection.client() {
            self.engine.doubt(client, connection.attempted());
        }
    }

    fn close_slow(&self, slow: &[Rc<Connection<W>>]) {
        slow.iter().for_each(|connection| self.close(connection, CloseCode::TooSlow));
    }

    fn end_room(&self, room: RoomId) {
        let Some(feed) = self.state.borrow_mut().feeds.remove(&room) else { return };
        self.engine.forget_room(room, self.index);
        let event = room_deleted(room);
        for member in feed.members.into_iter() {
            member.connection.rooms.borrow_mut().retain(|r| *r != room);
            // Who is still coming in learns it by the reply to what it asked for.
            if member.entered {
                self.send(&member.connection, &event);
            }
        }
    }

    // ------------------------------------------------------------------------------------------------- writing

    async fn flush_dirty(&self) {
        let dirty = std::mem::take(&mut self.state.borrow_mut().dirty);
        let _until_written = std::mem::take(&mut self.state.borrow_mut().following);
        for (n, connection) in dirty.into_iter().enumerate() {
            if n > 0 && n % TURN == 0 {
                self.tally.settle();
                tokio::task::yield_now().await;
            }
            connection.dirty.set(false);
            // A blocked one is written by its own task, when the kernel has room again.
            if connection.blocked() || connection.closing() == Some(Closing::Gone) {
                continue;
            }
            match connection.flush_in_turn() {
                Ok(Flushed::All | Flushed::Blocked) => {}
                Err(_) => {
                    connection.set_closing(Closing::Gone);
                }
            }
        }
        self.tally.settle();
    }
}

impl<W: Wire> State<W> {
    fn push(&mut self, connection: &Rc<Connection<W>>, frame: Bytes, limit: usize) -> bool {
        if connection.closing().is_some() {
            return true;
        }
        let pushed = connection.outbox.borrow_mut().push(frame, limit).is_ok();
        self.mark(connection);
        pushed
    }

    fn mark(&mut self, connection: &Rc<Connection<W>>) {
        mark(&mut self.dirty, connection);
    }
}

fn room_deleted(room: RoomId) -> ServerEvent {
    RoomLeft { id: None, room_id: room, reason: LeaveReason::RoomDeleted }.into()
}

/// Lists a connection for the flusher, once.
fn mark<W>(dirty: &mut Vec<Rc<Connection<W>>>, connection: &Rc<Connection<W>>) {
    if !connection.dirty.replace(true) {
        dirty.push(connection.clone());
    }
}
