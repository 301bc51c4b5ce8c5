//! A cluster in one thread, with sockets that are memory, and clients that believe only what they are sent.

use crate::ports::{Rough, Weather};
use engine::{
    Closing, Connection, Engine, EngineConfig, Hub, HubConfig, MemoryCluster, Peer, PortError, Ports, Position,
    Retention, Wire,
    clock::{MockClock, SeededEntropy},
    engine::{Entered, Target},
    port::{Appended, Attachment, Listing, NewRoom, Post, RoomRules},
};
use protocol::{
    ClientId, Epoch, MessageBody, MessageId, RoomId, RoomName, Seq, ServerEvent, Username,
    event::{Gap, LeaveReason, Member, Message, NewMessage, RoomJoined, RoomLeft},
};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    io::{self, IoSlice},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

// ------------------------------------------------------------------------------------------------------- socket

/// What a socket has taken, and how much more it takes.
#[derive(Clone)]
pub struct Fake(Rc<(RefCell<Vec<u8>>, Cell<usize>)>);

impl Fake {
    /// One that takes everything.
    pub fn new() -> Self {
        Self(Rc::new((RefCell::default(), Cell::new(usize::MAX))))
    }
}

impl Wire for Fake {
    fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let (taken, room) = &*self.0;
        if room.get() == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let before = taken.borrow().len();
        for buf in bufs {
            let n = buf.len().min(room.get());
            taken.borrow_mut().extend_from_slice(&buf[..n]);
            room.set(room.get() - n);
        }
        Ok(taken.borrow().len() - before)
    }
}

// -------------------------------------------------------------------------------------------------------- model

/// A room, as far as its events tell.
#[derive(Debug, Clone, Default)]
pub struct RoomModel {
    pub epoch: Option<Epoch>,
    pub seq: u64,
    pub members: BTreeMap<ClientId, Username>,
    /// Members whose connection is lost.
    pub away: BTreeSet<ClientId>,
    pub count: u32,
    pub messages: Vec<(u64, String)>,
    pub gaps: Vec<Gap>,
    /// `ROOM_JOINED` that nobody asked for.
    pub refreshes: usize,
    pub user_events: usize,
    pub presence_events: usize,
}

/// What a client knows. It panics at whatever the contract forbids.
#[derive(Debug, Clone, Default)]
pub struct Model {
    me: Option<ClientId>,
    pub rooms: BTreeMap<RoomId, RoomModel>,
    pub left: Vec<(RoomId, LeaveReason)>,
    pub closed: Option<u16>,
    pub pings: usize,
    pub ephemeral: usize,
    pub notices: Vec<String>,
}

fn text(message: &Message) -> (u64, String) {
    (message.seq.get(), message.body.to_string())
}

impl Model {
    fn take(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::RoomJoined(joined) => self.joined(&joined),
            ServerEvent::NewMessage(message) => {
                let room = self.rooms.get_mut(&message.room_id).expect("only members get messages");
                assert_eq!(message.seq.get(), room.seq + 1, "directly after {} in {:?}", room.seq, room.messages);
                room.seq += 1;
                room.messages.push(text(&message));
            }
            ServerEvent::UserEvent(event) => {
                let room = self.rooms.get_mut(&event.room_id).expect("only members are told of members");
                room.user_events += 1;
                room.count = event.member_count;
                for member in &event.joined {
                    room.away.remove(&member.client_id);
                }
                for member in event.joined.into_iter().chain(event.renamed) {
                    room.members.insert(member.client_id, member.username);
                }
                assert!(!event.left.contains(&self.me.unwrap()), "of one's own leaving one is told by ROOM_LEFT");
                for client in &event.left {
                    room.members.remove(client);
                    room.away.remove(client);
                }
            }
            ServerEvent::Presence(event) => {
                let room = self.rooms.get_mut(&event.room_id).expect("only members are told of members");
                room.presence_events += 1;
                assert!(!event.reconnecting.is_empty() || !event.back.is_empty(), "not for nothing");
                if event.reconnecting.len() + event.back.len() == 1 {
                    let me = self.me.unwrap();
                    assert!(!event.reconnecting.contains(&me) && !event.back.contains(&me), "of others");
                }
                room.away.extend(event.reconnecting);
                room.away.retain(|client| !event.back.contains(client));
            }
            ServerEvent::RoomLeft(left) => {
                self.rooms.remove(&left.room_id);
                self.left.push((left.room_id, left.reason));
            }
            ServerEvent::MemberTyping(_) => self.ephemeral += 1,
            ServerEvent::Notice(notice) => self.notices.push(notice.text),
            other => panic!("unexpected {other:?}"),
        }
    }

    fn joined(&mut self, event: &RoomJoined) {
        let room = self.rooms.entry(event.room.room_id).or_default();
        room.refreshes += usize::from(event.id.is_none());
        room.count = event.room.member_count;
        room.members = event.members.iter().map(|m| (m.client_id, m.username.clone())).collect();
        room.away = event.reconnecting.iter().copied().collect();
        let first = event.messages.first().map_or(event.seq.get() + 1, |m| m.seq.get());
        if room.epoch.as_ref() != Some(&event.epoch) || (event.id.is_some() && first > room.seq + 1) {
            room.messages.clear();
            room.seq = first - 1;
            room.epoch = Some(event.epoch.clone());
        } else if let Some(gap) = event.gap {
            assert!(!event.recovered);
            assert_eq!((gap.from.get(), gap.to.get() + 1), (room.seq + 1, first), "{gap:?}");
            room.gaps.push(gap);
            room.seq = gap.to.get();
        } else {
            assert!(event.recovered);
        }
        for message in &event.messages {
            if message.seq.get() > room.seq {
                assert_eq!(message.seq.get(), room.seq + 1, "shown without holes");
                room.seq += 1;
                room.messages.push(text(message));
            }
        }
        assert_eq!(event.seq.get(), room.seq, "what is shown goes up to the position it names");
    }
}

// ------------------------------------------------------------------------------------------------------- client

/// Somebody with a socket.
pub struct Client {
    pub node: Rc<Node>,
    pub hub: Rc<Hub<Fake>>,
    pub connection: Rc<Connection<Fake>>,
    pub id: ClientId,
    pub key: Uuid,
    pub name: RefCell<Username>,
    pub attachment: Attachment,
    pub attached_rooms: Vec<RoomId>,
    parsed: Cell<usize>,
    model: RefCell<Model>,
}

pub fn username(name: &str) -> Username {
    Username::parse(&name.into(), 16).unwrap()
}

pub fn message_id() -> MessageId {
    MessageId::new(Uuid::new_v4())
}

impl Client {
    pub async fn connect(node: &Rc<Node>, identity: Option<(ClientId, Uuid)>) -> Result<Self, PortError> {
        Self::connect_from(node, identity, Peer::default()).await
    }

    pub async fn connect_from(
        node: &Rc<Node>,
        identity: Option<(ClientId, Uuid)>,
        peer: Peer,
    ) -> Result<Self, PortError> {
        let hub = node.hubs[node.next.replace(node.next.get() + 1) % node.hubs.len()].clone();
        let connection = hub.open(Fake::new(), peer);
        let attached = node.engine.attach(&hub, &connection, identity, None, false).await;
        let (attachment, attached) = attached.inspect_err(|_| hub.forget(&connection))?;
        Ok(Self {
            node: node.clone(),
            hub,
            connection,
            id: attached.client_id,
            key: attached.key,
            name: RefCell::new(attached.username),
            attachment,
            attached_rooms: attached.rooms,
            parsed: Cell::new(0),
            model: RefCell::new(Model { me: Some(attached.client_id), ..Model::default() }),
        })
    }

    /// The same client on a new connection, with what it knew.
    pub async fn again(&self, node: &Rc<Node>) -> Result<Self, PortError> {
        self.model();
        let again = Self::connect(node, Some((self.id, self.key))).await?;
        assert_eq!(again.id, self.id);
        let mut model = self.model.borrow().clone();
        (model.closed, model.left) = (None, Vec::new());
        *again.model.borrow_mut() = model;
        Ok(again)
    }

    /// The connection is lost.
    pub async fn lose(&self) {
        self.hub.forget(&self.connection);
        self.node.engine.detach(self.id, &self.attachment, None).await;
    }

    /// What a connection's task does when it is told to end: its close is written, and the cluster told.
    pub fn takes_leave(&self) {
        let (hub, connection) = (self.hub.clone(), self.connection.clone());
        let (engine, id, attachment) = (self.node.engine.clone(), self.id, self.attachment.clone());
        tokio::task::spawn_local(async move {
            while connection.closing().is_none() {
                connection.wake.notified().await;
            }
            let why: Option<Closing> = connection.closing();
            hub.forget(&connection);
            engine.detach(id, &attachment, why).await;
            let _ = connection.flush();
            connection.took_leave();
        });
    }

    /// The socket takes so much more.
    pub fn widen(&self, bytes: usize) {
        self.connection.wire.0.1.set(bytes);
        if bytes > 0 {
            self.connection.flush().unwrap();
        }
    }

    /// What it knows by now.
    pub fn model(&self) -> Model {
        let taken = self.connection.wire.0.0.borrow();
        let mut model = self.model.borrow_mut();
        while let Some((opcode, payload, end)) = frame(&taken, self.parsed.get()) {
            assert_eq!(model.closed, None, "nothing after a close");
            self.parsed.set(end);
            match opcode {
                1 => model.take(serde_json::from_slice(payload).expect("an event")),
                8 => model.closed = Some(u16::from_be_bytes([payload[0], payload[1]])),
                9 => model.pings += 1,
                other => panic!("opcode {other}"),
            }
        }
        model.clone()
    }

    pub fn room(&self, room: RoomId) -> RoomModel {
        self.model().rooms.get(&room).cloned().unwrap_or_else(|| panic!("{} is not in {room}", self.id))
    }

    pub fn bodies(&self, room: RoomId) -> Vec<String> {
        self.room(room).messages.into_iter().map(|(_, body)| body).collect()
    }

    async fn go(&self, target: Target, id: bool) -> Result<RoomId, PortError> {
        let entered = self.arrive(target).await?;
        Ok(self.enter(entered, id))
    }

    /// The first half of joining: the room is read.
    pub async fn arrive(&self, target: Target) -> Result<Entered, PortError> {
        self.node.engine.join(&self.hub, &self.connection, self.id, &self.attachment, target).await
    }

    /// The second half: the room is shown.
    pub fn enter(&self, entered: Entered, id: bool) -> RoomId {
        let room = entered.view.room.room_id;
        for left in entered.moved_from {
            self.left(left, LeaveReason::Moved);
        }
        self.hub.enter(&self.connection, &entered.view, id.then(|| "join".parse().unwrap()));
        room
    }

    fn left(&self, room_id: RoomId, reason: LeaveReason) {
        self.hub.send(&self.connection, &RoomLeft { id: None, room_id, reason }.into());
    }

    pub async fn create(&self) -> Result<RoomId, PortError> {
        let name = RoomName::parse(&"room".into(), 16).unwrap();
        self.go(Target::Create(NewRoom { name, request: None }), true).await
    }

    pub async fn join(&self, room: RoomId) -> Result<RoomId, PortError> {
        self.go(Target::Join(room), true).await
    }

    /// Goes on from what it knows.
    pub async fn resume(&self, room: RoomId) -> Result<RoomId, PortError> {
        let known = self.room(room);
        let position = Position { epoch: known.epoch.unwrap(), seq: Seq::new(known.seq) };
        self.go(Target::Resume(room, position), false).await
    }

    pub async fn leave(&self, room: RoomId) -> Result<(), PortError> {
        self.node.engine.leave(&self.hub, &self.connection, self.id, &self.attachment, room).await?;
        self.left(room, LeaveReason::Left);
        Ok(())
    }

    pub async fn rename(&self, name: &str) -> Result<(), PortError> {
        self.node.engine.rename(self.id, &self.attachment, username(name)).await?;
        *self.name.borrow_mut() = username(name);
        Ok(())
    }

    pub async fn say(&self, room: RoomId, body: &str) -> Result<Appended, PortError> {
        self.say_as(room, body, message_id()).await
    }

    pub async fn say_as(&self, room: RoomId, body: &str, id: MessageId) -> Result<Appended, PortError> {
        let message = NewMessage {
            room_id: room,
            seq: Seq::ZERO,
            id,
            sender: Member { client_id: self.id, username: self.name.borrow().clone() },
            body: MessageBody::parse(&body.into(), 2000).unwrap(),
            sent_at: protocol::Timestamp(0),
            reply_to: None,
            change: None,
            edited: None,
            deleted: None,
        };
        // As a node does it: the event without what only the timeline knows.
        let mut json = serde_json::to_value(ServerEvent::from(message)).unwrap();
        json.as_object_mut().unwrap().retain(|key, _| key != "seq" && key != "sentAt");
        let post = Post {
            room,
            client: self.id,
            id,
            payload: json.to_string().into(),
            window: None,
            key: None,
            amendment: None,
            trace: None,
        };
        self.node.engine.send(post).await
    }
}

/// The frame at an offset: opcode, payload, and where the next one begins.
fn frame(bytes: &[u8], at: usize) -> Option<(u8, &[u8], usize)> {
    let head = bytes.get(at..at + 2)?;
    assert_eq!((head[0] & 0xf0, head[1] & 0x80), (0x80, 0), "final, not masked");
    let (len, start) = match head[1] {
        126 => (usize::from(u16::from_be_bytes(bytes.get(at + 2..at + 4)?.try_into().unwrap())), at + 4),
        127 => (u64::from_be_bytes(bytes.get(at + 2..at + 10)?.try_into().unwrap()) as usize, at + 10),
        len => (usize::from(len), at + 2),
    };
    Some((head[0] & 0x0f, bytes.get(start..start + len)?, start + len))
}

// -------------------------------------------------------------------------------------------------------- nodes

pub struct Node {
    pub engine: Arc<Engine>,
    pub hubs: Vec<Rc<Hub<Fake>>>,
    pub ports: Ports,
    pub rough: Arc<Rough>,
    tasks: Vec<AbortHandle>,
    next: Cell<usize>,
}

impl Node {
    /// As SIGKILL does it: nothing more is done, nobody is told.
    pub fn kill(&self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

pub struct Options {
    pub nodes: usize,
    pub seed: u64,
    pub engine: EngineConfig,
    pub hub: HubConfig,
    pub retention: Retention,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 3,
            seed: 1,
            engine: EngineConfig::default(),
            hub: HubConfig { heartbeat: Duration::from_secs(3600), ..HubConfig::default() },
            retention: Retention::default(),
        }
    }
}

pub const SEVERAL_ROOMS: RoomRules = RoomRules { rooms_per_client: 100, members_per_room: 10_000 };

pub struct World {
    pub cluster: MemoryCluster,
    pub clock: Arc<MockClock>,
    pub weather: Arc<Weather>,
    pub nodes: Vec<Rc<Node>>,
}

impl World {
    /// Nodes with two workers each, all on this thread; call it inside [`run`].
    pub async fn new(options: Options) -> Self {
        let clock = Arc::new(MockClock::new());
        let entropy = Arc::new(SeededEntropy::new(options.seed));
        let cluster = MemoryCluster::new(clock.clone(), entropy.clone(), options.retention);
        let weather = Weather::new(options.seed);
        let mut nodes = Vec::new();
        for n in 0..options.nodes {
            let id: protocol::NodeId = format!("node-{n}").parse().unwrap();
            let rough = Rough::new(cluster.node(id.clone()), weather.clone());
            let ports = rough.ports();
            let config = options.engine.clone();
            let engine = Engine::start(id, ports.clone(), config, clock.clone(), entropy.clone()).await.unwrap();
            let stop = CancellationToken::new();
            let mut tasks = vec![tokio::task::spawn_local(engine.clone().run(stop.clone())).abort_handle()];
            let mut hubs = Vec::new();
            for _ in 0..2 {
                let (hub, queue) = Hub::new(engine.clone(), options.hub).unwrap();
                tasks.push(tokio::task::spawn_local(hub.clone().run(queue, stop.clone())).abort_handle());
                hubs.push(hub);
            }
            nodes.push(Rc::new(Node { engine, hubs, ports, rough, tasks, next: Cell::new(0) }));
        }
        Self { cluster, clock, weather, nodes }
    }

    pub async fn guest(&self, node: usize) -> Client {
        Client::connect(&self.nodes[node % self.nodes.len()], None).await.unwrap()
    }

    /// Time passes, for the cluster's clock and for timers.
    pub async fn pass(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            // In steps that are shorter than any lease, as both clocks would really go.
            let step = left.min(Duration::from_millis(500));
            self.clock.advance(step);
            tokio::time::sleep(step).await;
            left -= step;
        }
        settle().await;
    }

    /// Whether what a client knows of a room is what there is.
    pub async fn check(&self, client: &Client, room: RoomId) {
        let ports = &self.nodes[0].ports;
        let Listing { room: truth, members, reconnecting } = ports.directory.listing(room, 200).await.unwrap();
        let known = client.room(room);
        let members: BTreeMap<_, _> = members.into_iter().map(|m| (m.client_id, m.username)).collect();
        assert_eq!((known.count, &known.members), (truth.member_count, &members), "{} in {room}", client.id);
        assert_eq!(known.away, reconnecting.into_iter().collect(), "{} in {room}", client.id);
        let slice = ports.bus.read(room, engine::port::Span::Newest, 100_000).await.unwrap();
        assert_eq!(known.seq, slice.newest.get());
        let messages: Vec<_> = engine::view::messages(&slice.entries).iter().map(text).collect();
        let common = known.messages.len().min(messages.len());
        let tail = |all: &[(u64, String)]| all[all.len() - common..].to_vec();
        assert_eq!(tail(&known.messages), tail(&messages));
    }
}

/// Whatever can happen without time passing has happened. (Time is paused: it moves only when nothing else can.)
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Runs a test on one thread, with time that passes only when nothing else can happen.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}
