//! The only place where a key or a channel is spelled.
//!
//! One hash tag for the data of a room, `{<room>}`, one for membership, `{m}`, and one for what operators leave behind,
//! `{a}`: all keys of a script have the same one, so that it touches one slot of a Redis Cluster. (A channel belongs to no slot; any script may publish.)

use engine::port::Table;
use fred::types::Key;
use protocol::{NodeId, RoomId, policy::Policy};
use std::sync::Arc;

/// The keys of one cluster.
#[derive(Debug, Clone)]
pub struct Keys {
    prefix: Arc<str>,
    is_clustered: bool,
    membership: Arc<[Key]>,
}

impl Keys {
    /// Takes the prefix of every key, and whether keys have slots.
    pub fn new(prefix: &str, is_clustered: bool) -> Self {
        const MEMBERSHIP: [&str; 16] = [
            "leases",
            "lost",
            "due",
            "rooms",
            "ended",
            "state",
            "life:",
            "held:",
            "node:",
            "client:",
            "entered:",
            "room:",
            "members:",
            "present",
            "participants:",
            "ids:",
        ];
        let membership = MEMBERSHIP.iter().map(|name| format!("{prefix}{{m}}:{name}").into()).collect();
        Self { prefix: prefix.into(), is_clustered, membership }
    }

    /// The keys of every membership script, in the order in which `lua/membership.lua` names them. (Each is counted, and
    /// not copied.)
    pub fn membership(&self) -> Vec<Key> {
        self.membership.to_vec()
    }

    /// One of those, for whoever wants to know where they are.
    pub fn a_key_of_membership(&self) -> Key {
        format!("{}{{m}}:state", self.prefix).into()
    }

    /// A key that never is, where membership is: whether it could be written says whether membership can.
    pub fn nothing(&self) -> Key {
        format!("{}{{m}}:nothing", self.prefix).into()
    }

    /// A room's timeline: what is known of it, its log, and what amendments have put in place of parts of it.
    pub fn timeline(&self, room: RoomId) -> Vec<Key> {
        ["meta", "log", "overlay"].map(|name| format!("{}{{{room}}}:{name}", self.prefix).into()).to_vec()
    }

    /// The stem of the keys that remember a room's message ids.
    pub fn seen(&self, room: RoomId) -> Key {
        format!("{}{{{room}}}:idem:", self.prefix).into()
    }

    /// A table of documents: its index, its ends, and the stem of its documents.
    pub fn table(&self, table: Table) -> Vec<Key> {
        let (prefix, name) = (&self.prefix, table.name());
        vec![
            format!("{prefix}{{a}}:{name}").into(),
            format!("{prefix}{{a}}:ends:{name}").into(),
            format!("{prefix}{{a}}:{name}:").into(),
        ]
    }

    /// One document of it.
    pub fn document(&self, table: Table, id: &str) -> Key {
        format!("{}{{a}}:{}:{id}", self.prefix, table.name()).into()
    }

    /// The log of what operators did.
    pub fn log(&self) -> Key {
        format!("{}{{a}}:log", self.prefix).into()
    }

    /// Where a room is told what happens.
    pub fn channel(&self, room: RoomId) -> String {
        let [head, tail] = self.channel_parts();
        format!("{head}{room}{tail}")
    }

    /// What stands before and behind a room's id in its channel.
    pub fn channel_parts(&self) -> [String; 2] {
        [format!("{}{{", self.prefix), "}:ch".to_owned()]
    }

    /// Orders to every node.
    pub fn everyone(&self) -> String {
        format!("{}ctl", self.prefix)
    }

    /// Orders to one node.
    pub fn node(&self, node: &NodeId) -> String {
        format!("{}{node}", self.node_head())
    }

    /// What stands before a node's name in its control channel.
    pub fn node_head(&self) -> String {
        format!("{}ctl:", self.prefix)
    }

    /// Where a process speaks to itself, to know that it hears.
    pub fn probe(&self, process: uuid::Uuid) -> String {
        format!("{}ctl:probe:{}", self.prefix, process.simple())
    }

    /// What somebody has used of a limit.
    pub fn limit(&self, policy: Policy, who: &str) -> Key {
        format!("{}limit:{}:{who}", self.prefix, policy.name()).into()
    }

    /// What somebody has used of a limit, where a script over a room's keys can count it. In a Redis Cluster that is in
    /// the room's own slot, and so the count is the room's own, too.
    pub fn limit_in(&self, room: RoomId, policy: Policy, who: &str) -> Key {
        if self.is_clustered {
            return format!("{}{{{room}}}:limit:{}:{who}", self.prefix, policy.name()).into();
        }
        self.limit(policy, who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_script_share_their_tag() {
        let keys = Keys::new("rf:", true);
        let tag = |key: &Key| {
            let key = key.as_str().unwrap().to_owned();
            key[key.find('{').unwrap()..=key.find('}').unwrap()].to_owned()
        };
        assert!(keys.membership().iter().all(|key| tag(key) == "{m}"));
        let room = RoomId::new(12345).unwrap();
        let limit = keys.limit_in(room, Policy::Message, "c:10000");
        assert!(keys.timeline(room).iter().chain([&keys.seen(room), &limit]).all(|key| tag(key) == "{12345}"));
        for table in Table::ALL {
            let [log, document] = [keys.log(), keys.document(table, "x{m}")];
            assert!(keys.table(table).iter().chain([&log, &document]).all(|key| tag(key) == "{a}"));
        }
        assert_eq!(keys.channel(room), "rf:{12345}:ch");
    }
}
