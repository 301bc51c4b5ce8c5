//! SIGTERM and SIGINT. A file, and one test, of its own: signals go to the whole process, and only who listens is ended.

use crate::support::PATIENCE;
use runtime::lifecycle::Lifecycle;
use std::process::Command;
use tokio::time::timeout;

fn send(signal: &str) {
    let status = Command::new("kill").args(["-s", signal, &std::process::id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn the_first_is_soft_and_the_second_hard() {
    let lifecycle = Lifecycle::new();
    lifecycle.listen_for_signals().unwrap();

    send("TERM");
    timeout(PATIENCE, lifecycle.soft.cancelled()).await.unwrap();
    assert!(!lifecycle.hard.is_cancelled());

    send("INT");
    timeout(PATIENCE, lifecycle.hard.cancelled()).await.unwrap();
}
