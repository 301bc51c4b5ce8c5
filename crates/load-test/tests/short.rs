//! The program itself, on a real cluster: Redis, nginx, a gateway and three nodes, of which one is killed, and whose Redis
//! is restarted, under load. Nothing may be lost by it, and the program has to say so.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::Value;
use std::{
    fs,
    process::{Command, Output},
};
use support::{PROGRAM, binaries};

fn load_test(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().unwrap()
}

#[test]
fn a_killed_node_and_a_restarted_redis_lose_nothing() {
    let out = tempfile::tempdir().unwrap();
    let (binaries, dir) = (binaries(), out.path().to_str().unwrap());
    let binaries = binaries.to_str().unwrap();
    let run = load_test(&["audit", "--plan", "short", "--clients", "40", "--binaries", binaries, "--out", dir]);
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}\n{said}\n{}", run.status, String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("seed 1: all zero"), "{said}");

    let report: Value = serde_json::from_slice(&fs::read(out.path().join("audit.json")).unwrap()).unwrap();
    assert_eq!((&report["passed"], &report["audit"]["settings"]["seed"]), (&true.into(), &1.into()));
    assert_eq!(report["faults"].as_array().unwrap().len(), 2);
    let counts = report["violations"].as_object().unwrap();
    assert!(counts.len() > 20 && counts.values().all(|count| *count == 0), "{counts:?}");
    let at_least = |pointer: &str, least: u64| {
        let measured = report.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
        assert!(measured >= least, "{pointer} is {measured}\n{said}");
    };
    at_least("/figures/acknowledged", 200);
    at_least("/lookedAt/shown", 1000);
    at_least("/lookedAt/logs", 5);
    at_least("/figures/impacts/0/connectionsLost", 1);
    assert!(fs::read_to_string(out.path().join("audit.md")).unwrap().contains("| ghost member | 0 |"));
}

#[test]
fn it_says_how_it_is_used() {
    let help = load_test(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--seed"));
    let wrong = load_test(&["audit", "--seed", "x"]);
    assert_eq!(wrong.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--seed x: expected a number"));
}

#[test]
fn a_cluster_that_is_not_there_is_no_verdict() {
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().to_str().unwrap();
    let run = load_test(&["audit", "--url", "nowhere", "--out", dir]);
    assert_eq!(run.status.code(), Some(2), "{}", String::from_utf8_lossy(&run.stderr));
    let run = load_test(&["audit", "--binaries", dir, "--out", dir]);
    assert_eq!(run.status.code(), Some(2), "{}", String::from_utf8_lossy(&run.stderr));
}
