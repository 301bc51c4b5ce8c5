//! The gateway over real sockets, on a cluster in memory: each test has both to itself.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod health;
mod limits;
mod openapi;
mod paths;
mod ports;
mod rooms;
mod support;
