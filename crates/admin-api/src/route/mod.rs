//! The calls, a file each, and what is the same for all of them.

pub(crate) mod audit;
pub(crate) mod ban;
pub(crate) mod ban_lift;
pub(crate) mod bans;
pub(crate) mod client;
pub(crate) mod client_remove;
pub(crate) mod clients;
pub(crate) mod drain;
pub(crate) mod limits;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod message_delete;
pub(crate) mod messages;
pub(crate) mod notice;
mod params;
pub(crate) mod password;
mod refusals;
pub(crate) mod room;
pub(crate) mod room_delete;
pub(crate) mod rooms;
pub(crate) mod servers;
pub(crate) mod stats;

pub(crate) use login::note_left_out;
pub(crate) use refusals::{Failures, Refusals};

use crate::State;
use actix_web::{
    error::JsonPayloadError,
    http::header::CACHE_CONTROL,
    middleware::DefaultHeaders,
    web::{self, JsonConfig},
};
use protocol::admin::BODY_MAX;
use runtime::{
    http::{Endpoint, Problem},
    server::Routes,
};
use std::sync::Arc;

pub(crate) fn routes(state: Arc<State>) -> Routes {
    Arc::new(move |cfg| {
        let json = JsonConfig::default().limit(BODY_MAX).error_handler(|error, _| bad_body(&error).into());
        cfg.service(
            web::scope("/admin")
                .app_data(web::Data::from(state.clone()))
                .app_data(json)
                .service(Endpoint::at("/login").post(login::login))
                .service(Endpoint::at("/logout").post(logout::logout))
                .service(Endpoint::at("/password").post(password::password))
                .service(Endpoint::at_any(&["/server", "/servers"]).get(servers::servers))
                .service(Endpoint::at_any(&["/server/{nodeId}/drain", "/servers/{nodeId}/drain"]).post(drain::drain))
                .service(Endpoint::at_any(&["/client", "/clients"]).get(clients::clients))
                .service(
                    Endpoint::at_any(&["/client/{id}", "/clients/{id}"])
                        .get(client::client)
                        .delete(client_remove::remove),
                )
                .service(Endpoint::at_any(&["/room", "/rooms"]).get(rooms::rooms))
                .service(Endpoint::at_any(&["/room/{id}", "/rooms/{id}"]).get(room::room).delete(room_delete::delete))
                .service(
                    Endpoint::at_any(&[
                        "/room/{id}/message",
                        "/room/{id}/messages",
                        "/rooms/{id}/message",
                        "/rooms/{id}/messages",
                    ])
                    .get(messages::read),
                )
                .service(
                    Endpoint::at_any(&[
                        "/room/{id}/message/{seq}",
                        "/room/{id}/messages/{seq}",
                        "/rooms/{id}/message/{seq}",
                        "/rooms/{id}/messages/{seq}",
                    ])
                    .delete(message_delete::delete),
                )
                .service(Endpoint::at_any(&["/ban", "/bans"]).get(bans::bans).post(ban::ban))
                .service(Endpoint::at_any(&["/ban/{id}", "/bans/{id}"]).delete(ban_lift::lift))
                .service(Endpoint::at_any(&["/notice", "/notices"]).post(notice::notice))
                .service(Endpoint::at("/audit").get(audit::audit))
                .service(Endpoint::at("/stats").get(stats::stats))
                .service(Endpoint::at_any(&["/limit", "/limits"]).get(limits::limits))
                .service(Endpoint::at("/live").get(live::live))
                .wrap(DefaultHeaders::new().add((CACHE_CONTROL, "no-store"))),
        );
    })
}

/// As everywhere, but for the value that was wrong: here it may be a password, and problems are logged.
fn bad_body(error: &JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::Deserialize(error) => {
            let text = error.to_string();
            let quotes = ["invalid type", "invalid value", "invalid length", "unknown variant"];
            if quotes.iter().any(|quote| text.starts_with(quote)) {
                let (line, column) = (error.line(), error.column());
                return Problem::bad_request(format!(
                    "the body cannot be read: a value of another type is needed at line {line} column {column}"
                ));
            }
            Problem::bad_request(format!("the body cannot be read: {text}"))
        }
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            Problem::payload_too_large(BODY_MAX)
        }
        JsonPayloadError::Payload(actix_web::error::PayloadError::Overflow) => Problem::payload_too_large(BODY_MAX),
        JsonPayloadError::ContentType => Problem::bad_request("the body must be application/json"),
        error => Problem::bad_request(error.to_string()),
    }
}
