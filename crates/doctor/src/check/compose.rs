//! The compose file.

use super::{Known, settings::files_for};
use crate::{
    code::Code,
    finding::{Edit, Findings},
    source::{
        compose::{Compose, Service},
        yaml::Value,
    },
};
use runtime::env::{format_duration, parse_duration};
use std::time::Duration;

const CODES: &[Code] = &[
    Code::ComposePorts,
    Code::ComposeRedisVolume,
    Code::ComposeStopGrace,
    Code::ComposeOpenFiles,
    Code::ComposeRestart,
    Code::ComposeHealthReadiness,
];
/// Services of ours, and what they stand on.
const OURS: [&str; 6] = ["nginx", "gateway", "chat-node", "admin-api", "roomful", "redis"];
/// What compose waits for a container to end, if nothing else is said.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// What a node needs besides its drain.
const ENDING: Duration = Duration::from_secs(5);

/// Looks at all of it.
pub fn check(known: &Known<'_>, out: &mut Findings) {
    let Some(compose) = &known.files.compose else { return out.skip(CODES, "there is no compose file here") };
    out.looked(CODES);
    for service in compose.services() {
        ports(compose, service, out);
    }
    for service in OURS.iter().filter_map(|name| compose.service(name)) {
        restart(service, out);
        health(service, out);
    }
    for service in compose.nodes() {
        stop_grace(known, service, out);
        open_files(known, service, out);
    }
    if let Some(redis) = compose.redis() {
        volume(redis, out);
    }
}

fn ports(compose: &Compose, service: Service<'_>, out: &mut Findings) {
    // The product in one process is its own front door.
    let is_front = service.is_front() || (service.name == "roomful" && !compose.services().any(|s| s.is_front()));
    if is_front {
        return;
    }
    for port in service.get("ports").map(crate::source::yaml::Node::list).unwrap_or_default() {
        let (text, host) = match &port.value {
            Value::Map(_) => {
                let of = |name: &str| port.get(name).and_then(|node| node.text()).unwrap_or_default().to_owned();
                (of("published"), of("host_ip"))
            }
            _ => (port.text().unwrap_or_default().to_owned(), String::new()),
        };
        let is_near =
            |host: &str| host.starts_with("127.") || host.starts_with("[::1]") || host == "::1" || host == "localhost";
        if text.is_empty() || is_near(&text) || is_near(&host) {
            continue;
        }
        let seen = format!("{} is reachable from outside, past the proxy and its limits ({text})", service.name);
        let change = "Only nginx is to publish ports; for yourself, publish on 127.0.0.1.";
        out.error(Code::ComposePorts, Some(service.place(port.line).edit(Edit::Delete)), seen, change);
    }
}

fn restart(service: Service<'_>, out: &mut Findings) {
    let change = "Have it started again.";
    let seen = format!("{} stays away when it ends, also after a restart of the machine", service.name);
    match service.scalar(&["restart"]) {
        // Swarm has its own.
        None if service.get("deploy").is_some_and(|deploy| deploy.get("restart_policy").is_some()) => {}
        None => out.warning(Code::ComposeRestart, Some(service.add(&["restart: unless-stopped"])), seen, change),
        Some(given) if given.value == "no" || given.value == "false" => {
            let place = service.place(given.line).replace("restart: unless-stopped");
            out.warning(Code::ComposeRestart, Some(place), seen, change);
        }
        Some(_) => {}
    }
}

fn health(service: Service<'_>, out: &mut Findings) {
    let Some(test) = service.get("healthcheck").and_then(|check| check.get("test")) else { return };
    let words: Vec<&str> = match &test.value {
        Value::List(list) => list.iter().filter_map(|item| item.text()).collect(),
        _ => test.text().unwrap_or_default().split_whitespace().collect(),
    };
    let is_ours = ["gateway", "chat-node", "admin-api", "roomful"].contains(&service.name);
    if is_ours && words.contains(&"health") && !words.contains(&"--live") {
        let seen = format!(
            "{} counts as unhealthy while it drains, or Redis is away: what restarts unhealthy containers would cut it off",
            service.name
        );
        let text = service.place(test.line).text.unwrap_or_default();
        let wanted = text.replace("\"health\"", "\"health\", \"--live\"").replace(" health", " health --live");
        let place = service.place(test.line);
        let place =
            if wanted == text { place.edit(Edit::Insert("- --live".to_owned())) } else { place.replace(wanted) };
        out.warning(Code::ComposeHealthReadiness, Some(place), seen, "Ask for life, not for readiness.");
    }
}

/// Durations as compose writes them: `1m30s`.
fn compose_duration(text: &str) -> Option<Duration> {
    let (mut total, mut rest) = (Duration::ZERO, text.trim());
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let letters = rest[digits..].find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len() - digits);
        let (part, after) = rest.split_at(digits + letters);
        total = total.checked_add(parse_duration(part).ok()?)?;
        rest = after;
    }
    Some(total)
}

fn stop_grace(known: &Known<'_>, service: Service<'_>, out: &mut Findings) {
    let alone = service.name == "roomful" && known.settings.get("REDIS_URL").is_none();
    let Some(window) = known.settings.duration("DRAIN_WINDOW").filter(|_| !alone) else { return };
    let given = service.scalar(&["stop_grace_period"]);
    let grace = match &given {
        Some(given) => compose_duration(&known.settings.filled(&given.value)),
        None => Some(STOP_GRACE),
    };
    let least = window + ENDING;
    let Some(grace) = grace.filter(|grace| *grace < least) else { return };
    let line = format!("stop_grace_period: {}", format_duration(window + 2 * ENDING));
    let place = match given {
        Some(given) => service.place(given.line).replace(line),
        None => service.add(&[&line]),
    };
    let seen = format!(
        "docker kills {} after {}, while it still sends clients elsewhere (DRAIN_WINDOW {} and 5 s)",
        service.name,
        format_duration(grace),
        format_duration(window)
    );
    out.error(
        Code::ComposeStopGrace,
        Some(place),
        seen,
        "Let it end: its clients would lose their connections at once.",
    );
}

fn open_files(known: &Known<'_>, service: Service<'_>, out: &mut Findings) {
    let Some(connections) = known.settings.number("MAX_CONNECTIONS") else { return };
    let wanted = files_for(connections);
    let change = format!("Each WebSocket is a file: MAX_CONNECTIONS={connections} needs {wanted}.");
    let given = service.scalar(&["ulimits", "nofile"]).or_else(|| service.scalar(&["ulimits", "nofile", "hard"]));
    match given {
        None if service.get("ulimits").is_some_and(|limits| limits.get("nofile").is_some()) => {}
        None => {
            let seen = format!("{} has the daemon's limit of open files, whatever that is", service.name);
            let place = service.add(&["ulimits:", &format!("  nofile: {wanted}")]);
            out.warning(Code::ComposeOpenFiles, Some(place), seen, change);
        }
        Some(given) => {
            let Ok(files) = known.settings.filled(&given.value).parse::<u64>() else { return };
            if files < wanted {
                let place = service.place(given.line).replace(format!("{}: {wanted}", given.name));
                out.error(
                    Code::ComposeOpenFiles,
                    Some(place),
                    format!("{} may open {files} files", service.name),
                    change,
                );
            }
        }
    }
}

fn volume(redis: Service<'_>, out: &mut Findings) {
    let mounts = redis.get("volumes").map(crate::source::yaml::Node::list).unwrap_or_default();
    let target = |mount: &crate::source::yaml::Node| match &mount.value {
        Value::Map(_) => mount.get("target").and_then(|node| node.text()).map(str::to_owned),
        _ => mount.text().and_then(|text| text.split(':').nth(1)).map(str::to_owned),
    };
    let dir =
        redis.options().into_iter().find(|option| option.name == "dir").map_or("/data".to_owned(), |dir| dir.value);
    if !mounts.iter().filter_map(target).any(|path| path.trim_end_matches('/') == dir.trim_end_matches('/')) {
        let seen = format!(
            "{} has no volume at {dir}: `docker compose down` takes every room and message with it",
            redis.name
        );
        let line = format!("  - redis-data:{dir}");
        let place = match redis.get("volumes") {
            Some(volumes) => redis.place(volumes.line).edit(Edit::Insert(line.trim().to_owned())),
            None => redis.add(&["volumes:", &line]),
        };
        let change = "Give its data a named volume, and name that under `volumes:` at the end of the file.";
        out.error(Code::ComposeRedisVolume, Some(place), seen, change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_compose() {
        for (text, seconds) in [("1m30s", Some(90)), ("25s", Some(25)), ("25", None), ("s", None)] {
            assert_eq!(compose_duration(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
