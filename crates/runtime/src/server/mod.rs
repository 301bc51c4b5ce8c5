//! The one wiring of actix for every service.
//!
//! One actix-http service carries both kinds of traffic: actix-web's `App` for HTTP, with everything of
//! [`http`](crate::http) around a service's routes, and, for WebSocket requests, the raw socket. The latter is not a
//! matter of taste: a connection in actix's own care costs 16 KiB of buffers, and a chat node has tens of thousands.

mod bind;
mod refuse;
mod run;

pub use bind::{HOST, PORT, bind};
pub use refuse::refuse;

use crate::metrics::Metrics;
use actix_codec::Framed;
use actix_http::{Request, h1};
use actix_rt::net::TcpStream;
use actix_web::web::ServiceConfig;
use futures_util::future::LocalBoxFuture;
use std::{net::TcpListener, sync::Arc, time::Duration};

/// Adds the routes of one part of a service. It is called once on each worker thread.
pub type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// Takes over the raw socket of a request that wants to be a WebSocket.
///
/// The future is the connection's whole life: it runs on the worker thread that accepted the socket, it is on
/// [`Lifecycle::connections`](crate::lifecycle::Lifecycle::connections), and `hard` ends it. To have the handshake
/// off the stack for the rest of a long life it may end after a
/// [`Lifecycle::spawn_local`](crate::lifecycle::Lifecycle::spawn_local) of the remainder.
///
/// It gets *every* request with `Upgrade: websocket`, and every `CONNECT`, whatever the path. What it does not want it
/// answers with [`refuse`].
pub type Upgrade = Arc<dyn Fn(Request, Framed<TcpStream, h1::Codec>) -> LocalBoxFuture<'static, ()> + Send + Sync>;

/// A server before it runs. Only what differs between services has to be given.
pub struct HttpServer {
    /// Names it in logs.
    pub name: String,
    /// Where it listens, from [`bind`].
    pub listener: TcpListener,
    /// Worker threads, 1 to 512. By default one a core.
    pub workers: usize,
    /// What it answers.
    pub routes: Vec<Routes>,
    /// Who takes WebSocket requests. Without it they are answered like any other request.
    pub upgrade: Option<Upgrade>,
    /// Where its requests are counted.
    pub metrics: Metrics,
    /// How many HTTP connections one worker holds at once; past that they wait to be accepted. Upgraded ones are not
    /// counted: their limit is their service's affair.
    pub max_connections: usize,
    /// How long a client may take to send a request's head.
    pub request_timeout: Duration,
    /// How long an idle connection is kept. Longer than nginx keeps its own, so that it is never the server that closes
    /// just as a request is on its way.
    pub keep_alive: Duration,
    /// How long connections may take to end once no more are accepted. `hard` is quicker.
    pub drain_timeout: Duration,
}

impl HttpServer {
    /// A server without routes.
    pub fn new(name: impl Into<String>, listener: TcpListener, metrics: Metrics) -> Self {
        Self {
            name: name.into(),
            listener,
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            routes: Vec::new(),
            upgrade: None,
            metrics,
            max_connections: 100_000,
            request_timeout: Duration::from_secs(5),
            keep_alive: Duration::from_secs(75),
            drain_timeout: Duration::from_secs(30),
        }
    }

    /// The same with more routes.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes.push(routes);
        self
    }

    /// The same with someone to take WebSocket requests.
    pub fn upgrade(mut self, upgrade: Upgrade) -> Self {
        self.upgrade = Some(upgrade);
        self
    }

    /// The same with as many worker threads.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }
}
