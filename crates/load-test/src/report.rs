//! What an audit leaves behind: `audit.json` for programs, `audit.md` for people.

use crate::{
    audit::{Audit, Happened, Outcome},
    figures::{Figures, Spread},
    journal::{Record, What},
    judge::{Kind, Violation},
};
use protocol::{ClientCommand, RoomId, ServerEvent};
use serde::{Serialize, Serializer};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, BufWriter, Write as _},
    path::Path,
    time::Duration,
};

/// How much before and after a violation is shown of those concerned.
const AROUND: (Duration, Duration) = (Duration::from_secs(6), Duration::from_secs(4));
/// Lines of evidence for one violation.
const LINES: usize = 60;
/// Violations that are shown with their evidence; the others are counted and named.
const SHOWN: usize = 25;

/// Times are seconds in a report.
///
/// # Errors
/// As the serializer has it.
pub fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// `audit.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    passed: bool,
    version: &'static str,
    audit: &'a Audit,
    cluster: Vec<String>,
    /// By kind, zeroes included.
    violations: BTreeMap<Kind, usize>,
    faults: Vec<FaultReport<'a>>,
    looked_at: &'a crate::judge::Extent,
    figures: &'a Figures,
    found: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct FaultReport<'a> {
    #[serde(flatten)]
    happened: &'a Happened,
    text: String,
    #[serde(flatten)]
    impact: Option<&'a crate::figures::Impact>,
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    violation: &'a Violation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<String>,
}

impl<'a> Report<'a> {
    /// Puts it together.
    #[must_use]
    pub fn new(audit: &'a Audit, cluster: Vec<String>, outcome: &'a Outcome) -> Self {
        let all = &outcome.verdict.violations;
        let mut violations: BTreeMap<Kind, usize> = Kind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        for violation in all {
            *violations.entry(violation.kind).or_default() += 1;
        }
        let impacts = &outcome.figures.impacts;
        let faults = outcome.faults.iter().map(|happened| FaultReport {
            happened,
            text: happened.fault.to_string(),
            impact: impacts.iter().find(|impact| impact.number == happened.number),
        });
        let evidence = |n: usize, violation: &Violation| {
            if n < SHOWN { evidence(&outcome.records, violation) } else { Vec::new() }
        };
        let found = all.iter().enumerate().map(|(n, violation)| Found { violation, evidence: evidence(n, violation) });
        Self {
            passed: all.is_empty(),
            version: env!("CARGO_PKG_VERSION"),
            audit,
            cluster,
            violations,
            faults: faults.collect(),
            looked_at: &outcome.verdict.extent,
            figures: &outcome.figures,
            found: found.collect(),
        }
    }

    /// Writes `audit.json`, `audit.md` and, line by line, the journal that they rest on.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, directory: &Path, records: &[Record]) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let mut journal = BufWriter::new(fs::File::create(directory.join("journal.log"))?);
        for line in records.iter().filter_map(show) {
            writeln!(journal, "{line}")?;
        }
        journal.flush()?;
        fs::write(directory.join("audit.json"), serde_json::to_vec_pretty(self)?)?;
        fs::write(directory.join("audit.md"), self.text())
    }

    /// The same for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = self.put(&mut text);
        text
    }

    fn put(&self, out: &mut String) -> std::fmt::Result {
        let seed = self.audit.settings.seed;
        let total: usize = self.violations.values().sum();
        let verdict = if self.passed { "all zero".to_owned() } else { format!("{total} violations") };
        writeln!(out, "# Audit, seed {seed}: {verdict}\n")?;
        for line in &self.cluster {
            writeln!(out, "- {line}")?;
        }
        let (f, e) = (self.figures, self.looked_at);
        writeln!(
            out,
            "- {} clients for {:.0} s: {} connections ({} attempts), {} rooms, {} messages of which {} were acknowledged, \
             {} deliveries judged, {} whole logs read",
            self.audit.settings.clients,
            f.duration.as_secs_f64(),
            e.connections,
            f.attempts,
            e.rooms,
            f.messages,
            f.acknowledged,
            e.shown,
            e.logs
        )?;
        writeln!(out, "\n| promise | violations |\n| --- | --: |")?;
        for (kind, count) in &self.violations {
            writeln!(out, "| {} | {count} |", kind.title())?;
        }
        self.put_faults(out)?;
        writeln!(out, "\n| in ms | count | p50 | p99 | worst |\n| --- | --: | --: | --: | --: |")?;
        for (name, spread) in [
            ("SEND_MESSAGE to ACK", &f.ack),
            ("SEND_MESSAGE to each member", &f.delivery),
            ("first attempt to ACK, over retries and reconnects", &f.service),
            ("longest time without service, per client", &f.longest_without_service),
            ("connection lost to CONNECT", &f.reconnect),
        ] {
            let Spread { count, p50_ms, p99_ms, max_ms } = spread;
            writeln!(out, "| {name} | {count} | {p50_ms} | {p99_ms} | {max_ms} |")?;
        }
        let counts = |counts: &BTreeMap<String, usize>| {
            let all: Vec<String> = counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
            if all.is_empty() { "none".to_owned() } else { all.join(", ") }
        };
        writeln!(out, "\n- sent: {}", counts(&f.sent))?;
        writeln!(out, "- heard: {}", counts(&f.heard))?;
        writeln!(out, "- refused: {}", counts(&f.errors))?;
        writeln!(out, "- connections ended: {}", counts(&f.ends))?;
        writeln!(
            out,
            "- acknowledged as duplicates: {}; resumes that brought everything: {}; gaps told: {}",
            f.duplicates, f.recovered, f.gaps
        )?;
        self.put_found(out)
    }

    fn put_faults(&self, out: &mut String) -> std::fmt::Result {
        if self.faults.is_empty() {
            return writeln!(out, "\nNo faults.");
        }
        writeln!(
            out,
            "\n| # | fault | from, s | to, s | next ACK, ms | longest wait for an ACK, ms | given up | connections lost | unavailable |"
        )?;
        writeln!(out, "| --: | --- | --: | --: | --: | --: | --: | --: | --: |")?;
        for fault in &self.faults {
            let (h, i) = (fault.happened, fault.impact);
            let ms = |ms: Option<f64>| ms.map_or("none".to_owned(), |ms| format!("{ms:.0}"));
            writeln!(
                out,
                "| {} | {} | {:.1} | {:.1} | {} | {} | {} | {} | {} |",
                h.number + 1,
                fault.text,
                h.begin.as_secs_f64(),
                h.end.as_secs_f64(),
                ms(i.and_then(|i| i.first_ack_ms)),
                ms(i.and_then(|i| i.longest_wait_ms)),
                i.map_or(0, |i| i.given_up),
                i.map_or(0, |i| i.connections_lost),
                i.map_or(0, |i| i.unavailable),
            )?;
        }
        Ok(())
    }

    fn put_found(&self, out: &mut String) -> std::fmt::Result {
        for (n, found) in self.found.iter().enumerate() {
            let Violation { kind, at, text, .. } = found.violation;
            writeln!(out, "\n## {}. {} at {:.3} s\n\n{text}", n + 1, kind.title(), at.as_secs_f64())?;
            if !found.evidence.is_empty() {
                writeln!(out, "\n```")?;
                for line in &found.evidence {
                    writeln!(out, "{line}")?;
                }
                writeln!(out, "```")?;
            }
        }
        Ok(())
    }
}

/// What those concerned did and saw around a violation, and what was done to the cluster then.
#[must_use]
pub fn evidence(records: &[Record], violation: &Violation) -> Vec<String> {
    let (from, to) = (violation.at.saturating_sub(AROUND.0), violation.at + AROUND.1);
    let first = records.partition_point(|record| record.at < from);
    let around = records[first..].iter().take_while(|record| record.at <= to);
    let mut lines: Vec<(Duration, String)> = around
        .filter(|record| concerns(record, violation))
        .filter_map(|record| Some((record.at, show(record)?)))
        .collect();
    if lines.len() > LINES {
        // The nearest ones.
        lines.sort_by_key(|(at, _)| at.abs_diff(violation.at));
        lines.truncate(LINES);
        lines.sort_by_key(|(at, _)| *at);
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

fn concerns(record: &Record, violation: &Violation) -> bool {
    if matches!(record.what, What::Fault { .. } | What::Phase(_)) {
        return true;
    }
    if !violation.actors.contains(&record.actor) {
        return false;
    }
    match (violation.room, &record.what) {
        (Some(room), What::Heard(event)) => room_of(event).is_none_or(|of| of == room),
        _ => true,
    }
}

fn room_of(event: &ServerEvent) -> Option<RoomId> {
    match event {
        ServerEvent::NewMessage(e) => Some(e.room_id),
        ServerEvent::RoomJoined(e) => Some(e.room.room_id),
        ServerEvent::UserEvent(e) => Some(e.room_id),
        ServerEvent::MemberTyping(e) => Some(e.room_id),
        ServerEvent::History(e) => Some(e.room_id),
        ServerEvent::RoomLeft(e) => Some(e.room_id),
        ServerEvent::Ack(e) => e.room_id,
        _ => None,
    }
}

/// One line of evidence; `None` for what says nothing.
fn show(record: &Record) -> Option<String> {
    let at = record.at.as_secs_f64();
    let who = format!("{at:9.3} actor {:>3} #{:<4}", record.actor, record.connection);
    Some(match &record.what {
        What::Opening(url) => format!("{who} opens {url}"),
        What::Failed(why) => format!("{who} is not accepted: {why}"),
        What::Sent(ClientCommand::Typing(_)) | What::Heard(ServerEvent::MemberTyping(_)) => return None,
        What::Sent(command) => format!("{who} → {}", json(command)),
        What::Heard(event) => format!("{who} ← {}", heard(event)),
        What::Garbage(text) => format!("{who} ← no event: {text}"),
        What::Ended(how) => format!("{who} ends: {how:?}"),
        What::Dozing => format!("{who} stops reading"),
        What::Awake => format!("{who} reads again"),
        What::Fault { begins, text, .. } => {
            format!("{at:9.3} ════ {}: {text}", if *begins { "fault" } else { "undone" })
        }
        What::Phase(phase) => format!("{at:9.3} ════ {phase:?}"),
        What::Listed { source, rooms } => format!("{who} read {source}: {}", json(rooms)),
        What::Log { room, epoch, messages } => {
            format!("{who} read the log of room {room}, epoch {epoch}: {} messages", messages.len())
        }
    })
}

/// An event without what is long.
fn heard(event: &ServerEvent) -> String {
    let positions = |messages: &[protocol::event::Message]| match (messages.first(), messages.last()) {
        (Some(first), Some(last)) => format!("[{} … {}]", first.seq, last.seq),
        _ => "[]".to_owned(),
    };
    match event {
        ServerEvent::RoomJoined(e) => {
            let members: Vec<String> = e.members.iter().map(|m| m.client_id.to_string()).collect();
            format!(
                "ROOM_JOINED id {:?} room {} epoch {} seq {} messages {} recovered {} gap {:?} memberCount {} members {}",
                e.id.as_ref().map(protocol::CorrelationId::as_str),
                e.room.room_id,
                e.epoch,
                e.seq,
                positions(&e.messages),
                e.recovered,
                e.gap,
                e.room.member_count,
                members.join(" ")
            )
        }
        ServerEvent::History(e) => {
            format!("HISTORY room {} epoch {} {} more {}", e.room_id, e.epoch, positions(&e.messages), e.more)
        }
        ServerEvent::Members(e) => format!("MEMBERS of room {}: {} of {}", e.room_id, e.members.len(), e.member_count),
        ServerEvent::Rooms(e) => format!("ROOMS {} of them", e.rooms.len()),
        event => json(event),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
