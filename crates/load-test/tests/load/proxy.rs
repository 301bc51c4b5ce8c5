//! A network that breaks one delivery in a thousand.

use load_test::load::frame::{self, Scan};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// What happens to one delivery in a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    Drop,
    Double,
    /// It comes after the next one.
    Swap,
}

/// How many were seen, and harmed.
#[derive(Debug, Default)]
pub struct Tally {
    deliveries: AtomicU64,
    pub harmed: AtomicU64,
}

/// Stands before `server`, and harms.
pub async fn start(server: SocketAddr, harm: Harm) -> (SocketAddr, Arc<Tally>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tally = Arc::new(Tally::default());
    let counts = tally.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(server).await.unwrap();
            client.set_nodelay(true).unwrap();
            let (mut from_client, to_client) = client.into_split();
            let (from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(down(from_server, to_client, harm, counts.clone()));
        }
    });
    (address, tally)
}

async fn down(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, harm: Harm, tally: Arc<Tally>) {
    let (mut bytes, mut upgraded, mut held) = (Vec::new(), false, Vec::new());
    while server.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
        let (mut out, mut taken) = (Vec::new(), 0);
        if !upgraded {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            upgraded = true;
            taken = end + 4;
            out.extend_from_slice(&bytes[..taken]);
        }
        while let Scan::Frame(_, payload, length) = frame::scan(&bytes[taken..]) {
            let whole = &bytes[taken..taken + length];
            taken += length;
            if !payload.windows(13).any(|window| window == b"\"NEW_MESSAGE\"") {
                out.extend_from_slice(whole);
                continue;
            }
            let unlucky = tally.deliveries.fetch_add(1, Ordering::Relaxed) % 1000 == 500 && held.is_empty();
            tally.harmed.fetch_add(u64::from(unlucky), Ordering::Relaxed);
            match harm {
                Harm::Drop if unlucky => {}
                Harm::Double if unlucky => out.extend([whole, whole].concat()),
                Harm::Swap if unlucky => held = whole.to_vec(),
                _ => {
                    out.extend_from_slice(whole);
                    out.append(&mut held);
                }
            }
        }
        bytes.drain(..taken);
        if client.write_all(&out).await.is_err() {
            return;
        }
    }
}
