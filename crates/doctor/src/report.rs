//! How findings are told: to people, and to machines.

use crate::{
    code::Topic,
    finding::{Edit, Finding, Place, Severity},
};
use serde_json::json;
use std::fmt::Write as _;

/// Columns of a line.
const WIDTH: usize = 100;

/// For people, by what it is about.
#[must_use]
pub fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for topic in Topic::ALL {
        let of_it: Vec<&Finding> = findings.iter().filter(|finding| finding.topic == *topic).collect();
        if !of_it.is_empty() {
            group(&mut text, *topic, &of_it);
        }
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}, {}; {} looked at and well, {} not looked at.",
        counted(errors, "error"),
        counted(warnings, "warning"),
        count(Severity::Ok),
        count(Severity::Skipped)
    );
    let next = match (errors, warnings) {
        (0, 0) => "Nothing to do in what was looked at.",
        (0, _) => "It works. Look at the warnings when there is time; docs/doctor.md says more of each.",
        _ => {
            "Mend the errors, restart what they are about (`docker compose up -d`), and run this again; docs/doctor.md says more."
        }
    };
    text + next + "\n"
}

fn counted(count: usize, what: &str) -> String {
    format!(
        "{} {what}{}",
        if count == 0 { "no".to_owned() } else { count.to_string() },
        if count == 1 { "" } else { "s" }
    )
}

fn group(text: &mut String, topic: Topic, findings: &[&Finding]) {
    let well = findings.iter().filter(|finding| finding.severity == Severity::Ok).count();
    let _ = write!(text, "{}", topic.title());
    let _ = writeln!(text, "{}", if well > 0 { format!("  ({well} well)") } else { String::new() });
    for finding in findings {
        let sign = match finding.severity {
            Severity::Error => "✗ error  ",
            Severity::Warning => "! warning",
            Severity::Ok | Severity::Skipped => continue,
        };
        let _ = writeln!(text, "  {sign}  {}", finding.code.name());
        wrap(text, &finding.seen);
        if let Some(place) = &finding.place {
            self::place(text, place);
        }
        wrap(text, &finding.change);
    }
    // Many have the same reason.
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Skipped) {
        match reasons.iter_mut().find(|(reason, _)| *reason == finding.seen) {
            Some((_, count)) => *count += 1,
            None => reasons.push((&finding.seen, 1)),
        }
    }
    for (reason, count) in reasons {
        let _ = writeln!(text, "  – {count} not looked at: {reason}");
    }
    text.push('\n');
}

fn place(text: &mut String, place: &Place) {
    let line = |text: &mut String, label: &str, what: &str| {
        let what = what.replace('\n', &format!("\n{:22}", ""));
        let _ = writeln!(text, "      {label:<16}{what}");
    };
    match (&place.edit, place.line) {
        (Some(Edit::Insert(lines)), Some(after)) if place.text.is_none() => {
            line(text, "add after", &format!("{}:{after}", place.source));
            line(text, "", lines);
            return;
        }
        _ => line(text, "at", &place.to_string()),
    }
    match &place.edit {
        Some(Edit::Replace(new)) => line(text, "change to", new),
        Some(Edit::Insert(lines)) => line(text, "add", lines),
        Some(Edit::Delete) => line(text, "", "take this line away"),
        Some(Edit::Run(command)) => line(text, "run", command),
        None => {}
    }
}

fn wrap(text: &mut String, words: &str) {
    let mut column = 0;
    for word in words.split(' ') {
        let width = word.chars().count();
        let (before, start) = match column {
            0 => ("      ", 6),
            column if column + 1 + width > WIDTH => ("\n      ", 6),
            column => (" ", column + 1),
        };
        text.push_str(before);
        text.push_str(word);
        column = start + width;
    }
    text.push('\n');
}

/// For machines.
#[must_use]
pub fn json(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let report = json!({
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "findings": findings,
    });
    serde_json::to_string_pretty(&report).unwrap_or_default()
}
