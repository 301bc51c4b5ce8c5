//! What can go wrong for a client.

use protocol::{CloseCode, ErrorCode, ServerEvent, event::CommandError};
use std::time::Duration;
use thiserror::Error;
use tokio_tungstenite::tungstenite;

/// Why a client did not get what it asked for.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The server closed the socket. 1005 stands for a close without a code, and 1006 for a connection that ended
    /// without a close (RFC 6455 §7.1.5).
    #[error("the server closed the socket: {code} {reason:?}")]
    Closed {
        /// The number; see [`ClientError::close_code`].
        code: u16,
        /// What it said beside the number.
        reason: String,
    },
    /// The server answered the upgrade with something else.
    #[error("the server refused the upgrade: {status} {body}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The body, usually a problem.
        body: String,
    },
    /// The server refused the command.
    #[error("the command was refused: {:?}: {}", .0.code, .0.message)]
    Refused(CommandError),
    /// It took too long.
    #[error("nothing came within {after:?} while waiting for {what}")]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        after: Duration,
    },
    /// Another event than the one that has to come here.
    #[error("unexpected instead of {wanted}: {got:?}")]
    Unexpected {
        /// What has to come.
        wanted: &'static str,
        /// What came.
        got: Box<ServerEvent>,
    },
    /// A frame that is no event of the contract.
    #[error("a frame that is no event: {error}: {frame}")]
    NotAnEvent {
        /// What is wrong with it.
        error: String,
        /// The frame, as text.
        frame: String,
    },
    /// The command has no reply to wait for.
    #[error("{0} is not answered")]
    NoReply(&'static str),
    /// The URL or a header is not one.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// The connection failed, or the server broke the WebSocket protocol.
    #[error("the connection failed: {0}")]
    Transport(Box<tungstenite::Error>),
}

impl ClientError {
    /// Why the server closed, if it did with a code of the contract.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Closed { code, .. } => CloseCode::from_number(*code),
            _ => None,
        }
    }

    /// Why the server refused the command, if it did.
    #[must_use]
    pub fn error_code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) => Some(error.code),
            _ => None,
        }
    }

    /// Whether the connection can still be used.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Rejected { .. } | Self::Request(_) | Self::Transport(_))
    }
}

impl From<tungstenite::Error> for ClientError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Transport(Box::new(error))
    }
}
