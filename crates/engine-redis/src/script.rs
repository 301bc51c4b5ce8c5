//! The Lua scripts, by name. Each is sent once to a server and then called by its hash.

use crate::stats::Operation;
use std::sync::LazyLock;

/// A script and its hash.
#[derive(Debug)]
pub struct Script {
    /// The file's name.
    pub name: &'static str,
    /// What is executed.
    pub text: String,
    /// Its SHA-1.
    pub hash: String,
    /// What it is for.
    pub operation: Operation,
}

impl Script {
    fn new(name: &'static str, text: String) -> Self {
        let hash = fred::util::sha1_hash(&text);
        Self { name, text, hash, operation: Operation::of(name) }
    }
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $static:ident = $name:literal, $text:expr;)*) => {
        $($(#[$doc])* pub static $static: LazyLock<Script> = LazyLock::new(|| Script::new($name, $text));)*

        #[cfg(test)]
        fn all() -> Vec<&'static Script> {
            vec![$(&*$static),*]
        }
    };
}

/// A script over the keys of membership: the common beginning, and its own part.
macro_rules! membership {
    ($file:literal) => {
        [include_str!("lua/membership.lua"), include_str!(concat!("lua/", $file, ".lua"))].concat()
    };
}

/// One that says something of clients to operators.
macro_rules! census {
    ($file:literal) => {
        [
            include_str!("lua/membership.lua"),
            include_str!("lua/record.lua"),
            include_str!(concat!("lua/", $file, ".lua")),
        ]
        .concat()
    };
}

macro_rules! alone {
    ($file:literal) => {
        include_str!(concat!("lua/", $file, ".lua")).to_owned()
    };
}

/// A script that counts in a window: the counting, and its own part.
macro_rules! counting {
    ($file:literal) => {
        [include_str!("lua/window.lua"), include_str!(concat!("lua/", $file, ".lua"))].concat()
    };
}

scripts! {
    APPEND = "append", counting!("append");
    READ = "read", alone!("read");
    RENEW = "renew", alone!("renew");
    POSITIONS_OF = "positions", alone!("positions");
    OPEN = "open", alone!("open");
    CLOSE = "close", alone!("close");
    TOUCH = "touch", alone!("touch");
    ALIVE = "alive", alone!("alive");
    CLOCK = "clock", alone!("clock");
    TAKE = "take", counting!("take");
    REGISTER = "register", membership!("register");
    HEARTBEAT = "heartbeat", membership!("heartbeat");
    DEREGISTER = "deregister", membership!("deregister");
    NODES = "nodes", membership!("nodes");
    ATTACH = "attach", membership!("attach");
    DETACH = "detach", membership!("detach");
    RENAME = "rename", membership!("rename");
    CREATE = "create", membership!("create");
    JOIN = "join", membership!("join");
    LEAVE = "leave", membership!("leave");
    END_ROOM = "end_room", membership!("end_room");
    ROOMS_OF = "rooms_of", membership!("rooms_of");
    ROOM = "room", membership!("room");
    MEMBERS = "members", membership!("members");
    ROOMS = "rooms", membership!("rooms");
    SWEEP = "sweep", membership!("sweep");
    CLOSED = "closed", membership!("closed");
    LIFE = "life", membership!("life");
    COUNTS = "counts", membership!("counts");
    CLIENTS = "clients", census!("clients");
    CLIENT = "client", census!("client");
    EXPEL = "expel", census!("expel");
    PARTICIPANTS = "participants", membership!("participants");
    RECORD_PUT = "record_put", alone!("record_put");
    RECORD_GET = "record_get", alone!("record_get");
    RECORD_REMOVE = "record_remove", alone!("record_remove");
    RECORD_LIST = "record_list", alone!("record_list");
    RECORD_APPEND = "record_append", alone!("record_append");
    RECORD_LOG = "record_log", alone!("record_log");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// fred would lose such a reply, and hang.
    #[test]
    fn every_reply_begins_with_an_integer() {
        for script in all() {
            for line in script.text.lines().filter(|line| line.trim_start().starts_with("return {")) {
                let first = line.split('{').nth(1).unwrap().trim_start();
                let is_code = ["TOO_LATE", "SUPERSEDED", "ROOM_NOT_FOUND", "NOT_IN_ROOM", "ROOM_FULL", "fault"];
                let is_empty = first.starts_with('}'); // a function's, not a reply
                let is_integer = first.starts_with(|c: char| c.is_ascii_digit() || c == '-');
                assert!(
                    is_integer || is_empty || is_code.iter().any(|code| first.starts_with(code)),
                    "{}: {line}",
                    script.name
                );
            }
        }
    }

    #[test]
    fn each_is_for_something() {
        for script in all() {
            assert_ne!(script.operation, Operation::Other, "{}", script.name);
        }
    }

    #[test]
    fn as_many_participants_are_kept_as_the_port_says() {
        let kept = format!("local PARTICIPANTS_KEPT = {} ", engine::port::PARTICIPANTS_KEPT);
        assert!(JOIN.text.contains(&kept));
    }

    #[test]
    fn nothing_is_unbounded_or_slow_by_name() {
        for script in all() {
            for bad in ["'KEYS'", "'SMEMBERS'", "'HGETALL'", "'SCAN'", "'FLUSHALL'"] {
                assert!(!script.text.contains(bad), "{} calls {bad}", script.name);
            }
        }
    }
}
