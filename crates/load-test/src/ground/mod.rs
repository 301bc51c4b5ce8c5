//! What is audited, and what can be done to it.

pub mod compose;
pub mod foreign;
pub mod own;

use crate::plan::Fault;
use async_trait::async_trait;

/// Limits that a single machine with all clients on it would run into.
const LIMITS_OFF: [(&str, &str); 4] = [
    ("LIMIT_CONNECT_NODE", "off"),
    ("LIMIT_CONNECT_CLUSTER", "off"),
    ("LIMIT_HTTP_NODE", "off"),
    ("LIMIT_HTTP_CLUSTER", "off"),
];

/// What a room's log keeps in a cluster that we start, so that it is whole at the end.
pub const LOG_MAX: u64 = 100_000;

/// What every process of a cluster that we start is told.
fn environment() -> Vec<(String, String)> {
    let limits = LIMITS_OFF.map(|(name, value)| (name.to_owned(), value.to_owned()));
    limits.into_iter().chain([("ROOM_LOG_MAX".to_owned(), LOG_MAX.to_string())]).collect()
}

/// A cluster under audit.
#[async_trait]
pub trait Ground: Send {
    /// Where clients connect: WebSocket URLs.
    fn urls(&self) -> Vec<String>;

    /// The base of the HTTP calls (`http://…/api`), if it has them.
    fn api(&self) -> Option<String>;

    /// How many chat-nodes there are, as far as it knows.
    fn nodes(&self) -> usize;

    /// What it is made of, for the report.
    fn describe(&self) -> Vec<String>;

    /// Whether this can be done to it.
    fn possible(&self, fault: Fault) -> bool;

    /// Does it.
    ///
    /// # Errors
    /// When it could not be done: the audit is void then.
    async fn begin(&mut self, fault: Fault) -> Result<(), String>;

    /// Undoes it; returns when what it hit is there again.
    ///
    /// # Errors
    /// When that is not there again: the audit is void then.
    async fn end(&mut self, fault: Fault) -> Result<(), String>;
}
