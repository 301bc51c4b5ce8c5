//! Why a server closes a socket, and what the client should do then.

/// A WebSocket close code of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// Normal end.
    Normal = 1000,
    /// A frame that RFC 6455 forbids: unmasked, reserved bits, an unknown opcode, a bad control frame.
    ProtocolError = 1002,
    /// A text that is not UTF-8.
    InvalidUtf8 = 1007,
    /// Bad origin or bad first frame.
    Policy = 1008,
    /// A frame or message over `frameBytes`.
    TooBig = 1009,
    /// The node restarts or drains.
    Restart = 1012,
    /// Overloaded: try again later.
    TryAgainLater = 1013,
    /// No `CONNECT` in time.
    ConnectTimeout = 4001,
    /// The session is invalid or expired.
    SessionInvalid = 4003,
    /// The client reads slower than its rooms talk.
    TooSlow = 4008,
    /// A newer connection took the session over.
    TakenOver = 4009,
    /// Banned.
    Banned = 4010,
    /// Removed by an admin.
    Removed = 4011,
    /// So many refused commands that they are a load of their own.
    Flooding = 4029,
    /// Nothing came for two heartbeats.
    HeartbeatLost = 4040,
}

/// What a client does after a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconnect {
    /// Never by itself.
    No,
    /// With the usual back-off, with `session` and `resume`.
    Yes,
    /// At once, with jitter.
    AtOnce,
    /// As a new guest.
    WithoutSession,
    /// Only when the person asks for it.
    WhenAsked,
    /// After 30 s.
    AfterPause,
}

impl CloseCode {
    /// Every code, for tables and tests.
    pub const ALL: [Self; 15] = [
        Self::Normal,
        Self::ProtocolError,
        Self::InvalidUtf8,
        Self::Policy,
        Self::TooBig,
        Self::Restart,
        Self::TryAgainLater,
        Self::ConnectTimeout,
        Self::SessionInvalid,
        Self::TooSlow,
        Self::TakenOver,
        Self::Banned,
        Self::Removed,
        Self::Flooding,
        Self::HeartbeatLost,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u16 {
        self as u16
    }

    /// The code of a number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.get() == number)
    }

    /// The reason sent beside the number.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ProtocolError => "protocol error",
            Self::InvalidUtf8 => "text is not UTF-8",
            Self::Policy => "policy",
            Self::TooBig => "frame too big",
            Self::Restart => "node restarting",
            Self::TryAgainLater => "overloaded: try again later",
            Self::ConnectTimeout => "no CONNECT in time",
            Self::SessionInvalid => "session invalid or expired",
            Self::TooSlow => "too slow",
            Self::TakenOver => "taken over by a newer connection",
            Self::Banned => "banned",
            Self::Removed => "removed by an admin",
            Self::Flooding => "flooding",
            Self::HeartbeatLost => "heartbeat lost",
        }
    }

    /// What the client does next.
    #[must_use]
    pub const fn reconnect(self) -> Reconnect {
        match self {
            Self::Normal | Self::ProtocolError | Self::InvalidUtf8 | Self::Policy | Self::TakenOver | Self::Banned => {
                Reconnect::No
            }
            Self::TooBig | Self::TryAgainLater | Self::ConnectTimeout | Self::TooSlow | Self::HeartbeatLost => {
                Reconnect::Yes
            }
            Self::Restart => Reconnect::AtOnce,
            Self::SessionInvalid => Reconnect::WithoutSession,
            Self::Removed => Reconnect::WhenAsked,
            Self::Flooding => Reconnect::AfterPause,
        }
    }
}
