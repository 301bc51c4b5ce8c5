//! Doing something, and never without its entry.

use super::entry;
use crate::{State, auth::Admin};
use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, web};
use protocol::admin::{AuditAction, AuditOutcome};
use runtime::http::Problem;
use serde_json::Value;
use std::{future::Future, time::Duration};

/// How long an act may take: less than [`settle`](super::settle) waits for it.
const LONGEST: Duration = Duration::from_secs(30);

/// What somebody is about to do.
pub(crate) struct Intent {
    /// What.
    pub(crate) action: AuditAction,
    /// On what.
    pub(crate) target: String,
    /// Why.
    pub(crate) reason: Option<String>,
}

/// What came of it.
pub(crate) struct Deed {
    /// For whoever asked.
    pub(crate) answer: HttpResponse,
    /// Whether everybody concerned has confirmed it.
    pub(crate) confirmed: bool,
    /// How it was before.
    pub(crate) before: Value,
    /// How it is since.
    pub(crate) after: Value,
    /// In words.
    pub(crate) detail: String,
}

/// The answer to an act that has its entry. Nothing but [`perform`] makes one.
pub(crate) struct Audited(HttpResponse);

impl Responder for Audited {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

/// Writes down the intent, does it, and writes down what came of it. What is refused (4xx) and what fails (5xx) is an
/// outcome like any other.
///
/// # Errors
/// The act's own; 503 when the intent cannot be written down, and nothing was done then.
pub(crate) async fn perform<F, Fut>(
    state: web::Data<State>,
    admin: Admin,
    intent: Intent,
    act: F,
) -> Result<Audited, Problem>
where
    F: FnOnce(web::Data<State>) -> Fut + 'static,
    Fut: Future<Output = Result<Deed, Problem>>,
{
    let now = state.clock.now();
    let id = time_sortable(&state);
    let caller = &admin.caller;
    let who = (admin.token.user.as_str(), caller.address, caller.request_id.as_str());
    let mut entry = entry(now, who, (intent.action, intent.target));
    entry.reason = intent.reason;
    state.begin(&id, &entry).await?;

    // A task of its own: who asked may hang up, and what has begun is to be ended and written down all the same.
    let acting = actix_web::rt::spawn(async move {
        let done = tokio::time::timeout(LONGEST, act(state.clone())).await;
        let done =
            done.unwrap_or_else(|_| Err(Problem::unavailable("it took too long; whether it was done is not known")));
        let answer = match done {
            Ok(deed) => {
                entry.outcome = if deed.confirmed { AuditOutcome::Done } else { AuditOutcome::Unconfirmed };
                (entry.before, entry.after, entry.detail) = (deed.before, deed.after, deed.detail);
                Ok(Audited(deed.answer))
            }
            Err(problem) => {
                let failed = problem.status().is_server_error();
                entry.outcome = if failed { AuditOutcome::Failed } else { AuditOutcome::Refused };
                problem.detail().clone_into(&mut entry.detail);
                Err(problem)
            }
        };
        state.figures.act(entry.action, entry.outcome);
        if state.append(&entry, Some(&id)).await.is_err() {
            // It was done, and saying otherwise would help nobody: its entry follows, with an unknown outcome.
            // Whom it was about, the audit log says: it may be an address.
            let request_id = &entry.request_id;
            tracing::warn!(request_id, act = id, action = ?entry.action, "an act waits to be settled");
        }
        answer
    });
    acting.await.unwrap_or_else(|_| Err(Problem::internal()))
}

/// An id that sorts by time.
pub(crate) fn time_sortable(state: &State) -> String {
    format!("{:013}-{:08x}", state.clock.now().0, state.entropy.uuid().as_u128() >> 96)
}
