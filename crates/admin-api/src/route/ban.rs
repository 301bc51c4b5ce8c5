//! `POST /admin/bans`: somebody who is to stay out.

use super::{client_remove::expel, clients::summary, params::flag};
use crate::{
    State,
    ask::ask,
    audit::{Deed, Intent, perform, time_sortable},
    auth::AsAdmin,
    openapi::{BadRequest, NoToken, NotNow, TooLarge, example},
};
use actix_web::{Either, HttpResponse, Responder, web};
use engine::{
    BanList, bans,
    control::Task,
    port::{Address, Document, Table},
};
use protocol::{
    ClientId, CloseCode, NodeId, Timestamp,
    admin::{AuditAction, BAN_SECONDS_MAX, Ban, BanMade, BanPreview, NewBan, TEXT_MAX},
};
use runtime::http::Problem;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// The widest networks that need no confirmation.
const WIDEST_V4: u8 = 16;
const WIDEST_V6: u8 = 32;
/// Clients that a preview looks at, asks for at once, and names; and how long it looks.
const LOOKED_AT: usize = 100_000;
const PAGE: usize = 500;
const NAMED: usize = 100;
const TIME: Duration = Duration::from_secs(10);

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Trial {
    /// Whether nothing is to be done, and only said whom it would hit now.
    #[serde(rename = "dryRun")]
    #[param(value_type = Option<bool>, default = false)]
    dry_run: Option<String>,
}

/// Ban a client, or an address or a network
///
/// Live sockets that it hits close with 4010, on every node, and new ones are refused until it ends. Trusted proxies are
/// never hit by their address. With `dryRun=true` nothing is done.
#[utoipa::path(
    post,
    path = "/admin/bans",
    operation_id = "adminBan",
    tag = "admin",
    params(Trial),
    request_body(content = NewBan, example = json!({"ip": "203.0.113.0/24", "reason": "spam", "seconds": 3600})),
    responses(
        (status = 200, description = "Whom it would hit: a dry run.", body = BanPreview, example = json!({
            "clients": [example::client()], "total": 1, "complete": true,
        })),
        (status = 201, description = "It is in force.", body = BanMade, example = json!(example::ban_made())),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 413, response = TooLarge),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn ban(
    state: web::Data<State>,
    AsAdmin(admin, (trial, new)): AsAdmin<(web::Query<Trial>, web::Json<NewBan>)>,
) -> Result<impl Responder, Problem> {
    let dry_run = flag("dryRun", trial.into_inner().dry_run)?;
    let new = new.into_inner();
    if dry_run {
        let ban = make(&state, &admin.token.user, new)?;
        return Ok(Either::Left(HttpResponse::Ok().json(preview(&state, &ban).await?)));
    }
    let whom = match (&new.client_id, &new.ip) {
        (Some(client), _) => format!("client {client}"),
        // Not looked at yet: only its beginning is anybody's business.
        (None, Some(ip)) => format!("address {}", ip.chars().take(64).collect::<String>()),
        (None, None) => String::new(),
    };
    let reason = Some(new.reason.chars().take(TEXT_MAX).collect());
    let (intent, user) = (Intent { action: AuditAction::BanCreate, target: whom, reason }, admin.token.user.clone());
    let made = perform(state, admin, intent, move |state| async move {
        let ban = make(&state, &user, new)?;
        store(&state, &ban).await?;
        let (total_removed, unconfirmed) = enforce(&state, ban.client_id).await.map_err(|_| {
            let id = &ban.ban_id;
            Problem::unavailable(format!("ban {id} is in force, but not every node may have heard of it yet"))
        })?;
        Ok(Deed {
            confirmed: unconfirmed.is_empty(),
            before: Value::Null,
            after: json!({"ban": ban, "totalRemoved": total_removed, "unconfirmed": unconfirmed}),
            detail: format!("ban {} closed {total_removed} sockets", ban.ban_id),
            answer: HttpResponse::Created().json(BanMade { ban, total_removed, unconfirmed }),
        })
    });
    Ok(Either::Right(made.await?))
}

/// The ban that is asked for, if it is one.
fn make(state: &State, user: &str, new: NewBan) -> Result<Ban, Problem> {
    let NewBan { client_id, ip, reason, seconds, confirm } = new;
    if client_id.is_some() == ip.is_some() {
        return Err(Problem::bad_request("either clientId or ip is needed, and not both"));
    }
    if !(1..=TEXT_MAX).contains(&reason.chars().count()) {
        return Err(Problem::bad_request(format!("reason must have 1 to {TEXT_MAX} characters")));
    }
    if seconds.is_some_and(|seconds| !(1..=BAN_SECONDS_MAX).contains(&seconds)) {
        return Err(Problem::bad_request(format!("seconds must be 1 to {BAN_SECONDS_MAX}")));
    }
    let ip = ip.map(|ip| network(state, &ip, confirm)).transpose()?;
    let created_at = state.clock.now();
    let ban_id = time_sortable(state);
    let expires_at = seconds.map(|seconds| Timestamp(created_at.0.saturating_add(seconds * 1000)));
    Ok(Ban { ban_id, client_id, ip, reason, created_at, created_by: user.to_owned(), expires_at })
}

fn network(state: &State, text: &str, confirm: bool) -> Result<String, Problem> {
    let Some(network) = bans::network(text) else {
        return Err(Problem::bad_request("ip must be an address or a network, such as 203.0.113.0/24"));
    };
    let written = bans::written(network);
    if state.trusted_proxies.cover(&network) {
        return Err(Problem::bad_request(format!(
            "{written} belongs to the trusted proxies (TRUSTED_PROXIES), through which everybody comes: it would hit nobody"
        )));
    }
    let widest = if network.addr().is_ipv4() { WIDEST_V4 } else { WIDEST_V6 };
    if network.prefix_len() < widest && !confirm {
        return Err(Problem::bad_request(format!(
            "{written} is wider than /{widest}: confirm must be true for that; dryRun=true shows whom it would hit"
        )));
    }
    Ok(written)
}

async fn store(state: &State, ban: &Ban) -> Result<(), Problem> {
    let body = serde_json::to_vec(ban).map_err(|_| Problem::internal())?.into();
    let document = Document { id: ban.ban_id.clone(), body };
    let left = ban.expires_at.map(|end| Duration::from_millis(end.0.saturating_sub(ban.created_at.0)));
    ask(state.ports.records.put(Table::Bans, document, left)).await
}

/// Has every node read the bans again; a client leaves its rooms at once besides, without grace.
async fn enforce(state: &State, client: Option<ClientId>) -> Result<(u64, Vec<NodeId>), Problem> {
    let told = ask(state.desk.ask(state.entropy.uuid(), Address::Everyone, Task::Bans));
    let expelled = async {
        match client {
            Some(client) => expel(state, client, CloseCode::Banned).await,
            None => Ok(None),
        }
    };
    let (told, expelled) = tokio::join!(told, expelled);
    let (told, expelled) = (told?, expelled?.map(|(confirmation, _)| confirmation).unwrap_or_default());
    let unconfirmed: BTreeSet<_> = told.unconfirmed.iter().chain(&expelled.unconfirmed).cloned().collect();
    let hit = told.hit() + expelled.hit();
    // Either way closes the same socket, and both may find it still open.
    let hit = if client.is_some() { hit.min(1) } else { hit };
    Ok((hit, unconfirmed.into_iter().collect()))
}

/// Whom it would hit.
async fn preview(state: &State, ban: &Ban) -> Result<BanPreview, Problem> {
    let (list, started) = (BanList::of([ban]), Instant::now());
    let (mut clients, mut total, mut looked_at, mut after) = (Vec::new(), 0, 0, None);
    loop {
        let page = ask(state.ports.census.clients(after, PAGE)).await?;
        let last = page.len() < PAGE;
        looked_at += page.len();
        after = page.last().map(|client| client.client_id);
        for client in page {
            if list
                .hits(Some((client.client_id, Timestamp(0))), client.address, |ip| state.trusted_proxies.contains(ip))
            {
                total += 1;
                if clients.len() < NAMED {
                    clients.push(summary(client));
                }
            }
        }
        if last || looked_at >= LOOKED_AT || started.elapsed() >= TIME {
            return Ok(BanPreview { clients, total, complete: last });
        }
    }
}
