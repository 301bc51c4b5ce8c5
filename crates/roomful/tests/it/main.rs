//! The one process over real sockets.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod assets;
mod commands;
mod compose;
mod loading;
mod metrics;
mod support;
