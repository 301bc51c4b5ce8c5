//! `DELETE /admin/bans/{id}`: a ban that ends now.

use super::params::Why;
use crate::{
    State,
    ask::ask,
    audit::{Audited, Deed, Intent, perform},
    auth::AsAdmin,
    openapi::{BadRequest, NoToken, NotNow, NothingThere},
};
use actix_web::{HttpResponse, web};
use engine::{
    bans::parse,
    control::Task,
    port::{Address, Document, Table},
};
use protocol::admin::AuditAction;
use runtime::http::Problem;
use serde_json::{Value, json};

/// No id of ours is longer.
const LONGEST: usize = 64;

/// Lift a ban
#[utoipa::path(
    delete,
    path = "/admin/bans/{id}",
    operation_id = "adminBanLift",
    tag = "admin",
    params(
        ("id" = String, Path, description = "Its id. What is no id is no ban's: 404.",
            pattern = "^[0-9]{13}-[0-9a-f]{8}$", example = "1700000000000-9f86d081"),
        Why,
    ),
    responses(
        (status = 204, description = "It is over."),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 404, response = NothingThere),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn lift(
    state: web::Data<State>,
    AsAdmin(admin, (id, why)): AsAdmin<(web::Path<String>, web::Query<Why>)>,
) -> Result<Audited, Problem> {
    let reason = why.into_inner().checked()?;
    let id = id.into_inner();
    if id.is_empty() || id.len() > LONGEST || !id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return Err(no_ban());
    }
    let intent = Intent { action: AuditAction::BanLift, target: format!("ban {id}"), reason };
    perform(state, admin, intent, move |state| async move {
        let records = &state.ports.records;
        let before = ask(records.get(Table::Bans, &id)).await?;
        if !ask(records.remove(Table::Bans, &id)).await? {
            return Err(no_ban());
        }
        // Nodes read the bans now and then, too; a late one lets somebody in a little later.
        let told = ask(state.desk.ask(state.entropy.uuid(), Address::Everyone, Task::Bans)).await;
        let before = before.and_then(|body| parse(&Document { id, body }));
        Ok(Deed {
            answer: HttpResponse::NoContent().finish(),
            confirmed: told.is_ok_and(|told| told.unconfirmed.is_empty()),
            before: json!(before),
            after: Value::Null,
            detail: "lifted".to_owned(),
        })
    })
    .await
}

fn no_ban() -> Problem {
    Problem::not_found("there is no such ban: it was lifted, or is over")
}
