//! The running API against its own description: schemathesis asks for everything that the description allows, and for much
//! that it does not, and looks for answers that it does not have, and for any 5xx.

use crate::admin::start;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// Requests for each call, in each of its phases.
const EXAMPLES: &str = "20";
/// Longer than it takes on a busy machine, PyPI included.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_one_that_the_description_has() {
    let off = [("LIMIT_ADMIN_LOGIN_NODE", "off"), ("LIMIT_HTTP_CLUSTER", "off")];
    let (cluster, admin, dir) = start(&off).await;
    // A replica itself: nginx has answers of its own, for paths with %00 and for floods of logins.
    let replica = format!("http://{}", admin.replicas[0]);
    let document = format!("http://{}/api/openapi.json", admin.site);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let without = ["--include-path-regex", "^/admin", "--exclude-operation-id", "adminLogout"];
    let alone = ["--include-operation-id", "adminLogout"];
    // Signing out comes last, and alone: nothing works after it.
    for which in [&without[..], &alone] {
        let mut command = Command::new(tests.join("schemathesis.sh"));
        command
            .arg(env!("CARGO_TARGET_TMPDIR"))
            .arg("--config-file")
            .arg(tests.join("schemathesis.toml"))
            .args(["run", &document, "--url", &replica])
            .args(which)
            .args(["--checks", "all", "--max-examples", EXAMPLES, "--seed", "1", "--no-color"])
            .args(["--header", &format!("Authorization: Bearer {}", admin.token), "--request-timeout", "10"])
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = timeout(PATIENCE, command.output()).await.expect("schemathesis goes on and on").unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        println!(
            "{}",
            said.lines().rev().take(25).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
        );
    }
    cluster.stop().await;
}
