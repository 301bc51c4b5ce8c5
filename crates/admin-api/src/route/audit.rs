//! `GET /admin/audit`: what admins did.

use super::params::{given, limit, position, text};
use crate::{
    State,
    audit::{Deed, EXPORT_MAX, Intent, Search, export, perform, search},
    auth::AsAdmin,
    cursor,
    openapi::{BadRequest, NoToken, NotNow, example},
};
use actix_web::{
    Either, HttpResponse, Responder,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    web,
};
use protocol::{
    admin::{AuditAction, AuditOutcome, AuditPage},
    id::MAX_SAFE_INTEGER,
};
use runtime::http::Problem;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

const LIST: &str = "audit";

/// What to show.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// From the page before; without it the list begins.
    #[param(max_length = 256)]
    cursor: Option<String>,
    /// How many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// By whom.
    #[param(max_length = 500)]
    actor: Option<String>,
    /// What.
    #[param(value_type = Option<AuditAction>)]
    action: Option<String>,
    /// How it went.
    #[param(value_type = Option<AuditOutcome>)]
    outcome: Option<String>,
    /// On what, as entries say it.
    #[param(max_length = 500, example = "client 48151")]
    target: Option<String>,
    /// From this time on, in milliseconds since the Unix epoch.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    from: Option<String>,
    /// Before this time, in milliseconds since the Unix epoch.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    to: Option<String>,
    /// `csv` for a file of the newest 10,000 that are searched for. Taking it is an act with an entry of its own.
    #[param(value_type = Option<Format>)]
    format: Option<String>,
}

/// How the log is shown.
#[derive(Deserialize, utoipa::ToSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// A page.
    Json,
    /// A file.
    Csv,
}

/// The audit log, newest first
///
/// Every act of an admin, by whom, from where, when, on what, and how it went; every sign-in, those that failed too. A
/// search looks at some thousands for one page, so that it may be short, or empty, and yet have a `cursor`.
#[utoipa::path(
    get,
    path = "/admin/audit",
    operation_id = "adminAudit",
    tag = "admin",
    params(Query),
    responses(
        (status = 200, description = "A page of it, or a file.", content(
            (AuditPage = "application/json", example = json!({"entries": [example::audit_entry()], "cursor": null})),
            (String = "text/csv", example = "auditId,time,at,actor,ip,action,target,reason,outcome,detail,before,after,requestId\r\n"),
        )),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn audit(
    state: web::Data<State>,
    AsAdmin(admin, query): AsAdmin<web::Query<Query>>,
) -> Result<impl Responder, Problem> {
    let query = query.into_inner();
    let before = position(query.cursor, &state.mac, LIST)?;
    let limit = limit(query.limit)?;
    let format = one_of("format", query.format)?.unwrap_or(Format::Json);
    let wanted = Search {
        actor: text("actor", query.actor)?,
        action: one_of("action", query.action)?,
        outcome: one_of("outcome", query.outcome)?,
        target: text("target", query.target)?,
        from: time("from", query.from)?,
        to: time("to", query.to)?,
    };
    if format == Format::Json {
        let (entries, next) = search(&state, before, limit, &wanted).await?;
        let cursor = next.map(|next| cursor::give(&state.mac, LIST, &next));
        return Ok(Either::Left(HttpResponse::Ok().json(AuditPage { entries, cursor })));
    }
    let intent = Intent { action: AuditAction::AuditExport, target: String::new(), reason: None };
    let taken = perform(state, admin, intent, move |state| async move {
        let (csv, count) = export(&state, &wanted).await?;
        Ok(Deed {
            answer: HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
                .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"roomful-audit.csv\""))
                .body(csv),
            confirmed: true,
            before: Value::Null,
            after: json!({"entries": count}),
            detail: format!("{count} of at most {EXPORT_MAX} entries"),
        })
    });
    Ok(Either::Right(taken.await?))
}

/// A word that the wire has for something.
fn one_of<T: DeserializeOwned>(name: &str, word: Option<String>) -> Result<Option<T>, Problem> {
    let Some(word) = given(word) else { return Ok(None) };
    let parsed = serde_json::from_value(Value::String(word));
    // serde's message lists the words that there are.
    parsed.map(Some).map_err(|error| Problem::bad_request(format!("{name}: {error}")))
}

fn time(name: &str, millis: Option<String>) -> Result<Option<u64>, Problem> {
    let Some(millis) = given(millis) else { return Ok(None) };
    let digits = millis.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = millis.parse().ok().filter(|millis| digits && *millis <= MAX_SAFE_INTEGER);
    parsed.map(Some).ok_or_else(|| Problem::bad_request(format!("{name} must be milliseconds since the Unix epoch")))
}
