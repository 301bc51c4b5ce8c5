//! The programs that the tests run.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_load-test");

/// Our programs that tests start.
const PROGRAMS: [&str; 3] = ["chat-node", "gateway", "bench-floor"];

/// Where they are. `cargo test --workspace` has built them by now; another test run has not.
pub fn binaries() -> PathBuf {
    let dir = Path::new(PROGRAM).parent().unwrap().to_owned();
    if PROGRAMS.iter().any(|name| !dir.join(name).is_file()) {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--locked"]).args(PROGRAMS.iter().flat_map(|name| ["--package", name]));
        if dir.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "{PROGRAMS:?} cannot be built");
    }
    dir
}
