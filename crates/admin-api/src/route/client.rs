//! `GET /admin/client/{id}`: one client.

use super::clients::summary;
use crate::{
    State,
    ask::{ask, no_client},
    auth::AsAdmin,
    openapi::{NoToken, NotNow, NothingThere, example},
};
use actix_web::{HttpResponse, web};
use engine::{
    control::{Described, Task},
    port::Address,
};
use protocol::{ClientId, NodeId, admin::ClientDetail};
use runtime::http::Problem;

/// One client
///
/// One that is connected, or expected back within its grace. `lastSeenAt` and `messagesSent` come from its node, and are
/// null when that does not answer within a second.
#[utoipa::path(
    get,
    path = "/admin/client/{id}",
    operation_id = "adminClient",
    tag = "admin",
    params(("id" = ClientId, Path, description = "Its id. What is no id is nobody's: 404.")),
    responses(
        (status = 200, description = "What is known of it.", body = ClientDetail, example = json!(example::client_detail())),
        (status = 401, response = NoToken),
        (status = 404, response = NothingThere),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn client(
    state: web::Data<State>,
    AsAdmin(_, id): AsAdmin<web::Path<String>>,
) -> Result<HttpResponse, Problem> {
    let Ok(id) = id.parse::<ClientId>() else { return Err(no_client()) };
    let client = ask(state.ports.census.client(id)).await?.ok_or_else(no_client)?;
    let described = match client.node.clone() {
        Some(node) => describe(&state, node, id).await,
        None => None,
    };
    Ok(HttpResponse::Ok().json(ClientDetail {
        room_ids: client.rooms.clone(),
        summary: summary(client),
        last_seen_at: described.map(|described| described.last_seen_at),
        messages_sent: described.map(|described| described.messages_sent),
    }))
}

/// What its node says, if it says anything.
async fn describe(state: &State, node: NodeId, client: ClientId) -> Option<Described> {
    let task = state.desk.ask(state.entropy.uuid(), Address::Node(node.clone()), Task::Describe { client });
    ask(task).await.ok()?.done.get(&node)?.client
}
