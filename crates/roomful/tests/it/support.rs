//! A directory as Vite would leave it, and a server of it.

use reqwest::{Client, Method, Response};
use roomful::assets::Assets;
use runtime::{
    http::only_get,
    lifecycle::Lifecycle,
    metrics::Metrics,
    server::{HttpServer, bind},
};
use std::{fs, net::SocketAddr, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

pub const PATIENCE: Duration = Duration::from_secs(10);
pub const INDEX: &str = "<!doctype html><title>Roomful</title>";
pub const SCRIPT: &str = "/assets/chat-DhdSee0Q.js";

/// The front end's own directory, sources and all, with the built one in it.
pub fn frontend() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in [
        ("package.json", "{}"),
        ("src/main.ts", "secret()"),
        ("dist/index.html", INDEX),
        ("dist/favicon.svg", "<svg/>"),
        ("dist/manifest.webmanifest", "{}"),
        ("dist/sw.js", "worker"),
        ("dist/icons/192.png", "png"),
        ("dist/emoji/en.json", "[]"),
        ("dist/.env", "JWT_SECRET=x"),
        ("dist/.git/config", "x"),
        ("dist/assets/chat-DhdSee0Q.js", "plain"),
        ("dist/assets/chat-DhdSee0Q.js.br", "brotli"),
        ("dist/assets/chat-DhdSee0Q.js.gz", "gzip"),
        ("dist/assets/chat-DhdSee0Q.js.map", "the sources"),
        ("dist/assets/chat-Dt0zBjWo.css", "css"),
        ("dist/assets/chat-Dt0zBjWo.css.gz", "gzip"),
        ("dist/assets/logo.png", "png"),
        ("dist/orphan.js.br", "nobody's"),
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    root
}

/// A server of it, with another service's routes on both sides.
pub struct Running {
    pub address: SocketAddr,
    pub root: TempDir,
    lifecycle: Lifecycle,
}

pub fn start() -> Running {
    let root = frontend();
    let assets = Assets::load(&root.path().join("dist")).unwrap();
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let server = HttpServer::new("test", listener, Metrics::new("test", "0").unwrap())
        .workers(1)
        .routes(Arc::new(|cfg| {
            cfg.service(only_get("/api/before", || async { "before" }));
        }))
        .routes(assets.routes())
        .routes(Arc::new(|cfg| {
            cfg.service(only_get("/api/after", || async { "after" }));
        }));
    let lifecycle = Lifecycle::new();
    let ends_with = lifecycle.clone();
    tokio::spawn(async move { server.run(&ends_with, ends_with.soft.clone()).await });
    Running { address, root, lifecycle }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lifecycle.hard.cancel();
    }
}

impl Running {
    pub async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path, &[]).await
    }

    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Client::new().request(method, format!("http://{}{path}", self.address)).timeout(PATIENCE);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// The answer to a target that a client library would tidy up.
    pub async fn raw(&self, target: &str) -> String {
        let exchange = async {
            let mut socket = TcpStream::connect(self.address).await.unwrap();
            let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer).await.unwrap();
            String::from_utf8(answer).unwrap()
        };
        timeout(PATIENCE, exchange).await.expect("no answer")
    }
}
