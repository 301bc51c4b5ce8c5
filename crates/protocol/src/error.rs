//! The codes of the `ERROR` event.

use serde::{Deserialize, Serialize};

/// Why a command was refused. A program reads the code; the message beside it is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not JSON, no such command, or a field that is missing, of the wrong type or out of range.
    BadRequest,
    /// A command before `CONNECT`.
    NotConnected,
    /// The client is not in that room, or in none.
    NotInRoom,
    /// No such room: it never was, or it has ended.
    RoomNotFound,
    /// The room has as many members as it may have.
    RoomFull,
    /// A text is longer than allowed.
    TooLong,
    /// A text is empty after trimming.
    Empty,
    /// A name has control characters, or nothing that one can see.
    InvalidName,
    /// Too many in too short a time; `retryAfterMs` says how long to wait.
    RateLimited,
    /// Not allowed to this client.
    Forbidden,
    /// Redis cannot be reached in time: whether the command was carried out is not known. Trying again with the same
    /// `id` is safe.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl ErrorCode {
    /// Every code, for tables and tests.
    pub const ALL: [Self; 12] = [
        Self::BadRequest,
        Self::NotConnected,
        Self::NotInRoom,
        Self::RoomNotFound,
        Self::RoomFull,
        Self::TooLong,
        Self::Empty,
        Self::InvalidName,
        Self::RateLimited,
        Self::Forbidden,
        Self::Unavailable,
        Self::Internal,
    ];

    /// Whether the same command, sent again later, can succeed.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Internal)
    }
}
