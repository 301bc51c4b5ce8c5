//! The auditor can fail: each test breaks one promise on purpose, in a cluster that is otherwise sound, and the auditor
//! must find just that. With nothing broken it must find nothing.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod nodes;
mod ports;
mod thief;

use async_trait::async_trait;
use load_test::{
    Audit,
    ground::Ground,
    judge::{Kind, Terms},
    plan::{Fault, Plan},
    report::Report,
    workload::Settings,
};
use nodes::{GRACE, LINGER, Nodes};
use ports::{Broken, Sabotage};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// Nodes of this process: nothing is done to them but what is in their ports.
struct InProcess(Vec<String>);

#[async_trait]
impl Ground for InProcess {
    fn urls(&self) -> Vec<String> {
        self.0.clone()
    }
    fn api(&self) -> Option<String> {
        None
    }
    fn nodes(&self) -> usize {
        self.0.len()
    }
    fn describe(&self) -> Vec<String> {
        vec!["three nodes in one process".to_owned()]
    }
    fn possible(&self, _: Fault) -> bool {
        false
    }
    async fn begin(&mut self, fault: Fault) -> Result<(), String> {
        Err(fault.to_string())
    }
    async fn end(&mut self, fault: Fault) -> Result<(), String> {
        Err(fault.to_string())
    }
}

/// A small audit in a hurry. What is broken is broken often, so that seconds are enough.
fn audit(seed: u64) -> Audit {
    let ms = Duration::from_millis;
    Audit {
        plan: Plan::calm(ms(6000)),
        settings: Settings {
            seed,
            clients: 20,
            rooms: 4,
            quiet_rooms: 2,
            pace: ms(250),
            visits: LINGER + ms(700),
            silence: ms(2700),
            grace: GRACE,
            retry: ms(1500),
            patience: ms(3000),
            longest: 300,
        },
        terms: Terms {
            grace: GRACE,
            log_max: Some(100_000),
            promptness: ms(2000),
            answer: ms(3000),
            heal: ms(1000),
            ghosts: GRACE + ms(2500),
        },
    }
}

/// One way to break the cluster, and what must be found then: all of `wanted`, and nothing but it and what comes of it.
struct Case {
    name: &'static str,
    how: Sabotage,
    /// One message in so many is taken away on its way to the clients of one node.
    thief: Option<u64>,
    wanted: &'static [Kind],
    also: &'static [Kind],
}

const CASES: &[Case] = &[
    Case { name: "nothing is broken", how: Sabotage::Nothing, thief: None, wanted: &[], also: &[] },
    Case {
        name: "appends are acknowledged and not stored",
        how: Sabotage::LoseAppends(20),
        thief: None,
        wanted: &[Kind::Lost],
        // The position is given again, to another message: who changes the one gets a refusal, or changes the other.
        also: &[
            Kind::Conflict,
            Kind::AckDisagrees,
            Kind::Doubled,
            Kind::Unseen,
            Kind::Protocol,
            Kind::Altered,
            Kind::Trespass,
            Kind::Disclosed,
        ],
    },
    Case {
        name: "messages are taken away on the way to one member",
        how: Sabotage::Nothing,
        thief: Some(25),
        wanted: &[Kind::Hole],
        also: &[Kind::Unseen],
    },
    Case {
        name: "retries are posted again",
        how: Sabotage::DoubleRetries,
        thief: None,
        wanted: &[Kind::Doubled, Kind::AckDisagrees],
        also: &[],
    },
    Case {
        name: "what is edited or deleted is still read",
        how: Sabotage::KeepText,
        thief: None,
        wanted: &[Kind::Disclosed],
        // What does not look deleted can be changed again.
        also: &[Kind::Trespass],
    },
    Case {
        name: "subscribing returns before it takes effect",
        how: Sabotage::SkipBarrier(Duration::from_millis(300)),
        thief: None,
        wanted: &[Kind::Unseen],
        also: &[Kind::Late, Kind::Snapshot, Kind::Expelled, Kind::Ghost],
    },
    Case {
        name: "lost connections are never given up",
        how: Sabotage::SwallowDetach,
        thief: None,
        wanted: &[Kind::Ghost],
        also: &[],
    },
    Case {
        name: "clients get the id of somebody else",
        how: Sabotage::TwinClients(4),
        thief: None,
        wanted: &[Kind::ClientIdReused],
        // Two who share an identity take each other's place, name and room.
        also: Kind::ALL.as_slice(),
    },
];

impl Case {
    /// What is not as it should be.
    async fn run(&self, nodes: Nodes, seed: u64) -> Result<(), String> {
        let mut urls = nodes.urls();
        if let Some(many) = self.thief {
            urls[1] = format!("ws://{}/ws", thief::thief(nodes.addresses[1], many).await);
        }
        let audit = audit(seed);
        let outcome = audit.run(&mut InProcess(urls), &|_| {}).await?;
        let report = Report::new(&audit, Vec::new(), &outcome).text();
        let found: BTreeSet<Kind> = outcome.verdict.violations.iter().map(|violation| violation.kind).collect();
        if let Some(missed) = self.wanted.iter().find(|kind| !found.contains(kind)) {
            return Err(format!("{} (seed {seed}): {missed:?} was not found\n{report}", self.name));
        }
        if let Some(other) = found.iter().find(|kind| !self.wanted.contains(kind) && !self.also.contains(kind)) {
            return Err(format!("{} (seed {seed}): {other:?} was found as well\n{report}", self.name));
        }
        let figures = &outcome.figures;
        // A verdict on nothing would be worth nothing.
        if figures.acknowledged < 100 || outcome.verdict.extent.shown < 300 || outcome.verdict.extent.logs < 4 {
            return Err(format!("{} (seed {seed}): hardly anything was looked at\n{report}", self.name));
        }
        Ok(())
    }
}

/// All of them side by side: each waits much more than it works. `AUDIT_SEEDS=20` tries as many seeds, one after the
/// other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_broken_is_found_and_nothing_else() {
    let seeds = std::env::var("AUDIT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    for seed in 1..=seeds {
        let mut cases = JoinSet::new();
        for case in CASES {
            let cluster = Arc::default();
            let nodes = Nodes::start(|ports| Broken::ports(ports, case.how, Arc::clone(&cluster))).await;
            cases.spawn(case.run(nodes, seed));
        }
        let mut wrong = Vec::new();
        while let Some(done) = cases.join_next().await {
            wrong.extend(done.unwrap().err());
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }
}
