//! What is audited, and what can be done to it.

pub mod compose;
pub mod foreign;
pub mod own;

use crate::plan::Fault;
use async_trait::async_trait;

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
