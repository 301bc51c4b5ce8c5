//! Every test and check, in the order in which they fail fastest.

use crate::target;
use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// What the tests run against, where Debian and most others put it, and Debian's package of it.
const PROGRAMS: &[(&str, &str)] = &[
    ("/usr/bin/chromium", "chromium"),
    ("/usr/bin/redis-server", "redis-server"),
    ("/usr/sbin/nginx", "nginx"),
    ("/usr/bin/openssl", "openssl"),
    ("/usr/bin/valgrind", "valgrind"),
];

type Step<'a> = (&'a str, &'a [&'a str]);

const STEPS: &[Step<'_>] = &[
    ("formatting", &["cargo", "fmt", "--all", "--check"]),
    ("generated files", &["cargo", "xtask", "codegen", "--check"]),
    ("crate graph", &["cargo", "xtask", "layers"]),
    ("tidiness", &["cargo", "xtask", "tidy"]),
    ("dashboards and alerts", &["cargo", "xtask", "observability"]),
    ("lints", &["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    ("front end: packages", &["npm", "--prefix", "frontend", "ci", "--no-audit", "--no-fund", "--loglevel=error"]),
    ("front end: formatting", &["npm", "--prefix", "frontend", "run", "--silent", "format:check"]),
    ("front end: types", &["npm", "--prefix", "frontend", "run", "--silent", "check"]),
    ("front end: tests", &["npm", "--prefix", "frontend", "run", "--silent", "test"]),
    ("front end: build", &["npm", "--prefix", "frontend", "run", "--silent", "build"]),
    (
        "peers: packages",
        &["npm", "--prefix", "bench/peers", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    ),
    ("Rust tests", &["cargo", "test", "--workspace", "--locked", "--quiet"]),
    ("instruction counts", &["cargo", "xtask", "instructions"]),
    ("the programs", &["cargo", "build", "--locked", "--workspace", "--bins"]),
    ("browser tests", &["npm", "--prefix", "frontend", "run", "--silent", "e2e"]),
];

/// Runs everything; the first failure ends it.
pub fn run(root: &Path) -> Result<(), String> {
    let begin = Instant::now();
    install_programs()?;
    for (n, (name, command)) in STEPS.iter().enumerate() {
        let start = Instant::now();
        println!("\n── {}/{} {name}: {}", n + 1, STEPS.len(), command.join(" "));
        execute(root, command).map_err(|fault| format!("\n{name} failed: {fault}"))?;
        println!("── {name}: {} s", start.elapsed().as_secs());
    }
    println!("\nall {} steps passed in {} s", STEPS.len(), begin.elapsed().as_secs());
    Ok(())
}

fn execute(root: &Path, command: &[&str]) -> Result<(), String> {
    let [program, args @ ..] = command else { return Err("an empty command".into()) };
    let status = Command::new(program)
        .args(args)
        .current_dir(root)
        // The browser tests start the product; cargo may have been told to build elsewhere.
        .env("ROOMFUL_BIN", target(root).join("debug/roomful"))
        // Nothing here is a developer's own try: no `test.only`, and one flaky test does not stop all others.
        .env("CI", "1")
        .stdin(Stdio::null())
        .status()
        .map_err(|e| format!("{program}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", command.join(" "))) }
}

/// Where what is missing can be installed without asking anybody, it is.
fn install_programs() -> Result<(), String> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|(path, _)| !Path::new(path).exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    let paths: Vec<_> = missing.iter().map(|(path, _)| *path).collect();
    println!("── installing {}", packages.join(", "));
    let sudo = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() != b"0");
    let prefix: &[&str] = if sudo { &["sudo", "-n"] } else { &[] };
    let install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"];
    for command in [[prefix, &["apt-get", "update", "-qq"]].concat(), [prefix, &install, &packages].concat()] {
        execute(Path::new("/"), &command).map_err(|e| {
            format!("the tests need {}, which could not be installed ({e}): do it by hand", paths.join(", "))
        })?;
    }
    Ok(())
}
