//! The wire contract over real sockets, as a browser or a stranger would speak it. Each test has a node, or a cluster of
//! nodes, to itself.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod bad_input;
mod changes;
mod closes;
mod comeback;
mod commands;
mod events;
mod fair;
mod floods;
mod frames;
mod http;
mod idempotent;
mod lists;
mod lost;
mod memory;
mod operators;
mod policies;
mod presence;
mod random;
mod sessions;
mod shutdown;
mod slow;
mod store;
mod support;
mod texts;
mod timeline;
