//! The real topology on one machine, without containers: redis-server, nginx, the gateway and any number of chat-nodes,
//! each a process of its own on loopback.
//!
//! [`Cluster`] is the supervisor. It starts everything, says what ended, and ends everything; it restarts nothing,
//! since those who use it want to see what the others do meanwhile. `make cluster` is the program around it, and the
//! auditor stands on it.
//!
//! | file | what |
//! | --- | --- |
//! | `cluster.rs` | starting, changing, ending |
//! | `plan.rs` | what each process is: program, arguments, environment |
//! | `process.rs`, `spawn.rs` | one process; how none outlives us |
//! | `bare.rs` | single processes without a cluster, for what it is compared with |
//! | `nginx.rs`, `template.rs` | the configuration in `nginx/`, filled in |
//! | `description.rs` | `cluster.json` |
//!
//! Linux only: it stands on `setpriv` and on abstract sockets.

mod bare;
mod cluster;
mod description;
mod error;
mod lock;
mod log;
pub mod nginx;
mod options;
mod plan;
mod ports;
mod probe;
mod process;
mod programs;
mod spawn;
mod template;

pub use bare::Program;
pub use cluster::Cluster;
pub use description::{ChatNode, Description, Service};
pub use error::StartError;
pub use options::{MAX_NODES, Options, RedisAddress};
pub use plan::workers;
pub use ports::Port;
pub use process::{Ended, Process, ProcessError};
pub use programs::Programs;
/// Which signal, for [`Process::signal`].
pub use rustix::process::Signal;
pub use template::{TemplateError, render};
