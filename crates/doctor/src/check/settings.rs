//! What services read, less the secrets: what they would refuse, and what they would take and regret.

use super::Known;
use crate::{code::Code, finding::Findings};
use runtime::env::Fault;
use std::time::Duration;

/// Those have checks of their own, which say more.
const ELSEWHERE: [&str; 3] = ["JWT_SECRET", "ADMIN_PASS", "ALLOWED_ORIGINS"];

/// `faults`: what the services' own reading of these settings complains of.
pub fn check(known: &Known<'_>, faults: &[Fault], out: &mut Findings) {
    if !known.settings.is_any() {
        let why = "there are no settings here: name a file with --env-file, or run where the services run";
        let codes = [
            Code::SettingRefused,
            Code::LimitOff,
            Code::LogLevelVerbose,
            Code::DrainWindowZero,
            Code::NodeLeaseOdd,
            Code::ResumeGraceShort,
        ];
        out.skip(&codes, why);
        return;
    }
    refused(known, faults, out);
    limits(known, out);
    log_level(known, out);
    times(known, out);
    open_files(known, out);
}

fn refused(known: &Known<'_>, faults: &[Fault], out: &mut Findings) {
    out.looked(&[Code::SettingRefused]);
    for fault in faults.iter().filter(|fault| !ELSEWHERE.contains(&fault.variable.as_str())) {
        let default = known.settings.variables.iter().find(|v| v.name == fault.variable).and_then(|v| v.default);
        let place = known.settings.place(&fault.variable, default.unwrap_or("<value>"));
        let seen = format!("no service starts with this {}", fault.variable);
        out.error(Code::SettingRefused, Some(place), seen, fault.expected.clone());
    }
}

fn limits(known: &Known<'_>, out: &mut Findings) {
    out.looked(&[Code::LimitOff]);
    for variable in known.settings.variables.iter().filter(|variable| variable.name.starts_with("LIMIT_")) {
        if known.settings.get(variable.name).is_some_and(|setting| setting.value.trim() == "off") {
            let place = known.settings.place(variable.name, variable.default.unwrap_or_default());
            let seen = format!("{} is off: one client can flood everybody", variable.name);
            out.warning(
                Code::LimitOff,
                Some(place),
                seen,
                "Off is for load tests. Take the default, or a limit of your own.",
            );
        }
    }
}

fn log_level(known: &Known<'_>, out: &mut Findings) {
    out.looked(&[Code::LogLevelVerbose]);
    let Some(level) = known.settings.get("LOG_LEVEL") else { return };
    let words = level.value.to_ascii_lowercase();
    if let Some(word) = words.split([',', '=']).map(str::trim).find(|word| matches!(*word, "debug" | "trace")) {
        let seen = format!("LOG_LEVEL writes {word} lines: one or more for each message and request");
        let change = "Write `info`, and more only while you look for something.";
        out.warning(Code::LogLevelVerbose, Some(known.settings.place("LOG_LEVEL", "info")), seen, change);
    }
}

fn times(known: &Known<'_>, out: &mut Findings) {
    out.looked(&[Code::DrainWindowZero, Code::NodeLeaseOdd, Code::ResumeGraceShort]);
    let settings = &known.settings;
    let seconds = Duration::from_secs;
    let has_nodes = known.files.compose.as_ref().is_some_and(|compose| compose.service("chat-node").is_some());
    if has_nodes && settings.duration("DRAIN_WINDOW") == Some(Duration::ZERO) {
        let seen = "DRAIN_WINDOW is 0s: a node that ends closes all its clients at once, and they come back as a storm";
        let change = "Spread them over some seconds, and let stop_grace_period be 5 s longer.";
        out.warning(Code::DrainWindowZero, Some(settings.place("DRAIN_WINDOW", "10s")), seen, change);
    }
    if let Some(lease) = settings.duration("NODE_LEASE") {
        let why = if lease < seconds(5) {
            "a node that pauses for a moment is taken for dead, and all its clients are sent away"
        } else if lease > seconds(60) {
            "the clients of a node that died stay in their rooms for that long"
        } else {
            ""
        };
        if !why.is_empty() {
            let seen = format!("NODE_LEASE is {}: {why}", runtime::env::format_duration(lease));
            out.warning(Code::NodeLeaseOdd, Some(settings.place("NODE_LEASE", "10s")), seen, "Take 5s to 60s.");
        }
    }
    if let Some(grace) = settings.duration("RESUME_GRACE").filter(|grace| *grace < seconds(3)) {
        let seen = format!(
            "RESUME_GRACE is {}: whoever reconnects is shown to have left and come again, and a lone member loses the room",
            runtime::env::format_duration(grace)
        );
        let change = "Clients come back within 3 s; allow them that, and some more.";
        out.warning(Code::ResumeGraceShort, Some(settings.place("RESUME_GRACE", "10s")), seen, change);
    }
}

/// A quarter more than sockets: Redis, logs, HTTP, and those that are being refused.
#[must_use]
pub fn files_for(connections: u64) -> u64 {
    connections + (connections / 4).max(256)
}

fn open_files(known: &Known<'_>, out: &mut Findings) {
    if known.files.compose.is_some() {
        return out.skip(&[Code::OpenFilesLow], "containers have limits of their own: see compose-open-files");
    }
    out.looked(&[Code::OpenFilesLow]);
    let Some(connections) = known.settings.number("MAX_CONNECTIONS") else { return };
    let (wanted, found) = (files_for(connections), known.machine.open_files);
    if found < wanted {
        let place = known.settings.place("MAX_CONNECTIONS", &(found * 4 / 5).to_string());
        let seen = format!("a process here may open {found} files, but MAX_CONNECTIONS={connections} needs {wanted}");
        let change = format!(
            "Raise the hard limit (`ulimit -Hn {wanted}`, LimitNOFILE={wanted} in a systemd unit), or lower MAX_CONNECTIONS."
        );
        out.warning(Code::OpenFilesLow, Some(place), seen, change);
    }
}
