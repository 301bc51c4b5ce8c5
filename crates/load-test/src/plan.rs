//! Which faults, when: a schedule from a seed.

use crate::dice::Dice;
use serde::Serialize;
use std::{fmt, time::Duration};

/// Something that is done to the cluster. Each lasts for its `hold`, and is undone then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Fault {
    /// SIGKILL of a chat-node; it is started again.
    KillNode {
        /// Which.
        node: usize,
    },
    /// SIGSTOP of a chat-node for longer than its lease, then SIGCONT.
    PauseNode {
        /// Which.
        node: usize,
    },
    /// SIGTERM of a chat-node; it drains, ends, and is started again.
    DrainNode {
        /// Which.
        node: usize,
    },
    /// SIGTERM of Redis, which writes its file; it is started again.
    RestartRedis,
    /// SIGKILL of Redis; it is started again with what is in its file.
    KillRedis,
    /// SIGSTOP of Redis, then SIGCONT.
    PauseRedis,
    /// Every connection between a node and Redis is cut.
    CutRedis {
        /// Whose.
        node: usize,
    },
    /// Nothing passes between a node and Redis.
    HoleRedis {
        /// Whose.
        node: usize,
    },
    /// Everything between a node and Redis is slow.
    SlowRedis {
        /// Whose.
        node: usize,
    },
    /// Every client's connection is cut.
    CutClients,
    /// Nothing passes between clients and nginx.
    HoleClients,
    /// SIGHUP of nginx.
    ReloadNginx,
    /// Nodes are started, or drain and end, until there are as many. Containers only, like those that follow.
    Scale {
        /// How many.
        to: usize,
    },
    /// Every node, and what serves HTTP, is replaced by one of a new version.
    Rollout,
    /// All is ended, and started again with what Redis has on its disk.
    RestartStack,
}

impl Fault {
    /// Whether a client may lose its membership by it without knowing: its node lives, and is dead for the others.
    #[must_use]
    pub const fn expels(self) -> bool {
        matches!(
            self,
            Self::PauseNode { .. }
                | Self::HoleRedis { .. }
                | Self::SlowRedis { .. }
                | Self::HoleClients
                | Self::RestartStack
        )
    }

    /// What it hits. Two faults that hit different things can last at the same time.
    const fn target(self) -> u8 {
        match self {
            Self::RestartRedis | Self::KillRedis | Self::PauseRedis | Self::RestartStack => 0,
            Self::CutRedis { .. } | Self::HoleRedis { .. } | Self::SlowRedis { .. } => 1,
            Self::KillNode { .. }
            | Self::PauseNode { .. }
            | Self::DrainNode { .. }
            | Self::Scale { .. }
            | Self::Rollout => 2,
            Self::CutClients | Self::HoleClients | Self::ReloadNginx => 3,
        }
    }

    /// The kind, without the node.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillNode { .. } => "SIGKILL and restart of a chat-node",
            Self::PauseNode { .. } => "SIGSTOP of a chat-node beyond its lease",
            Self::DrainNode { .. } => "SIGTERM drain and restart of a chat-node",
            Self::RestartRedis => "Redis SIGTERM restart",
            Self::KillRedis => "Redis SIGKILL restart",
            Self::PauseRedis => "Redis SIGSTOP",
            Self::CutRedis { .. } => "connections between a node and Redis cut",
            Self::HoleRedis { .. } => "connections between a node and Redis blackholed",
            Self::SlowRedis { .. } => "connections between a node and Redis slow",
            Self::CutClients => "client connections cut",
            Self::HoleClients => "client connections blackholed",
            Self::ReloadNginx => "nginx reload",
            Self::Scale { .. } => "scaling",
            Self::Rollout => "rollout of a changed image",
            Self::RestartStack => "restart of the whole stack",
        }
    }

    /// How long it lasts.
    fn hold(self, dice: &mut Dice) -> Duration {
        let (from, to) = match self {
            Self::KillNode { .. } => (500, 3000),
            Self::PauseNode { .. } => (12_000, 15_000),
            // The default drain window: it ends by itself about then.
            Self::DrainNode { .. } => (9000, 10_000),
            Self::CutRedis { .. } | Self::CutClients | Self::ReloadNginx => (0, 500),
            // They are done when they have begun, or take as long as they take.
            Self::Scale { .. } | Self::Rollout | Self::RestartStack => (0, 500),
            Self::RestartRedis | Self::KillRedis => (500, 4000),
            Self::PauseRedis => (3000, 8000),
            Self::HoleRedis { .. } => (4000, 9000),
            Self::SlowRedis { .. } => (3000, 6000),
            Self::HoleClients => (3000, 8000),
        };
        dice.time(Duration::from_millis(from), Duration::from_millis(to))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::KillNode { node }
            | Self::PauseNode { node }
            | Self::DrainNode { node }
            | Self::CutRedis { node }
            | Self::HoleRedis { node }
            | Self::SlowRedis { node } => write!(f, " (node {})", node + 1),
            Self::Scale { to } => write!(f, " to {to} nodes"),
            _ => Ok(()),
        }
    }
}

/// A fault of the schedule.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Step {
    /// When it begins, if everything before it has ended in time; since the audit began.
    #[serde(serialize_with = "crate::report::seconds")]
    pub at: Duration,
    /// How long it lasts.
    #[serde(serialize_with = "crate::report::seconds")]
    pub hold: Duration,
    /// What it is.
    #[serde(flatten)]
    pub fault: Fault,
    /// What happens at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<Fault>,
}

/// What happens to the cluster, and for how long clients are busy.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The schedule.
    pub steps: Vec<Step>,
    /// How long clients are busy; the last fault has healed before that.
    #[serde(serialize_with = "crate::report::seconds")]
    pub busy: Duration,
    /// After each fault at least: time to heal, and to be judged in calm.
    #[serde(serialize_with = "crate::report::seconds")]
    pub pause: Duration,
}

/// Before the first fault: everybody has come, and a room has a past.
const WARM_UP: Duration = Duration::from_secs(8);
/// After each fault of the full plan.
const PAUSE: Duration = Duration::from_secs(13);

impl Plan {
    /// Nothing happens but what clients do.
    #[must_use]
    pub fn calm(busy: Duration) -> Self {
        Self { steps: Vec::new(), busy, pause: PAUSE }
    }

    /// As many faults as have time to heal, each kind once before any comes again, out of those that are possible.
    #[must_use]
    pub fn full(seed: u64, busy: Duration, nodes: usize, possible: impl Fn(Fault) -> bool) -> Self {
        Self::draw(seed, busy, nodes, false, possible)
    }

    /// The same, two at a time: a node dies while Redis is away, and the like.
    #[must_use]
    pub fn storm(seed: u64, busy: Duration, nodes: usize, possible: impl Fn(Fault) -> bool) -> Self {
        Self::draw(seed, busy, nodes, true, possible)
    }

    fn draw(seed: u64, busy: Duration, nodes: usize, pairs: bool, possible: impl Fn(Fault) -> bool) -> Self {
        let mut dice = Dice::new(seed, 0);
        let mut steps: Vec<Step> = Vec::new();
        let mut at = WARM_UP;
        let mut round: Vec<Fault> = Vec::new();
        loop {
            if round.is_empty() {
                let mut node = || usize::try_from(dice.number(0..nodes as u64)).unwrap_or(0);
                round = vec![
                    Fault::KillNode { node: node() },
                    Fault::PauseNode { node: node() },
                    Fault::DrainNode { node: node() },
                    Fault::RestartRedis,
                    Fault::KillRedis,
                    Fault::PauseRedis,
                    Fault::CutRedis { node: node() },
                    Fault::HoleRedis { node: node() },
                    Fault::SlowRedis { node: node() },
                    Fault::CutClients,
                    Fault::HoleClients,
                    Fault::ReloadNginx,
                ];
                round.retain(|fault| possible(*fault));
                dice.shuffle(&mut round);
            }
            let Some(fault) = round.pop() else { break };
            let other = round.iter().rposition(|other| pairs && other.target() != fault.target());
            let mut also = other.map(|other| round.remove(other));
            let mut fault = fault;
            // What the other one needs to be there again is undone first.
            if let Some(other) = also.as_mut().filter(|other| other.target() < fault.target()) {
                std::mem::swap(other, &mut fault);
            }
            let hold = fault.hold(&mut dice).max(also.map_or(Duration::ZERO, |also| also.hold(&mut dice)));
            if at + hold + PAUSE > busy {
                break;
            }
            steps.push(Step { at, hold, fault, also });
            at += hold + PAUSE + dice.time(Duration::ZERO, Duration::from_secs(2));
        }
        Self { steps, busy, pause: PAUSE }
    }

    /// What operators do to containers, in the order in which they would: more nodes, fewer, one that dies, a new version,
    /// Redis again, everything again.
    #[must_use]
    pub fn deploys(nodes: usize) -> Self {
        let faults = [
            Fault::Scale { to: nodes + 2 },
            Fault::Scale { to: 2 },
            Fault::KillNode { node: 0 },
            Fault::Scale { to: nodes },
            Fault::Rollout,
            Fault::RestartRedis,
            Fault::RestartStack,
        ];
        let hold = |fault| if matches!(fault, Fault::KillNode { .. }) { 2 } else { 0 };
        // Each waits for the one before to have healed, whatever that takes.
        let steps = faults.map(|fault| Step { at: WARM_UP, hold: Duration::from_secs(hold(fault)), fault, also: None });
        Self { steps: steps.to_vec(), busy: WARM_UP, pause: PAUSE }
    }

    /// One SIGKILL of a node and one restart of Redis, for the tests.
    #[must_use]
    pub fn short(seed: u64, nodes: usize) -> Self {
        let mut dice = Dice::new(seed, 0);
        let node = usize::try_from(dice.number(0..nodes as u64)).unwrap_or(0);
        let second = Duration::from_secs(1);
        let steps = vec![
            Step { at: 4 * second, hold: second, fault: Fault::KillNode { node }, also: None },
            Step { at: 12 * second, hold: second, fault: Fault::RestartRedis, also: None },
        ];
        Self { steps, busy: 26 * second, pause: 6 * second }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_default_is_long_and_varied() {
        for seed in 0..50 {
            let plan = Plan::full(seed, Duration::from_secs(240), 3, |_| true);
            let kinds: BTreeSet<&str> = plan.steps.iter().map(|step| step.fault.name()).collect();
            assert!(plan.steps.len() >= 10 && kinds.len() >= 10, "seed {seed}: {}", plan.steps.len());
            for pair in plan.steps.windows(2) {
                assert!(pair[1].at >= pair[0].at + pair[0].hold + PAUSE);
            }
            assert!(plan.steps.last().unwrap().at + PAUSE < plan.busy);
        }
    }

    #[test]
    fn a_storm_is_of_pairs_that_can_be_undone_in_order() {
        for seed in 0..50 {
            let plan = Plan::storm(seed, Duration::from_secs(240), 3, |_| true);
            let pairs = plan.steps.iter().filter_map(|step| Some((step.fault, step.also?)));
            assert!(pairs.clone().count() >= 4, "seed {seed}");
            assert!(pairs.clone().all(|(a, b)| a.target() < b.target()), "seed {seed}");
        }
    }

    #[test]
    fn a_plan_is_its_seed() {
        let text = |seed| format!("{:?}", Plan::full(seed, Duration::from_secs(240), 3, |_| true));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn only_what_is_possible_happens() {
        let plan = Plan::full(1, Duration::from_secs(240), 1, |fault| matches!(fault, Fault::CutClients));
        assert!(plan.steps.len() > 5 && plan.steps.iter().all(|step| step.fault == Fault::CutClients));
        assert!(Plan::full(1, Duration::from_secs(240), 1, |_| false).steps.is_empty());
    }
}
