//! A TCP proxy on the loopback that behaves as badly as a network: it cuts connections, swallows what passes, or is slow.
//!
//! A black hole loses nothing by itself: as with real packets, what was under way comes late, when the hole is gone, if
//! both ends still have the connection. Nothing here grows without a bound: a hole does not read.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    runtime::Handle,
    select,
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// Connections at once; more are refused.
const CONNECTIONS: usize = 10_000;
/// What is under way in one direction of one connection.
const CHUNK: usize = 32 * 1024;
/// How long the upstream may take to accept.
const CONNECT: Duration = Duration::from_secs(5);

/// How the proxy behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weather {
    /// Everything passes.
    #[default]
    Fair,
    /// Nothing passes, and nobody is told.
    Hole,
    /// Everything passes this much later.
    Slow(Duration),
}

#[derive(Debug, Clone, Copy, Default)]
struct Sky {
    weather: Weather,
    /// Connections of an earlier age have been cut.
    age: u64,
}

/// A proxy; it ends with its guard.
#[derive(Debug)]
pub struct Proxy {
    /// Where to connect instead.
    pub address: SocketAddr,
    sky: watch::Sender<Sky>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of the loopback, on this runtime.
    ///
    /// # Errors
    /// When there is no port, or the system refuses.
    pub fn start(runtime: &Handle, to: SocketAddr) -> io::Result<Self> {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (sky, view) = watch::channel(Sky::default());
        let _entered = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let task = runtime.spawn(serve(listener, to, view));
        Ok(Self { address, sky, task })
    }

    /// How it is from now on.
    pub fn set(&self, weather: Weather) {
        self.sky.send_modify(|sky| sky.weather = weather);
    }

    /// Cuts every connection that there is; new ones are as the weather is.
    pub fn cut(&self) {
        self.sky.send_modify(|sky| sky.age += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, to: SocketAddr, sky: watch::Receiver<Sky>) {
    let mut connections = JoinSet::new();
    loop {
        select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) if connections.len() < CONNECTIONS => {
                    connections.spawn(carry(socket, to, sky.clone()));
                }
                Ok(_) => {}
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, until either side ends it or it is cut.
async fn carry(client: TcpStream, to: SocketAddr, mut sky: watch::Receiver<Sky>) {
    let age = sky.borrow_and_update().age;
    let mut cut = sky.clone();
    let carried = async {
        // In a hole not even the connection is made.
        if sky.wait_for(|sky| sky.weather != Weather::Hole).await.is_err() {
            return;
        }
        let Ok(Ok(server)) = timeout(CONNECT, TcpStream::connect(to)).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::join!(pump(from_client, to_server, sky.clone()), pump(from_server, to_client, sky));
    };
    select! {
        () = carried => {}
        // Both sockets are dropped: with something unread in them, that is a reset.
        _ = cut.wait_for(|sky| sky.age != age) => {}
    }
}

/// One direction. Its end is passed on, as is everything, when the weather lets it.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut sky: watch::Receiver<Sky>) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await;
        let now = sky.borrow_and_update().weather;
        if let Weather::Slow(by) = now {
            sleep(by).await;
        }
        if sky.wait_for(|sky| sky.weather != Weather::Hole).await.is_err() {
            return;
        }
        match read {
            Ok(0) | Err(_) => {
                let _ = to.shutdown().await;
                return;
            }
            Ok(read) => {
                if to.write_all(&chunk[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends everything back.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = socket.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        address
    }

    async fn say(socket: &mut TcpStream, byte: u8) -> Option<io::Result<u8>> {
        socket.write_u8(byte).await.ok()?;
        timeout(Duration::from_millis(200), socket.read_u8()).await.ok()
    }

    #[tokio::test]
    async fn fair_weather_passes_everything_on() {
        let proxy = Proxy::start(&Handle::current(), echo().await).unwrap();
        let mut socket = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!(say(&mut socket, 1).await.unwrap().unwrap(), 1);
        socket.shutdown().await.unwrap();
        assert_eq!(socket.read(&mut [0]).await.unwrap(), 0, "the end is passed on");
    }

    #[tokio::test]
    async fn a_hole_swallows_and_gives_back() {
        let proxy = Proxy::start(&Handle::current(), echo().await).unwrap();
        let mut socket = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!(say(&mut socket, 1).await.unwrap().unwrap(), 1);
        proxy.set(Weather::Hole);
        assert!(say(&mut socket, 2).await.is_none(), "nothing comes, and no end either");
        let mut new = TcpStream::connect(proxy.address).await.unwrap();
        assert!(say(&mut new, 3).await.is_none());
        proxy.set(Weather::Fair);
        assert_eq!(socket.read_u8().await.unwrap(), 2);
        assert_eq!(new.read_u8().await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_cut_ends_what_there_is() {
        let proxy = Proxy::start(&Handle::current(), echo().await).unwrap();
        let mut socket = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!(say(&mut socket, 1).await.unwrap().unwrap(), 1);
        proxy.cut();
        assert!(matches!(socket.read(&mut [0]).await, Ok(0) | Err(_)));
        let mut new = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!(say(&mut new, 3).await.unwrap().unwrap(), 3);
        proxy.set(Weather::Hole);
        proxy.cut();
        assert!(matches!(new.read(&mut [0]).await, Ok(0) | Err(_)), "in a hole, too");
    }

    #[tokio::test]
    async fn slow_is_late_and_whole() {
        let proxy = Proxy::start(&Handle::current(), echo().await).unwrap();
        let mut socket = TcpStream::connect(proxy.address).await.unwrap();
        proxy.set(Weather::Slow(Duration::from_millis(60)));
        let begin = std::time::Instant::now();
        assert_eq!(say(&mut socket, 9).await.unwrap().unwrap(), 9);
        assert!(begin.elapsed() >= Duration::from_millis(120), "both ways");
    }
}
