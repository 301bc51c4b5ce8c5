//! What operators leave behind: bans, the audit log, and what processes say of themselves.

use super::{PortError, Unavailable};
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Bans, by id.
    Bans,
    /// Tokens that were given back, by id.
    Revoked,
    /// Credentials that replace configured ones, by user.
    Credentials,
    /// Acts of admins whose outcome is not in the log yet, by id.
    Acts,
    /// What processes say of themselves, by node.
    Reports,
    /// The same by minute: `<minute>:<node>`.
    Minutes,
    /// Whom processes that hold no sockets refuse, by process.
    Limited,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Bans, Self::Revoked, Self::Credentials, Self::Acts, Self::Reports, Self::Minutes, Self::Limited];

    /// In keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bans => "bans",
            Self::Revoked => "revoked",
            Self::Credentials => "credentials",
            Self::Acts => "acts",
            Self::Reports => "reports",
            Self::Minutes => "minutes",
            Self::Limited => "limited",
        }
    }
}

/// A document and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its id: at most 128 printable ASCII characters.
    pub id: String,
    /// What it says; the backend never looks into it.
    pub body: Bytes,
}

/// Documents that expire, and one log that is only appended to.
///
/// - Each call takes effect at once and whole, or not at all, and what one process wrote every other one reads.
/// - A document that has expired is not there, for any call.
/// - Lists are in the order of ids, byte by byte. What comes and goes meanwhile shifts nothing.
#[async_trait]
pub trait Records: Send + Sync {
    /// Writes one, in place of a former one of that id. It is gone after `ttl`; without one it stays.
    async fn put(&self, table: Table, document: Document, ttl: Option<Duration>) -> Result<(), Unavailable>;

    /// Reads one.
    async fn get(&self, table: Table, id: &str) -> Result<Option<Bytes>, Unavailable>;

    /// Removes one, and says whether it was there.
    async fn remove(&self, table: Table, id: &str) -> Result<bool, Unavailable>;

    /// At most `limit` (which is at most 500) from the first one after `after`. A page may be shorter, even empty, only
    /// when there are no more.
    async fn list(&self, table: Table, after: Option<&str>, limit: usize) -> Result<Vec<Document>, Unavailable>;

    /// Appends to the log, of which the newest `keep` entries stay. Gives the entry's id, which ascends. With `settles`, the
    /// document of [`Table::Acts`] of that id is removed in the same step; when it is not there, somebody has settled it
    /// before: nothing is appended then, and there is no id. So trying again after a lost answer is safe.
    async fn append(&self, body: Bytes, keep: usize, settles: Option<&str>) -> Result<Option<String>, Unavailable>;

    /// At most `limit` entries of the log, newest first, from the first one before `before`.
    async fn log(&self, before: Option<&str>, limit: usize) -> Result<Vec<Document>, PortError>;
}
