//! A WebSocket client that speaks the wire contract in its types: for tests, for load, and for the auditor.
//!
//! It stands on tungstenite, which is not what the server stands on, so that neither can hide the other's mistakes.
//!
//! ```no_run
//! # async fn talk() -> Result<(), client::ClientError> {
//! use client::{Client, ConnectOptions};
//! use protocol::event::NewMessage;
//!
//! let mut alice = Client::connect("ws://127.0.0.1:8080/ws", ConnectOptions::new().username("Alice")).await?;
//! let mut bob = Client::connect("ws://127.0.0.1:8080/ws", ConnectOptions::new().username("Bob")).await?;
//! let room = alice.create_room("Tea").await?.room.room_id;
//! bob.join(room).await?;
//! let ack = alice.say("hello").await?;
//! let heard = bob.expect::<NewMessage>(|message| Some(message.seq) == ack.seq).await?;
//! assert_eq!(heard.body.as_str(), "hello");
//! # Ok(())
//! # }
//! ```
//!
//! | part | what |
//! | --- | --- |
//! | [`Client`] | commands, replies and events |
//! | [`Raw`] | the same socket without manners: any frame, any byte |
//! | [`Timeline`] | whether what one client was told is what the contract promises |
//!
//! Nothing here waits without an end: five seconds, unless told otherwise. Nothing runs in the background either: a
//! client reads only while one of its methods waits. So one that is to be slow is simply left alone, and one that is to
//! live through heartbeats has to be asked something now and then ([`Client::idle`]).

mod client;
mod commands;
mod error;
mod options;
mod raw;
mod timeline;

pub use client::Client;
pub use error::ClientError;
pub use options::{ConnectOptions, TIMEOUT};
pub use raw::Raw;
pub use timeline::{Fault, Timeline};
pub use tokio_tungstenite::tungstenite::Message as Frame;
