//! Ids when there are many.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine::port::{Attachment, Claim};
use server::node::{Node, config};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use uuid::Uuid;

/// 50,000 come at once: no id is given twice, and when half of the five-digit ones are taken, six digits are given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_have_fifty_thousand_ids() {
    const ALL: usize = 50_000;
    let mut config = config(&server::shared().url());
    config.command_timeout = std::time::Duration::from_secs(10);
    let node = Arc::new(Node::new(&config).await);
    let left = Arc::new(AtomicUsize::new(0));
    let mut comers = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (node, left) = (node.clone(), left.clone());
        comers.spawn(async move {
            let mut ids = Vec::new();
            loop {
                let n = left.fetch_add(1, Ordering::Relaxed);
                if n >= ALL {
                    return ids;
                }
                let attachment = Attachment { lease: node.lease.clone(), connection: n as u64 };
                let claim =
                    Claim { identity: None, fresh_key: Uuid::new_v4(), username: None, rename: false, address: None };
                ids.push(node.ports.directory.attach(&attachment, claim).await.unwrap().client_id.get());
            }
        });
    }
    let ids: Vec<u32> = comers.join_all().await.into_iter().flatten().collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ALL);
    let six_digits = ids.iter().filter(|id| **id > 99_999).count();
    assert!((4_000..=5_000).contains(&six_digits), "{six_digits}");
    assert!(ids.iter().all(|id| (10_000..=999_999).contains(id)));
}
