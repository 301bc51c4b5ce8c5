//! Orders from node to node. They go over the bus as JSON, so that nodes of two versions understand each other: what a
//! node does not know, it ignores.

use bytes::Bytes;
use protocol::CloseCode;
use serde::{Deserialize, Serialize};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Close a connection.
    Close {
        /// Of the node that the connection was opened in: a number of another life means another connection.
        generation: u64,
        /// Which one.
        connection: u64,
        /// With which code.
        code: u16,
    },
}

impl Order {
    /// An order to close a connection.
    #[must_use]
    pub fn close(generation: u64, connection: u64, code: CloseCode) -> Self {
        Self::Close { generation, connection, code: code.get() }
    }

    /// For the bus.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        // Two integers and a tag: serde_json cannot fail on these.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// From the bus; `None` for what this version does not know.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
