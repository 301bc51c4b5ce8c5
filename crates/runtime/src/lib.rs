//! What every Roomful process does that is not chat.
//!
//! A service is a configuration, some [`server::Routes`], perhaps a [`server::Upgrade`], and a handful of tasks. This
//! crate owns all the rest, once, so that three services cannot do it in three ways:
//!
//! | module | what |
//! | --- | --- |
//! | [`mod@env`] | environment variables, read whole and checked before anything is bound; every fault at once |
//! | [`telemetry`] | logs, for a terminal or as JSON |
//! | [`traces`] | OpenTelemetry spans, for whoever wants them |
//! | [`metrics`] | one registry a service, the process's own figures, HTTP requests |
//! | [`health`] | readiness and the checks behind it |
//! | [`ops`] | `/livez`, `/readyz`, `/metrics` |
//! | [`lifecycle`] | soft, then hard shutdown; who is still at work |
//! | [`http`] | problem+json, request ids, security headers, 404 and 405 |
//! | [`client_addr`] | who is asking, behind proxies that are trusted and those that are not |
//! | [`program`] | a service as a process of its own: arguments, configuration, signals, exit status |
//! | [`probe`] | `health`: asks the process of this machine how it is |
//! | [`websocket`] | whether a request may become a WebSocket |
//! | [`signing`] | the secret that sessions and tokens are signed with |
//! | [`server`] | the one wiring of actix: an `App` for HTTP and the raw socket for upgrades |
//!
//! It knows nothing of chat and depends on no other crate of the workspace.

pub mod client_addr;
pub mod env;
pub mod files;
pub mod health;
pub mod http;
pub mod lifecycle;
pub mod metrics;
pub mod ops;
pub mod probe;
pub mod program;
pub mod server;
pub mod signing;
pub mod telemetry;
pub mod traces;
pub mod websocket;
