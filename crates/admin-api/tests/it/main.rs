//! The admin API over real sockets, on a cluster in memory: each test has both to itself.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acts;
mod audit;
mod away;
mod bans;
mod clients;
mod live;
mod login;
mod nodes;
mod notices;
mod openapi;
mod password;
mod paths;
mod rooms;
mod support;
mod tokens;
