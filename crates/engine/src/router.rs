//! What the bus delivers, on its way to the workers: one item for each worker that has members in the room, with the
//! frame made once for all of them.

use crate::{
    control::Order,
    engine::Heard,
    frame,
    hub::{Errand, Receipt},
    interest::{Interest, MAX_WORKERS, Workers},
    port::{Change, Delivery, Sink},
    stats::{Histogram, Reach},
    trace::{Delivering, TraceContext, Tracer},
};
use bytes::Bytes;
use protocol::{ClientId, CloseCode, RoomId, Seq, Timestamp};
use std::sync::{
    Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use tokio::{
    sync::{Notify, mpsc},
    time::{Duration, Instant},
};

/// Items that may wait for one worker. A worker that is further behind reads its rooms again instead.
const QUEUE: usize = 16 * 1024;

/// Where a connection's id says which worker it is on.
const WORKER_SHIFT: u32 = 48;
/// The low bits of a connection's id are empty: there stands, where the connection speaks for a client, which of its
/// attempts to do so that is.
pub(crate) const ATTEMPT_BITS: u32 = 8;

/// A message that is followed.
pub(crate) type Followed = Arc<dyn Delivering>;

/// What a worker is handed.
pub(crate) enum Item {
    Entry {
        room: RoomId,
        seq: Seq,
        sent_at: Timestamp,
        frame: Bytes,
        taken: Option<Instant>,
        /// Of a message that went to several workers.
        reach: Option<Arc<Reach>>,
        /// Of a message that is followed: it has been delivered here when all workers have dropped it.
        followed: Option<Followed>,
    },
    Membership {
        room: RoomId,
        change: Change,
        member_count: u32,
    },
    Ephemeral {
        room: RoomId,
        except: Option<ClientId>,
        frame: Bytes,
    },
    RoomEnded(RoomId),
    Missed(Option<RoomId>),
}

/// What a worker is ordered to do.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    Close {
        connection: u64,
        code: CloseCode,
    },
    CloseAll(CloseCode),
    /// The rooms that the client of a connection is in, by the directory.
    Compare {
        connection: u64,
        rooms: Vec<RoomId>,
    },
    /// Do something for an operator.
    Errand {
        errand: Arc<Errand>,
        receipt: Receipt,
    },
    /// Ask every client to come back elsewhere, each at a moment of its own within this time.
    Reconnect(Duration),
}

struct Worker {
    items: mpsc::Sender<Item>,
    /// Apart from the items, and without a bound: these are few, small and cannot be had again by reading, and a
    /// connection that must be closed must not stay open because its worker is behind.
    commands: mpsc::UnboundedSender<Command>,
    /// An item did not fit: the worker must read all of its rooms again.
    lagged: Arc<AtomicBool>,
}

/// A worker's end of its queue.
pub(crate) struct Inbox {
    pub(crate) index: usize,
    pub(crate) items: mpsc::Receiver<Item>,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) lagged: Arc<AtomicBool>,
}

/// Hands deliveries to workers.
pub(crate) struct Router {
    pub(crate) interest: Interest,
    workers: RwLock<Vec<Worker>>,
    /// The node's present life; orders for another one are void.
    pub(crate) generation: AtomicU64,
    /// For the node as a whole.
    orders: mpsc::Sender<Heard>,
    /// An order to read the bans may have been missed.
    pub(crate) bans_doubtful: Notify,
    fan_out: Arc<Histogram>,
    /// Who follows messages, if anybody does.
    pub(crate) tracer: OnceLock<Arc<dyn Tracer>>,
}

impl Router {
    pub(crate) fn new(orders: mpsc::Sender<Heard>, fan_out: Arc<Histogram>) -> Self {
        let (interest, workers, generation) = (Interest::default(), RwLock::default(), AtomicU64::default());
        Self { interest, workers, generation, orders, bans_doubtful: Notify::new(), fan_out, tracer: OnceLock::new() }
    }

    /// One more worker; `None` when there are as many as a node can have.
    pub(crate) fn add_worker(&self) -> Option<Inbox> {
        let mut workers = self.workers.write().unwrap_or_else(PoisonError::into_inner);
        let index = workers.len();
        if index == MAX_WORKERS {
            return None;
        }
        let (sender, items) = mpsc::channel(QUEUE);
        let (orders, commands) = mpsc::unbounded_channel();
        let lagged = Arc::new(AtomicBool::new(false));
        workers.push(Worker { items: sender, commands: orders, lagged: lagged.clone() });
        Some(Inbox { index, items, commands, lagged })
    }

    /// A connection's id, from its worker and its number there.
    pub(crate) fn connection_id(worker: usize, number: u64) -> u64 {
        ((worker as u64) << WORKER_SHIFT) | (number << ATTEMPT_BITS)
    }

    /// Closes a connection of this node, if it is the one that this attempt to attach has made.
    pub(crate) fn close(&self, connection: u64, code: CloseCode) {
        self.command(connection, Command::Close { connection, code });
    }

    fn command(&self, connection: u64, command: Command) {
        let worker = usize::try_from(connection >> WORKER_SHIFT).unwrap_or(usize::MAX);
        if let Some(worker) = self.workers().get(worker) {
            // A worker that has ended has no connections.
            let _ = worker.commands.send(command);
        }
    }

    /// Has a connection compare where it is with what the directory says.
    pub(crate) fn compare(&self, connection: u64, rooms: Vec<RoomId>) {
        self.command(connection, Command::Compare { connection, rooms });
    }

    /// Closes every connection of this node.
    pub(crate) fn close_all(&self, code: CloseCode) {
        self.command_all(Command::CloseAll(code));
    }

    fn workers(&self) -> RwLockReadGuard<'_, Vec<Worker>> {
        self.workers.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks every client of this node to connect elsewhere.
    pub(crate) fn ask_to_reconnect(&self, window: Duration) {
        self.command_all(Command::Reconnect(window));
    }

    /// Has every worker do something.
    pub(crate) fn run_errand(&self, errand: Errand, receipt: Receipt) {
        self.command_all(Command::Errand { errand: Arc::new(errand), receipt });
    }

    fn command_all(&self, command: Command) {
        for worker in self.workers().iter() {
            let _ = worker.commands.send(command.clone());
        }
    }

    #[cold]
    fn follow(&self, message: TraceContext) -> Option<Followed> {
        Some(self.tracer.get()?.delivering(message).into())
    }

    fn hand(&self, to: Workers, item: impl Fn() -> Item) {
        if to == 0 {
            return;
        }
        for (index, worker) in self.workers().iter().enumerate() {
            if to & (1 << index) != 0 && worker.items.try_send(item()).is_err() {
                worker.lagged.store(true, Ordering::Release);
            }
        }
    }
}

impl Sink for Router {
    fn deliver(&self, delivery: Delivery) {
        match delivery {
            Delivery::Entry { room, entry, taken, trace } => {
                let workers = self.interest.workers(room);
                if workers != 0 {
                    let reach = (workers.count_ones() > 1).then(|| Arc::new(Reach::new(self.fan_out.clone())));
                    let followed = trace.and_then(|trace| self.follow(trace));
                    let frame = frame::entry(entry.seq, entry.sent_at, &entry.payload);
                    self.hand(workers, || Item::Entry {
                        room,
                        seq: entry.seq,
                        sent_at: entry.sent_at,
                        frame: frame.clone(),
                        taken,
                        reach: reach.clone(),
                        followed: followed.clone(),
                    });
                }
            }
            Delivery::Membership { room, change, member_count } => {
                let workers = self.interest.workers(room);
                self.hand(workers, || Item::Membership { room, change: change.clone(), member_count });
            }
            Delivery::Ephemeral { room, except, payload } => {
                let workers = self.interest.workers(room);
                if workers != 0 {
                    let frame = frame::text(&payload);
                    self.hand(workers, || Item::Ephemeral { room, except, frame: frame.clone() });
                }
            }
            Delivery::RoomEnded { room } => self.hand(self.interest.workers(room), || Item::RoomEnded(room)),
            Delivery::Missed(room) => {
                let workers = room.map_or(Workers::MAX, |room| self.interest.workers(room));
                if room.is_none() {
                    self.bans_doubtful.notify_one();
                }
                self.hand(workers, || Item::Missed(room));
            }
            Delivery::Order(bytes) => match Order::decode(&bytes) {
                Some(Order::Close { generation, connection, code }) => {
                    if generation == self.generation.load(Ordering::Acquire)
                        && let Some(code) = CloseCode::from_number(code)
                    {
                        self.close(connection, code);
                    }
                }
                Some(order) => {
                    // A node that ends carries out no more.
                    let queued = self.orders.try_send((order, Instant::now()));
                    if let Err(mpsc::error::TrySendError::Full(_)) = queued {
                        tracing::warn!("more orders than this node can carry out");
                    }
                }
                None => tracing::warn!(bytes = bytes.len(), "an order that this version does not know"),
            },
        }
    }
}
