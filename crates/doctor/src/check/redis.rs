//! Redis: what its file says, and what it says itself. Each fault is told once, at the line that has it.

use super::{Known, clock, secrets::password_of};
use crate::{
    code::Code,
    finding::{Edit, Findings, Place, Severity},
    source::{
        compose::{Compose, Service},
        redis_conf::parse_bytes,
    },
};
use std::collections::BTreeMap;

/// What a running Redis says of itself.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// Where it is, without a password.
    pub address: String,
    /// Whether this machine is the only one that reaches it, as far as its address tells.
    pub is_local: bool,
    /// Whether it let us in without a password.
    pub is_open: bool,
    /// `INFO`.
    pub info: BTreeMap<String, String>,
    /// `CONFIG GET`; empty when it does not say.
    pub config: BTreeMap<String, String>,
    /// `cluster_state`, where it is one.
    pub cluster_state: Option<String>,
    /// `TIME`.
    pub clock: Option<clock::Reading>,
}

/// Whether it could be asked.
#[derive(Debug, Clone)]
pub enum Asked {
    /// It answered.
    Yes(Running),
    /// It is not there.
    Unreachable(String),
    /// It is there, and did not let us in.
    Refused(String),
    /// It was not to be asked.
    Not(String),
}

/// What only a running one tells.
const LIVE: &[Code] = &[
    Code::RedisUnreachable,
    Code::RedisRefused,
    Code::RedisWritesFail,
    Code::RedisMemoryFull,
    Code::RedisClusterState,
    Code::RedisConfigHidden,
    Code::ClockSkewRedis,
];
/// What its file tells as well.
const SET: &[Code] = &[
    Code::RedisVersion,
    Code::RedisAppendOnly,
    Code::RedisSnapshotsOnly,
    Code::RedisAppendFsync,
    Code::RedisEviction,
    Code::RedisMaxMemory,
    Code::RedisProtectedMode,
    Code::RedisReplica,
];

/// Looks at all of it.
pub fn check(known: &Known<'_>, asked: &Asked, out: &mut Findings) {
    let address = known.settings.get("REDIS_URL").map_or("REDIS_ENDPOINT", |_| "REDIS_URL");
    let place = || Some(known.settings.place(address, "redis://:<password>@host:6379"));
    let running = match asked {
        Asked::Yes(running) => Some(running),
        Asked::Unreachable(why) => {
            out.error(Code::RedisUnreachable, place(), why.clone(), "Start Redis, or name the one that runs.");
            None
        }
        Asked::Refused(why) => {
            out.error(Code::RedisRefused, place(), why.clone(), "Write the user, password or authority that it wants.");
            None
        }
        Asked::Not(_) => None,
    };
    match (running, asked) {
        (Some(running), _) => {
            out.looked(LIVE);
            live(running, out);
        }
        (None, Asked::Not(why)) => out.skip(LIVE, why),
        (None, _) => out.skip(LIVE, "Redis did not answer"),
    }
    let setup = Setup { known, running, compose: known.files.compose.as_ref() };
    if setup.is_any() {
        out.looked(SET);
        version(&setup, out);
        settings(&setup, out);
        protected_mode(&setup, out);
        replica(&setup, out);
    } else {
        out.skip(SET, "neither Redis nor its file could be asked");
    }
}

/// How Redis is set up: as it runs, and by which lines.
struct Setup<'a> {
    known: &'a Known<'a>,
    running: Option<&'a Running>,
    compose: Option<&'a Compose>,
}

impl Setup<'_> {
    fn is_any(&self) -> bool {
        self.known.files.redis.is_some()
            || self.service().is_some()
            || self.running.is_some_and(|r| !r.config.is_empty())
    }

    fn service(&self) -> Option<Service<'_>> {
        self.compose.and_then(Compose::redis)
    }

    /// What the lines say: the command's options go before the file's. With it, where that stands.
    fn written(&self, name: &str) -> Option<(String, Place)> {
        let option = self.service().and_then(|service| {
            let option = service.options().into_iter().rev().find(|option| option.name == name)?;
            let place = Place::line(&self.compose?.text.name, option.line, format!("--{name} {}", option.value));
            Some((self.known.settings.filled(&option.value), place))
        });
        option.or_else(|| {
            let conf = self.known.files.redis.as_ref()?;
            let directive = conf.get(name)?;
            let place = Place::line(&conf.text.name, directive.line, format!("{name} {}", directive.value));
            Some((directive.value.clone(), place))
        })
    }

    /// What counts: what runs, else what is written, else the default.
    fn value(&self, name: &str, default: &str) -> String {
        let live = self.running.and_then(|running| running.config.get(name)).cloned();
        live.or_else(|| self.written(name).map(|(value, _)| value)).unwrap_or_else(|| default.to_owned())
    }

    /// Where to set it. When the lines are right already, the running one has not read them.
    fn place(&self, name: &str, wanted: &str, is_wrong: &dyn Fn(&str) -> bool) -> Place {
        match (self.written(name), &self.known.files.redis, self.service()) {
            (Some((value, place)), ..) if is_wrong(&value) => {
                let dashes = if place.text.as_ref().is_some_and(|text| text.starts_with("--")) { "--" } else { "" };
                place.replace(format!("{dashes}{name} {wanted}"))
            }
            (None, Some(conf), _) => Place::insert(&conf.text.name, conf.text.last_line(), format!("{name} {wanted}")),
            (None, None, Some(service)) => {
                let last = service.options().last().map(|option| option.line);
                match last {
                    Some(line) => service.place(line).edit(Edit::Insert(format!("--{name} {wanted}"))),
                    None => service.add(&[&format!("command: redis-server --{name} {wanted}")]),
                }
            }
            _ => {
                let address = self.running.map_or("redis", |running| running.address.as_str());
                Place::at(address).edit(Edit::Run(format!("CONFIG SET {name} {wanted}")))
            }
        }
    }
}

fn version(setup: &Setup<'_>, out: &mut Findings) {
    let change = "Redis 7.0 is the floor; Valkey will do as well.";
    let major = |text: &str| text.split('.').next()?.parse::<u64>().ok();
    if let Some(running) = setup.running
        && let Some(version) = running.info.get("redis_version")
        && major(version).is_some_and(|major| major < 7)
        // Valkey says what it is compatible with, and that is above.
        && !running.info.contains_key("valkey_version")
    {
        let place = image(setup).map(|(place, _)| place.replace("image: redis:7-alpine"));
        let place = place.unwrap_or_else(|| Place::at(running.address.as_str()));
        return out.error(Code::RedisVersion, Some(place), format!("Redis is {version}"), change);
    }
    if let Some((place, image)) = image(setup) {
        let tag = image.rsplit('/').next().and_then(|name| name.strip_prefix("redis:"));
        if setup.running.is_none() && tag.and_then(|tag| major(tag.split('-').next()?)).is_some_and(|major| major < 7) {
            let place = place.replace("image: redis:7-alpine");
            out.error(Code::RedisVersion, Some(place), format!("Redis is {image}"), change);
        }
    }
}

fn image(setup: &Setup<'_>) -> Option<(Place, String)> {
    let service = setup.service()?;
    let image = service.image()?;
    Some((service.place(image.line), setup.known.settings.filled(&image.value)))
}

fn settings(setup: &Setup<'_>, out: &mut Findings) {
    let is_no = |value: &str| !value.eq_ignore_ascii_case("yes");
    let append_only = setup.value("appendonly", "no");
    if is_no(&append_only) {
        let has_snapshots = !setup.value("save", "3600 1 300 100 60 10000").trim_matches(['"', '\'']).trim().is_empty();
        let (code, seen) = match has_snapshots {
            true => (
                Code::RedisSnapshotsOnly,
                "Redis only writes snapshots: when it dies, minutes of acknowledged messages are gone",
            ),
            false => (Code::RedisAppendOnly, "Redis keeps nothing: when it dies, every room and message is gone"),
        };
        let place = setup.place("appendonly", "yes", &is_no);
        out.error(code, Some(place), seen, "Keep the append-only log. With it, `save \"\"` spares the snapshots.");
    }
    let rules: [(Code, &str, &str, &str, Severity, &str, &str); 2] = [
        (
            Code::RedisAppendFsync,
            "appendfsync",
            "everysec",
            "always",
            Severity::Error,
            "an acknowledged message can be lost with the machine, or with Redis",
            "An ACK stands for what is on the disk; `everysec` is a second less, and more while the disk is slow.",
        ),
        (
            Code::RedisEviction,
            "maxmemory-policy",
            "noeviction",
            "noeviction",
            Severity::Error,
            "when memory is short, Redis throws rooms, sessions and bans away, unnoticed",
            "With noeviction writes are refused, and clients are told.",
        ),
    ];
    for (code, name, default, wanted, severity, why, change) in rules {
        let value = setup.value(name, default);
        // The log has to be there for this to matter.
        let applies = code != Code::RedisAppendFsync || !is_no(&append_only);
        if applies && value != wanted {
            let place = setup.place(name, wanted, &|value| value != wanted);
            out.add(code, severity, Some(place), format!("{name} is {value}: {why}"), change.to_owned());
        }
    }
    let is_none = |value: &str| parse_bytes(value) == Some(0);
    if is_none(&setup.value("maxmemory", "0")) {
        let seen = "Redis has no memory limit: the system ends it when memory is short, and everybody with it";
        let change = "Half of what its machine or container has; the log's rewrite needs some of the rest.";
        out.warning(Code::RedisMaxMemory, Some(setup.place("maxmemory", "1gb", &is_none)), seen, change);
    }
}

fn protected_mode(setup: &Setup<'_>, out: &mut Findings) {
    let is_off = |value: &str| value.eq_ignore_ascii_case("no");
    let has_password = setup.written("requirepass").is_some_and(|(value, _)| !value.is_empty())
        || setup.known.settings.get("REDIS_PASSWORD").is_some()
        || setup.known.settings.get("REDIS_URL").is_some_and(|url| password_of(&url.value).is_some());
    let is_local = setup.value("bind", "").split_whitespace().all(|bind| matches!(bind, "127.0.0.1" | "::1" | "-::1"));
    let is_bound = !setup.value("bind", "").is_empty() && is_local;
    if is_off(&setup.value("protected-mode", "yes")) && !has_password && !is_bound {
        let seen =
            "protected-mode is off and there is no password: whoever reaches Redis can read and forge everything";
        let place = setup.place("protected-mode", "yes", &is_off);
        out.error(Code::RedisProtectedMode, Some(place), seen, "Set requirepass, or leave protected-mode on.");
    }
    if let Some(running) = setup.running.filter(|running| running.is_open && !running.is_local) {
        let place = match &setup.known.files.redis {
            Some(conf) => Place::insert(&conf.text.name, conf.text.last_line(), "requirepass <password>"),
            None => Place::at(running.address.as_str()).edit(Edit::Run("CONFIG SET requirepass <password>".to_owned())),
        };
        let seen = format!("{} lets anybody in without a password", running.address);
        let change = "Give Redis a password, and write it into REDIS_URL.";
        out.error(Code::RedisPasswordMissing, Some(place), seen, change);
    }
}

fn replica(setup: &Setup<'_>, out: &mut Findings) {
    let change = "Name the primary, or let sentinels name it (redis-sentinel://…).";
    if let Some(running) = setup.running {
        if running.info.get("role").is_some_and(|role| role == "slave") {
            let primary = running.info.get("master_host").map_or("", String::as_str);
            let port = running.info.get("master_port").map_or("6379", String::as_str);
            let place = setup.known.settings.place("REDIS_URL", &format!("redis://:<password>@{primary}:{port}"));
            let seen = format!("{} is a replica of {primary}:{port}: it refuses every write", running.address);
            out.error(Code::RedisReplica, Some(place), seen, change);
        }
    } else if let Some((primary, place)) =
        setup.written("replicaof").or_else(|| setup.written("slaveof")).filter(|(value, _)| value != "no one")
    {
        let seen = format!("Redis is set up as a replica of {primary}: it refuses every write");
        out.error(Code::RedisReplica, Some(place.edit(Edit::Delete)), seen, change);
    }
}

fn live(running: &Running, out: &mut Findings) {
    let at = || Some(Place::at(running.address.as_str()));
    let info = |name: &str| running.info.get(name).map_or("", String::as_str);
    if let Some(reading) = running.clock {
        clock::check(Code::ClockSkewRedis, &running.address, reading, out);
    }
    for (name, what) in
        [("aof_last_write_status", "write to its log"), ("aof_last_bgrewrite_status", "rewrite its log")]
    {
        if info("aof_enabled") == "1" && !matches!(info(name), "ok" | "") {
            let seen = format!("Redis could not {what} ({name} is {}): is its disk full?", info(name));
            out.error(Code::RedisWritesFail, at(), seen, "Make room on its disk; its own log says what failed.");
        }
    }
    let number = |name: &str| info(name).parse::<u64>().unwrap_or(0);
    let (used, max) = (number("used_memory"), number("maxmemory"));
    if max > 0 && used >= max / 100 * 85 {
        let severity = if used >= max / 100 * 97 { Severity::Error } else { Severity::Warning };
        let seen = format!("Redis uses {} of {} MiB: full, it refuses every write", used >> 20, max >> 20);
        let place = Place::at(running.address.as_str())
            .edit(Edit::Run(format!("CONFIG SET maxmemory {}mb", (max >> 20).saturating_mul(2).max(1))));
        let change = "Give it more, or keep less: ROOM_LOG_MAX, ROOM_LOG_TTL.".to_owned();
        out.add(Code::RedisMemoryFull, severity, Some(place), seen, change);
    }
    if let Some(state) = running.cluster_state.as_ref().filter(|state| *state != "ok") {
        let seen = format!("the Redis Cluster's state is {state}: a part of its keys cannot be reached");
        let place = Place::at(running.address.as_str()).edit(Edit::Run("redis-cli --cluster check".to_owned()));
        out.error(Code::RedisClusterState, Some(place), seen, "Bring the servers back that have the missing slots.");
    }
    if running.config.is_empty() {
        let seen = "Redis does not say how it is set up (CONFIG GET is refused): persistence could not be looked at";
        out.warning(Code::RedisConfigHidden, at(), seen, "Look it up where it is rented, or allow `+config|get`.");
    }
}
