//! How long it takes from one node to another, through the bus: each node asks all others every so often, and takes half of
//! the time there and back. So no two clocks have to agree, and a way that is broken in either direction shows.

use protocol::NodeId;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::time::{Duration, Instant};

/// How often a node asks.
pub const ROUND: Duration = Duration::from_secs(10);
/// A way is lost when two rounds went unanswered, and a little more.
const LOST: Duration = Duration::from_secs(22);
/// A node that is in the cluster no more and has not said farewell is looked for this long.
const REMEMBERED: Duration = Duration::from_secs(120);
/// Nodes that are looked for at most.
const PEERS: usize = 1000;

/// The way to one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Which node.
    pub node: NodeId,
    /// Half of the time there and back, when it answered last.
    pub delivery: Option<Duration>,
    /// How long ago it answered last, or was first asked.
    pub silent: Duration,
    /// Whether that is too long.
    pub lost: bool,
}

/// What a node knows of the ways to others.
#[derive(Debug, Default)]
pub struct Canary(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    round: u64,
    asked: Option<Instant>,
    peers: BTreeMap<NodeId, Peer>,
}

#[derive(Debug)]
struct Peer {
    since: Instant,
    /// When it was in the cluster last.
    present: Instant,
    answered: Option<(Instant, Duration)>,
}

impl Canary {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another round begins, with these nodes in the cluster: its number.
    pub(crate) fn ask(&self, nodes: BTreeSet<NodeId>, now: Instant) -> u64 {
        let mut state = self.state();
        for node in nodes {
            if state.peers.len() < PEERS || state.peers.contains_key(&node) {
                let peer = state.peers.entry(node).or_insert(Peer { since: now, present: now, answered: None });
                peer.present = now;
            }
        }
        state.peers.retain(|_, peer| now.saturating_duration_since(peer.present) < REMEMBERED);
        state.round += 1;
        state.asked = Some(now);
        state.round
    }

    /// A node has answered.
    pub(crate) fn hear(&self, node: &NodeId, number: u64, now: Instant) {
        let mut state = self.state();
        // What comes after the next round has begun took longer than a round: the next answer is worth more.
        let Some(asked) = state.asked.filter(|_| number == state.round) else { return };
        if let Some(peer) = state.peers.get_mut(node) {
            peer.answered = Some((now, now.saturating_duration_since(asked) / 2));
        }
    }

    /// A node has ended in good order.
    pub(crate) fn forget(&self, node: &NodeId) {
        self.state().peers.remove(node);
    }

    /// All ways, by node.
    #[must_use]
    pub fn ways(&self, now: Instant) -> Vec<Way> {
        let way = |(node, peer): (&NodeId, &Peer)| {
            let silent = now.saturating_duration_since(peer.answered.map_or(peer.since, |(at, _)| at));
            Way { node: node.clone(), delivery: peer.answered.map(|(_, half)| half), silent, lost: silent > LOST }
        };
        self.state().peers.iter().map(way).collect()
    }

    /// The mean over the ways that are not lost.
    #[must_use]
    pub fn mean(&self, now: Instant) -> Option<Duration> {
        let known: Vec<_> = self.ways(now).into_iter().filter(|way| !way.lost).filter_map(|way| way.delivery).collect();
        let count = u32::try_from(known.len()).ok().filter(|count| *count > 0)?;
        Some(known.iter().sum::<Duration>() / count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    fn nodes(names: &[&str]) -> BTreeSet<NodeId> {
        names.iter().map(|name| node(name)).collect()
    }

    #[test]
    fn a_way_takes_half_of_there_and_back() {
        let (canary, start) = (Canary::default(), Instant::now());
        assert_eq!(canary.mean(start), None);
        let round = canary.ask(nodes(&["a", "b"]), start);
        canary.hear(&node("a"), round, start + Duration::from_millis(8));
        canary.hear(&node("stranger"), round, start + Duration::from_millis(8));
        let ways = canary.ways(start + Duration::from_millis(10));
        let of =
            |ways: &[Way]| ways.iter().map(|way| (way.node.to_string(), way.delivery, way.lost)).collect::<Vec<_>>();
        let four = Some(Duration::from_millis(4));
        assert_eq!(of(&ways), [("a".into(), four, false), ("b".into(), None, false)]);
        assert_eq!(canary.mean(start), four);
    }

    #[test]
    fn who_stops_answering_is_lost_within_half_a_minute_and_found_again() {
        let (canary, start) = (Canary::default(), Instant::now());
        let second = |n| start + Duration::from_secs(n);
        let lost = |at: u64| canary.ways(second(at)).first().map(|way| way.lost);
        for at in [0, 10, 20] {
            let round = canary.ask(nodes(&["a"]), second(at));
            if at == 0 {
                canary.hear(&node("a"), round, second(0));
            }
        }
        assert_eq!((lost(21), lost(23)), (Some(false), Some(true)));
        let late = canary.ask(nodes(&[]), second(30));
        canary.hear(&node("a"), late - 1, second(31));
        assert_eq!(lost(31), Some(true), "the answer to a former round is no measure");
        canary.hear(&node("a"), late, second(31));
        assert_eq!(lost(31), Some(false));
    }

    #[test]
    fn who_says_farewell_is_not_looked_for_and_who_vanishes_is_for_a_while() {
        let (canary, start) = (Canary::default(), Instant::now());
        canary.ask(nodes(&["a", "b"]), start);
        canary.forget(&node("a"));
        canary.ask(nodes(&[]), start + REMEMBERED / 2);
        assert_eq!(canary.ways(start).len(), 1);
        canary.ask(nodes(&[]), start + REMEMBERED);
        assert_eq!(canary.ways(start).len(), 0);
    }
}
