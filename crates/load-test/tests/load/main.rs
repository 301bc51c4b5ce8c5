//! The load tester counts right: on nodes that are sound every delivery is there once, and on a network that drops, doubles
//! or swaps one in a thousand it finds just those.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// The sabotaged audit has use for more of it.
#[allow(dead_code)]
#[path = "../sabotage/nodes.rs"]
mod nodes;
mod proxy;
#[path = "../support/mod.rs"]
mod support;

use load_test::load::{
    self,
    options::Options,
    profile::{Load, Profile, Rate},
    report::Report,
};
use nodes::Nodes;
use proxy::Harm;
use serde_json::Value;
use std::{
    fs,
    process::{Command, Output},
    sync::atomic::Ordering,
    time::Duration,
};
use support::{PROGRAM, binaries};

/// 60 clients in 6 rooms of 10.
fn small(profile: Profile) -> Load {
    let ms = Duration::from_millis;
    Load {
        clients: 60,
        rooms: 6,
        senders: 12,
        rate: Rate::Messages(100.0),
        warmup: ms(300),
        duration: ms(2000),
        churn: 0.0,
        threads: 2,
        ..profile.load()
    }
}

async fn run(load: Load, urls: Vec<String>) -> Report {
    let options = Options::at(load, urls);
    let done = tokio::task::spawn_blocking(move || load::run(&options, &mut |line| println!("{line}")));
    let report = done.await.unwrap().unwrap();
    println!("{}", report.text());
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_are_messages_times_members() {
    let nodes = Nodes::start(|ports| ports).await;
    let report = run(small(Profile::Rooms), nodes.urls()).await;
    assert_eq!(report.problems, [""; 0]);
    let faults = &report.faults;
    // 2.3 s at 100 messages a second: the schedule is kept, whatever the machine does.
    assert_eq!(faults.acknowledged, 230);
    assert_eq!((faults.delivered, faults.expected), (2300, Some(2300)));
    assert_eq!((faults.lost, faults.doubled, faults.reordered, faults.failed, faults.dropped), (0, 0, 0, 0, 0));
    // Of these, 200 messages were due while it was measured, and each delivery of them has its latency.
    assert_eq!((report.delivery.count, report.ack.count, report.setup.latency.count), (2000, 200, 60));
    assert!(report.delivery.p50 > 0.0 && report.delivery.p50 <= report.delivery.p99);
    assert!(report.delivery.max <= report.last_delivery.max + 0.01);

    let json: Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["faults"]["delivered"], 2300);
    let page = report.page();
    assert!(page.matches("<svg").count() >= 4 && !page.contains("http://127") && !page.contains("<script"), "{page}");
    assert!(report.text().contains("all well"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_much_as_the_server_takes_is_exact_too() {
    let nodes = Nodes::start(|ports| ports).await;
    let load = Load { rate: Rate::Max, duration: Duration::from_millis(1000), ..small(Profile::Rooms) };
    let report = run(load, nodes.urls()).await;
    assert_eq!(report.problems, [""; 0]);
    assert!(report.faults.acknowledged > 100, "{}", report.faults.acknowledged);
    assert_eq!(report.faults.delivered, report.faults.acknowledged * 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_weathered() {
    let nodes = Nodes::start(|ports| ports).await;
    let report = run(small(Profile::Storm), nodes.urls()).await;
    assert_eq!(report.problems, [""; 0]);
    let comeback = report.comeback.unwrap();
    assert_eq!((comeback.cut, comeback.back, comeback.latency.count), (60, 60, 60));
    assert!(comeback.seconds.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_come_and_go() {
    let nodes = Nodes::start(|ports| ports).await;
    let report = run(Load { churn: 50.0, ..small(Profile::Churn) }, nodes.urls()).await;
    assert_eq!(report.problems, [""; 0]);
    let comeback = report.comeback.unwrap();
    assert!(comeback.cut > 20 && comeback.back == comeback.cut, "{comeback:?}");
    assert_eq!(report.faults.expected, None);
    // Whoever stayed had all; and rooms were full again.
    assert!(report.setup.latency.count > 60 && report.faults.delivered > 1500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_of_all_sizes() {
    let nodes = Nodes::start(|ports| ports).await;
    let report = run(Load { churn: 10.0, ..small(Profile::Mixed) }, nodes.urls()).await;
    assert_eq!(report.problems, [""; 0]);
    assert!(report.faults.acknowledged > 200);
}

async fn harmed(harm: Harm) -> (Report, u64) {
    let nodes = Nodes::start(|ports| ports).await;
    let (address, tally) = proxy::start(nodes.addresses[0], harm).await;
    let load = Load { rate: Rate::Messages(300.0), ..small(Profile::Rooms) };
    let report = run(load, vec![format!("http://{address}")]).await;
    let harmed = tally.harmed.load(Ordering::Relaxed);
    assert!(harmed >= 5, "{harmed} of {} deliveries", report.faults.delivered);
    (report, harmed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_network_drops_is_lost() {
    let (report, harmed) = harmed(Harm::Drop).await;
    assert_eq!((report.faults.lost, report.faults.doubled, report.faults.reordered), (harmed, 0, 0));
    assert_eq!(report.faults.expected, Some(report.faults.delivered + harmed));
    assert_eq!(report.problems, [format!("{harmed} deliveries were lost")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_network_doubles_came_twice() {
    let (report, harmed) = harmed(Harm::Double).await;
    assert_eq!((report.faults.lost, report.faults.doubled, report.faults.reordered), (0, harmed, 0));
    assert_eq!(report.problems, [format!("{harmed} deliveries came twice")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_network_swaps_came_out_of_order() {
    let (report, harmed) = harmed(Harm::Swap).await;
    assert_eq!((report.faults.lost, report.faults.doubled, report.faults.reordered), (0, 0, harmed));
    assert_eq!(report.problems, [format!("{harmed} deliveries came out of order")]);
}

fn load_test(args: &[&str]) -> Output {
    Command::new(PROGRAM).arg("load").args(args).output().unwrap()
}

#[test]
fn a_real_cluster_is_measured_process_by_process() {
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let (binaries, dir, json, html) = (binaries(), path("cluster"), path("report/a.json"), path("report/a.html"));
    let small = ["--clients", "40", "--rooms", "4", "--senders", "4", "--rate", "400", "--warmup", "500ms"];
    let mut args = vec!["--binaries", binaries.to_str().unwrap(), "--dir", &dir, "--json", &json, "--html", &html];
    args.extend(small.iter().chain(&["--duration", "2s"]));
    let run = load_test(&args);
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}\n{said}\n{}", run.status, String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("all well") && said.contains("deliveries/s"), "{said}");

    let report: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    assert_eq!((&report["faults"]["lost"], &report["faults"]["delivered"]), (&0.into(), &1000.into()));
    let processes = report["processes"].as_array().unwrap();
    let names: Vec<_> = processes.iter().map(|process| process["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["chat-node-1", "chat-node-2", "all chat-nodes", "gateway", "nginx", "redis"]);
    for process in processes {
        assert!(process["residentEnd"].as_u64().unwrap() > 1 << 20, "{process}");
    }
    assert!(processes[2]["cpuUsPerDelivery"].as_f64().unwrap() > 0.0);
    assert!(processes[2]["voluntaryPerSecond"].as_f64().unwrap() > 0.0);
    assert!(fs::read_to_string(&html).unwrap().starts_with("<!doctype html>"));
}

#[test]
fn clients_of_a_killed_node_come_back() {
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let (binaries, dir, json) = (binaries(), path("cluster"), path("a.json"));
    let mut args = vec!["--binaries", binaries.to_str().unwrap(), "--dir", &dir, "--json", &json];
    args.extend(["--profile", "storm", "--kill", "--clients", "40", "--others", "20", "--rooms", "4"]);
    args.extend(["--rate", "400", "--warmup", "500ms", "--duration", "3s"]);
    let run = load_test(&args);
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}\n{said}\n{}", run.status, String::from_utf8_lossy(&run.stderr));
    let report: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    // All but the others and the witnesses were on the first of two nodes.
    assert_eq!((&report["comeback"]["cut"], &report["comeback"]["back"]), (&40.into(), &40.into()), "{said}");
    assert_eq!(report["setup"]["connections"], 64, "{said}");
    assert!(report["comeback"]["others"]["count"].as_u64().is_some_and(|count| count > 0), "{said}");
    assert!(report["comeback"]["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
}

/// Every client moves, of those on the second node some twice; the window leaves 2 s for whoever is told last.
fn rolled_out(how: &[&str]) -> Value {
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let (binaries, dir, json) = (binaries(), path("cluster"), path("a.json"));
    let mut args = vec!["load", "--binaries", binaries.to_str().unwrap(), "--dir", &dir, "--json", &json];
    args.extend(["--profile", "rollout", "--nodes", "2", "--clients", "60", "--rooms", "6", "--fresh", "20"]);
    args.extend(["--senders", "12", "--rate", "100msg", "--warmup", "300ms", "--duration", "500ms"]);
    args.extend(how);
    let run = Command::new(PROGRAM).args(args).env("DRAIN_WINDOW", "4s").output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}\n{said}\n{}", run.status, String::from_utf8_lossy(&run.stderr));
    println!("{said}");
    let report: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let (faults, rollout) = (&report["faults"], &report["rollout"]);
    for none in ["lost", "doubled", "reordered", "gaps", "failed", "dropped", "refused", "unacknowledged", "withheld"] {
        assert_eq!(faults[none], 0, "{none}: {said}");
    }
    for none in ["visibleDisconnects", "toldLeft", "toldJoined", "closedWith1012"] {
        assert_eq!(rollout[none], 0, "{none}: {said}");
    }
    assert!(rollout["moves"].as_u64().is_some_and(|moves| moves >= 60), "{said}");
    let count = |which: &str| rollout[which]["nodes"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    let counts: [u64; 2] = [count("clients"), count("fresh")];
    assert_eq!(counts, [60, 20], "{said}");
    for drain in rollout["drains"].as_array().unwrap() {
        assert_eq!(drain["status"], 0, "{said}");
    }
    report
}

#[test]
fn nobody_sees_that_all_nodes_are_replaced() {
    let report = rolled_out(&[]);
    let rollout = &report["rollout"];
    let nodes: Vec<_> = rollout["clients"]["nodes"].as_object().unwrap().keys().collect();
    assert_eq!(nodes, ["chat-node-3", "chat-node-4"]);
    assert_eq!(rollout["drains"].as_array().map(Vec::len), Some(2));
    let deliveries = |which: &str| rollout[which]["count"].as_u64().unwrap();
    // Each of 100 messages a second to 10 members, for half a second, and then for as long as it took.
    assert!(deliveries("before") >= 450 && deliveries("during") > deliveries("before"), "{rollout}");
}

#[test]
fn nobody_sees_that_all_nodes_are_started_again() {
    let report = rolled_out(&["--in-place"]);
    let nodes: Vec<_> = report["rollout"]["clients"]["nodes"].as_object().unwrap().keys().collect();
    assert_eq!(nodes, ["chat-node-1", "chat-node-2"]);
}

#[test]
fn it_says_how_it_is_used() {
    let help = load_test(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--profile"));
    let wrong = load_test(&["--clients", "x", "--rate", "y"]);
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(64));
    assert!(said.contains("--clients x: expected") && said.contains("--rate y: expected"), "{said}");
    let nowhere = load_test(&["--url", "http://127.0.0.1:1", "--clients", "3"]);
    assert_eq!(nowhere.status.code(), Some(2), "{}", String::from_utf8_lossy(&nowhere.stderr));
}
