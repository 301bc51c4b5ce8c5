//! What nobody has foreseen is a line like all others.

use runtime::telemetry::{LogFormat, Process, Telemetry};
use serde_json::Value;
use std::{process::Command, thread};

/// Set in the process that panics.
const TO_PANIC: &str = "RUNTIME_TEST_TO_PANIC";

#[test]
fn a_panic_is_one_line() {
    if std::env::var_os(TO_PANIC).is_some() {
        let telemetry = Telemetry { format: LogFormat::Json, level: "error".to_owned(), ..Telemetry::default() };
        telemetry.init(Process { service: "echo", node: Some("n1".to_owned()) });
        let panicked = thread::Builder::new().name("one".to_owned()).spawn(|| panic!("first\nsecond")).unwrap().join();
        return assert!(panicked.is_err());
    }
    // A process of its own, for it changes what a panic does.
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", "logs::a_panic_is_one_line"]).env(TO_PANIC, "1").output().unwrap();
    let written = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [line] = &lines[..] else { panic!("{written}") };
    assert_eq!((&line["level"], &line["service"]), (&"ERROR".into(), &"echo".into()));
    assert_eq!((&line["panic"], &line["thread"]), (&"first\nsecond".into(), &"one".into()));
    assert!(line["location"].as_str().unwrap().contains("logs.rs:"), "{line}");
}
