//! A node of one worker with a crowded room, between a bus that is a sink and sockets that take everything.

use crate::{count, sample};
use async_trait::async_trait;
use bytes::Bytes;
use engine::{
    Engine, EngineConfig, Hub, HubConfig, MemoryCluster, Peer, PortError, Ports, Retention, Unavailable, Wire,
    clock::{MockClock, SeededEntropy},
    engine::Target,
    fold,
    port::{Address, Appended, Bus, Change, Delivery, NewRoom, Original, Post, Sink, Slice, Span},
};
use protocol::{Epoch, RoomId, RoomName, Seq};
use std::{
    cell::Cell,
    io::{self, IoSlice},
    rc::Rc,
    sync::{Arc, OnceLock},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::{LocalSet, yield_now},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Turns in which the hub has written everything, or never will.
const TURNS: u64 = 10_000;

/// One message to all members of a room: from the bus to the sockets.
pub fn fan_out(members: u64) {
    let node = Node::with_room_of(members);
    let mut seq = 0;
    let delivery = || {
        node.settle();
        seq += 1;
        Delivery::Entry { room: node.room, entry: sample::entry(seq), taken: Some(Instant::now()), trace: None }
    };
    count(delivery, |delivery| {
        node.sink.deliver(delivery);
        node.run_until_written(members);
    });
}

/// Changes of a crowded room's membership, half of them joins and half leaves: gathered, and told to all members.
pub fn fold(members: u64, changes: u64) {
    let node = Node::with_room_of(members);
    let member_count = u32::try_from(members + changes).unwrap();
    let deliveries = || {
        node.settle();
        let change = |n| {
            let member = sample::member(1_000_000 + n);
            if n % 2 == 0 { Change::Joined(member) } else { Change::Left(member.client_id) }
        };
        let delivery = |n| Delivery::Membership { room: node.room, change: change(n), member_count };
        (0..changes).map(delivery).collect::<Vec<_>>()
    };
    count(deliveries, |deliveries| {
        deliveries.into_iter().for_each(|delivery| node.sink.deliver(delivery));
        // What the hub took after the time went on, it would gather until it goes on again.
        node.settle();
        node.run(tokio::time::advance(2 * fold::GATHER));
        node.run_until_written(members);
    });
}

struct Node {
    runtime: Runtime,
    local: LocalSet,
    room: RoomId,
    sink: Arc<dyn Sink>,
    /// Writes to all sockets since this was looked at.
    writes: Rc<Cell<u64>>,
}

impl Node {
    fn with_room_of(members: u64) -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let local = LocalSet::new();
        let writes = Rc::new(Cell::new(0));
        let (room, sink) = local.block_on(&runtime, fill_a_room(members, &writes));
        let node = Self { runtime, local, room, sink, writes };
        // Everybody's ROOM_JOINED.
        node.run_until_written(members);
        node
    }

    fn run(&self, future: impl Future<Output = ()>) {
        self.local.block_on(&self.runtime, future);
    }

    /// Gives the hub turns enough for all that waits for it: which it takes first is up to chance.
    fn settle(&self) {
        self.run(async {
            for _ in 0..16 {
                yield_now().await;
            }
        });
    }

    /// Gives the hub its turns until so many sockets were written.
    fn run_until_written(&self, sockets: u64) {
        self.run(async {
            for _ in 0..TURNS {
                if self.writes.get() >= sockets {
                    return;
                }
                yield_now().await;
            }
        });
        assert_eq!(self.writes.replace(0), sockets, "one write each");
    }
}

async fn fill_a_room(members: u64, writes: &Rc<Cell<u64>>) -> (RoomId, Arc<dyn Sink>) {
    let (clock, entropy) = (Arc::new(MockClock::new()), Arc::new(SeededEntropy::new(1)));
    let cluster = MemoryCluster::new(clock.clone(), entropy.clone(), Retention::default());
    let node: protocol::NodeId = "node-1".parse().unwrap();
    let bus = Arc::new(Silent::default());
    let ports = Ports { bus: bus.clone(), ..cluster.node(node.clone()) };
    let engine = Engine::start(node, ports, EngineConfig::default(), clock, entropy).await.unwrap();
    let (hub, queue) = Hub::new(engine.clone(), HubConfig::default()).unwrap();
    let mut target = Target::Create(NewRoom { name: RoomName::parse(&"Tea".into(), 16).unwrap(), request: None });
    for _ in 0..members {
        let connection = hub.open(Drain(writes.clone()), Peer::default());
        let (attachment, client) = engine.attach(&hub, &connection, None, None, false).await.unwrap();
        let entered = engine.join(&hub, &connection, client.client_id, &attachment, target).await.unwrap();
        let view = entered.view;
        target = Target::Join(view.room.room_id);
        hub.enter(&connection, &view, None);
    }
    let Target::Join(room) = target else { panic!("a room has members") };
    tokio::task::spawn_local(hub.run(queue, CancellationToken::new()));
    (room, bus.0.get().unwrap().clone())
}

/// A socket that takes everything.
struct Drain(Rc<Cell<u64>>);

impl Wire for Drain {
    fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.set(self.0.get() + 1);
        Ok(bufs.iter().map(|buf| buf.len()).sum())
    }
}

/// A bus with empty logs. What it delivers is up to whoever has its sink.
#[derive(Default)]
struct Silent(OnceLock<Arc<dyn Sink>>);

#[async_trait]
impl Bus for Silent {
    fn attach(&self, sink: Arc<dyn Sink>) {
        assert!(self.0.set(sink).is_ok(), "attached once");
    }

    async fn subscribe(&self, _: RoomId) -> Result<(), Unavailable> {
        Ok(())
    }

    async fn unsubscribe(&self, _: RoomId) -> Result<(), Unavailable> {
        Ok(())
    }

    async fn append(&self, _: Post) -> Result<Appended, PortError> {
        Err(PortError::RoomNotFound)
    }

    async fn publish(&self, _: RoomId, _: Option<protocol::ClientId>, _: Bytes) -> Result<(), Unavailable> {
        Ok(())
    }

    async fn read(&self, _: RoomId, _: Span, _: usize) -> Result<Slice, PortError> {
        let (oldest, newest) = (Seq::new(1), Seq::ZERO);
        Ok(Slice { epoch: sample::epoch(), oldest, newest, entries: Vec::new(), more: false })
    }

    async fn originals(&self, _: RoomId, _: Span, _: usize) -> Result<Slice<Original>, PortError> {
        Err(PortError::RoomNotFound)
    }

    async fn renew(&self, _: RoomId, _: &Epoch) -> Result<(), PortError> {
        Ok(())
    }

    async fn order(&self, _: Address, _: Bytes) -> Result<(), Unavailable> {
        Ok(())
    }
}
