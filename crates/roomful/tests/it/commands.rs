//! The program's own commands, beside one of it that runs.

use crate::support::frontend;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// The program with nothing of our own environment but what it needs to be found.
fn roomful(directory: &Path, arguments: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roomful"));
    command.args(arguments).env_clear().envs(env.iter().copied()).current_dir(directory);
    command
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn one_that_runs_is_healthy_and_the_doctor_finds_nothing() {
    let root = frontend();
    let dist = root.path().join("dist").display().to_string();
    let mut command = roomful(root.path(), &["--dev"], &[("PORT", "0"), ("FRONTEND_DIR", &dist)]);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.contains("Roomful is at")).expect("it says where it is");
    let port = line.rsplit(':').next().unwrap().trim();
    let ask = |arguments: &[&str]| roomful(root.path(), arguments, &[("PORT", port)]).output().unwrap();

    for (arguments, line) in [(&["health"][..], "roomful: ready"), (&["health", "--live"], "roomful: live")] {
        let health = ask(arguments);
        assert_eq!((health.status.code(), said(&health).as_str()), (Some(0), line));
    }

    let url = format!("http://127.0.0.1:{port}");
    let doctor = ask(&["doctor", "--json", "--url", &url]);
    let report: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let with = |severity: &str| {
        let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == severity);
        findings.map(|finding| finding["code"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((doctor.status.code(), with("error").len()), (Some(0), 0), "{report:#}");
    // It has one port for all: /livez, /readyz and /metrics are on it, too.
    assert_eq!(with("warning"), ["ops-exposed"; 3], "{report:#}");
    for code in ["health-degraded", "csp-missing", "websocket-connect", "websocket-origin-open", "clock-skew-site"] {
        assert!(with("ok").contains(&code), "{code}: {report:#}");
    }
}

#[test]
fn who_is_not_there_is_not_healthy() {
    let dir = tempfile::tempdir().unwrap();
    let health = roomful(dir.path(), &["health"], &[("PORT", "1")]).output().unwrap();
    assert_eq!(health.status.code(), Some(1));
    assert_eq!(said(&health), "roomful: not ready: nobody listens at 127.0.0.1:1");
    let health = roomful(dir.path(), &["health"], &[("PORT", "http")]).output().unwrap();
    assert_eq!(health.status.code(), Some(64));
}

#[test]
fn the_doctor_reads_the_settings_that_are_here() {
    let dir = tempfile::tempdir().unwrap();
    let secret = "hunter2-hunter2";
    std::fs::write(
        dir.path().join(".env"),
        format!("HEARTBEAT=soon\nADMIN_PASS=x7Kp-2mQ9-zzZr\nJWT_SECRET={secret}\n"),
    )
    .unwrap();
    let doctor = roomful(dir.path(), &["doctor"], &[]).output().unwrap();
    let text = said(&doctor);
    assert_eq!(doctor.status.code(), Some(64), "{text}");
    assert!(text.contains(".env:1: HEARTBEAT=soon\n      change to       HEARTBEAT=25s\n"), "{text}");
    assert!(text.contains(".env:3: JWT_SECRET=(hidden, 15 bytes)\n") && !text.contains(secret), "{text}");

    let doctor = roomful(dir.path(), &["doctor", "--url", "example.org"], &[]).output().unwrap();
    assert_eq!(doctor.status.code(), Some(2));
}
