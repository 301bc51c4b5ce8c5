//! nginx's own file, and whose word about clients' addresses is taken.

use super::Known;
use crate::{
    code::Code,
    finding::{Edit, Findings, Place},
    source::nginx::{Directive, Nginx, Route, parse_seconds},
};
use ipnet::IpNet;

const CODES: &[Code] = &[
    Code::ProxyUpgradeHeaders,
    Code::ProxyHostHeader,
    Code::ProxyForwardedFor,
    Code::ProxyReadTimeout,
    Code::WorkerConnectionsLow,
    Code::WorkerConnectionsBelowMax,
    Code::WorkerFilesLow,
];
/// nginx's own default, in seconds.
const READ_TIMEOUT: u64 = 60;
/// nginx's own default.
const CONNECTIONS: u64 = 512;
/// What distributions set, which is half as many WebSockets.
const LOW: u64 = 1024;

/// Looks at both.
pub fn check(known: &Known<'_>, out: &mut Findings) {
    trusted(known, out);
    let Some(nginx) = &known.files.nginx else {
        return out.skip(CODES, "there is no file of nginx's here: name one with --nginx-conf");
    };
    out.looked(CODES);
    if let Some(route) = nginx.websocket() {
        headers(&route, out);
        read_timeout(known, &route, out);
    }
    connections(known, nginx, out);
}

/// After the `{` of a block.
fn inside(block: &Directive, lines: &str) -> Place {
    Place::insert(&block.file, block.line, lines)
}

/// A directive, and what is to stand in its place.
fn instead(directive: &Directive, line: &str) -> Place {
    Place::line(&directive.file, directive.line, format!("{};", directive.text())).replace(line)
}

/// The lines that hand an upgrade on.
pub const UPGRADE_LINES: &str =
    "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection \"upgrade\";";

fn headers(route: &Route<'_>, out: &mut Findings) {
    let Some(location) = route.location() else { return };
    let version = route.last("proxy_http_version").and_then(|version| version.args.first());
    let lacking: Vec<&str> = UPGRADE_LINES
        .lines()
        .filter(|line| match line.split([' ', ';']).nth(1) {
            Some("Upgrade") => route.header("Upgrade").is_none(),
            Some("Connection") => route.header("Connection").is_none(),
            _ => version.is_none_or(|version| version != "1.1"),
        })
        .collect();
    if !lacking.is_empty() {
        let seen = "nginx does not hand the WebSocket's upgrade on: a node answers 400 or 426, and nobody gets in";
        let change = "Add what is missing to the location of /ws.";
        out.error(Code::ProxyUpgradeHeaders, Some(inside(location, &lacking.join("\n"))), seen, change);
    }
    let host = route.header("Host");
    let is_lost = host.is_none_or(|host| host.args.get(1).is_some_and(|value| value.contains("proxy_host")));
    let line = "proxy_set_header Host $http_host;";
    if is_lost {
        let seen = "nodes are not told the site's own name (Host), so that they take its own pages for another site's";
        let place = host.map_or_else(|| inside(location, line), |host| instead(host, line));
        out.error(Code::ProxyHostHeader, Some(place), seen, "Hand Host on as the browser sent it, port and all.");
    }
    if route.header("X-Forwarded-For").is_none() {
        let line = "proxy_set_header X-Forwarded-For $remote_addr;";
        let seen = "nodes are not told clients' addresses: all share nginx's, and its limits and bans";
        let change = "Hand the address on that nginx saw, in place of whatever the client wrote there.";
        out.error(Code::ProxyForwardedFor, Some(inside(location, line)), seen, change);
    }
}

fn read_timeout(known: &Known<'_>, route: &Route<'_>, out: &mut Findings) {
    let Some(heartbeat) = known.settings.duration("HEARTBEAT").map(|heartbeat| heartbeat.as_secs()) else { return };
    let found = route.last("proxy_read_timeout");
    let seconds = found.map_or(Some(READ_TIMEOUT), |found| parse_seconds(found.args.first()?));
    let least = 2 * heartbeat;
    // A template's variable is not known here.
    let Some(seconds) = seconds.filter(|seconds| *seconds < least) else { return };
    let line = format!("proxy_read_timeout {}s;", 3 * heartbeat);
    let place = match (found, route.location()) {
        (Some(found), _) => instead(found, &line),
        (None, Some(location)) => inside(location, &line),
        (None, None) => return,
    };
    let seen = format!(
        "nginx ends a WebSocket after {seconds} s of silence, but a node waits for {least} s (twice HEARTBEAT): connections \
         that only had nothing to say are cut"
    );
    out.error(Code::ProxyReadTimeout, Some(place), seen, "Let nginx wait longer than the node does.");
}

/// A number, or what a template's variable stands for.
fn number(known: &Known<'_>, directive: Option<&Directive>) -> Option<u64> {
    let text = directive?.args.first()?;
    let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else { return text.parse().ok() };
    template(known, name)?.1.parse().ok()
}

/// A template's variable is given by compose, or by the environment.
fn template(known: &Known<'_>, name: &str) -> Option<(Option<Place>, String)> {
    let compose = known.files.compose.as_ref();
    let front = compose.and_then(|compose| compose.services().find(|service| service.is_front()));
    let given = front.and_then(|front| {
        let given = front.environment().into_iter().find(|given| given.name == name)?;
        Some((Some(front.place(given.line)), known.settings.filled(&given.value)))
    });
    given.or_else(|| Some((None, known.settings.get(name)?.value)))
}

/// Where a number of nginx's stands: the compose file for a template's variable, else its own line.
fn number_place(known: &Known<'_>, directive: &Directive, value: u64) -> Place {
    let name = directive.args.first().and_then(|text| text.strip_prefix("${")?.strip_suffix('}'));
    if let Some((name, (Some(place), _))) = name.and_then(|name| Some((name, template(known, name)?))) {
        let dash = place.text.as_ref().is_some_and(|text| text.starts_with('-'));
        return place.replace(if dash { format!("- {name}={value}") } else { format!("{name}: \"{value}\"") });
    }
    instead(directive, &format!("{} {value};", directive.name))
}

fn connections(known: &Known<'_>, nginx: &Nginx, out: &mut Findings) {
    let directive = nginx.top(Some("events"), "worker_connections");
    let found = directive.map_or(Some(CONNECTIONS), |directive| number(known, Some(directive)));
    let Some(found) = found else { return };
    let max = known.settings.number("MAX_CONNECTIONS");
    let workers = match nginx.top(None, "worker_processes") {
        Some(d) if d.args.first().is_some_and(|text| text == "auto") => known.machine.cores,
        None => 1,
        directive => number(known, directive).unwrap_or(known.machine.cores),
    };
    let place = |value: u64| match (directive, nginx.root.last("events")) {
        (Some(directive), _) => number_place(known, directive, value),
        (None, Some(events)) => inside(events, &format!("worker_connections {value};")),
        (None, None) => Place::insert(&nginx.root.file, 1, format!("events {{ worker_connections {value}; }}")),
    };
    let wanted = max.unwrap_or(50_000) * 2 / workers.max(1) + 1_024;
    if found <= LOW {
        let seen = format!("an nginx worker takes {} WebSockets: each is two of {found} connections", found / 2);
        let change = "Raise it, and worker_rlimit_nofile with it: two connections a WebSocket.";
        out.error(Code::WorkerConnectionsLow, Some(place(wanted)), seen, change);
    } else if let Some(max) = max.filter(|max| found.saturating_mul(workers) / 2 < *max) {
        let seen = format!(
            "nginx takes {} WebSockets ({workers} workers of {found} connections, two each), one node {max}",
            found * workers / 2
        );
        let change = "Raise worker_connections, or lower MAX_CONNECTIONS to what is meant.";
        out.warning(Code::WorkerConnectionsBelowMax, Some(place(wanted)), seen, change);
    }
    if let Some(directive) = nginx.top(None, "worker_rlimit_nofile")
        && let Some(files) = number(known, Some(directive)).filter(|files| *files < found)
    {
        let seen = format!("an nginx worker may open {files} files, but is to hold {found} connections");
        let place = number_place(known, directive, found + 1_024);
        out.error(Code::WorkerFilesLow, Some(place), seen, "A connection is a file; logs and pages are some more.");
    }
}

fn trusted(known: &Known<'_>, out: &mut Findings) {
    const NAME: &str = "TRUSTED_PROXIES";
    let codes = [Code::TrustedProxiesNone, Code::TrustedProxiesWide];
    if !known.settings.is_any() {
        return out.skip(&codes, "there are no settings here");
    }
    out.looked(&codes);
    let value = known.settings.effective(NAME).unwrap_or_else(|| "none".to_owned());
    let place = || Some(known.settings.place(NAME, "private"));
    if value == "none" && known.is_proxied() {
        let seen =
            "TRUSTED_PROXIES is none behind a proxy: all clients have its address, and share its limits and bans";
        out.error(
            Code::TrustedProxiesNone,
            place(),
            seen,
            "Name the proxy's network; `private` is loopback and the private ranges.",
        );
    }
    let is_wide = |net: &IpNet| match net {
        IpNet::V4(net) => net.prefix_len() < 8,
        IpNet::V6(net) => net.prefix_len() < 7,
    };
    if let Some(net) = value.split(',').filter_map(|net| net.trim().parse::<IpNet>().ok()).find(is_wide) {
        let seen = format!(
            "TRUSTED_PROXIES believes {net}: anybody can write an address of their choice, past limits and bans"
        );
        out.error(Code::TrustedProxiesWide, place(), seen, "Name the proxy's own address or network.");
    }
}

/// Where the lines for an upgrade are missing, as far as the file tells.
#[must_use]
pub fn upgrade_place(known: &Known<'_>) -> Option<Place> {
    let nginx = known.files.nginx.as_ref()?;
    match nginx.websocket() {
        Some(route) => Some(inside(route.location()?, UPGRADE_LINES)),
        None => Some(
            Place::at(nginx.root.file.as_str()).edit(Edit::Insert(format!("location = /ws {{\n{UPGRADE_LINES}\n}}"))),
        ),
    }
}
