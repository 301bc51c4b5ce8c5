//! A chat-node owns WebSockets: it takes them over from the HTTP server, reads commands, and lets the engine do the
//! rest. It keeps no position of any client: a client that comes back, here or elsewhere, brings its own.
//!
//! | part | what it does |
//! | --- | --- |
//! | [`config`] | what can be set |
//! | `upgrade` | `GET /ws`: from the request to the raw socket |
//! | `reader` | from bytes to messages; headers are checked before memory is taken |
//! | `connection` | one task a socket |
//! | `admission` | how many come in at once, and in which order |
//! | `session` | who speaks, and the signed sessions |
//! | `command` | one file a command |
//! | `report` | what the node says of itself, for operators |
//!
//! **Adding a command**: its payload in `protocol/src/command.rs` and `sample.rs`, its file in `command/`, its line in
//! `command/mod.rs`.

mod admission;
mod command;
pub mod config;
mod connection;
mod node;
mod reader;
mod report;
mod session;
mod statistics;
mod trace;
mod upgrade;

pub use admission::Admission;
pub use config::Config;
pub use node::{BuildError, Node, Server, build};

/// How the service names itself.
pub const SERVICE: &str = "chat-node";
/// The product's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
