//! What is left behind: tables in Markdown, which a person can read as they are, and JSON.

use super::{
    figures::{self, Asked, Ratio, Run, Settings, Spread, Summary, Target},
    system::System,
    versions::About,
};
use crate::load::report::grouped;
use serde::Serialize;

/// Between these the tables stand.
pub const BEGIN: &str = "<!-- bench:begin -->";
/// The end of them.
pub const END: &str = "<!-- bench:end -->";

/// All figures.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was measured, on what, and when.
    #[serde(flatten)]
    pub about: About,
    /// How it can be measured again.
    pub command: String,
    /// What all runs share.
    pub settings: Settings,
    /// Over all rounds.
    pub summaries: Vec<Summary>,
    /// Ours by theirs.
    pub ratios: Vec<Ratio>,
    /// What was to be reached.
    pub targets: Vec<Target>,
    /// In the order in which they were made.
    pub runs: Vec<Run>,
}

impl Report {
    pub(super) fn new(about: About, command: String, settings: Settings, runs: Vec<Run>) -> Self {
        let (summaries, ratios) = (figures::summaries(&runs), figures::ratios(&runs));
        let targets = figures::targets(&summaries, &ratios);
        Self { about, command, settings, summaries, ratios, targets, runs }
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// As tables.
    #[must_use]
    pub fn markdown(&self) -> String {
        let Settings { clients, rooms, senders, bytes, window, nodes, rounds, duration_seconds, .. } = self.settings;
        let versions: Vec<_> = self.about.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let rounds = if rounds == 1 { "one round".to_owned() } else { format!("median of {rounds} rounds") };
        let about = format!(
            "Measured {} on {}, which servers, Redis and load shared, by `{}`: {} clients in {rooms} rooms on {nodes} \
             node processes, {senders} senders, {bytes} characters a message, {rounds} of {duration_seconds} s; at \
             saturation each sender has {window} messages under way. {}.",
            self.about.date,
            self.about.machine,
            self.command,
            grouped(clients as f64),
            versions.join(", ")
        );
        let mut parts = vec![about, self.measured()];
        if !self.ratios.is_empty() {
            parts.push("Roomful's CPU of a delivery by that of the others, each pair in the same round:".to_owned());
            parts.push(self.ratio_table(|ratio| ratio.cpu));
        }
        if self.ratios.iter().any(|ratio| ratio.throughput.is_some()) {
            parts.push("Roomful's deliveries a second by those of the others:".to_owned());
            parts.push(self.ratio_table(|ratio| ratio.throughput));
        }
        parts.push(self.target_table());
        parts.join("\n\n")
    }

    fn measured(&self) -> String {
        let head = [
            "",
            "asked for",
            "deliveries/s",
            "CPU of a delivery, µs",
            "and of Redis",
            "p50, ms",
            "p99, ms",
            "resident, MiB",
            "lost",
        ];
        let mut rows = vec![head.map(ToOwned::to_owned).to_vec()];
        for one in &self.summaries {
            let optional =
                |spread: Option<Spread>| spread.map_or_else(|| "–".to_owned(), |spread| short(spread.median));
            let rate = grouped(one.deliveries_per_second.median);
            rows.push(vec![
                one.system.title().to_owned(),
                one.asked.to_string(),
                if one.reached { rate } else { format!("cannot (reached {rate}/s)") },
                short(one.node_us_per_delivery.median),
                optional(one.redis_us_per_delivery),
                optional(one.p50_ms),
                optional(one.p99_ms),
                grouped(one.resident_bytes.median / f64::from(1 << 20)),
                one.lost.map_or_else(|| "–".to_owned(), |lost| grouped(lost as f64)),
            ]);
        }
        table(&rows)
    }

    fn ratio_table(&self, pick: impl Fn(&Ratio) -> Option<Spread>) -> String {
        let mut peers: Vec<System> = self.ratios.iter().map(|ratio| ratio.peer).collect();
        peers.sort_unstable();
        peers.dedup();
        let mut rates: Vec<Asked> = Vec::new();
        for ratio in &self.ratios {
            let measured = self.ratios.iter().any(|other| other.asked == ratio.asked && pick(other).is_some());
            if measured && !rates.contains(&ratio.asked) {
                rates.push(ratio.asked);
            }
        }
        let titles = peers.iter().map(|peer| format!("by {}", peer.title()));
        let mut rows = vec![[String::new()].into_iter().chain(titles).collect()];
        for asked in rates {
            let cell = |peer: &System| {
                let ratio = self.ratios.iter().find(|ratio| (ratio.peer, ratio.asked) == (*peer, asked));
                ratio.and_then(&pick).map_or_else(|| self.cannot(*peer, asked), spread)
            };
            rows.push([asked.to_string()].into_iter().chain(peers.iter().map(cell)).collect());
        }
        table(&rows)
    }

    /// Why there is no ratio.
    fn cannot(&self, peer: System, asked: Asked) -> String {
        let either = [peer, System::Roomful];
        let slow = |one: &&Summary| !one.reached && one.asked == asked && either.contains(&one.system);
        self.summaries.iter().find(slow).map_or_else(
            || "–".to_owned(),
            |one| format!("{} cannot (reached {}/s)", one.system.title(), grouped(one.deliveries_per_second.median)),
        )
    }

    fn target_table(&self) -> String {
        let mut rows = vec![["to be reached", "", "measured", ""].map(ToOwned::to_owned).to_vec()];
        for target in &self.targets {
            let measured = match target.measured {
                Some(measured) if !measured.is_finite() => "the rate was not reached".to_owned(),
                Some(measured) if measured >= 1000.0 => grouped(measured),
                Some(measured) => short(measured),
                None => "–".to_owned(),
            };
            let reached = match target.reached {
                Some(true) => "reached",
                Some(false) => "**not reached**",
                None => "not measured",
            };
            rows.push(vec![target.what.clone(), target.wanted.clone(), measured, reached.to_owned()]);
        }
        table(&rows)
    }
}

/// Puts the tables between the marks.
///
/// # Errors
/// When a mark is missing.
pub fn put_into(readme: &str, tables: &str) -> Result<String, String> {
    let missing = |mark: &str| format!("there is no line `{mark}`");
    let (before, rest) = readme.split_once(BEGIN).ok_or_else(|| missing(BEGIN))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| missing(END))?;
    Ok(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

fn spread(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    format!("{median:.2} ({min:.2}–{max:.2})")
}

/// Three digits, or as many as stand in front of the point.
fn short(number: f64) -> String {
    match number {
        n if n >= 100.0 => grouped(n),
        n if n >= 10.0 => format!("{n:.1}"),
        0.0 => "0".to_owned(),
        n => format!("{n:.2}"),
    }
}

/// A table of Markdown whose columns are as wide as what is in them, so that it can also be read as it is.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .map(|width| width.max(3))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} "));
        format!("|{}|", cells.collect::<Vec<_>>().join("|"))
    };
    let rule = widths.iter().map(|width| format!(" {} ", "-".repeat(*width))).collect::<Vec<_>>().join("|");
    let mut lines: Vec<_> = rows.iter().map(line).collect();
    lines.insert(1.min(lines.len()), format!("|{rule}|"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{super::figures::tests::run, *};

    fn report() -> Report {
        let at = Asked::Rate(25_000);
        let runs = vec![
            run(1, System::Roomful, at, 25_000.0, 8.0),
            run(1, System::Floor, at, 25_000.0, 7.5),
            run(1, System::SocketIo, at, 19_400.0, 33.0),
            run(1, System::Roomful, Asked::Max, 240_000.0, 3.0),
            run(1, System::SocketIo, Asked::Max, 40_000.0, 25.0),
        ];
        let versions = [("Redis".to_owned(), "7.0.15".to_owned())].into();
        let about = About { machine: "2 cores".into(), date: "2026-01-02".into(), versions };
        let settings = Settings {
            clients: 1000,
            rooms: 20,
            senders: 100,
            bytes: 120,
            window: 2,
            nodes: 2,
            rounds: 1,
            warmup_seconds: 3.0,
            duration_seconds: 8.0,
        };
        Report::new(about, "load-test bench".into(), settings, runs)
    }

    #[test]
    fn tables_say_who_cannot() {
        let text = report().markdown();
        for wanted in [
            "Measured 2026-01-02 on 2 cores",
            "`load-test bench`",
            "Redis 7.0.15",
            "| cannot (reached 19,400/s) |",
            "Socket.IO cannot (reached 19,400/s)",
            "| 1.07 (1.07–1.07) ",
            "| 6.00 (6.00–6.00) ",
            "reached",
            "not measured",
        ] {
            assert!(text.contains(wanted), "{wanted} in\n{text}");
        }
    }

    #[test]
    fn every_row_has_as_many_cells_as_the_first() {
        for block in report().markdown().split("\n\n").filter(|block| block.starts_with('|')) {
            let cells: Vec<_> = block.lines().map(|line| line.matches('|').count()).collect();
            assert!(cells.len() > 2 && cells.iter().all(|count| *count == cells[0]), "{block}");
        }
    }

    #[test]
    fn a_readme_keeps_what_is_around_the_tables() {
        let readme = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let new = put_into(&readme, "new").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(put_into(&new, "new").unwrap(), new);
        assert!(put_into("a", "new").unwrap_err().contains("bench:begin"));
        assert!(put_into(BEGIN, "new").unwrap_err().contains("bench:end"));
    }

    #[test]
    fn json_has_what_the_tables_have() {
        let json: serde_json::Value = serde_json::from_str(&report().json()).unwrap();
        assert_eq!(json["machine"], "2 cores");
        assert_eq!(json["runs"][2]["system"], "socket.io");
        assert_eq!((&json["runs"][0]["asked"], &json["runs"][3]["asked"]), (&25_000.into(), &"max".into()));
        assert_eq!(json["ratios"][1]["cpu"], serde_json::Value::Null);
    }
}
