//! `POST /admin/servers/{nodeId}/drain`: a node that is to send its clients elsewhere.

use super::params::Why;
use crate::{
    State,
    ask::ask,
    audit::{Audited, Deed, Intent, perform},
    auth::AsAdmin,
    openapi::{BadRequest, NoToken, NotNow, NothingThere},
    reports,
};
use actix_web::{HttpResponse, web};
use engine::{control::Task, port::Address};
use protocol::{
    NodeId,
    admin::{Accepted, AuditAction},
};
use runtime::http::Problem;
use serde_json::{Value, json};

/// Drain a chat-node
///
/// It takes nobody in any more, and sends its clients to the others, spread over its drain window.
#[utoipa::path(
    post,
    path = "/admin/servers/{nodeId}/drain",
    operation_id = "adminDrain",
    tag = "admin",
    params(
        ("nodeId" = String, Path, description = "Its name.", pattern = "^[A-Za-z0-9._-]{1,64}$", example = "node-1"),
        Why,
    ),
    responses(
        (status = 202, description = "It was asked to.", body = Accepted, example = json!({
            "message": "node-1 sends its clients elsewhere", "unconfirmed": [],
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 404, response = NothingThere),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn drain(
    state: web::Data<State>,
    AsAdmin(admin, (node, why)): AsAdmin<(web::Path<String>, web::Query<Why>)>,
) -> Result<Audited, Problem> {
    let reason = why.into_inner().checked()?;
    let Ok(node) = node.parse::<NodeId>() else { return Err(no_node()) };
    let intent = Intent { action: AuditAction::NodeDrain, target: format!("node {node}"), reason };
    perform(state, admin, intent, move |state| async move {
        if !reports::is_node(&state, &node).await? {
            return Err(no_node());
        }
        let task = state.desk.ask(state.entropy.uuid(), Address::Node(node.clone()), Task::Drain);
        let confirmation = ask(task).await?;
        let message = format!("{node} sends its clients elsewhere");
        Ok(Deed {
            confirmed: confirmation.unconfirmed.is_empty(),
            before: Value::Null,
            after: json!({"draining": true, "unconfirmed": confirmation.unconfirmed}),
            detail: message.clone(),
            answer: HttpResponse::Accepted().json(Accepted { message, unconfirmed: confirmation.unconfirmed }),
        })
    })
    .await
}

fn no_node() -> Problem {
    Problem::not_found("there is no such node")
}
