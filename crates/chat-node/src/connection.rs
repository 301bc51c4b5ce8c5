//! One task a socket: it reads commands, and waits with the socket while the kernel's buffer is full. What is written
//! is written by the hub's flusher; so nobody ever waits for this client but this task.

use crate::{
    command::{self, Client},
    node::Node,
    reader::{Message, Read, Reader},
};
use bytes::BytesMut;
use engine::{Closing, Connection, Hub, connection::ConnectionId, frame, outbox::Flushed};
use futures_util::FutureExt;
use protocol::CloseCode;
use std::{future::Future, net::IpAddr, panic::AssertUnwindSafe, rc::Rc, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    task::{coop::consume_budget, yield_now},
    time::Instant,
};

/// How long a close frame may take to be written. A client that reads nothing is to be gone within 20 s, and has had
/// `STALL_TIMEOUT` of them already.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long we listen for the peer's own close, throwing away what still comes: a socket that is closed while something
/// unread waits in it is reset, and the close frame is lost with it.
const LINGER: Duration = Duration::from_secs(2);
/// Refused or unreadable frames that a client may send within [`STRIKES_WINDOW`] before they are a flood.
const STRIKES: u32 = 1000;
const STRIKES_WINDOW: Duration = Duration::from_secs(60);

/// Serves one socket to its end.
pub(crate) async fn run(
    node: Arc<Node>,
    hub: Rc<Hub<TcpStream>>,
    connection: Rc<Connection<TcpStream>>,
    rest: BytesMut,
    address: IpAddr,
) {
    if node.draining() {
        // It was let in just before, and came too late to hear that everybody is to go.
        hub.close(&connection, CloseCode::Restart);
    }
    let mut reader = Reader::new(rest, node.config.limits.frame_bytes);
    let mut client = Client::new(node, hub, connection, address);
    // A mistake of ours ends this connection, and in good order: the hub would otherwise keep its socket, and the
    // cluster its member, for as long as the node lives.
    if AssertUnwindSafe(serve(&mut client, &mut reader)).catch_unwind().await.is_err() {
        let connection = ConnectionId(client.connection.id);
        tracing::error!(%connection, client = ?client.connection.client(), "a connection panicked");
        client.hub.close(&client.connection, CloseCode::TryAgainLater);
    }
    drop(reader);

    let why = client.connection.closing().unwrap_or(Closing::Gone);
    let code = if let Closing::Ours(code) = why { Some(code) } else { None };
    client.node.statistics.closed(code);
    let (connection, speaker) = (ConnectionId(client.connection.id), client.connection.client());
    tracing::debug!(%connection, client = ?speaker, code = code.map_or(0, |code| code.get()), "closed");
    client.hub.forget(&client.connection);
    // Whoever wants to know that it is closed does not wait for the cluster to hear of it.
    if client.connection.flush().is_ok_and(|flushed| flushed == Flushed::All) {
        client.connection.took_leave();
    }
    // Boxed, both: their timers would otherwise be part of every connection's memory from the beginning.
    Box::pin(client.detach(why)).await;
    if matches!(why, Closing::Ours(_)) {
        Box::pin(take_leave(&client.connection)).await;
    }
}

/// Reads and obeys until the connection is to end.
async fn serve(client: &mut Client, reader: &mut Reader) {
    let connection = client.connection.clone();
    loop {
        let mut backlogged = client.hub.backlogged(&connection);
        while !backlogged {
            match reader.next() {
                Ok(Some(message)) => {
                    connection.hear(Instant::now());
                    take(client, message).await;
                    // Reading a socket that always has more never waits by itself: without this a client that never
                    // stops sending would have the worker thread to itself.
                    consume_budget().await;
                    backlogged = client.hub.backlogged(&connection);
                }
                Ok(None) => break,
                Err(code) => client.hub.close(&connection, code),
            }
            if connection.closing().is_some() {
                return;
            }
        }
        let read = tokio::select! {
            biased;
            () = connection.wake.notified() => Ok(Read::Nothing),
            writable = connection.wire.writable(), if connection.blocked() => {
                if backlogged {
                    // It is not listened to now, but it has taken something: that is a sign of life, too.
                    connection.hear(Instant::now());
                }
                writable.and_then(|()| connection.flush()).map(|_| Read::Nothing)
            }
            () = yield_now(), if backlogged && !connection.blocked() => Ok(Read::Nothing), // the flusher's turn
            readable = connection.wire.readable(), if !backlogged => readable.and_then(|()| reader.fill(&connection.wire)),
        };
        connection.read(reader.take_count());
        match read {
            Ok(Read::Full) => yield_now().await,
            Ok(Read::Some | Read::Nothing) => {}
            Ok(Read::End) | Err(_) => return,
        }
        if connection.closing().is_some() {
            return;
        }
    }
}

async fn take(client: &mut Client, message: Message) {
    match message {
        Message::Text(text) => {
            let connection = client.connection.clone();
            // Boxed: a command's state lives as long as the command, not as long as the connection.
            let obey = Box::pin(command::obey(client, &text));
            drive(&connection, obey).await;
        }
        Message::Binary => client.reject_binary(),
        Message::Ping(payload) => {
            if client.control() {
                client.hub.push(&client.connection, frame::pong(&payload));
            }
        }
        Message::Pong => {
            client.control();
        }
        Message::Close => client.hub.close(&client.connection, CloseCode::Normal),
    }
}

/// Carries a command out while the socket goes on being written, and gives it up when the connection ends: whatever it
/// did until then belongs to the client's membership, which detaching takes care of. But for `CONNECT`, until it is known
/// who speaks: nobody could detach a client that the cluster has attached and this connection has not heard of.
async fn drive(connection: &Connection<TcpStream>, command: impl Future<Output = ()>) {
    tokio::pin!(command);
    let mut failed = false;
    loop {
        tokio::select! {
            biased;
            // First, so that a command which is to be given up takes no further step.
            () = connection.wake.notified() => {}
            () = &mut command => return,
            writable = connection.wire.writable(), if connection.blocked() && !failed => {
                failed = writable.and_then(|()| connection.flush()).is_err();
            }
        }
        if (failed || connection.closing().is_some()) && connection.client().is_some() {
            return;
        }
    }
}

/// Writes what is left, which ends with the close frame, and waits for the peer to go.
async fn take_leave(connection: &Connection<TcpStream>) {
    let socket = &connection.wire;
    let write = async {
        while connection.flush().is_ok() && !connection.drained() {
            if socket.writable().await.is_err() {
                break;
            }
        }
    };
    if tokio::time::timeout(FAREWELL, write).await.is_err() {
        return;
    }
    connection.took_leave();
    let _ = socket2::SockRef::from(socket).shutdown(std::net::Shutdown::Write);
    let listen = async {
        while socket.readable().await.is_ok() {
            match Reader::discard(socket) {
                Ok(Read::End) | Err(_) => break,
                // The time is not looked at while there is always more.
                Ok(Read::Full) => yield_now().await,
                Ok(Read::Some | Read::Nothing) => {}
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, listen).await;
}

/// Counts what a client did wrong.
#[derive(Default)]
pub(crate) struct Strikes {
    count: u32,
    since: Option<Instant>,
}

impl Strikes {
    /// One more; true when that makes it a flood.
    pub(crate) fn add(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| since + STRIKES_WINDOW <= now) {
            *self = Self { count: 0, since: Some(now) };
        }
        self.count += 1;
        self.count > STRIKES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Peer;

    /// What every connection costs for as long as it lives, besides its socket and its place in the hub.
    #[test]
    fn a_connection_is_small() {
        actix_rt::System::new().block_on(async {
            let node = crate::node::tests::node().await;
            let hub = node.hub(&runtime::lifecycle::Lifecycle::new()).unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let address = IpAddr::from([127, 0, 0, 1]);
            let connection = hub.open(socket, Peer::default());
            let size = size_of_val(&run(node, hub, connection, BytesMut::new(), address));
            println!("{size} bytes");
            assert!(size <= 1024, "{size} bytes");
        });
    }

    /// A client that reads nothing is gone within 20 s, by default.
    #[test]
    fn the_slow_are_gone_in_time() {
        let tick = Duration::from_millis(250);
        assert!(engine::HubConfig::default().stall + tick + FAREWELL <= Duration::from_secs(19));
    }

    #[test]
    fn strikes_become_a_flood_only_within_the_window() {
        let mut strikes = Strikes::default();
        let now = Instant::now();
        assert!(!(0..STRIKES).any(|_| strikes.add(now)));
        assert!(strikes.add(now));
        assert!(!strikes.add(now + STRIKES_WINDOW));
    }
}
