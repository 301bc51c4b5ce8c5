//! Who is asking. The socket's peer, unless that is a proxy whose word is trusted: then whom the proxy names.
//!
//! `X-Forwarded-For` is written by everybody on the way, the client included, and each hop appends the address it saw.
//! So it is read from its right end, as far as the hops are trusted, and what lies left of the first untrusted address
//! is hearsay and never looked at.

use crate::env::Variable;
use actix_http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whose word about the client's address is taken; every service that limits by address reads it.
pub const TRUSTED_PROXIES: Variable = Variable::new(
    "TRUSTED_PROXIES",
    "The proxies whose X-Forwarded-For is believed. Whoever else sends one is taken for who it is itself.",
)
.default("none")
.unit("addresses and networks with commas between; `private` is loopback and the private ranges; or `none`");

/// The proxies whose `X-Forwarded-For` counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Nobody: the client is always the socket's peer.
    pub fn none() -> Self {
        Self::default()
    }

    /// Loopback and the private ranges, for a node that only the proxies of its own network can reach.
    pub fn loopback_and_private() -> Self {
        let v4 = [([127, 0, 0, 0], 8), ([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16)];
        let v4 = v4.map(|(octets, length)| (IpAddr::from(octets), length));
        let v6 = [(IpAddr::V6(Ipv6Addr::LOCALHOST), 128), (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7)];
        Self(v4.into_iter().chain(v6).filter_map(|(address, length)| IpNet::new(address, length).ok()).collect())
    }

    /// Whether `ip` is one of them.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|net| net.contains(&ip))
    }

    /// Whether all of `net` are.
    pub fn cover(&self, net: &IpNet) -> bool {
        self.0.iter().any(|trusted| trusted.contains(net))
    }

    /// The client's address, in its canonical form. An entry that is no address ends the walk: whoever wrote it was
    /// not telling where a request came from, so the hop that passed it on is the last that is known.
    pub fn client_ip(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut hop = peer.to_canonical();
        if !self.contains(hop) {
            return hop;
        }
        // Several header lines mean the same as one with commas (RFC 9110 §5.3).
        let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).collect();
        for line in lines.into_iter().rev() {
            let Ok(line) = line.to_str() else { return hop };
            for entry in line.rsplit(',') {
                let Some(ip) = parse_hop(entry.trim()) else { return hop };
                hop = ip;
                if !self.contains(hop) {
                    return hop;
                }
            }
        }
        hop
    }
}

/// Networks and addresses with commas between; `private` stands for [`TrustedProxies::loopback_and_private`], and `none`
/// for none.
impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut nets = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty() && *item != "none") {
            if item == "private" {
                nets.extend(Self::loopback_and_private().0);
            } else if let Ok(net) = item.parse::<IpNet>() {
                nets.push(net.trunc());
            } else if let Ok(ip) = item.parse::<IpAddr>() {
                nets.push(IpNet::from(ip.to_canonical()));
            } else {
                return Err(format!("{item:?} is neither an address nor a network"));
            }
        }
        Ok(Self(nets))
    }
}

/// What a limit counts by: an IPv4 address, or the /64 of an IPv6 one, since a single customer owns at least that much
/// and could change its address for every request.
pub fn limit_key(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
    }
}

/// One entry: an address, with or without brackets and a port.
fn parse_hop(entry: &str) -> Option<IpAddr> {
    let ip = entry.parse::<IpAddr>().ok();
    let ip = ip.or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()));
    let ip = ip.or_else(|| entry.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6));
    // "0.0.0.0" and "::" are nobody's address; counting by them would put strangers into one bucket.
    ip.map(|ip| ip.to_canonical()).filter(|ip| !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::header::HeaderValue;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(trusted: &str, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        trusted.parse::<TrustedProxies>().unwrap().client_ip(ip(peer), &headers).to_string()
    }

    #[test]
    fn the_walk() {
        let cases: &[(&str, &str, &[&str], &str)] = &[
            // trusted, peer, X-Forwarded-For, client
            ("none", "10.0.0.1", &["1.2.3.4"], "10.0.0.1"),
            ("private", "10.0.0.1", &[], "10.0.0.1"),
            ("private", "10.0.0.1", &["1.2.3.4"], "1.2.3.4"),
            ("private", "10.0.0.1", &["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            ("private", "10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
            ("private", "10.0.0.1", &["6.6.6.6", "1.2.3.4", "10.0.0.2"], "1.2.3.4"),
            ("private", "10.0.0.1", &["192.168.0.9"], "192.168.0.9"),
            ("private", "10.0.0.1", &["1.2.3.4, unknown"], "10.0.0.1"),
            ("private", "10.0.0.1", &["1.2.3.4, unknown, 10.0.0.2"], "10.0.0.2"),
            ("private", "10.0.0.1", &["1.2.3.4,"], "10.0.0.1"),
            ("private", "10.0.0.1", &["1.2.3.4, 0.0.0.0"], "10.0.0.1"),
            ("private", "10.0.0.1", &["1.2.3.4, \u{e9}"], "10.0.0.1"),
            ("private", "10.0.0.1", &["1.2.3.4:5678"], "1.2.3.4"),
            ("private", "10.0.0.1", &["[2001:db8::1]:5678"], "2001:db8::1"),
            ("private", "10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("private", "10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("private", "10.0.0.1", &["::ffff:1.2.3.4"], "1.2.3.4"),
            ("private", "::ffff:10.0.0.1", &["1.2.3.4"], "1.2.3.4"),
            ("private", "::1", &["1.2.3.4"], "1.2.3.4"),
            ("private", "8.8.8.8", &["1.2.3.4"], "8.8.8.8"),
            ("8.8.8.0/24, 2001:db8::/32", "8.8.8.8", &["1.2.3.4, 2001:db8::5"], "1.2.3.4"),
            ("8.8.8.8", "8.8.8.8", &["1.2.3.4"], "1.2.3.4"),
        ];
        for (trusted, peer, lines, expected) in cases {
            assert_eq!(client(trusted, peer, lines), *expected, "{trusted} {peer} {lines:?}");
        }
    }

    #[test]
    fn lists() {
        assert_eq!("".parse(), Ok(TrustedProxies::none()));
        assert_eq!("none".parse(), Ok(TrustedProxies::none()));
        assert_eq!("private".parse(), Ok(TrustedProxies::loopback_and_private()));
        assert_eq!(TrustedProxies::loopback_and_private().0.len(), 6);
        assert!("10.0.0.0/33".parse::<TrustedProxies>().is_err());
        assert!("nginx".parse::<TrustedProxies>().is_err());
    }

    #[test]
    fn limits_count_a_customer_not_an_address() {
        assert_eq!(limit_key(ip("1.2.3.4")), ip("1.2.3.4"));
        assert_eq!(limit_key(ip("::ffff:1.2.3.4")), ip("1.2.3.4"));
        assert_eq!(limit_key(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
    }

    fn header_line() -> impl Strategy<Value = String> {
        prop_oneof![any::<IpAddr>().prop_map(|ip| ip.to_string()), "[ -~]{0,40}"]
    }

    proptest! {
        #[test]
        fn a_forged_header_from_an_untrusted_peer_changes_nothing(
            peer: IpAddr,
            lines in prop::collection::vec(header_line(), 0..6),
        ) {
            let trusted = TrustedProxies::loopback_and_private();
            prop_assume!(!trusted.contains(peer));
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            prop_assert_eq!(client("private", &peer.to_string(), &lines), peer.to_canonical().to_string());
        }

        #[test]
        fn what_a_client_forges_stays_left_of_what_the_proxy_saw(
            seen: Ipv4Addr,
            forged in prop::collection::vec(header_line(), 0..6),
        ) {
            prop_assume!(!TrustedProxies::loopback_and_private().contains(seen.into()) && !seen.is_unspecified());
            let seen = seen.to_string();
            let lines: Vec<_> = forged.iter().map(String::as_str).chain([seen.as_str()]).collect();
            prop_assert_eq!(client("private", "10.0.0.1", &lines), seen);
        }
    }
}
