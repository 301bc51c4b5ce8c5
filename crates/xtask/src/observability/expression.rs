//! Which metrics an expression names. promtool parses it; here it is enough to tell names of metrics from everything else.

use std::collections::{BTreeMap, BTreeSet};

/// Words of the language that stand where a metric could. Functions and aggregations have a parenthesis behind them.
const WORDS: &[&str] = &["and", "or", "unless", "atan2", "bool", "offset", "inf", "nan", "start", "end"];
/// Labels follow these, in parentheses.
const BEFORE_LABELS: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];
/// What a histogram's series end with.
const SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];

/// The names of metrics in an expression.
pub fn metrics(expr: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = expr;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '"' | '\'' | '`' => past_string(rest, first),
            '{' => past_selector(rest),
            '[' => past(rest, ']'),
            '#' => past(rest, '\n'),
            '0'..='9' | '.' => rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.'),
            'a'..='z' | 'A'..='Z' | '_' | ':' => {
                let end =
                    rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
                let (name, behind) = rest.split_at(end);
                let next = behind.trim_start();
                // An aggregation may have its labels first: sum by (job) (…).
                let call = next.starts_with('(') || next.starts_with("by") || next.starts_with("without");
                let lower = name.to_ascii_lowercase();
                if BEFORE_LABELS.contains(&lower.as_str()) {
                    if call { past(behind, ')') } else { behind }
                } else {
                    if !call && !WORDS.contains(&lower.as_str()) {
                        names.insert(name.to_owned());
                    }
                    behind
                }
            }
            _ => &rest[first.len_utf8()..],
        };
    }
    names
}

fn past(text: &str, end: char) -> &str {
    text.find(end).map_or("", |at| &text[at + end.len_utf8()..])
}

fn past_string(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quote != '`',
            _ if c == quote => return &text[at + c.len_utf8()..],
            _ => {}
        }
    }
    ""
}

fn past_selector(text: &str) -> &str {
    let mut rest = &text[1..];
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '}' => return &rest[1..],
            '"' | '\'' | '`' => past_string(rest, c),
            _ => &rest[c.len_utf8()..],
        };
    }
    ""
}

/// What the documentation says is exported: whether each is a histogram.
#[derive(Debug)]
pub struct Documented(BTreeMap<String, bool>);

/// Reads the tables: a row for each metric, its name in backticks in the first column.
pub fn documented(page: &str) -> Documented {
    let rows = page.lines().filter_map(|line| {
        let (name, others) = line.trim().strip_prefix("| `")?.split_once('`')?;
        // The labels may stand with it.
        let name = name.split('{').next()?;
        Some((name.to_owned(), others.to_ascii_lowercase().contains("histogram")))
    });
    Documented(rows.collect())
}

impl Documented {
    /// Whether there is a series of this name. A histogram has none of its own.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name) == Some(&false)
            || SUFFIXES.iter().any(|end| name.strip_suffix(end).is_some_and(|base| self.0.get(base) == Some(&true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(expr: &str) -> Vec<String> {
        metrics(expr).into_iter().collect()
    }

    #[test]
    fn metrics_are_told_from_everything_else() {
        assert_eq!(names("up"), ["up"]);
        assert_eq!(names(r#"sum by (job, le) (rate(a_bucket{job=~"b|c", le="x}y\"z"}[5m])) / 2.5e3"#), ["a_bucket"]);
        assert_eq!(names("max(a) > on () group_left (x) b unless on (i) (c == bool 1) offset 15m"), ["a", "b", "c"]);
        assert_eq!(names("avg without (i) (job:a:rate5m) or vector(1) # d"), ["job:a:rate5m"]);
        assert_eq!(names("a[1h:5m] + Inf - NaN * 0x1F"), ["a"]);
        assert_eq!(names("sum(a) by (b) AND c"), ["a", "c"]);
        assert_eq!(names("a\n  and b"), ["a", "b"]);
    }

    #[test]
    fn documentation_is_read() {
        let known = documented(
            "# x\n| metric | type |\n| --- | --- |\n| `a_total{b,c}` | counter |\n| `d_seconds` | histogram |\n`e` is no row\n",
        );
        assert!(known.has("a_total") && known.has("d_seconds_bucket") && known.has("d_seconds_count"));
        // A histogram has no series of its own name, and what is none has no buckets.
        assert!(!known.has("d_seconds") && !known.has("a_total_bucket") && !known.has("e") && !known.has("metric"));
    }
}
