//! What processes say of themselves, read by whoever shows it.

use crate::{State, ask::ask};
use engine::port::Table;
use protocol::{
    NodeId, Timestamp,
    admin::{Limited, Minute, NodeMinute, Server, Totals},
};
use runtime::http::Problem;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Documents that are asked for at once.
const PAGE: usize = 500;
/// Processes, and documents of the last hour, that are read at most.
const MOST: usize = 20_000;
/// How far back minutes go.
const HOUR: u64 = 3_600_000;

/// The processes that have spoken within their lease, by name.
pub(crate) async fn servers(state: &State) -> Result<Vec<Server>, Problem> {
    Ok(read::<Server>(state, Table::Reports, None).await?.into_iter().map(|(_, server)| server).collect())
}

/// Whom the processes refuse that hold no sockets.
pub(crate) async fn limited(state: &State) -> Result<Vec<(NodeId, Vec<Limited>)>, Problem> {
    let read = read::<Vec<Limited>>(state, Table::Limited, None).await?;
    Ok(read.into_iter().filter_map(|(process, limited)| Some((process.parse().ok()?, limited))).collect())
}

/// The sum of them, and what the directory counts.
pub(crate) async fn totals(state: &State, servers: &[Server]) -> Result<Totals, Problem> {
    let counts = ask(state.ports.census.counts()).await?;
    let sum = |of: fn(&Server) -> u64| servers.iter().map(of).fold(0, u64::saturating_add);
    Ok(Totals {
        nodes: servers.len() as u64,
        connections: sum(|server| server.connections),
        clients: counts.clients,
        rooms: counts.rooms,
        messages_received: sum(|server| server.messages_received),
        messages_delivered: sum(|server| server.messages_delivered),
        bytes_received: sum(|server| server.bytes_received),
        bytes_sent: sum(|server| server.bytes_sent),
        slow_consumers_closed: sum(|server| server.slow_consumers_closed),
        queued_bytes: sum(|server| server.queued_bytes),
    })
}

/// The last hour by minute, oldest first.
pub(crate) async fn minutes(state: &State, now: Timestamp) -> Result<Vec<Minute>, Problem> {
    let from = format!("{:013}", now.0.saturating_sub(HOUR));
    let mut minutes = BTreeMap::<u64, Vec<NodeMinute>>::new();
    for (id, minute) in read::<NodeMinute>(state, Table::Minutes, Some(from)).await? {
        if let Some(at) = id.split_once(':').and_then(|(at, _)| at.parse().ok()) {
            minutes.entry(at).or_default().push(minute);
        }
    }
    Ok(minutes.into_iter().map(|(at, nodes)| Minute { at: Timestamp(at), nodes }).collect())
}

/// Whether there is such a process, by what the directory says.
pub(crate) async fn is_node(state: &State, node: &NodeId) -> Result<bool, Problem> {
    Ok(ask(state.ports.directory.nodes()).await?.iter().any(|record| record.node == *node))
}

/// What cannot be read is left out: a process of another version may have written it.
async fn read<T: DeserializeOwned>(
    state: &State,
    table: Table,
    mut after: Option<String>,
) -> Result<Vec<(String, T)>, Problem> {
    let mut found = Vec::new();
    let mut looked_at = 0;
    loop {
        let page = ask(state.ports.records.list(table, after.as_deref(), PAGE)).await?;
        let last = page.len() < PAGE;
        looked_at += page.len();
        after = page.last().map(|document| document.id.clone());
        found.extend(
            page.into_iter().filter_map(|document| Some((document.id, serde_json::from_slice(&document.body).ok()?))),
        );
        if last || looked_at >= MOST {
            return Ok(found);
        }
    }
}
