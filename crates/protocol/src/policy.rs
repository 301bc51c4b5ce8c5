//! What is limited, and how much of it is allowed. The table is `docs/protocol.md` §5.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};
use thiserror::Error;

/// A thing that is limited. A new limit is a new variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Tries to sign in as an admin, per IP address.
    AdminLogin,
    /// HTTP requests, per IP address.
    Http,
    /// New WebSockets, per IP address.
    Connect,
    /// Messages, per client.
    Message,
    /// New rooms, per client.
    RoomCreate,
    /// Typing notices, per client.
    Typing,
    /// Every other command, per client: joining, leaving, renaming and reading cost the others something, too.
    Command,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Self; 7] =
        [Self::AdminLogin, Self::Http, Self::Connect, Self::Message, Self::RoomCreate, Self::Typing, Self::Command];

    /// The name in tables, keys and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdminLogin => "admin_login",
            Self::Http => "http",
            Self::Connect => "connect",
            Self::Message => "message",
            Self::RoomCreate => "room_create",
            Self::Typing => "typing",
            Self::Command => "command",
        }
    }

    /// Whether the cluster has a layer of its own.
    #[must_use]
    pub const fn has_window(self) -> bool {
        !matches!(self, Self::Typing | Self::Command)
    }
}

/// The names of all variables that set a limit, `LIMIT_<POLICY>_NODE` and `LIMIT_<POLICY>_CLUSTER`. Every process knows
/// all of them, whichever it reads, since the processes of a cluster share one environment.
#[must_use]
pub fn limit_variables() -> Vec<String> {
    let name = |policy: Policy, layer: &str| format!("LIMIT_{}_{layer}", policy.name().to_ascii_uppercase());
    let layers = |policy: Policy| {
        [Some(name(policy, "NODE")), policy.has_window().then(|| name(policy, "CLUSTER"))].into_iter().flatten()
    };
    Policy::ALL.into_iter().flat_map(layers).collect()
}

/// A token bucket: `burst` at once, and one more each `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// How many may come at once.
    pub burst: u32,
    /// How long one more takes.
    pub interval: Duration,
}

/// At most `count` in any `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many.
    pub count: u32,
    /// In how long.
    pub window: Duration,
}

/// A limit that may be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota<T> {
    /// No limit.
    Off,
    /// This limit.
    On(T),
}

impl<T> Quota<T> {
    /// The limit, if there is one.
    pub fn on(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(limit) => Some(limit),
        }
    }
}

/// What a limit must look like.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct QuotaError(&'static str);

const BUCKET: QuotaError = QuotaError("`<burst>,<interval of one more>` as in `20,200ms`, or `off`");
const WINDOW: QuotaError = QuotaError("`<count>/<window>` as in `300/60s`, or `off`");

impl FromStr for Quota<Bucket> {
    type Err = QuotaError;
    fn from_str(s: &str) -> Result<Self, QuotaError> {
        if s == "off" {
            return Ok(Self::Off);
        }
        let (burst, interval) = s.split_once(',').ok_or(BUCKET)?;
        let burst = burst.trim().parse().ok().filter(|b| *b > 0).ok_or(BUCKET)?;
        let interval = duration(interval.trim()).ok_or(BUCKET)?;
        Ok(Self::On(Bucket { burst, interval }))
    }
}

impl FromStr for Quota<Window> {
    type Err = QuotaError;
    fn from_str(s: &str) -> Result<Self, QuotaError> {
        if s == "off" {
            return Ok(Self::Off);
        }
        let (count, window) = s.split_once('/').ok_or(WINDOW)?;
        let count = count.trim().parse().ok().filter(|c| *c > 0).ok_or(WINDOW)?;
        let window = duration(window.trim()).ok_or(WINDOW)?;
        Ok(Self::On(Window { count, window }))
    }
}

/// `200ms`, `5s`, `1m`, `1h`; more than nothing, at most a day.
fn duration(s: &str) -> Option<Duration> {
    let digits = s.find(|c: char| !c.is_ascii_digit())?;
    let value: u64 = s[..digits].parse().ok()?;
    let ms: u64 = match &s[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let total = value.checked_mul(ms)?;
    (total > 0 && total <= 86_400_000).then(|| Duration::from_millis(total))
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_read() {
        assert_eq!("20,200ms".parse(), Ok(Quota::On(Bucket { burst: 20, interval: Duration::from_millis(200) })));
        assert_eq!("300/60s".parse(), Ok(Quota::On(Window { count: 300, window: Duration::from_secs(60) })));
        assert_eq!("off".parse(), Ok(Quota::<Bucket>::Off));
        for bad in ["", "20", "0,1s", "20,0s", "-1,1s", "20,1", "20,1y", "on", "20,99999999999999999999s", "1,25h"] {
            assert!(bad.parse::<Quota<Bucket>>().is_err(), "{bad}");
        }
        for bad in ["", "300", "0/60s", "300/0s", "300/x"] {
            assert!(bad.parse::<Quota<Window>>().is_err(), "{bad}");
        }
    }
}
