//! Identifiers. Each is parsed once and cannot hold a value outside its range.

use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr, sync::Arc};
use thiserror::Error;
use uuid::Uuid;

/// JSON numbers are exact up to here in every client.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Why a value is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct IdError(&'static str);

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(as = "u32"))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = u32, minimum = 10000, maximum = 999_999_999, example = 48151))]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The smallest id: five digits, so that people can say it.
            pub const MIN: u32 = 10_000;
            /// The largest id that the range may ever grow to.
            pub const MAX: u32 = 999_999_999;

            /// Checks the range.
            ///
            /// # Errors
            /// When `value` is outside [`Self::MIN`]..=[`Self::MAX`].
            pub const fn new(value: u64) -> Result<Self, IdError> {
                if value < Self::MIN as u64 || value > Self::MAX as u64 {
                    return Err(IdError(concat!($what, " must be an integer from 10000 up, with at most nine digits")));
                }
                #[allow(clippy::cast_possible_truncation)] // checked above
                Ok(Self(value as u32))
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                s.parse::<u64>().map_or(Err(IdError(concat!($what, " must be a number"))), Self::new)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::new(u64::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

number_id!(
    /// A client of the whole cluster. It survives a reconnect, and any node can give it back.
    ClientId, "clientId"
);
number_id!(
    /// A room.
    RoomId, "roomId"
);

/// A position in a room's timeline: 1, 2, 3 … without holes. 0 is the position before the first message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(as = "u32"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = u64, example = 42))]
#[serde(transparent)]
pub struct Seq(u64);

impl Seq {
    /// Before the first message.
    pub const ZERO: Self = Self(0);

    /// Takes a position that the timeline gave.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The position before this one; 0 stays 0.
    #[must_use]
    pub const fn prev(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match u64::deserialize(d)? {
            value if value <= MAX_SAFE_INTEGER => Ok(Self(value)),
            _ => Err(serde::de::Error::custom("a seq must be under 2^53")),
        }
    }
}

/// Milliseconds since the Unix epoch, by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(as = "u32"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = u64, example = 1_700_000_000_000_u64))]
#[serde(transparent)]
pub struct Timestamp(pub u64);

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal, $allowed:expr, $error:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(as = "String"))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                let allowed: fn(char) -> bool = $allowed;
                if !($min..=$max).contains(&s.chars().count()) || !s.chars().all(allowed) {
                    return Err(IdError($error));
                }
                Ok(Self(s.into()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<'de, str>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

string_id!(
    /// Names one running chat-node process.
    NodeId, 1..=64, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
    "a nodeId must have 1 to 64 letters, digits, '-', '_' or '.'"
);
string_id!(
    /// Names one life of a room's timeline. Another epoch means that positions of the old one say nothing.
    Epoch, 1..=64, |c| !c.is_control(),
    "an epoch must have 1 to 64 characters"
);
string_id!(
    /// What a client chose to recognise the reply by; it is echoed as it came.
    CorrelationId, 0..=64, |_| true,
    "an id must have at most 64 characters"
);

/// A message's identity, chosen by its sender: a UUID in its hyphenated form. It makes a retry safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(as = "String"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, example = "0c1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"))]
#[serde(transparent)]
pub struct MessageId(Uuid);

impl MessageId {
    /// Takes a UUID.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID.
    #[must_use]
    pub const fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        // The other spellings that `uuid` takes (braces, urn:, no hyphens) would let one message have several names.
        if s.len() != 36 {
            return Err(IdError("a message id must be a hyphenated UUID"));
        }
        Uuid::try_parse(s).map(Self).map_err(|_| IdError("a message id must be a hyphenated UUID"))
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl From<MessageId> for CorrelationId {
    fn from(id: MessageId) -> Self {
        Self(id.0.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_ids_hold_only_their_range() {
        for bad in ["9999", "0", "-1", "1.5", "1e5", "\"10000\"", "1000000000", "9007199254740993", "null", "true"] {
            assert!(serde_json::from_str::<RoomId>(bad).is_err(), "{bad}");
        }
        for good in ["10000", "99999", "100000", "999999999"] {
            assert_eq!(serde_json::from_str::<RoomId>(good).unwrap().to_string(), good);
        }
    }

    #[test]
    fn a_message_id_has_one_spelling() {
        let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert_eq!(id.parse::<MessageId>().unwrap().to_string(), id);
        assert_eq!(id.to_uppercase().parse::<MessageId>().unwrap().to_string(), id);
        for bad in ["67e5504410b1426f9247bb680e5fe0c8", "{67e55044-10b1-426f-9247-bb680e5fe0c8}", "", "x"] {
            assert!(bad.parse::<MessageId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_correlation_id_has_at_most_64_characters() {
        assert!("é".repeat(64).parse::<CorrelationId>().is_ok());
        assert!("é".repeat(65).parse::<CorrelationId>().is_err());
        assert!("".parse::<CorrelationId>().is_ok());
        assert!("".parse::<NodeId>().is_err());
    }

    #[test]
    fn a_seq_stays_exact_in_every_client() {
        assert!(serde_json::from_str::<Seq>("9007199254740991").is_ok());
        assert!(serde_json::from_str::<Seq>("9007199254740992").is_err());
    }
}
