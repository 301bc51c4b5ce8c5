//! The runtime over real sockets: each test starts a server of its own on a free port.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod http;
mod logs;
mod ops;
mod shutdown;
mod signals;
mod support;
mod upgrade;
