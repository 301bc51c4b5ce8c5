//! Whom bans hit: asked by each node that lets somebody in, and by operators who want to know beforehand.

use crate::port::Document;
use ipnet::{IpNet, Ipv4Net};
use protocol::{ClientId, Timestamp, admin::Ban};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

/// So much the clocks of two machines may differ, in milliseconds; an id is nobody's for longer before it is given again.
const CLOCKS_APART: u64 = 600_000;

/// All bans, as they were when they were read: one that ends since does so with the next reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BanList {
    /// Since when each of them.
    clients: HashMap<ClientId, Timestamp>,
    networks: HashSet<IpNet>,
    /// Of `networks`. Each costs one look-up, however many networks have it.
    lengths: BTreeSet<(bool, u8)>,
}

impl BanList {
    /// Those of [`Table::Bans`](crate::port::Table::Bans). What cannot be read is none: another version may have
    /// written it.
    pub fn from<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Self {
        Self::of(documents.into_iter().filter_map(parse).collect::<Vec<_>>().iter())
    }

    /// These.
    pub fn of<'a>(bans: impl IntoIterator<Item = &'a Ban>) -> Self {
        let mut list = Self::default();
        for ban in bans {
            if let Some(client) = ban.client_id {
                let since = list.clients.entry(client).or_insert(ban.created_at);
                *since = ban.created_at.max(*since);
            }
            if let Some(network) = ban.ip.as_deref().and_then(network) {
                list.networks.insert(network);
                list.lengths.insert((network.addr().is_ipv4(), network.prefix_len()));
            }
        }
        list
    }

    /// Whether there is nobody on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.networks.is_empty()
    }

    /// Whether it hits whoever this is, as far as that is known: a client, and since when the id is its own. An id is given
    /// out again when nobody has used it for long enough, and whoever has it then is not the one that was banned. `trusted`
    /// proxies are never hit by their address: everybody else comes through them.
    pub fn hits(
        &self,
        client: Option<(ClientId, Timestamp)>,
        address: Option<IpAddr>,
        trusted: impl Fn(IpAddr) -> bool,
    ) -> bool {
        let is_meant = |(client, since): (ClientId, Timestamp)| {
            self.clients.get(&client).is_some_and(|banned| banned.0.saturating_add(CLOCKS_APART) >= since.0)
        };
        client.is_some_and(is_meant)
            || address.is_some_and(|address| self.covers(address.to_canonical()) && !trusted(address))
    }

    fn covers(&self, address: IpAddr) -> bool {
        let lengths = self.lengths.iter().filter(|(v4, _)| *v4 == address.is_ipv4());
        lengths
            .filter_map(|(_, length)| IpNet::new(address, *length).ok())
            .any(|network| self.networks.contains(&network.trunc()))
    }
}

/// A stored ban; none when this version cannot read it.
#[must_use]
pub fn parse(document: &Document) -> Option<Ban> {
    serde_json::from_slice(&document.body).ok()
}

/// An address or a network, with nothing behind its prefix. What IPv6 writes of an IPv4 address is that address.
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().ok()?,
    };
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.addr().to_ipv4_mapped().map(|v4| (v4, v6.prefix_len() - 96)),
        IpNet::V6(_) | IpNet::V4(_) => None,
    };
    match mapped {
        Some((v4, length)) => Some(IpNet::V4(Ipv4Net::new(v4, length).ok()?.trunc())),
        None => Some(network.trunc()),
    }
}

/// As [`network`] reads it, and as people write it: an address stands without a prefix.
#[must_use]
pub fn written(network: IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() { network.addr().to_string() } else { network.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Timestamp;

    fn ban(client: Option<u64>, ip: Option<&str>) -> Ban {
        Ban {
            ban_id: "1".into(),
            client_id: client.map(|id| ClientId::new(id).unwrap()),
            ip: ip.map(str::to_owned),
            reason: "spam".into(),
            created_at: Timestamp(1),
            created_by: "admin".into(),
            expires_at: None,
        }
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn it_is_read_from_documents_and_skips_what_it_cannot_read() {
        let document = |body: Vec<u8>| Document { id: "1".into(), body: body.into() };
        let documents = [
            document(serde_json::to_vec(&ban(Some(12_345), None)).unwrap()),
            document(b"{}".to_vec()),
            document(serde_json::to_vec(&ban(None, Some("203.0.113.0/24"))).unwrap()),
            document(serde_json::to_vec(&ban(None, Some("nonsense"))).unwrap()),
        ];
        let list = BanList::from(&documents);
        let client = |id, since| Some((ClientId::new(id).unwrap(), Timestamp(since)));
        assert!(list.hits(client(12_345, 0), None, |_| false));
        assert!(list.hits(client(12_345, 1 + CLOCKS_APART), None, |_| false));
        assert!(!list.hits(client(12_345, 1 + CLOCKS_APART + 1), None, |_| false), "the id is somebody else's by now");
        assert!(list.hits(None, ip("203.0.113.77"), |_| false));
        assert!(!list.is_empty() && BanList::from(&documents[1..2]).is_empty());
    }

    #[test]
    fn an_address_is_hit_by_its_networks_and_by_no_other() {
        let bans = ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32", "10.0.0.0/8"].map(|ip| ban(None, Some(ip)));
        let list = BanList::of(&bans);
        for hit in ["203.0.113.255", "198.51.100.7", "::ffff:198.51.100.7", "2001:db8:ffff::1", "10.9.8.7"] {
            assert!(list.hits(None, ip(hit), |_| false), "{hit}");
        }
        for free in ["203.0.114.0", "198.51.100.8", "2001:db9::1", "::1"] {
            assert!(!list.hits(None, ip(free), |_| false), "{free}");
        }
        assert!(!list.hits(Some((ClientId::new(10_000).unwrap(), Timestamp(0))), None, |_| false));
    }

    #[test]
    fn a_trusted_proxy_is_never_hit_by_its_address() {
        let list = BanList::of(&[ban(Some(12_345), None), ban(None, Some("0.0.0.0/0"))]);
        let trusted = |ip: IpAddr| ip.is_loopback();
        assert!(!list.hits(None, ip("127.0.0.1"), trusted));
        assert!(list.hits(None, ip("8.8.8.8"), trusted));
        let client = Some((ClientId::new(12_345).unwrap(), Timestamp(0)));
        assert!(list.hits(client, ip("127.0.0.1"), trusted), "but by its id");
    }

    #[test]
    fn networks_are_written_in_one_way() {
        for (text, canonical) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7/32", "203.0.113.7"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("2001:db8::1/64", "2001:db8::/64"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7/120", "203.0.113.0/24"),
        ] {
            assert_eq!(network(text).map(written).as_deref(), Some(canonical), "{text}");
        }
        for bad in
            ["", "203.0.113", "203.0.113.7/33", "2001:db8::/129", "203.0.113.7/", "x", " 203.0.113.7", "1.2.3.4/-1"]
        {
            assert_eq!(network(bad), None, "{bad}");
        }
    }
}
