//! Acts whose process ended before it could write down how they went.

use super::decoded;
use crate::{State, ask::ask};
use engine::port::Table;
use runtime::http::Problem;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often somebody looks.
pub(crate) const SETTLE_EVERY: Duration = Duration::from_secs(30);
/// How old they are then: whoever does one has given it up by now.
const ABANDONED: Duration = Duration::from_secs(60);
/// How many are looked at in one go; the rest has time until the next.
const AT_ONCE: usize = 500;

/// Appends those that were abandoned, until it is `asked` to end. Any number of replicas may do this at once.
pub(crate) async fn settle(state: &State, asked: &CancellationToken) -> Result<(), Problem> {
    let records = &state.ports.records;
    let now = state.clock.now().0;
    for act in ask(records.list(Table::Acts, None, AT_ONCE)).await? {
        let entry = decoded(&act);
        let at = entry.as_ref().map_or(0, |entry| entry.at.0);
        if asked.is_cancelled() {
            break;
        }
        if now.saturating_sub(at) < u64::try_from(ABANDONED.as_millis()).unwrap_or(u64::MAX) {
            continue;
        }
        let Some(entry) = entry else {
            tracing::error!(act = act.id, "an act that cannot be read was dropped");
            ask(records.remove(Table::Acts, &act.id)).await?;
            continue;
        };
        if !state.append(&entry, Some(&act.id)).await? {
            continue; // another replica was first
        }
        state.figures.act(entry.action, entry.outcome);
        tracing::warn!(act = act.id, action = ?entry.action, "an abandoned act was settled");
    }
    Ok(())
}
