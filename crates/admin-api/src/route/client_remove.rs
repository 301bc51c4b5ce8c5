//! `DELETE /admin/client/{id}`: somebody who has to go.

use super::{clients::summary, params::Why};
use crate::{
    State,
    ask::{ask, no_client},
    audit::{Audited, Deed, Intent, perform},
    auth::AsAdmin,
    openapi::{BadRequest, NoToken, NotNow, NothingThere},
};
use actix_web::{HttpResponse, web};
use engine::{control::Task, desk::Confirmation};
use protocol::{
    ClientId, CloseCode,
    admin::{AuditAction, Removed},
};
use runtime::http::Problem;
use serde_json::json;

/// Remove a client
///
/// It leaves its rooms at once, and its socket closes with 4011, whichever node holds it. It may come back: a ban keeps it
/// out.
#[utoipa::path(
    delete,
    path = "/admin/client/{id}",
    operation_id = "adminClientRemove",
    tag = "admin",
    params(("id" = ClientId, Path, description = "Its id. What is no id is nobody's: 404."), Why),
    responses(
        (status = 200, description = "It is out.", body = Removed, example = json!({
            "totalRemoved": 1, "message": "Client 48151 was removed", "unconfirmed": [],
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 404, response = NothingThere),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn remove(
    state: web::Data<State>,
    AsAdmin(admin, (id, why)): AsAdmin<(web::Path<String>, web::Query<Why>)>,
) -> Result<Audited, Problem> {
    let reason = why.into_inner().checked()?;
    let Ok(client) = id.parse::<ClientId>() else { return Err(no_client()) };
    let intent = Intent { action: AuditAction::ClientRemove, target: format!("client {client}"), reason };
    perform(state, admin, intent, move |state| async move {
        let before = ask(state.ports.census.client(client)).await?;
        let Some((confirmation, rooms)) = expel(&state, client, CloseCode::Removed).await? else {
            return Err(no_client());
        };
        let message = format!("Client {client} was removed");
        Ok(Deed {
            confirmed: confirmation.unconfirmed.is_empty(),
            before: json!(before.map(summary)),
            after: json!({"left": rooms, "unconfirmed": confirmation.unconfirmed}),
            detail: message.clone(),
            answer: HttpResponse::Ok().json(Removed {
                total_removed: 1,
                message,
                unconfirmed: confirmation.unconfirmed,
            }),
        })
    })
    .await
}

/// Makes a client leave its rooms, and its node close its socket. None when there is no such client.
pub(super) async fn expel(
    state: &State,
    client: ClientId,
    code: CloseCode,
) -> Result<Option<(Confirmation, Vec<protocol::RoomId>)>, Problem> {
    let request = state.desk.request(state.entropy.uuid(), Task::Remove { client, code: code.get() });
    let Some(expelled) = ask(state.ports.census.expel(client, request.order())).await? else { return Ok(None) };
    Ok(Some((request.confirmed_by(expelled.node).await, expelled.rooms)))
}
