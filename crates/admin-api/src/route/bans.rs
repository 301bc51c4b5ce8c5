//! `GET /admin/bans`: who is banned.

use super::params::Paging;
use crate::{
    State,
    ask::ask,
    auth::AsAdmin,
    cursor,
    openapi::{BadRequest, NoToken, NotNow, example},
};
use actix_web::{HttpResponse, web};
use engine::{bans::parse, port::Table};
use protocol::admin::{BanPage, PAGE_MAX};
use runtime::http::Problem;

const LIST: &str = "bans";

/// The bans in force, oldest first
///
/// A page at a time.
#[utoipa::path(
    get,
    path = "/admin/bans",
    operation_id = "adminBans",
    tag = "admin",
    params(Paging),
    responses(
        (status = 200, description = "A page of them.", body = BanPage, example = json!({
            "bans": [example::ban()], "cursor": null,
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn bans(
    state: web::Data<State>,
    AsAdmin(_, paging): AsAdmin<web::Query<Paging>>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = paging.into_inner().checked(&state.mac, LIST)?;
    // One more shows whether there is more, where as many may be asked for.
    let ask_for = (limit + 1).min(PAGE_MAX);
    let mut documents = ask(state.ports.records.list(Table::Bans, after.as_deref(), ask_for)).await?;
    let more = documents.len() == ask_for;
    documents.truncate(limit);
    let cursor = documents.last().filter(|_| more).map(|last| cursor::give(&state.mac, LIST, &last.id));
    Ok(HttpResponse::Ok().json(BanPage { bans: documents.iter().filter_map(parse).collect(), cursor }))
}
