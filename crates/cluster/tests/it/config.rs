//! The configuration as nginx itself sees it.

use crate::support::site::{nobody, site};
use cluster::{
    Programs,
    nginx::{Site, Upstream},
};
use std::{os::unix::fs::chown, process::Command};

const NOBODY: u32 = 65534;

/// Runs `nginx -t`, as somebody without any rights where that can be. What it said, and whether it agreed.
fn nginx_t(site: &Site) -> (bool, String) {
    let nginx = Programs::find().unwrap().nginx;
    let above = site.dir.parent().unwrap();
    let chowned = [above, &site.dir].iter().all(|dir| chown(dir, Some(NOBODY), Some(NOBODY)).is_ok());
    let mut command = if chowned {
        let id = NOBODY.to_string();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(nginx);
        command
    } else {
        Command::new(nginx)
    };
    command.arg("-t").arg("-p").arg(&site.dir).arg("-c").arg(site.conf()).args(["-e", "stderr"]);
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn assert_taken(site: &Site) {
    site.write().unwrap();
    let (agreed, said) = nginx_t(site);
    assert!(agreed, "{said}");
    assert!(!said.contains("[warn]") && !said.contains("[alert]"), "{said}");
}

#[test]
fn with_addresses_it_is_taken_without_rights_and_without_a_warning() {
    let (mut site, _port, _dir) = site();
    assert_taken(&site);
    site.admin_api = Some(nobody());
    assert_taken(&site);
}

#[test]
fn with_names_too_though_nobody_resolves_them_yet() {
    let (mut site, _port, _dir) = site();
    site.resolver = Some("127.0.0.11:53".parse().unwrap());
    site.gateway = Upstream::Name("gateway:8080".into());
    site.chat_nodes = Upstream::Name("chat-node:8080".into());
    site.admin_api = Some(Upstream::Name("admin-api:8080".into()));
    assert_taken(&site);
}

#[test]
fn a_value_that_would_be_configuration_is_refused() {
    let (mut site, _port, _dir) = site();
    site.access_log = "/tmp/x\"; daemon on; #".into();
    assert!(site.write().unwrap_err().to_string().contains("ACCESS_LOG"));
}
