//! The Redis backend on a Redis Cluster of three masters, against the suite that every backend must pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

engine::conformance_tests!(async { server::backend::Redis::new(server::cluster::shared().url()).await });
