//! The programs that the tests run.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_load-test");

/// Where `chat-node` and `gateway` are. `cargo test --workspace` has built them by now; another test run has not.
pub fn binaries() -> PathBuf {
    let dir = Path::new(PROGRAM).parent().unwrap().to_owned();
    if ["chat-node", "gateway"].iter().any(|name| !dir.join(name).is_file()) {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--locked", "--package", "chat-node", "--package", "gateway"]);
        if dir.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "chat-node and gateway cannot be built");
    }
    dir
}
