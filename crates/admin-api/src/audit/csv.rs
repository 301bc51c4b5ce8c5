//! The log as a file for spreadsheets.

use super::{Search, read::look};
use crate::State;
use protocol::{Timestamp, admin::AuditEntry};
use runtime::http::Problem;
use serde_json::Value;
use std::{fmt::Write as _, time::Duration};

/// Entries of one file.
pub(crate) const EXPORT_MAX: usize = 10_000;
/// Entries that are looked at for it: as many as there ever are by default.
const LOOKED_AT: usize = 100_000;
/// How long that may take.
const TIME: Duration = Duration::from_secs(10);
/// Bytes of one file, which is made in memory.
const BYTES: usize = 32 * 1024 * 1024;

const HEAD: &str = "auditId,time,at,actor,ip,action,target,reason,outcome,detail,before,after,requestId\r\n";

/// The newest entries that are searched for, and how many they are.
pub(crate) async fn export(state: &State, search: &Search) -> Result<(String, usize), Problem> {
    let (entries, _) = look(state, None, EXPORT_MAX, search, (LOOKED_AT, TIME)).await?;
    let mut csv = HEAD.to_owned();
    let mut count = 0;
    for entry in &entries {
        if csv.len() > BYTES {
            break;
        }
        row(&mut csv, entry);
        count += 1;
    }
    Ok((csv, count))
}

fn row(csv: &mut String, entry: &AuditEntry) {
    // What an enum is called on the wire.
    let name = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let json = |value: &Value| if value.is_null() { String::new() } else { value.to_string() };
    let cells = [
        entry.audit_id.clone(),
        iso(entry.at),
        entry.at.0.to_string(),
        entry.actor.clone(),
        entry.ip.to_string(),
        name(serde_json::to_value(entry.action).unwrap_or_default()),
        entry.target.clone(),
        entry.reason.clone().unwrap_or_default(),
        name(serde_json::to_value(entry.outcome).unwrap_or_default()),
        entry.detail.clone(),
        json(&entry.before),
        json(&entry.after),
        entry.request_id.clone(),
    ];
    for (number, text) in cells.iter().enumerate() {
        if number > 0 {
            csv.push(',');
        }
        cell(csv, text);
    }
    csv.push_str("\r\n");
}

/// A spreadsheet takes a cell for a formula by its first character, whoever wrote it. An apostrophe makes it text. What
/// some spreadsheets take for the end of a cell, quotes or not, begins another one.
fn cell(csv: &mut String, text: &str) {
    csv.push('"');
    if text.starts_with(['\t', '\r', '\n']) {
        csv.push('\'');
    }
    let mut begins = true;
    for c in text.chars() {
        if begins && matches!(c, '=' | '+' | '-' | '@' | '|' | '%') {
            csv.push('\'');
        }
        begins = matches!(c, ';' | '\t' | '\r' | '\n') || (begins && c == ' ');
        match c {
            '"' => csv.push_str("\"\""),
            '\0' => csv.push('\u{fffd}'),
            c => csv.push(c),
        }
    }
    csv.push('"');
}

/// In UTC, as RFC 3339 writes it.
fn iso(at: Timestamp) -> String {
    let (days, millis) = (at.0 / 86_400_000, at.0 % 86_400_000);
    // Years begin in March here, so that the odd day is the last (H. Hinnant, "chrono-compatible low-level date
    // algorithms").
    let z = days.saturating_add(719_468);
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = String::new();
    let _ = write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_ends_early() {
        let written = |text: &str| {
            let mut csv = String::new();
            cell(&mut csv, text);
            csv
        };
        assert_eq!(written("=1+1"), "\"'=1+1\"");
        assert_eq!(written("@SUM(A1)"), "\"'@SUM(A1)\"");
        assert_eq!(written("a \"b\", c\r\nd"), "\"a \"\"b\"\", c\r\nd\"");
        assert_eq!(written("plain"), "\"plain\"");
        assert_eq!(written("x;=cmd|'/C calc'!A0"), "\"x;'=cmd|'/C calc'!A0\"");
        assert_eq!(written("x; @y"), "\"x; '@y\"");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(iso(Timestamp(millis)), text);
        }
        iso(Timestamp(u64::MAX));
    }
}
