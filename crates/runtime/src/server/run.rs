//! Running a server, and ending it.

use super::{HttpServer, Routes, Upgrade};
use crate::{
    http::{Problem, extractor_config, observe, security_headers},
    lifecycle::Lifecycle,
    metrics::Metrics,
};
use actix_codec::Framed;
use actix_http::{Extensions, HttpServiceBuilder, KeepAlive, Request, Response, h1};
use actix_rt::net::TcpStream;
use actix_server::{Server, ServerHandle};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, fn_service, map_config};
use actix_web::{
    App, Error,
    body::BoxBody,
    dev::{AppConfig, ServiceResponse},
    middleware::from_fn,
    web,
};
use prometheus::IntGauge;
use std::{
    future::{Ready, ready},
    io,
    net::TcpListener,
    time::Duration,
};
use tokio::{select, time::Instant};
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

/// How long a connection may go on reading the rest of a body that was refused, before it is closed. Without this a
/// client that is still sending would be reset, and never see its 413.
const LINGER: Duration = Duration::from_secs(2);

/// What the accepting thread needs to take notice of an order, amply.
const PAUSED_BY: Duration = Duration::from_millis(20);

/// How often each thread that serves looks how late it is.
const LAG_LOOK: Duration = Duration::from_millis(100);

/// The most worker threads that actix-server takes; it panics past that.
const MAX_WORKERS: usize = 512;

impl HttpServer {
    /// Serves until `stop_accept`, then ends its connections, and returns when there are none left.
    ///
    /// `stop_accept` is an argument because not every service stops at once when it is asked to end: a chat node first
    /// tells its clients where to go. The others give `lifecycle.soft`. From then on new connections are refused, idle
    /// ones closed, requests under way answered, and the worker threads kept for what is on `lifecycle.connections`,
    /// until that is empty, `lifecycle.hard`, or the `drain_timeout`.
    ///
    /// It works on any tokio runtime; the worker threads are its own.
    pub async fn run(self, lifecycle: &Lifecycle, stop_accept: CancellationToken) -> io::Result<()> {
        let listener = self.listener.try_clone()?;
        let (name, drain_timeout) = (self.name.clone(), self.drain_timeout);
        let mut server = self.start(lifecycle, stop_accept.clone())?;
        tracing::info!(server = name, address = %listener.local_addr()?, "listening");

        let handle = server.handle();
        select! {
            // A server that ends by itself could not be started.
            result = &mut server => return result,
            () = end(&handle, &listener, lifecycle, stop_accept, drain_timeout) => {}
        }
        let result = server.await;
        tracing::info!(server = name, "stopped");
        result
    }

    fn start(self, lifecycle: &Lifecycle, stop_accept: CancellationToken) -> io::Result<Server> {
        let Self { name, listener, workers, routes, upgrade, metrics, .. } = self;
        let (request_timeout, keep_alive, lifecycle) = (self.request_timeout, self.keep_alive, lifecycle.clone());
        let builder = Server::build()
            .workers(workers.clamp(1, MAX_WORKERS))
            .max_concurrent_connections(self.max_connections)
            // Whole seconds, and the worker looks once a second: our own list of connections is exact, and asked first.
            .shutdown_timeout(1)
            .disable_signals();

        // The two arms differ in type alone: with an upgrade service actix-http hands over every WebSocket request,
        // without one it treats them as plain requests.
        match upgrade {
            Some(upgrade) => builder.listen(name, listener, move || {
                measure_lag(&metrics, &stop_accept);
                let counted = Counted { metrics: metrics.clone(), lifecycle: lifecycle.clone() };
                let (upgrade, connected) = (upgrade.clone(), counted.clone());
                http_service(&stop_accept, request_timeout, keep_alive)
                    .on_connect_ext(move |_: &TcpStream, data| connected.connected(data))
                    .upgrade(fn_service(move |(request, socket)| counted.upgraded(&upgrade, request, socket)))
                    .finish(map_config(app(&routes, &metrics), |_| AppConfig::default()))
                    .tcp()
            }),
            None => builder.listen(name, listener, move || {
                measure_lag(&metrics, &stop_accept);
                let counted = Counted { metrics: metrics.clone(), lifecycle: lifecycle.clone() };
                http_service(&stop_accept, request_timeout, keep_alive)
                    .on_connect_ext(move |_: &TcpStream, data| counted.connected(data))
                    .finish(map_config(app(&routes, &metrics), |_| AppConfig::default()))
                    .tcp()
            }),
        }
        .map(|builder| builder.run())
    }
}

/// Looks how late a timer of this thread is, now and then, for as long as it takes in anybody.
fn measure_lag(metrics: &Metrics, stop_accept: &CancellationToken) {
    let lag = metrics.lag.clone();
    actix_rt::spawn(stop_accept.clone().run_until_cancelled_owned(async move {
        loop {
            let due = Instant::now() + LAG_LOOK;
            tokio::time::sleep_until(due).await;
            lag.observe(due.elapsed().as_secs_f64());
        }
    }));
}

/// Waits until it is time, stops accepting, waits for the connections, and stops the server.
async fn end(
    handle: &ServerHandle,
    listener: &TcpListener,
    lifecycle: &Lifecycle,
    stop_accept: CancellationToken,
    drain_timeout: Duration,
) {
    select! {
        () = stop_accept.cancelled() => {}
        () = lifecycle.hard.cancelled() => {}
    }
    handle.pause().await;
    // That was the order; the accepting thread carries it out, and does not say when. If it is overtaken here, all that
    // comes of it is an error in the log about a connection that could not be accepted.
    tokio::time::sleep(PAUSED_BY).await;
    // Pausing leaves the kernel accepting into the backlog, where clients would wait for nobody. On Linux this makes it
    // refuse them, so that a proxy goes elsewhere at once. Where it is not possible they wait.
    let _ = socket2::SockRef::from(listener).shutdown(std::net::Shutdown::Both);

    lifecycle.connections.close();
    let ended = select! {
        () = lifecycle.connections.wait() => true,
        () = lifecycle.hard.cancelled() => false,
        () = tokio::time::sleep(drain_timeout) => false,
    };
    // What is still there ends with its worker thread.
    handle.stop(ended).await;
}

/// The part of a service that is the same with and without upgrades.
fn http_service<S>(
    stop_accept: &CancellationToken,
    request_timeout: Duration,
    keep_alive: Duration,
) -> HttpServiceBuilder<TcpStream, S>
where
    S: ServiceFactory<Request, Config = ()>,
    S::Error: Into<Response<BoxBody>> + 'static,
    S::InitError: std::fmt::Debug,
    <S::Service as Service<Request>>::Future: 'static,
{
    let stop_accept = stop_accept.clone();
    HttpServiceBuilder::default()
        .tcp_nodelay(true)
        .client_request_timeout(request_timeout)
        .client_disconnect_timeout(LINGER)
        .keep_alive(KeepAlive::Timeout(keep_alive))
        // Closes idle connections at once and the others after their answer, as actix-web's own server does it.
        .graceful_shutdown_signal(move || stop_accept.clone().cancelled_owned())
}

/// The routes of a service, with all that is done around them.
fn app(
    routes: &[Routes],
    metrics: &Metrics,
) -> impl ServiceFactory<
    Request,
    Config = AppConfig,
    Response = ServiceResponse<BoxBody>,
    Error = Error,
    InitError = (),
    Service: Service<Request, Future: 'static>,
> + use<> {
    let metrics = metrics.clone();
    let app = App::new().configure(extractor_config);
    routes
        .iter()
        .fold(app, |app, routes| app.configure(|cfg| routes(cfg)))
        .default_service(web::to(|| async { Err::<String, _>(Problem::not_found("there is nothing at this path")) }))
        .wrap(from_fn(move |request, next| observe(metrics.clone(), request, next)))
        .wrap(security_headers())
        .into_factory()
}

/// Keeps account of connections, on the lists that shutdown waits for and in the metrics.
#[derive(Clone)]
struct Counted {
    metrics: Metrics,
    lifecycle: Lifecycle,
}

/// Lies in a connection's data, and so lives as long as actix has the connection.
struct Connection {
    open: IntGauge,
    _listed: TaskTrackerToken,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.dec();
    }
}

impl Counted {
    fn connected(&self, data: &mut Extensions) {
        let open = self.metrics.connections.clone();
        open.inc();
        data.insert(Connection { open, _listed: self.lifecycle.connections.token() });
    }

    /// Starts the task that has the socket from now on. It is a task of its own so that actix can give back all that it
    /// holds for an HTTP connection.
    fn upgraded(
        &self,
        upgrade: &Upgrade,
        mut request: Request,
        socket: Framed<TcpStream, h1::Codec>,
    ) -> Ready<Result<(), actix_http::Error>> {
        self.metrics.upgrades.inc();
        let http = request.take_conn_data();
        self.lifecycle.spawn_local(upgrade(request, socket));
        // Not before the new task is listed: in between, shutdown would see nobody.
        drop(http);
        ready(Ok(()))
    }
}
