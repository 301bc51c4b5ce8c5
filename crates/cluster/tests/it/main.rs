//! The supervisor and the configuration of nginx, with real programs.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod admin_scale;
mod admin_schema;
mod config;
mod discovery;
mod lives;
mod logs;
mod metrics;
mod outage;
mod page;
mod promises;
mod proxy;
mod refusals;
mod supervisor;
mod support;
mod traces;
mod websocket;
