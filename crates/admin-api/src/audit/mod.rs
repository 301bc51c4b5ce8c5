//! The audit log: what admins did, and who wanted to be one.
//!
//! An act is written down before it is done, and its outcome when it was: `perform` is the only way to an [`Audited`]
//! answer. What nobody could settle, because its process ended in between, [`settle`] gives an unknown outcome.

mod csv;
mod perform;
mod read;
mod settle;

pub(crate) use csv::{EXPORT_MAX, export};
pub(crate) use perform::{Audited, Deed, Intent, perform, time_sortable};
pub(crate) use read::{Search, search};
pub(crate) use settle::{SETTLE_EVERY, settle};

use crate::{State, ask::ask};
use engine::port::{Document, Table};
use protocol::{
    Timestamp,
    admin::{AuditAction, AuditEntry, AuditOutcome},
};
use runtime::http::Problem;
use serde_json::Value;
use std::{net::IpAddr, time::Duration};

/// Characters of a name that somebody tried to sign in with.
const NAME_SHOWN: usize = 64;
/// How long an act may wait to be settled. Nobody is away for that long.
const ACTS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// An entry that has neither an outcome nor a place in the log yet.
pub(crate) fn entry(
    at: Timestamp,
    (actor, ip, request_id): (&str, IpAddr, &str),
    (action, target): (AuditAction, String),
) -> AuditEntry {
    AuditEntry {
        audit_id: String::new(),
        at,
        actor: actor.chars().take(NAME_SHOWN).collect(),
        ip,
        action,
        target,
        reason: None,
        before: Value::Null,
        after: Value::Null,
        outcome: AuditOutcome::Unknown,
        detail: "the process that did it ended before it could say how it went".to_owned(),
        request_id: request_id.to_owned(),
    }
}

impl State {
    /// Writes down what is about to be done.
    async fn begin(&self, act: &str, entry: &AuditEntry) -> Result<(), Problem> {
        let document = Document { id: act.to_owned(), body: encoded(entry) };
        ask(self.ports.records.put(Table::Acts, document, Some(ACTS_KEPT))).await
    }

    /// Appends an entry, and settles the act that it is about; false when somebody has done that before.
    pub(crate) async fn append(&self, entry: &AuditEntry, act: Option<&str>) -> Result<bool, Problem> {
        Ok(ask(self.ports.records.append(encoded(entry), self.audit_log_max, act)).await?.is_some())
    }
}

fn encoded(entry: &AuditEntry) -> bytes::Bytes {
    // Texts, numbers and JSON: serde_json cannot fail on these.
    serde_json::to_vec(entry).unwrap_or_default().into()
}

fn decoded(document: &Document) -> Option<AuditEntry> {
    let mut entry: AuditEntry = serde_json::from_slice(&document.body).ok()?;
    entry.audit_id.clone_from(&document.id);
    Some(entry)
}
