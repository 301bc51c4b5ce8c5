//! Stands between a client and its server, and can let the packets of its connections vanish without closing them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A proxy on a port of its own.
pub struct Proxy {
    pub port: u16,
    /// Connections of an earlier age than this are black holes.
    age: Arc<AtomicU64>,
}

impl Proxy {
    pub async fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let age = Arc::new(AtomicU64::new(0));
        let ages = age.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pump(from_client, to_server, ages.clone()));
                tokio::spawn(pump(from_server, to_client, ages.clone()));
            }
        });
        Self { port, age }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on nothing passes through the connections that there are; new ones work.
    pub fn swallow(&self) {
        self.age.fetch_add(1, Ordering::Relaxed);
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, ages: Arc<AtomicU64>) {
    let born = ages.load(Ordering::Relaxed);
    let mut chunk = [0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        if ages.load(Ordering::Relaxed) == born && to.write_all(&chunk[..read]).await.is_err() {
            break;
        }
    }
    // A black hole does not tell that the other side is gone.
    if ages.load(Ordering::Relaxed) != born {
        std::future::pending::<()>().await;
    }
}
