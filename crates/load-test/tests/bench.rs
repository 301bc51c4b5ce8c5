//! `load-test bench` itself: every system is started, takes messages, and loses none.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};
use support::{PROGRAM, binaries};

fn bench(args: &[&str]) -> Output {
    Command::new(PROGRAM).arg("bench").args(args).output().unwrap()
}

/// The peers, with their packages. `cargo xtask ci` has installed them by now; another test run has not.
fn peers() -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("bench/peers");
    if !dir.join("node_modules/.package-lock.json").is_file() {
        let mut install = Command::new("npm");
        install.arg("--prefix").arg(&dir).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        assert!(install.status().unwrap().success(), "the peers' packages cannot be installed");
    }
    dir
}

#[test]
fn every_system_delivers_and_loses_nothing() {
    let out = tempfile::tempdir().unwrap();
    let (dir, readme) = (out.path().join("bench"), out.path().join("README.md"));
    fs::write(&readme, "before\n<!-- bench:begin -->\n<!-- bench:end -->\nafter\n").unwrap();
    let (binaries, peers) = (binaries(), peers());
    let paths = [("--binaries", &binaries), ("--peers", &peers), ("--dir", &dir), ("--readme", &readme)];
    let mut args = vec!["--rounds=1", "--rates=600,max", "--warmup=200ms", "--duration=600ms"];
    args.extend(["--clients=24", "--rooms=4", "--senders=8", "--bytes=100"]);
    args.extend(paths.iter().flat_map(|(name, path)| [*name, path.to_str().unwrap()]));
    let run = bench(&args);
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}\n{said}\n{}", run.status, String::from_utf8_lossy(&run.stderr));

    let report: Value = serde_json::from_slice(&fs::read(dir.join("report.json")).unwrap()).unwrap();
    let runs = report["runs"].as_array().unwrap();
    let order: Vec<_> = runs.iter().map(|run| run["system"].as_str().unwrap()).collect();
    assert_eq!(order, ["roomful", "floor", "ws", "socket.io"].repeat(2));
    for run in runs {
        let floor = run["system"] == "floor";
        assert!(run["deliveriesPerSecond"].as_f64().unwrap() > 0.0, "{run}");
        assert_eq!(run["problems"].as_array().unwrap().len(), 0, "{run}");
        assert_eq!(run["lost"], if floor { Value::Null } else { 0.into() }, "{run}");
        assert!(run["residentBytes"].as_u64().unwrap() > 1 << 20, "{run}");
        assert!(run["nodeUsPerDelivery"].is_f64() && run["reached"].is_boolean(), "{run}");
        for field in ["redisUsPerDelivery", "p50Ms", "p99Ms"] {
            assert_eq!(run[field].is_f64(), !floor, "{field} of {run}");
        }
    }
    for field in ["machine", "date", "command", "versions", "settings", "summaries", "ratios", "targets"] {
        assert!(!report[field].is_null(), "{field} is missing");
    }
    for name in ["Roomful", "Redis", "Node.js", "ws", "socket.io", "@socket.io/redis-adapter", "ioredis"] {
        assert!(report["versions"][name].is_string(), "{name} has no version");
    }
    assert_eq!(report["ratios"].as_array().unwrap().len(), 6);
    let readme = fs::read_to_string(readme).unwrap();
    assert!(readme.starts_with("before\n<!-- bench:begin -->\nMeasured ") && readme.ends_with("-->\nafter\n"));
    for title in ["Roomful", "the floor", "plain ws", "Socket.IO"] {
        assert!(readme.contains(&format!("| {title} ")), "{title}\n{readme}");
    }
}

#[test]
fn it_says_how_it_is_used_and_what_is_missing() {
    let help = bench(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--rounds"));
    let wrong = bench(&["--rounds", "x"]);
    assert_eq!(wrong.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--rounds x: expected a number"));
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().to_str().unwrap();
    let nowhere = bench(&["--systems=floor", "--binaries", dir, "--dir", dir]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("build it with"));
}

#[test]
fn a_server_that_ends_is_named_with_its_log() {
    let out = tempfile::tempdir().unwrap();
    let peers = out.path().join("peers");
    for package in ["socket.io", "@socket.io/redis-adapter", "ws", "ioredis"] {
        let package = peers.join("node_modules").join(package);
        fs::create_dir_all(&package).unwrap();
        fs::write(package.join("package.json"), r#"{"version":"1.2.3"}"#).unwrap();
    }
    fs::create_dir_all(peers.join("ws")).unwrap();
    fs::write(peers.join("ws/server.js"), "throw new Error('out of order')").unwrap();
    let (peers, dir) = (peers.to_str().unwrap(), out.path().to_str().unwrap());
    let run = bench(&["--systems=ws", "--peers", peers, "--dir", dir]);
    assert_eq!(run.status.code(), Some(2));
    let fault = String::from_utf8_lossy(&run.stderr);
    assert!(fault.contains("ws 1 (pid ") && fault.contains("out of order"), "{fault}");
}
