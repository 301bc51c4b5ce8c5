//! `POST /admin/login`: a token for a name and a password.

use crate::{
    State,
    audit::entry,
    auth::Caller,
    figures::SignIn,
    openapi::{BadRequest, NotNow, TooLarge, TooManyTries, WrongLogin},
};
use actix_web::{HttpResponse, web};
use engine::Who;
use protocol::{
    admin::{AuditAction, AuditOutcome, Login, Session},
    policy::Policy,
};
use runtime::{client_addr::limit_key, http::Problem, telemetry::LoggedAddress};
use std::net::{IpAddr, Ipv4Addr};

/// Sign in
///
/// The token goes into `Authorization: Bearer` of every other call. Each address may try a few times a minute.
#[utoipa::path(
    post,
    path = "/admin/login",
    operation_id = "adminLogin",
    tag = "admin",
    security(()),
    request_body(content = Login, example = json!({"username": "admin", "password": "correct horse battery staple"})),
    responses(
        (status = 200, description = "Signed in.", body = Session, example = json!({
            "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", "expiresAt": 1_700_000_000_000_u64,
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = WrongLogin),
        (status = 413, response = TooLarge),
        (status = 429, response = TooManyTries),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn login(
    state: web::Data<State>,
    caller: Caller,
    body: web::Json<Login>,
) -> Result<HttpResponse, Problem> {
    let Login { username, password } = body.into_inner();
    if let Err(problem) = limited(&state, &caller, &username, AuditAction::Login).await {
        state.figures.sign_in(SignIn::Limited);
        return Err(problem);
    }

    let credential = state.credentials.effective().await?;
    // Whoever it is, the hash is computed, and only then is it said which part was wrong: neither.
    let right = state.passwords.verify(password, credential.phc.clone()).await?;
    let known = state.mac.same(&username, state.credentials.user());
    let now = state.clock.now();
    let mut entry = entry(now, (&username, caller.address, &caller.request_id), (AuditAction::Login, String::new()));
    if !(right & known) {
        (entry.outcome, entry.detail) = (AuditOutcome::Refused, "the name or the password is wrong".to_owned());
        state.figures.sign_in(SignIn::Refused);
        let (is_listed, left_out) = state.failures.add(now);
        if let Some(count) = left_out {
            note_left_out(&state, count).await;
        }
        if is_listed {
            note(&state, &entry).await;
        }
        return Err(Problem::unauthorized(entry.detail));
    }

    let (token, expires_at) = state.tokens.issue(state.entropy.uuid(), &credential.fingerprint, now);
    // Nobody is let in without a trace.
    (entry.outcome, entry.detail) = (AuditOutcome::Done, "signed in".to_owned());
    state.append(&entry, None).await?;
    state.figures.sign_in(SignIn::Done);
    Ok(HttpResponse::Ok().json(Session { token, expires_at }))
}

/// Both layers of the limit on tries, for whoever asks for a password to be checked.
pub(super) async fn limited(state: &State, caller: &Caller, actor: &str, action: AuditAction) -> Result<(), Problem> {
    let address = limit_key(caller.address);
    let Err(wait) = state.limiter.check(Policy::AdminLogin, Who::Address(address)).await else { return Ok(()) };
    let now = state.clock.now();
    if state.refusals.first(address, now) {
        let mut entry = entry(now, (actor, caller.address, &caller.request_id), (action, String::new()));
        entry.outcome = AuditOutcome::Refused;
        entry.detail = "too many tries; further ones of this minute are not listed".to_owned();
        note(state, &entry).await;
    }
    Err(Problem::too_many_requests(wait.0))
}

/// Writes down how many were not written down.
pub(crate) async fn note_left_out(state: &State, count: u64) {
    let nobody = ("", IpAddr::V4(Ipv4Addr::UNSPECIFIED), "");
    let mut entry = entry(state.clock.now(), nobody, (AuditAction::Login, String::new()));
    entry.outcome = AuditOutcome::Refused;
    entry.detail = format!("{count} further sign-ins failed before, and are not listed");
    note(state, &entry).await;
}

/// Writes down what was refused. When that cannot be, it is refused all the same.
async fn note(state: &State, entry: &protocol::admin::AuditEntry) {
    if state.append(entry, None).await.is_err() {
        // Without the name: it is whatever was typed there, at times a password.
        let (request_id, address) = (&entry.request_id, LoggedAddress(entry.ip));
        tracing::warn!(request_id, %address, action = ?entry.action, detail = entry.detail, "not in the audit log");
    }
}
