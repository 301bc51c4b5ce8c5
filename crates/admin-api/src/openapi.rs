//! The description of the admin API.

use crate::route;
use protocol::admin::{Live, LiveToken};
use runtime::http::Problem;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Roomful's admin API"),
    paths(
        route::login::login, route::logout::logout, route::password::password,
        route::servers::servers, route::drain::drain,
        route::clients::clients, route::client::client, route::client_remove::remove,
        route::rooms::rooms, route::room::room, route::room_delete::delete,
        route::messages::read, route::message_delete::delete,
        route::ban::ban, route::bans::bans, route::ban_lift::lift,
        route::notice::notice, route::audit::audit,
        route::stats::stats, route::limits::limits, route::live::live,
    ),
    components(
        schemas(Problem, Live, LiveToken, route::audit::Format),
        responses(
            BadRequest, NoToken, WrongLogin, WrongPassword, ForeignOrigin, NothingThere, TooLarge, NotAWebSocket,
            TooManyTries, NotNow,
        ),
    ),
    security(("adminToken" = [])),
    modifiers(&Scheme),
    tags((name = "admin", description = "For operators. All but the login needs a token. Paths work with a singular and \
        a plural noun. A method that a path does not answer to gets 405 with `Allow`, and a path that is none 404."))
)]
struct Document;

/// How a call shows its token.
struct Scheme;

impl Modify for Scheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        bearer.description = Some("From `POST /admin/login`.".to_owned());
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("adminToken", SecurityScheme::Http(bearer));
        // Each call says it itself: put together with others, the document must not ask for it everywhere.
        let everywhere = document.security.take();
        for path in document.paths.paths.values_mut() {
            let calls = [&mut path.get, &mut path.post, &mut path.delete];
            for call in calls.into_iter().flatten() {
                if call.security.is_none() {
                    call.security.clone_from(&everywhere);
                }
            }
        }
    }
}

/// A refusal that every call with its status gives.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $detail:literal $(, $header:literal: $type:ty = $what:literal)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(utoipa::ToResponse)]
            #[response(
                content_type = "application/problem+json",
                $(headers(($header = $type, description = $what)),)?
                example = json!({
                    "type": "about:blank", "title": $title, "status": $status, "detail": $detail,
                    "requestId": "67e55044-10b1-426f-9247-bb680e5fe0c8",
                })
            )]
            #[allow(dead_code)] // described, never made
            pub(crate) struct $name(Problem);
        )*
    };
}

refusals! {
    /// The query or the body will not do.
    BadRequest = 400, "Bad Request", "limit must be a whole number from 1 to 500";
    /// There is no good token.
    NoToken = 401, "Unauthorized", "a valid token is needed: sign in with POST /admin/login",
        "WWW-Authenticate": String = "How to show one.";
    /// The name or the password is wrong.
    WrongLogin = 401, "Unauthorized", "the name or the password is wrong",
        "WWW-Authenticate": String = "How to show what a login gives.";
    /// The present password is wrong.
    WrongPassword = 403, "Forbidden", "the present password is wrong";
    /// The page that opens the WebSocket is another site's.
    ForeignOrigin = 403, "Forbidden", "this origin is not on the allow-list (ALLOWED_ORIGINS)";
    /// There is no such thing.
    NothingThere = 404, "Not Found", "there is no such room";
    /// The body is too large.
    TooLarge = 413, "Payload Too Large", "the body may have at most 4096 bytes";
    /// This is a WebSocket's path.
    NotAWebSocket = 426, "Upgrade Required", "this is a WebSocket's path",
        "Upgrade": String = "What to upgrade to.";
    /// Too many tries from this address.
    TooManyTries = 429, "Too Many Requests", "too many requests: try again in 3 s",
        "Retry-After": u64 = "How many seconds to wait.";
    /// What is needed for an answer cannot be reached at the moment.
    NotNow = 503, "Service Unavailable", "the cluster's store cannot be reached at the moment: try again";
}

/// The description of the admin API's calls, to be merged with that of others.
#[must_use]
pub fn document(version: &str) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    version.clone_into(&mut document.info.version);
    document
}

/// What examples have in common.
pub(crate) mod example {
    use serde_json::{Value, json};

    const AT: u64 = 1_700_000_000_000;

    pub(crate) fn server() -> Value {
        json!({
            "nodeId": "node-1", "service": "chat-node", "host": "10.0.0.3", "version": "0.1.0", "startedAt": AT,
            "lastSeenAt": AT, "draining": false, "connections": 1200, "rooms": 40, "messagesReceived": 90_000,
            "messagesDelivered": 2_700_000, "bytesReceived": 12_000_000, "bytesSent": 500_000_000,
            "slowConsumersClosed": 2, "queuedBytes": 4096, "eventLoopLagMs": 0.4, "roundTripMs": 0.8, "deliveryMs": 1.1,
            "canary": [{"nodeId": "node-2", "deliveryMs": 1.1, "silentMs": 900, "lost": false}],
            "limited": [{"policy": "message", "clientId": 48151, "ip": null, "refused": 12, "lastAt": AT}],
        })
    }

    pub(crate) fn client() -> Value {
        json!({
            "clientId": 48151, "username": "Zoë", "nodeId": "node-1", "roomId": 16234, "connectedAt": AT,
            "ip": "203.0.113.7",
        })
    }

    pub(crate) fn client_detail() -> Value {
        let mut client = client();
        client["roomIds"] = json!([16234]);
        client["lastSeenAt"] = json!(AT);
        client["messagesSent"] = json!(42);
        client
    }

    pub(crate) fn room() -> Value {
        json!({"roomId": 16234, "name": "Tea & biscuits", "memberCount": 1, "createdAt": AT, "seq": 42})
    }

    pub(crate) fn room_detail() -> Value {
        let zoe = json!({"clientId": 48151, "username": "Zoë"});
        json!({
            "roomId": 16234, "name": "Tea & biscuits", "ownerId": 48151, "createdAt": AT, "memberCount": 1,
            "members": [zoe], "messageCount": 42, "seq": 42, "epoch": "2c5ea4c04f3b4ed4a1f8a0a1b7b3a3c5",
            "participantCount": 1, "participants": [zoe],
        })
    }

    pub(crate) fn message() -> Value {
        json!({
            "seq": 42, "id": "0c1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b", "sender": {"clientId": 48151, "username": "Zoë"},
            "sentAt": AT, "body": "tea at five", "replyTo": 40, "deleted": 47,
            "versions": [{"seq": 42, "at": AT, "body": "tee at five"}, {"seq": 43, "at": AT + 900, "body": "tea at five"}],
        })
    }

    pub(crate) fn ban() -> Value {
        json!({
            "banId": "1700000000000-9f86d081", "clientId": null, "ip": "203.0.113.0/24", "reason": "spam",
            "createdAt": AT, "createdBy": "admin", "expiresAt": AT + 3_600_000,
        })
    }

    pub(crate) fn ban_made() -> Value {
        let mut ban = ban();
        ban["totalRemoved"] = json!(3);
        ban["unconfirmed"] = json!([]);
        ban
    }

    pub(crate) fn audit_entry() -> Value {
        json!({
            "auditId": "1700000000000-0", "at": AT, "actor": "admin", "ip": "203.0.113.9", "action": "client_remove",
            "target": "client 48151", "reason": "spam", "before": client(), "after": {"left": [16234], "unconfirmed": []},
            "outcome": "done", "detail": "Client 48151 was removed", "requestId": "67e55044-10b1-426f-9247-bb680e5fe0c8",
        })
    }

    pub(crate) fn stats() -> Value {
        json!({
            "at": AT,
            "now": {
                "nodes": 1, "connections": 1200, "clients": 1190, "rooms": 40, "messagesReceived": 90_000,
                "messagesDelivered": 2_700_000, "bytesReceived": 12_000_000, "bytesSent": 500_000_000,
                "slowConsumersClosed": 2, "queuedBytes": 4096,
            },
            "minutes": [{"at": AT - AT % 60_000, "nodes": [{
                "nodeId": "node-1", "connections": 1200, "rooms": 40, "messagesReceived": 900,
                "messagesDelivered": 27_000, "bytesReceived": 120_000, "bytesSent": 5_000_000, "slowConsumersClosed": 0,
                "queuedBytes": 4096, "eventLoopLagMs": 0.4, "roundTripMs": 0.8, "deliveryMs": 1.1,
            }]}],
        })
    }
}
