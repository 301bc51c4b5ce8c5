//! The chat-nodes of a cluster of our own are replaced, as a deploy does it.

use super::{ground::Ground, procfs::Watched};
use cluster::{Cluster, Process, Signal};
use std::{
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

/// How long a node may take until it takes clients.
const READY: Duration = Duration::from_secs(30);
/// How much longer than its drain window a node may take to end before it is given up.
const END: Duration = Duration::from_secs(30);

/// What was done.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A node takes clients.
    Started(Watched),
    /// A node was asked to end.
    Asked(String),
    /// It has ended.
    Ended(Drained),
}

/// How a node ended.
#[derive(Debug, Clone)]
pub(super) struct Drained {
    pub(super) node: String,
    pub(super) took: Duration,
    /// Its exit status, unless a signal ended it.
    pub(super) status: Option<i32>,
}

impl Ground {
    /// Replaces all chat-nodes: with new ones that are started first, or each where it was. Returns when nginx knows only
    /// those that stay.
    pub(super) fn replace(&mut self, in_place: bool, steps: &Sender<Step>) -> Result<(), String> {
        let patience = self.drain_window + END;
        let Some((cluster, runtime)) = &mut self.own else {
            return Err("only a cluster of our own has nodes to replace".to_owned());
        };
        runtime.block_on(replace(cluster, in_place, patience, steps))
    }
}

async fn replace(
    cluster: &mut Cluster,
    in_place: bool,
    patience: Duration,
    steps: &Sender<Step>,
) -> Result<(), String> {
    let old: Vec<usize> = (0..cluster.nodes()).collect();
    if !in_place {
        for _ in &old {
            // All of them before the first old one ends: its clients, and those of the second, would otherwise all go
            // to the first new one.
            let node = cluster.add_node().await.map_err(|e| e.to_string())?;
            started(node, steps);
        }
    }
    for index in &old {
        let node = cluster.node(*index);
        drain(node, patience, steps).await?;
        if in_place {
            node.start().await.map_err(|e| e.to_string())?;
            node.ready(READY).await.map_err(|e| e.to_string())?;
            started(node, steps);
        }
    }
    if in_place { Ok(()) } else { cluster.retire_nodes(&old).map_err(|e| e.to_string()) }
}

async fn drain(node: &Process, patience: Duration, steps: &Sender<Step>) -> Result<(), String> {
    // Nobody listens any more when the run was given up; it ends all the same.
    let _ = steps.send(Step::Asked(node.name().to_owned()));
    let begin = Instant::now();
    node.signal(Signal::TERM);
    let status = node.wait(patience).await;
    let status = status.ok_or_else(|| format!("{} has not ended within {patience:?}", node.name()))?;
    let drained = Drained { node: node.name().to_owned(), took: begin.elapsed(), status: status.code() };
    let _ = steps.send(Step::Ended(drained));
    Ok(())
}

fn started(node: &Process, steps: &Sender<Step>) {
    let watched = Watched { name: node.name().to_owned(), pid: node.pid().unwrap_or_default() };
    let _ = steps.send(Step::Started(watched));
}
