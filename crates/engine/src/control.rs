//! Orders between processes. They go over the bus as JSON, so that processes of two versions understand each other: what
//! one does not know, it ignores.

use bytes::Bytes;
use protocol::{ClientId, CloseCode, NodeId, Timestamp, event::NoticeLevel};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
    /// Do something, and say so ([`Order::Done`]).
    Task {
        /// Names the request in its answer.
        request: Uuid,
        /// Who wants to know.
        reply_to: NodeId,
        /// What.
        task: Task,
    },
    /// A task was done.
    Done {
        /// As in [`Order::Task`].
        request: Uuid,
        /// Who did it.
        node: NodeId,
        /// What came of it.
        outcome: Outcome,
    },
    /// Answer at once ([`Order::Echo`]): this measures the way.
    Canary {
        /// Who wants to know.
        from: NodeId,
        /// Which time.
        number: u64,
    },
    /// The answer.
    Echo {
        /// Who answers.
        node: NodeId,
        /// As in [`Order::Canary`].
        number: u64,
    },
    /// A node that ends in good order: nobody need look for it.
    Farewell {
        /// Which one.
        node: NodeId,
    },
}

/// What an operator wants of a node. Each may be asked for again, and then does nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Task {
    /// Close the connection that speaks for a client, if it is here.
    Remove {
        /// Whose.
        client: ClientId,
        /// With which code.
        code: u16,
    },
    /// Read the bans again, and close whom they hit.
    Bans,
    /// Tell everybody here.
    Notice {
        /// What.
        text: String,
        /// How urgent it is.
        level: NoticeLevel,
    },
    /// Send everybody elsewhere, and take nobody in any more.
    Drain,
    /// Nothing: whoever answers has heard what was published before.
    Hear,
    /// Say what is known of a client.
    Describe {
        /// Which.
        client: ClientId,
    },
}

/// What came of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many connections it hit.
    pub hit: u64,
    /// Not all of them have taken their leave yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
    /// For [`Task::Describe`], if the client is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Described>,
}

/// A client as its node knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// Messages that were accepted from it on this connection.
    pub messages_sent: u64,
    /// When something came from it last.
    pub last_seen_at: Timestamp,
}

impl Task {
    /// What it is called, for the logs; what it says is nobody's business there.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Remove { .. } => "remove",
            Self::Bans => "bans",
            Self::Notice { .. } => "notice",
            Self::Drain => "drain",
            Self::Hear => "hear",
            Self::Describe { .. } => "describe",
        }
    }
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
        // Integers, texts and tags: serde_json cannot fail on these.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// From the bus; `None` for what this version does not know.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
