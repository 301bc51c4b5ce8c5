//! What is said in rooms, and read of it.

use super::Engine;
use crate::{
    changes::Standing,
    port::{Amendment, Appended, PortError, Post, Slice, Span, Unavailable},
    stats::one,
};
use bytes::Bytes;
use protocol::{ClientId, RoomId, Seq};

impl Engine {
    /// Gives a message its place in the timeline.
    ///
    /// # Errors
    /// As [`PortError`] says.
    pub async fn send(&self, post: Post) -> Result<Appended, PortError> {
        self.in_time()?;
        let appended = self.bounded(self.ports.bus.append(post)).await?;
        one(&self.stats.received);
        Ok(appended)
    }

    /// The place that a post has, if it is a retry of one that was taken; it gets none otherwise.
    ///
    /// # Errors
    /// As [`PortError`] says.
    pub async fn sent(&self, post: Post) -> Result<Option<Appended>, PortError> {
        // No log has a position 0: what would amend it is refused, unless it needs not be looked at.
        let never =
            Amendment { target: Seq::ZERO, expect: None, replacement: Bytes::new(), noted_as: "", superseded: None };
        match self.send(Post { amendment: Some(never), ..post }).await {
            Err(PortError::Amended) => Ok(None),
            appended => appended.map(Some),
        }
    }

    /// A message that somebody wants to change. None: there is none, or it cannot be changed.
    ///
    /// # Errors
    /// As [`PortError`] says.
    pub async fn standing(&self, room: RoomId, seq: Seq) -> Result<Option<Standing>, PortError> {
        self.bounded(Standing::read(self.ports.bus.as_ref(), room, seq)).await
    }

    /// Tells whoever is in the room now.
    ///
    /// # Errors
    /// When the backend cannot be reached.
    pub async fn publish(&self, room: RoomId, except: Option<ClientId>, event: Bytes) -> Result<(), Unavailable> {
        self.in_time()?;
        self.bounded(self.ports.bus.publish(room, except, event)).await
    }

    /// Reads a part of a room's log.
    ///
    /// # Errors
    /// As [`PortError`] says.
    pub async fn history(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice, PortError> {
        self.bounded(self.ports.bus.read(room, span, limit)).await
    }
}
