//! The wire contract of Roomful as Rust types. The prose is `docs/protocol.md`; this crate is what server, test
//! client, load tester and (through generated TypeScript) the browser compile against.
//!
//! It is pure: no I/O, no clock, no randomness. Ids and texts are parsed once, into types that cannot hold a bad
//! value ([`id`], [`text`]); what arrived but was not looked at yet is a [`text::RawText`], which nothing but a parser
//! accepts.
//!
//! One message on the wire:
//! ```json
//! {"type": "SEND_MESSAGE", "id": "0c1a…", "body": "hello"}                       → command.rs
//! {"type": "ACK", "id": "0c1a…", "roomId": 48151, "seq": 7, "sentAt": 1700…}     ← event.rs
//! {"type": "NEW_MESSAGE", "roomId": 48151, "seq": 7, "id": "0c1a…", "sender": …} ← event.rs, to every member
//! ```
//!
//! Adding an event or a command: see ARCHITECTURE.md, "Add an event".

pub mod admin;
pub mod close;
pub mod command;
pub mod error;
pub mod event;
pub mod http;
pub mod id;
pub mod limits;
pub mod payload;
pub mod policy;
pub mod sample;
pub mod text;
#[cfg(feature = "typescript")]
pub mod typescript;

pub use close::CloseCode;
pub use command::{ClientCommand, Rejection, decode};
pub use error::ErrorCode;
pub use event::ServerEvent;
pub use id::{ClientId, CorrelationId, Epoch, MessageId, NodeId, RoomId, Seq, Timestamp};
pub use limits::Limits;
pub use text::{MessageBody, RawText, RoomName, TextError, Username};

/// The subprotocol that a client may offer in `Sec-WebSocket-Protocol`.
pub const SUBPROTOCOL: &str = "roomful.v1";
