//! Rules and their tests, as far as they are looked at here. They are YAML in one fixed form, which is read by line: what is
//! written in another is noticed, for promtool counts, too.

use super::text;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Where an alert's runbook is.
const RUNBOOK: &str = "https://github.com/roomful/roomful/blob/main/docs/runbooks.md#";
/// Who is told: somebody now, or the team in its working hours.
const SEVERITIES: [&str; 2] = ["page", "ticket"];

/// All rules of all files.
pub struct Rules(Vec<Rule>);

#[derive(Debug, Default)]
struct Rule {
    alert: bool,
    name: String,
    expr: String,
    fields: BTreeMap<String, String>,
}

/// How often each alert is expected in the tests, and how often it is expected not to be raised.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tested {
    raised: usize,
    quiet: usize,
}

impl Rules {
    pub fn read(files: &[PathBuf]) -> Result<Self, String> {
        let mut rules = Vec::new();
        for file in files {
            rules.extend(parse(&text(file)?));
        }
        Ok(Self(rules))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn alerts(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter().filter(|rule| rule.alert)
    }

    /// The names of what is recorded.
    pub fn recorded(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|rule| !rule.alert).map(|rule| rule.name.as_str())
    }

    /// Every expression, with where it is.
    pub fn expressions(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|rule| (rule.name.clone(), rule.expr.clone()))
    }

    /// What an alert lacks.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut names = BTreeSet::new();
        for rule in &self.0 {
            if !names.insert(&rule.name) {
                faults.push(format!("{}: there are two", rule.name));
            }
        }
        for Rule { name, fields, .. } in self.alerts() {
            let field = |key: &str| fields.get(key).map_or("", String::as_str);
            for key in ["summary", "description"].into_iter().filter(|key| field(key).is_empty()) {
                faults.push(format!("{name}: no {key}"));
            }
            if !SEVERITIES.contains(&field("severity")) {
                faults.push(format!("{name}: severity `{}` is none of {}", field("severity"), SEVERITIES.join(", ")));
            }
            let runbook = format!("{RUNBOOK}{}", name.to_lowercase());
            if field("runbook_url") != runbook {
                faults.push(format!("{name}: runbook_url is not {runbook}"));
            }
        }
        faults
    }

    /// Alerts that no test raises, or none leaves alone; and tests of none.
    pub fn untested(&self, tested: &BTreeMap<String, Tested>) -> Vec<String> {
        let mut faults = Vec::new();
        for Rule { name, .. } in self.alerts() {
            let Tested { raised, quiet } = tested.get(name).copied().unwrap_or_default();
            if raised == 0 {
                faults.push(format!("{name}: no test in which it is raised"));
            }
            if quiet == 0 {
                faults.push(format!("{name}: no test in which it is not raised"));
            }
        }
        // promtool does not mind a misspelt name where nothing is expected.
        let strangers = tested.keys().filter(|name| !self.alerts().any(|alert| alert.name == **name));
        faults.extend(strangers.map(|name| format!("{name} is tested, and there is no such alert")));
        faults
    }

    /// Alerts without a section in the runbooks, and sections without an alert.
    pub fn without_runbook(&self, runbooks: &str, path: &str) -> Vec<String> {
        let sections: BTreeSet<&str> = runbooks.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        let alerts: BTreeSet<&str> = self.alerts().map(|rule| rule.name.as_str()).collect();
        let missing = alerts.difference(&sections).map(|name| format!("{path}: no section `### {name}`"));
        let left = sections.difference(&alerts).map(|name| format!("{path}: there is no alert `{name}`"));
        missing.chain(left).collect()
    }
}

/// What the tests expect of each alert.
pub fn tested(files: &[PathBuf]) -> Result<BTreeMap<String, Tested>, String> {
    let mut all = BTreeMap::new();
    for file in files {
        count(&text(file)?, &mut all);
    }
    Ok(all)
}

fn count(tests: &str, all: &mut BTreeMap<String, Tested>) {
    let mut name = String::new();
    for line in tests.lines().map(|line| line.trim_start().trim_start_matches("- ")) {
        if let Some(found) = line.strip_prefix("alertname: ") {
            found.trim().clone_into(&mut name);
            all.entry(name.clone()).or_default();
        } else if let Some(expected) = line.strip_prefix("exp_alerts:")
            && let Some(tested) = all.get_mut(&name)
        {
            if expected.trim() == "[]" {
                tested.quiet += 1;
            } else {
                tested.raised += 1;
            }
        }
    }
}

fn parse(file: &str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    // While an expression of several lines goes on: how far its key is indented.
    let mut block = None;
    for line in file.lines() {
        let indent = line.len() - line.trim_start().len();
        let trimmed = line.trim();
        if let Some(key) = block {
            if trimmed.is_empty() || indent > key {
                if let Some(rule) = rules.last_mut() {
                    rule.expr.push_str(trimmed);
                    rule.expr.push('\n');
                }
                continue;
            }
            block = None;
        }
        let Some((key, value)) = trimmed.split_once(": ") else { continue };
        match (key, rules.last_mut()) {
            ("- alert" | "- record", _) => {
                rules.push(Rule { alert: key == "- alert", name: value.to_owned(), ..Rule::default() });
            }
            ("expr", Some(_)) if value == "|-" => block = Some(indent),
            ("expr", Some(rule)) => value.clone_into(&mut rule.expr),
            (_, Some(rule)) if !key.starts_with('#') => {
                rule.fields.insert(key.to_owned(), value.trim_matches('\'').to_owned());
            }
            _ => {}
        }
    }
    rules
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const RULES: &str = "\
# comment: with a colon
groups:
  - name: one
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)

      # Why: because.
      - alert: Down
        expr: |-
          job:up:sum == 0
          and on () vector(1)
        for: 1m
        labels:
          severity: page
        annotations:
          summary: 'it''s down: really'
          description: 'x'
          runbook_url: https://github.com/roomful/roomful/blob/main/docs/runbooks.md#down
";

    fn rules(text: &str) -> Rules {
        Rules(parse(text))
    }

    #[test]
    fn rules_are_read() {
        let read = rules(RULES);
        assert_eq!(read.len(), 2);
        assert_eq!(read.recorded().collect::<Vec<_>>(), ["job:up:sum"]);
        let expressions: Vec<_> = read.expressions().map(|(_, expr)| expr).collect();
        assert_eq!(expressions, ["sum by (job) (up)", "job:up:sum == 0\nand on () vector(1)\n"]);
        assert_eq!(read.faults(), Vec::<String>::new());
    }

    #[test]
    fn what_an_alert_lacks_is_told() {
        let faults = |from: &str, to: &str| rules(&RULES.replace(from, to)).faults().join("\n");
        assert!(faults("severity: page", "severity: loud").contains("`loud` is none of page, ticket"));
        assert!(faults("          description: 'x'\n", "").contains("Down: no description"));
        assert!(faults("#down", "#up").contains("Down: runbook_url is not"));
        assert!(faults("- record: job:up:sum", "- record: Down").contains("there are two"));
    }

    #[test]
    fn an_alert_is_tested_both_ways() {
        let faults = |tests: &str| {
            let mut all = BTreeMap::new();
            count(tests, &mut all);
            rules(RULES).untested(&all)
        };
        let raised = "- alertname: Down\n  exp_alerts:\n    - exp_labels:\n";
        let quiet = "- alertname: Down\n  eval_time: 1m\n  exp_alerts: []\n";
        assert_eq!(faults(&format!("{raised}{quiet}")), Vec::<String>::new());
        assert_eq!(faults(raised), ["Down: no test in which it is not raised"]);
        assert_eq!(faults(quiet), ["Down: no test in which it is raised"]);
        let stranger = "- alertname: Dwon\n  exp_alerts: []\n";
        assert_eq!(faults(&format!("{raised}{quiet}{stranger}")), ["Dwon is tested, and there is no such alert"]);
    }

    #[test]
    fn an_alert_has_a_runbook() {
        let read = rules(RULES);
        assert_eq!(read.without_runbook("# Runbooks\n### Down\nx\n", "r.md"), Vec::<String>::new());
        let faults = read.without_runbook("### Up\n", "r.md");
        assert_eq!(faults, ["r.md: no section `### Down`", "r.md: there is no alert `Up`"]);
    }
}
