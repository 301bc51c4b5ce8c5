//! What a rollout has shown.

use super::{Faults, Latency, text};
use crate::load::{figures::Counters, profile::Load, rollout::Rolled, run::Measured};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    time::Duration,
};
use text::grouped;

/// How much longer than its drain window a node may take to end: those who stayed are closed then, its lease is given
/// back, and it ends.
const ENDING: Duration = Duration::from_secs(5);

/// All chat-nodes were replaced.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// From the first step to the last.
    pub seconds: f64,
    /// `DRAIN_WINDOW`.
    pub drain_window_seconds: f64,
    /// How each of the nodes ended that were there before.
    pub drains: Vec<Drain>,
    /// Clients that went on to another connection.
    pub moves: u64,
    /// Of these, those that needed more than one attempt.
    pub second_attempts: u64,
    /// Connections that were closed with 1012, before their client was elsewhere.
    pub closed_with_1012: u64,
    /// Clients that had no connection in their room, for longer than a take-over may take.
    pub visible_disconnects: u64,
    /// For how long.
    pub visible: Latency,
    /// Moves in which the node closed the former connection before the next one was in the room.
    pub taken_over: u64,
    /// How long these had none in the room.
    pub take_over: Latency,
    /// From when a client was to move until it was in the room on its next connection.
    pub moving: Latency,
    /// Messages that had no answer on the former connection and were sent once more, with the same `id`.
    pub repeated: u64,
    /// Members of whose coming others were told meanwhile.
    pub told_joined: u64,
    /// Of whose leaving.
    pub told_left: u64,
    /// Of whose lost connection.
    pub told_lost: u64,
    /// From due to delivered before it began.
    pub before: Latency,
    /// And while it lasted.
    pub during: Latency,
    /// The clients that moved, by node, when it was over.
    pub clients: Spread,
    /// Those who came afterwards.
    pub fresh: Spread,
    /// All of them.
    pub all: Spread,
    /// From their first packet until in the room.
    pub fresh_setup: Latency,
}

/// How a node ended.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drain {
    /// Which.
    pub node: String,
    /// From SIGTERM to its end.
    pub seconds: f64,
    /// Its exit status; none, if a signal ended it.
    pub status: Option<i32>,
}

/// Connections by node.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// Of each node.
    pub nodes: BTreeMap<String, u64>,
    /// The most of a node for each one of the node with the fewest; none, if that has none.
    pub ratio: Option<f64>,
}

impl Spread {
    /// Of so many connections by node.
    #[must_use]
    pub fn new(nodes: BTreeMap<String, u64>) -> Self {
        let (most, fewest) = (nodes.values().max(), nodes.values().min());
        let ratio = most.zip(fewest).filter(|(_, fewest)| **fewest > 0).map(|(most, few)| *most as f64 / *few as f64);
        Self { nodes, ratio }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (node, count) in &self.nodes {
            write!(f, "{node} {}, ", grouped(*count as f64))?;
        }
        match self.ratio {
            Some(ratio) => write!(f, "most to fewest {ratio:.2}"),
            None => f.write_str("one has none"),
        }
    }
}

impl Rollout {
    pub(super) fn new(measured: &Measured, rolled: &Rolled) -> Self {
        let Counters {
            moved,
            moved_again,
            restarted,
            away,
            taken_over,
            repeated,
            told_joined,
            told_left,
            told_lost,
            ..
        } = measured.last.counters;
        let spread = |of: fn(&[u64; 2]) -> u64| {
            Spread::new(rolled.nodes.iter().map(|(node, counts)| (node.clone(), of(counts))).collect())
        };
        let drains = rolled.drained.iter().map(|drained| Drain {
            node: drained.node.clone(),
            seconds: drained.took.as_secs_f64(),
            status: drained.status,
        });
        Self {
            seconds: rolled.took as f64 / 1e9,
            drain_window_seconds: rolled.drain_window.as_secs_f64(),
            drains: drains.collect(),
            moves: moved,
            second_attempts: moved_again,
            closed_with_1012: restarted,
            visible_disconnects: away,
            visible: Latency::from(&rolled.away),
            taken_over,
            take_over: Latency::from(&rolled.handover),
            moving: Latency::from(&rolled.moving),
            repeated,
            told_joined,
            told_left,
            told_lost,
            before: Latency::from(&rolled.before),
            during: Latency::from(&rolled.during),
            clients: spread(|[first, _]| *first),
            fresh: spread(|[_, fresh]| *fresh),
            all: spread(|counts| counts.iter().sum()),
            fresh_setup: Latency::from(&rolled.fresh),
        }
    }

    /// What of it makes a run a bad one.
    pub(super) fn problems(&self) -> Vec<String> {
        let all = [
            (self.visible_disconnects, "clients had no connection for a while"),
            (self.told_left, "members were said to have left"),
            (self.told_joined, "members were said to have joined"),
            (self.told_lost, "members were said to have lost their connection"),
        ];
        let mut problems: Vec<_> =
            all.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        for Drain { node, seconds, status } in &self.drains {
            match status {
                Some(0) => {}
                Some(status) => problems.push(format!("{node} ended with status {status}")),
                None => problems.push(format!("{node} was ended by a signal")),
            }
            if *seconds > self.drain_window_seconds + ENDING.as_secs_f64() {
                problems.push(format!("{node} took {seconds:.1} s to end"));
            }
        }
        problems
    }

    /// How much longer a delivery took meanwhile, at that quantile.
    fn slower(&self, of: impl Fn(&Latency) -> f64) -> f64 {
        of(&self.during) / of(&self.before).max(1e-3)
    }

    pub(super) fn write(&self, out: &mut String, load: &Load, faults: &Faults) -> fmt::Result {
        let how = if load.in_place { "started again in place" } else { "replaced by new ones" };
        writeln!(out, "\nall {} chat-nodes were {how} within {:.1} s", self.drains.len(), self.seconds)?;
        for Drain { node, seconds, status } in &self.drains {
            let status = status.map_or("by a signal".to_owned(), |status| format!("with status {status}"));
            let window = self.drain_window_seconds;
            writeln!(out, "  {node} ended {status} {seconds:.1} s after SIGTERM, with a drain window of {window} s")?;
        }
        writeln!(
            out,
            "{} moves, {} with a second attempt; {} connections were closed with 1012",
            grouped(self.moves as f64),
            grouped(self.second_attempts as f64),
            grouped(self.closed_with_1012 as f64)
        )?;
        writeln!(
            out,
            "{} visible disconnects; {} deliveries lost, {} doubled, {} out of order",
            self.visible_disconnects, faults.lost, faults.doubled, faults.reordered
        )?;
        writeln!(
            out,
            "{} former connections were closed by the take-over before the next was in the room, {} messages sent once more",
            grouped(self.taken_over as f64),
            grouped(self.repeated as f64)
        )?;
        writeln!(
            out,
            "others were told of {} who left, {} who joined and {} who had lost their connection",
            self.told_left, self.told_joined, self.told_lost
        )?;
        writeln!(
            out,
            "deliveries meanwhile took {:.1} times as long as before at p50, {:.1} at p99, {:.1} at the most",
            self.slower(|latency| latency.p50),
            self.slower(|latency| latency.p99),
            self.slower(|latency| latency.max)
        )?;
        writeln!(out, "clients by node: {}", self.clients)?;
        writeln!(out, "{} new ones by node: {}", grouped(load.fresh as f64), self.fresh)?;
        writeln!(out, "together by node: {}", self.all)
    }

    pub(super) fn latencies(&self) -> [(&'static str, &Latency); 6] {
        [
            ("delivered before", &self.before),
            ("delivered meanwhile", &self.during),
            ("until moved", &self.moving),
            ("of it, taken over", &self.take_over),
            ("visibly away", &self.visible),
            ("new ones, until in", &self.fresh_setup),
        ]
    }

    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let ratio = |spread: &Spread| spread.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
        vec![
            ("moves", grouped(self.moves as f64)),
            ("second attempts", grouped(self.second_attempts as f64)),
            ("closed with 1012", grouped(self.closed_with_1012 as f64)),
            ("visible disconnects", grouped(self.visible_disconnects as f64)),
            ("told of who left", grouped(self.told_left as f64)),
            ("told of lost connections", grouped(self.told_lost as f64)),
            ("clients by node, most to fewest", ratio(&self.clients)),
            ("new ones, most to fewest", ratio(&self.fresh)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(drains: Vec<Drain>) -> Rollout {
        let mut rollout =
            Rollout::new(&Measured::default(), &Rolled { drain_window: Duration::from_secs(10), ..Rolled::default() });
        rollout.drains = drains;
        rollout
    }

    #[test]
    fn a_spread_is_the_most_to_the_fewest() {
        let spread = |counts: &[u64]| {
            Spread::new(counts.iter().enumerate().map(|(n, count)| (format!("n{n}"), *count)).collect())
        };
        assert_eq!(spread(&[3000, 4500, 2000]).ratio, Some(2.25));
        assert_eq!((spread(&[5, 0]).ratio, spread(&[]).ratio), (None, None));
        assert_eq!(spread(&[1500, 1000]).to_string(), "n0 1,500, n1 1,000, most to fewest 1.50");
    }

    #[test]
    fn what_was_seen_of_it_is_a_problem() {
        let drain = |seconds, status| Drain { node: "n".to_owned(), seconds, status };
        assert_eq!(rollout(vec![drain(14.9, Some(0))]).problems(), [""; 0]);
        let bad = rollout(vec![drain(1.0, Some(1)), drain(1.0, None), drain(15.1, Some(0))]);
        assert_eq!(bad.problems().len(), 3, "{:?}", bad.problems());
        let seen =
            Rollout { visible_disconnects: 1, told_left: 2, told_joined: 3, told_lost: 4, ..rollout(Vec::new()) };
        assert_eq!(seen.problems().len(), 4, "{:?}", seen.problems());
    }
}
