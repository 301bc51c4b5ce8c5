//! What Prometheus is told of admins.

use crate::State;
use protocol::admin::{AuditAction, AuditOutcome};
use runtime::metrics::Sheet;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// What came of somebody's wish to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// It was the admin.
    Done,
    /// The name or the password was wrong.
    Refused,
    /// There were too many tries from that address.
    Limited,
}

impl SignIn {
    const ALL: [Self; 3] = [Self::Done, Self::Refused, Self::Limited];

    const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Limited => "limited",
        }
    }
}

/// Every way in which an act can end.
const OUTCOMES: [AuditOutcome; 5] =
    [AuditOutcome::Done, AuditOutcome::Unconfirmed, AuditOutcome::Refused, AuditOutcome::Failed, AuditOutcome::Unknown];

/// What is counted.
#[derive(Debug)]
pub(crate) struct Figures {
    sign_ins: [AtomicU64; SignIn::ALL.len()],
    acts: HashMap<(AuditAction, AuditOutcome), AtomicU64>,
}

impl Default for Figures {
    fn default() -> Self {
        // Signing in is told of by itself.
        let actions = AuditAction::ALL.into_iter().filter(|action| *action != AuditAction::Login);
        let acts = actions.flat_map(|action| OUTCOMES.map(|outcome| ((action, outcome), AtomicU64::new(0))));
        Self { sign_ins: Default::default(), acts: acts.collect() }
    }
}

impl Figures {
    /// Somebody wanted to sign in.
    pub(crate) fn sign_in(&self, outcome: SignIn) {
        self.sign_ins[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// An admin's act has ended.
    pub(crate) fn act(&self, action: AuditAction, outcome: AuditOutcome) {
        if let Some(count) = self.acts.get(&(action, outcome)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes all of it down.
#[allow(clippy::cast_precision_loss)] // as everywhere in Prometheus
pub(crate) fn show(state: &State, sheet: &mut Sheet) {
    let figures = &state.figures;
    for (outcome, count) in SignIn::ALL.into_iter().zip(&figures.sign_ins) {
        let help = "Tries to sign in as an admin, by what came of them.";
        sheet.count("admin_sign_ins_total", help, &[("outcome", outcome.name())], count.load(Ordering::Relaxed));
    }
    for ((action, outcome), count) in &figures.acts {
        let (action, outcome) = (label(action), label(outcome));
        let labels = [("action", action.as_str()), ("outcome", outcome.as_str())];
        let help = "What admins did, by what came of it.";
        sheet.count("admin_acts_total", help, &labels, count.load(Ordering::Relaxed));
    }
    let listeners = state.live.listeners() as f64;
    sheet.gauge("admin_live_connections", "Dashboards that listen to the live feed.", &[], listeners);
    for (policy, layer, count) in state.limiter.refused() {
        let labels = [("policy", policy.name()), ("layer", layer.name())];
        sheet.count("limiter_refusals_total", "What the limits refused, by policy and layer.", &labels, count);
    }
}

/// As the audit log has it.
fn label(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
}
