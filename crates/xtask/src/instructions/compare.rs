//! What was kept against what was counted.

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
};

/// Per cent by which a case may grow before that is a failure, or fall before the kept figure is too high to guard it.
const MARGIN: u64 = 10;

/// Instructions by case.
pub type Counts = BTreeMap<String, u64>;

/// The file that is kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    pub tools: Tools,
    pub instructions: Counts,
}

/// What the figures depend on, besides the code.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    pub rustc: String,
    pub valgrind: String,
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.rustc, self.valgrind)
    }
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    Grew,
    Fell,
    /// Nothing is kept of it.
    New,
    /// It is kept, but was not counted.
    Gone,
}

/// One case.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    pub case: String,
    pub kept: Option<u64>,
    pub now: Option<u64>,
    pub verdict: Verdict,
}

impl Row {
    /// Why this is a failure, if it is one.
    pub fn fault(&self) -> Option<String> {
        let case = &self.case;
        match self.verdict {
            Verdict::Fine | Verdict::Fell => None,
            Verdict::Grew => Some(format!("{case} takes over {MARGIN} % more instructions than is kept")),
            Verdict::New => Some(format!("{case} is new: nothing is kept of it yet")),
            Verdict::Gone => Some(format!("{case} is kept, but nothing counts it any more")),
        }
    }
}

/// All cases, by name.
pub fn compare(kept: &Counts, now: &Counts) -> Vec<Row> {
    let cases: BTreeSet<_> = kept.keys().chain(now.keys()).collect();
    let row = |case: &String| {
        let (kept, now) = (kept.get(case).copied(), now.get(case).copied());
        let verdict = match (kept, now) {
            (Some(kept), Some(now)) if now * 100 > kept * (100 + MARGIN) => Verdict::Grew,
            (Some(kept), Some(now)) if now * 100 < kept * (100 - MARGIN) => Verdict::Fell,
            (Some(_), Some(_)) => Verdict::Fine,
            (None, _) => Verdict::New,
            (_, None) => Verdict::Gone,
        };
        Row { case: case.clone(), kept, now, verdict }
    };
    cases.into_iter().map(row).collect()
}

/// For people.
pub fn table(rows: &[Row]) -> String {
    let number = |n: Option<u64>| n.map_or("-".to_owned(), |n| n.to_string());
    let mut text = format!("{:<26} {:>10} {:>10} {:>9}\n", "case", "kept", "now", "change");
    for Row { case, kept, now, verdict } in rows {
        let change = change(*kept, *now);
        let remark = match verdict {
            Verdict::Fine => "",
            Verdict::Grew => "  grew",
            Verdict::Fell => "  fell",
            Verdict::New => "  new",
            Verdict::Gone => "  gone",
        };
        let _ = writeln!(text, "{case:<26} {:>10} {:>10} {change:>9}{remark}", number(*kept), number(*now));
    }
    text
}

#[allow(clippy::cast_precision_loss)] // a per cent with one digit
fn change(kept: Option<u64>, now: Option<u64>) -> String {
    let Some((kept, now)) = kept.zip(now) else { return "-".into() };
    format!("{:+.1} %", (now as f64 / kept as f64 - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[(&str, u64)]) -> Counts {
        counts.iter().map(|(case, n)| ((*case).to_owned(), *n)).collect()
    }

    fn verdict(kept: &[(&str, u64)], now: &[(&str, u64)]) -> (Verdict, bool) {
        let rows = compare(&counts(kept), &counts(now));
        assert_eq!(rows.len(), 1);
        (rows[0].verdict, rows[0].fault().is_some())
    }

    #[test]
    fn a_growth_over_the_margin_is_a_failure() {
        assert_eq!(verdict(&[("a", 1000)], &[("a", 1110)]), (Verdict::Grew, true));
        assert_eq!(verdict(&[("a", 1000)], &[("a", 1101)]), (Verdict::Grew, true));
        assert_eq!(verdict(&[("a", 1000)], &[("a", 1100)]), (Verdict::Fine, false));
        assert_eq!(verdict(&[("a", 1000)], &[("a", 1090)]), (Verdict::Fine, false));
        assert_eq!(verdict(&[("a", 0)], &[("a", 1)]), (Verdict::Grew, true));
    }

    #[test]
    fn a_fall_is_told_and_no_failure() {
        assert_eq!(verdict(&[("a", 1000)], &[("a", 910)]), (Verdict::Fine, false));
        assert_eq!(verdict(&[("a", 1000)], &[("a", 890)]), (Verdict::Fell, false));
    }

    #[test]
    fn cases_that_come_and_go_are_failures() {
        assert_eq!(verdict(&[], &[("a", 1)]), (Verdict::New, true));
        assert_eq!(verdict(&[("a", 1)], &[]), (Verdict::Gone, true));
    }

    #[test]
    fn each_case_is_judged_by_itself() {
        let rows = compare(&counts(&[("a", 100), ("b", 100)]), &counts(&[("a", 150), ("b", 50)]));
        assert_eq!(rows.iter().map(|row| row.verdict).collect::<Vec<_>>(), [Verdict::Grew, Verdict::Fell]);
        let table = table(&rows);
        assert!(table.contains("+50.0 %  grew") && table.contains("-50.0 %  fell"), "{table}");
    }
}
