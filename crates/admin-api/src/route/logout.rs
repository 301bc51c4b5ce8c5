//! `POST /admin/logout`: a token that works no more.

use crate::{
    State,
    ask::ask,
    audit::{Audited, Deed, Intent, perform},
    auth::Admin,
    openapi::{NoToken, NotNow},
};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use engine::port::{Document, Table};
use protocol::admin::AuditAction;
use runtime::http::Problem;
use serde_json::Value;

/// Sign out
///
/// The token stops working at once, on every replica.
#[utoipa::path(
    post,
    path = "/admin/logout",
    operation_id = "adminLogout",
    tag = "admin",
    responses(
        (status = 204, description = "Signed out."),
        (status = 401, response = NoToken),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn logout(state: web::Data<State>, admin: Admin) -> Result<Audited, Problem> {
    let token = admin.token.clone();
    let intent = Intent { action: AuditAction::Logout, target: String::new(), reason: None };
    perform(state, admin, intent, move |state| async move {
        let document = Document { id: token.id.to_string(), body: Bytes::from_static(b"1") };
        let rest = token.rest(state.clock.now());
        ask(state.ports.records.put(Table::Revoked, document, Some(rest.max(std::time::Duration::from_secs(1)))))
            .await?;
        Ok(Deed {
            answer: HttpResponse::NoContent().finish(),
            confirmed: true,
            before: Value::Null,
            after: Value::Null,
            detail: "signed out".to_owned(),
        })
    })
    .await
}
