//! `GET /admin/client`: who is connected.

use super::params::{Listing, Page};
use crate::{
    State,
    ask::ask,
    auth::AsAdmin,
    cursor,
    openapi::{BadRequest, NoToken, NotNow, example},
};
use actix_web::{HttpResponse, web};
use engine::{bans, port::ClientRecord};
use ipnet::IpNet;
use protocol::{
    ClientId,
    admin::{ClientPage, ClientSummary},
};
use runtime::http::Problem;
use std::time::{Duration, Instant};

const LIST: &str = "clients";
/// Clients that are asked for at once.
const PAGE: usize = 500;
/// Clients that one search looks at, and for how long.
const LOOKED_AT: usize = 5_000;
const TIME: Duration = Duration::from_millis(25);

/// The connected clients, by id
///
/// A page at a time. A search looks at some thousands for one page, so that it may be short, or empty, and yet have a
/// `cursor`.
#[utoipa::path(
    get,
    path = "/admin/client",
    operation_id = "adminClients",
    tag = "admin",
    params(Listing),
    responses(
        (status = 200, description = "A page of them.", body = ClientPage, example = json!({
            "clientIds": [48151], "clients": [example::client()], "cursor": null, "total": 1,
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn clients(
    state: web::Data<State>,
    AsAdmin(_, listing): AsAdmin<web::Query<Listing>>,
) -> Result<HttpResponse, Problem> {
    let page = listing.into_inner().checked(&state.mac, LIST)?;
    let (found, counts) = tokio::join!(search(&state, &page), ask(state.ports.census.counts()));
    let ((clients, next), counts) = (found?, counts?);
    Ok(HttpResponse::Ok().json(ClientPage {
        client_ids: clients.iter().map(|client| client.client_id).collect(),
        clients: clients.into_iter().map(summary).collect(),
        cursor: next.map(|last| cursor::give(&state.mac, LIST, &last.to_string())),
        total: counts.clients,
    }))
}

async fn search(state: &State, page: &Page) -> Result<(Vec<ClientRecord>, Option<ClientId>), Problem> {
    let query = page.query.as_deref().map(Query::new);
    // One more shows whether there is more.
    let ask_for = if query.is_some() { PAGE } else { page.limit + 1 };
    let mut after = match &page.after {
        Some(after) => Some(after.parse().map_err(|_| cursor::bad_cursor())?),
        None => None,
    };
    let (started, mut looked_at, mut found) = (Instant::now(), 0, Vec::new());
    loop {
        let clients = ask(state.ports.census.clients(after, ask_for)).await?;
        let last = clients.len() < ask_for;
        for client in clients {
            if found.len() == page.limit {
                return Ok((found, after));
            }
            after = Some(client.client_id);
            looked_at += 1;
            if query.as_ref().is_none_or(|query| query.finds(&client)) {
                found.push(client);
            }
        }
        if last {
            return Ok((found, None));
        }
        if looked_at >= LOOKED_AT || started.elapsed() >= TIME {
            return Ok((found, after));
        }
    }
}

/// What somebody looks for.
struct Query<'q> {
    text: &'q str,
    network: Option<IpNet>,
}

impl<'q> Query<'q> {
    fn new(text: &'q str) -> Self {
        Self { text, network: bans::network(text) }
    }

    fn finds(&self, client: &ClientRecord) -> bool {
        client.client_id.to_string().starts_with(self.text)
            || client.username.as_str().to_lowercase().contains(self.text)
            || client.address.zip(self.network).is_some_and(|(ip, network)| network.contains(&ip.to_canonical()))
    }
}

/// What a list shows.
pub(super) fn summary(client: ClientRecord) -> ClientSummary {
    ClientSummary {
        client_id: client.client_id,
        username: client.username,
        node_id: client.node,
        room_id: client.rooms.first().copied(),
        connected_at: client.connected_at,
        ip: client.address,
    }
}
