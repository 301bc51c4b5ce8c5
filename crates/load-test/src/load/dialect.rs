//! What is spoken on a connection: the project's own contract, or what others speak, so that they can be measured by the
//! same program with the same clocks.

use serde::Serialize;
use std::str::FromStr;

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Dialect {
    /// The project's own (`docs/protocol.md`): `text.rs`.
    #[default]
    #[serde(rename = "roomful")]
    Roomful,
    /// Socket.IO 4, on Engine.IO 4 over a WebSocket: `packet.rs`.
    #[serde(rename = "socket.io")]
    SocketIo,
    /// Nothing: texts that come are deliveries.
    #[serde(rename = "listen")]
    Listen,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Roomful, Self::SocketIo, Self::Listen];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Roomful => "roomful",
            Self::SocketIo => "socket.io",
            Self::Listen => "listen",
        }
    }

    /// Where its servers listen, unless a URL says so.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Roomful | Self::Listen => "/ws",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
        }
    }

    /// Characters of a message, at least: what the tester has to find in it again.
    #[must_use]
    pub fn least_bytes(self) -> usize {
        match self {
            Self::Roomful => super::text::STAMP,
            Self::SocketIo => super::packet::TAIL,
            Self::Listen => 1,
        }
    }
}

impl FromStr for Dialect {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.map(Self::name).to_vec();
            format!("expected one of {}", names.join(", "))
        })
    }
}
