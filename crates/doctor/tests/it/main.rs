//! The doctor on deployments that are well but for one thing each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod codes;
mod files;
mod redis;
mod site;
mod support;
mod tls;
mod told;
