//! The crate graph, as a snapshot: a new arrow, or a new library, appears in review.

use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const SNAPSHOT: &str = "crates/xtask/layers.txt";

/// What a crate must not know of, whatever the snapshot says: the reason is in ARCHITECTURE.md.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("protocol", &["tokio", "actix", "engine", "runtime"]),
    ("engine", &["actix", "fred", "runtime"]),
    ("runtime", &["protocol", "engine", "fred"]),
    ("client", &["engine", "runtime", "actix", "chat-node"]),
    // Outside-in: what it shared with the servers, it could not judge.
    ("load-test", &["engine", "engine-redis", "runtime", "actix", "chat-node", "gateway", "roomful", "fred"]),
    ("chat-node", &["gateway", "roomful", "fred", "actix-web"]),
    ("gateway", &["chat-node", "roomful", "fred"]),
    ("admin-api", &["chat-node", "gateway", "roomful", "fred"]),
    ("engine-redis", &["actix", "chat-node", "gateway"]),
    // It looks at a deployment from outside; what it takes from us is how settings are read.
    ("doctor", &["engine", "protocol", "actix", "chat-node", "gateway", "admin-api", "roomful"]),
    ("cluster", &["protocol", "engine", "runtime", "chat-node", "gateway", "roomful"]),
];

/// Only what composes a process may name the backend: everything else takes ports.
const BACKEND: &str = "engine_redis::";
// The doctor looks at Redis itself, not at what is kept in it.
const COMPOSERS: &[&str] = &["engine-redis", "roomful", "doctor", "xtask"];

/// Fails when the graph is not the one in the snapshot.
pub fn check(root: &Path) -> Result<(), String> {
    let (text, crates) = graph(root)?;
    for Crate { name, dependencies, .. } in &crates {
        let rules = FORBIDDEN.iter().filter(|(crate_name, _)| crate_name == name);
        for forbidden in rules.flat_map(|(_, forbidden)| *forbidden) {
            let breaks = |d: &&String| *d == forbidden || (*forbidden == "actix" && d.starts_with("actix"));
            if let Some(dependency) = dependencies.iter().find(breaks) {
                return Err(format!("{name} must not depend on {dependency}: see ARCHITECTURE.md, \"Arrows\""));
            }
        }
    }
    for Crate { dir, .. } in crates.iter().filter(|found| !COMPOSERS.contains(&found.name.as_str())) {
        let sources = dir.join("src");
        // Benches alone are no part of a process.
        if sources.exists() {
            names_the_backend(&sources)?;
        }
    }
    let known = fs::read_to_string(root.join(SNAPSHOT)).unwrap_or_default();
    if known == text {
        return Ok(());
    }
    Err(format!("the crate graph has changed; it is now\n\n{text}\nif that is meant: `cargo xtask layers --write`"))
}

/// Fails when a source other than a `main.rs` names the backend.
fn names_the_backend(sources: &Path) -> Result<(), String> {
    let unreadable = |e: std::io::Error| format!("{}: {e}", sources.display());
    for entry in fs::read_dir(sources).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            names_the_backend(&path)?;
        } else if !path.ends_with("main.rs") && fs::read_to_string(&path).is_ok_and(|text| text.contains(BACKEND)) {
            return Err(format!("{} must take ports: only a main.rs knows the backend", path.display()));
        }
    }
    Ok(())
}

/// Writes the snapshot anew.
pub fn write(root: &Path) -> Result<(), String> {
    fs::write(root.join(SNAPSHOT), graph(root)?.0).map_err(|e| format!("{SNAPSHOT}: {e}"))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    dependencies: Vec<String>,
    dir: PathBuf,
}

fn graph(root: &Path) -> Result<(String, Vec<Crate>), String> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let mut crates: Vec<_> = packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().cloned().unwrap_or_default();
            let mut names: Vec<String> = dependencies
                .iter()
                .filter(|d| d["kind"].is_null()) // neither dev- nor build-dependencies
                .filter_map(|d| d["name"].as_str().map(str::to_owned))
                .collect();
            names.sort();
            names.dedup();
            let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
            Crate {
                name: package["name"].as_str().unwrap_or_default().to_owned(),
                dependencies: names,
                dir: manifest.parent().unwrap_or(root).to_owned(),
            }
        })
        .collect();
    crates.sort();

    let ours: Vec<String> = crates.iter().map(|found| found.name.clone()).collect();
    let mut text =
        String::from("# Who depends on whom, and on which libraries. `cargo xtask layers --write` writes it.\n");
    for Crate { name, dependencies, .. } in &crates {
        let (inner, outer): (Vec<_>, Vec<_>) = dependencies.iter().partition(|d| ours.contains(d));
        let _ = writeln!(text, "\n{name}\n  → {}\n  + {}", list(&inner), list(&outer));
    }
    Ok((text, crates))
}

fn list(names: &[&String]) -> String {
    if names.is_empty() { "nothing".into() } else { names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", ") }
}
