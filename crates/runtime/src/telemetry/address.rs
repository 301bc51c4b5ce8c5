//! Addresses of clients in logs: personal data, of which a log needs no more than where somebody comes from.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
    sync::atomic::{AtomicU8, Ordering},
};

/// How much of a client's address is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogAddresses {
    /// The whole of it.
    Full,
    /// The network: /24 of an IPv4 address, /48 of an IPv6 one.
    #[default]
    Short,
    /// Nothing.
    Off,
}

/// What this process logs. As with the logs themselves there is one for all of it.
static CHOSEN: AtomicU8 = AtomicU8::new(LogAddresses::Short as u8);

impl LogAddresses {
    /// Has every [`LoggedAddress`] of this process be written like that.
    pub(super) fn choose(self) {
        CHOSEN.store(self as u8, Ordering::Relaxed);
    }

    fn chosen() -> Self {
        match CHOSEN.load(Ordering::Relaxed) {
            full if full == Self::Full as u8 => Self::Full,
            off if off == Self::Off as u8 => Self::Off,
            _ => Self::Short,
        }
    }

    fn write(self, address: IpAddr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, address.to_canonical()) {
            (Self::Full, address) => write!(f, "{address}"),
            (Self::Short, IpAddr::V4(v4)) => {
                let [a, b, c, _] = v4.octets();
                write!(f, "{a}.{b}.{c}.0/24")
            }
            (Self::Short, IpAddr::V6(v6)) => {
                write!(f, "{}/48", Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 80)))
            }
            (Self::Off, _) => f.write_str("-"),
        }
    }
}

impl FromStr for LogAddresses {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "full" => Ok(Self::Full),
            "short" => Ok(Self::Short),
            "off" => Ok(Self::Off),
            _ => Err("there is no such way"),
        }
    }
}

/// A client's address on its way into a log: written as `LOG_ADDRESSES` says, and in no other way.
#[derive(Clone, Copy)]
pub struct LoggedAddress(pub IpAddr);

impl fmt::Display for LoggedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LogAddresses::chosen().write(self.0, f)
    }
}

impl fmt::Debug for LoggedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_is_what_is_left() {
        struct As(LogAddresses, &'static str);
        impl fmt::Display for As {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write(self.1.parse().unwrap(), f)
            }
        }
        for (address, short) in [
            ("203.0.113.77", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("2001:db8::6", "2001:db8::/48"),
            ("::1", "::/48"),
        ] {
            assert_eq!(As(LogAddresses::Short, address).to_string(), short);
            assert_eq!(As(LogAddresses::Off, address).to_string(), "-");
        }
        assert_eq!(As(LogAddresses::Full, "::ffff:203.0.113.77").to_string(), "203.0.113.77");
        // Whoever forgets to choose has chosen the network.
        assert_eq!(format!("{:?}", LoggedAddress(IpAddr::from([203, 0, 113, 77]))), "203.0.113.0/24");
    }
}
