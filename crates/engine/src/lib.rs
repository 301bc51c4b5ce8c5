//! Rooms, membership, timelines and their delivery to sockets, over the ports that a backend fills in.
//!
//! What it guarantees, on any backend that passes [`conformance`]:
//! 1. A member is handed `seq` n+1 directly after n, or is told of a gap; never twice, never in another order.
//! 2. What was acknowledged has its place in the timeline.
//! 3. A slow reader costs only itself: its queue is bounded in bytes, and nobody waits for it.
//! 4. Whoever lost its connection is a member until its grace, or its node's lease, is over.
//!
//! The parts, from the backend to the socket:
//!
//! | part | what it does |
//! | --- | --- |
//! | [`port`] | the traits that a backend fills in |
//! | `router`, [`interest`] | from the bus to the workers that have members in a room |
//! | [`hub`] | one a worker thread: its connections by room, no lock; frames into queues, queues into sockets |
//! | [`connection`], [`outbox`] | one socket: its bounded queue, and why it ends |
//! | [`engine`] | joining, leaving, sending, resuming |
//! | [`view`], [`fold`], [`mod@frame`] | what a client is shown |
//! | [`changes`] | what edits and deletions do to the log |
//! | [`limiter`] | token buckets here, sliding windows in the cluster |
//! | [`control`], [`desk`] | orders between processes, and who asks for them |
//! | [`bans`] | whom bans hit |
//! | [`stats`] | what a node counts, for whoever shows it |
//! | [`trace`] | following single messages from node to node |
//!
//! **Adding a backend**: implement the traits of [`port`], then run [`conformance`] against it from an integration test, as `tests/memory.rs` does.

pub mod bans;
pub mod canary;
pub mod changes;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod connection;
pub mod control;
pub mod desk;
pub mod engine;
pub mod fold;
pub mod frame;
pub mod hub;
pub mod interest;
pub mod limiter;
pub mod memory;
pub mod outbox;
pub mod port;
mod router;
mod sharing;
pub mod stats;
pub mod trace;
pub mod view;

pub use bans::BanList;
pub use connection::{Closing, Connection, Peer};
pub use desk::Desk;
pub use engine::{Engine, EngineConfig};
pub use hub::{Hub, HubConfig};
pub use limiter::{Limiter, Quotas, Wait, Who};
pub use memory::{MemoryCluster, Retention};
pub use outbox::Wire;
pub use port::{PortError, Ports, Unavailable};
pub use trace::TraceContext;
pub use view::{Position, RoomView};
