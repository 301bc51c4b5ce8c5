//! Dashboards, recording rules and alerts: that they parse, do what their tests say, and name only what there is.
//!
//! What Prometheus itself can tell (syntax, types, whether an alert is raised) is asked of promtool. The rest is read here:
//! a dashboard that names a metric which nobody exports shows nothing, and nobody notices until it is needed.

mod dashboards;
mod expression;
mod promtool;
mod rules;

use dashboards::Dashboard;
use promtool::Promtool;
use rules::Rules;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const FOLDER: &str = "deploy/observability";
const RUNBOOKS: &str = "docs/runbooks.md";
const METRICS: &str = "docs/metrics.md";

/// What Prometheus makes by itself.
const BUILT_IN: &[&str] = &["up", "ALERTS"];

/// Runs every check; the faults of each are told together.
pub fn check(root: &Path, target: &Path) -> Result<(), String> {
    let folder = root.join(FOLDER);
    generated(root)?;
    let promtool = Promtool::find(target)?;
    promtool.run(&["check", "config"], &[folder.join("prometheus/prometheus.yml")])?;

    let files = listed(&folder.join("prometheus/rules"), "yml")?;
    let tests = listed(&folder.join("prometheus/rules/tests"), "yml")?;
    let rules = Rules::read(&files)?;
    // Ours reads only the form in which ours are written. What it overlooked would go unchecked.
    let counted = promtool.count_rules(&files)?;
    if counted != rules.len() {
        return Err(format!(
            "promtool counts {counted} rules, and {} were read: keep to the form of the others",
            rules.len()
        ));
    }
    let dashboards = dashboards::read(&listed(&folder.join("grafana/dashboards"), "json")?)?;

    let mut faults = rules.faults();
    faults.extend(rules.untested(&rules::tested(&tests)?));
    faults.extend(rules.without_runbook(&text(&root.join(RUNBOOKS))?, RUNBOOKS));
    faults.extend(dashboards::faults(&dashboards));
    faults.extend(unknown_metrics(&rules, &dashboards, &text(&root.join(METRICS))?));
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    promtool.parse_all(target, dashboards.iter().flat_map(Dashboard::expressions))?;
    promtool.test(&tests)
}

/// Whether the dashboards are those that the sources make.
fn generated(root: &Path) -> Result<(), String> {
    let status = Command::new("node")
        .args([&format!("{FOLDER}/dashboards/write.mjs"), "--check"])
        .current_dir(root)
        .status()
        .map_err(|e| format!("node: {e}"))?;
    if status.success() { Ok(()) } else { Err("the dashboards are not what their sources make".into()) }
}

/// What is named in a rule or on a dashboard and neither exported, recorded, nor Prometheus' own.
fn unknown_metrics(rules: &Rules, dashboards: &[Dashboard], documented: &str) -> Vec<String> {
    let exported = expression::documented(documented);
    let recorded: BTreeSet<&str> = rules.recorded().collect();
    let of_rules = rules.expressions();
    let of_dashboards = dashboards.iter().flat_map(Dashboard::expressions);
    let mut used = BTreeSet::new();
    let mut faults = Vec::new();
    for (place, expr) in of_rules.chain(of_dashboards) {
        for name in expression::metrics(&expr) {
            if !recorded.contains(name.as_str()) && !BUILT_IN.contains(&name.as_str()) && !exported.has(&name) {
                faults.push(format!("{place}: no process exports `{name}` ({METRICS})"));
            }
            used.insert(name);
        }
    }
    let unused = recorded.into_iter().filter(|name| !used.contains(*name));
    faults.extend(unused.map(|name| format!("{name} is recorded, and nothing reads it")));
    faults
}

/// The files of a folder that end so, in order. None is a fault: a check of nothing passes always.
fn listed(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let unreadable = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(format!("{}: no .{extension}", folder.display())) } else { Ok(files) }
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}
