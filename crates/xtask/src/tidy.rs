//! What no linter looks at.

use std::{fs, path::Path, process::Command};

/// Files longer than this no longer fit into one head. Generated ones are not read.
const LINES: usize = 700;

/// Fails on untidiness, all of it together.
pub fn check(root: &Path) -> Result<(), String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|e| format!("git: {e}"))?;
    let mut faults = Vec::new();
    for path in String::from_utf8_lossy(&listed.stdout).lines() {
        let Ok(text) = fs::read_to_string(root.join(path)) else { continue };
        let source = [".rs", ".ts", ".js", ".svelte", ".css", ".sh"].iter().any(|end| path.ends_with(end));
        if source && !path.ends_with("generated.ts") && text.lines().count() > LINES {
            faults.push(format!("{path}: {} lines; split it at {LINES}", text.lines().count()));
        }
        if path.ends_with("/Cargo.toml") {
            for wanted in ["description = ", "[lints]\nworkspace = true", "publish.workspace = true"] {
                if !text.contains(wanted) {
                    faults.push(format!("{path}: lacks `{}`", wanted.replace('\n', " ")));
                }
            }
        }
        if path.ends_with(".md")
            && let Some(left) = text.split('@').skip(1).step_by(2).find(|t| is_placeholder(t))
        {
            faults.push(format!("{path}: `@{left}@` was never filled in"));
        }
        // No HTML strings, anywhere in the page: it is how chat pages got their XSS advisories.
        let page = path.starts_with("frontend/src/");
        for banned in ["{@html", ".innerHTML", "insertAdjacentHTML", "document.write"] {
            if page && text.contains(banned) {
                faults.push(format!("{path}: `{banned}` makes HTML of a string"));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn is_placeholder(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase())
}
