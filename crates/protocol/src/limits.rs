//! Numbers that both sides need to know; a server tells them in its `CONNECT` event.

use serde::{Deserialize, Serialize};

/// What a server accepts at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Unicode scalar values in a message's body.
    pub message_chars: usize,
    /// Unicode scalar values in a user's name.
    pub username_chars: usize,
    /// Unicode scalar values in a room's name.
    pub room_name_chars: usize,
    /// Bytes in a frame, and in a message of several frames.
    pub frame_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_chars: 2000, username_chars: 16, room_name_chars: 16, frame_bytes: 16 * 1024 }
    }
}

/// The most messages in one page of history.
pub const HISTORY_LIMIT_MAX: usize = 100;
/// Messages in a page of history when the client does not say.
pub const HISTORY_LIMIT_DEFAULT: usize = 50;
/// Messages in `ROOM_JOINED` when joining.
pub const JOIN_MESSAGES: usize = 50;
/// Members that `ROOM_JOINED` lists.
pub const MEMBERS_LISTED: usize = 200;
/// The most rooms in one page of the list.
pub const ROOMS_LIMIT_MAX: usize = 100;
/// Rooms in a page of the list when the client does not say.
pub const ROOMS_LIMIT_DEFAULT: usize = 50;
/// The most members in one page of a room's.
pub const MEMBERS_LIMIT_MAX: usize = 500;
/// Members in a page when the client does not say.
pub const MEMBERS_LIMIT_DEFAULT: usize = 200;
