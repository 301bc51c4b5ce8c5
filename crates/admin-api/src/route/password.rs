//! `POST /admin/password`: another password.

use super::login::limited;
use crate::{
    State,
    audit::{Audited, Deed, Intent, perform},
    auth::AsAdmin,
    openapi::{BadRequest, NoToken, NotNow, TooLarge, TooManyTries, WrongPassword},
};
use actix_web::{HttpResponse, web};
use protocol::admin::{AuditAction, PasswordChange};
use runtime::http::Problem;
use serde_json::Value;

/// Characters that a password must have at least, and may have at most.
const CHARS: std::ops::RangeInclusive<usize> = 12..=256;

/// Change the password
///
/// Every token stops working with it, on every replica, this one included: sign in again. Until another `ADMIN_PASS` or
/// `ADMIN_PASS_HASH` is configured the new password takes its place.
#[utoipa::path(
    post,
    path = "/admin/password",
    operation_id = "adminPassword",
    tag = "admin",
    request_body(content = PasswordChange, example = json!({
        "password": "correct horse battery staple", "newPassword": "staple battery horse correct",
    })),
    responses(
        (status = 204, description = "Changed."),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 403, response = WrongPassword),
        (status = 413, response = TooLarge),
        (status = 429, response = TooManyTries),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn password(
    state: web::Data<State>,
    AsAdmin(admin, body): AsAdmin<web::Json<PasswordChange>>,
) -> Result<Audited, Problem> {
    let PasswordChange { password, new_password } = body.into_inner();
    // A stolen token must not be a way to the password.
    limited(&state, &admin.caller, &admin.token.user, AuditAction::PasswordChange).await?;
    let intent = Intent { action: AuditAction::PasswordChange, target: String::new(), reason: None };
    perform(state, admin, intent, move |state| async move {
        if !CHARS.contains(&new_password.chars().count()) {
            let (least, most) = (CHARS.start(), CHARS.end());
            return Err(Problem::bad_request(format!("newPassword must have {least} to {most} characters")));
        }
        let credential = state.credentials.effective().await?;
        if !state.passwords.verify(password, credential.phc).await? {
            return Err(Problem::forbidden("the present password is wrong"));
        }
        let phc = state.passwords.hash(new_password).await?;
        state.credentials.replace(phc, state.clock.now()).await?;
        Ok(Deed {
            answer: HttpResponse::NoContent().finish(),
            confirmed: true,
            before: Value::Null,
            after: Value::Null,
            detail: "every token works no more".to_owned(),
        })
    })
    .await
}
