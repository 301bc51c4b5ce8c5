//! Reading the log, and searching it: a bounded part at a time.

use super::{ACTS_KEPT, decoded};
use crate::{State, ask::ask};
use protocol::admin::{AuditAction, AuditEntry, AuditOutcome};
use runtime::http::Problem;
use std::time::{Duration, Instant};

/// Entries that are asked for at once.
const PAGE: usize = 500;
/// Entries that one request looks at; more when they are written to a file.
const LOOKED_AT: usize = 5_000;
/// How long one request looks.
const TIME: Duration = Duration::from_millis(50);

/// What is searched for. Without anything, every entry.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Search {
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<AuditAction>,
    pub(crate) outcome: Option<AuditOutcome>,
    pub(crate) target: Option<String>,
    /// From this time on.
    pub(crate) from: Option<u64>,
    /// Before this time.
    pub(crate) to: Option<u64>,
}

impl Search {
    fn finds(&self, entry: &AuditEntry) -> bool {
        let named = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        named(&self.actor, &entry.actor)
            && self.action.is_none_or(|action| action == entry.action)
            && self.outcome.is_none_or(|outcome| outcome == entry.outcome)
            && named(&self.target, &entry.target)
            && self.from.is_none_or(|from| entry.at.0 >= from)
            && self.to.is_none_or(|to| entry.at.0 < to)
    }

    /// Whether nothing older can be meant. An entry stands where it was settled, which may be that much later.
    fn over(&self, entry: &AuditEntry) -> bool {
        let kept = u64::try_from(ACTS_KEPT.as_millis()).unwrap_or(u64::MAX);
        self.from.is_some_and(|from| entry.at.0.saturating_add(kept) < from)
    }
}

/// At most `limit` entries, newest first, and where to go on.
pub(crate) async fn search(
    state: &State,
    before: Option<String>,
    limit: usize,
    search: &Search,
) -> Result<(Vec<AuditEntry>, Option<String>), Problem> {
    look(state, before, limit, search, (LOOKED_AT, TIME)).await
}

/// The same with more patience.
pub(super) async fn look(
    state: &State,
    mut before: Option<String>,
    limit: usize,
    search: &Search,
    (most, time): (usize, Duration),
) -> Result<(Vec<AuditEntry>, Option<String>), Problem> {
    let (started, mut looked_at, mut found) = (Instant::now(), 0, Vec::new());
    // One more shows whether there is more.
    let ask_for = if *search == Search::default() { PAGE.min(limit + 1) } else { PAGE };
    loop {
        let page = ask(state.ports.records.log(before.as_deref(), ask_for)).await?;
        let last = page.len() < ask_for;
        for document in &page {
            if found.len() == limit {
                return Ok((found, before));
            }
            before = Some(document.id.clone());
            looked_at += 1;
            let Some(entry) = decoded(document) else { continue };
            if search.over(&entry) {
                return Ok((found, None));
            }
            if search.finds(&entry) {
                found.push(entry);
            }
        }
        if last {
            return Ok((found, None));
        }
        if looked_at >= most || started.elapsed() >= time {
            return Ok((found, before));
        }
    }
}
