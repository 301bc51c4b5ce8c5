//! A client that never stops sending must not have a worker thread to itself.

use crate::support::{Cluster, UPGRADE, frame};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long anybody else may have to wait. On two cores that four busy threads share; without fairness it is for ever.
const BEARABLE: Duration = Duration::from_secs(1);

/// Sends as fast as a thread can, and begins anew when it is closed. Gives how much went.
fn flood(address: SocketAddr, chunk: &[u8], stop: &AtomicBool) -> usize {
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        // Whatever fails here, fails because the node is ending, or has just closed this one.
        let _ = pour(address, chunk, stop, &mut sent);
    }
    sent
}

fn pour(address: SocketAddr, chunk: &[u8], stop: &AtomicBool, sent: &mut usize) -> io::Result<()> {
    let mut socket = TcpStream::connect(address)?;
    socket.write_all(format!("{UPGRADE}\r\n").as_bytes())?;
    socket.read_exact(&mut [0; 12])?;
    socket.write_all(&frame(0x81, b"{\"type\":\"CONNECT\"}"))?;
    while !stop.load(Ordering::Relaxed) {
        socket.write_all(chunk)?;
        *sent += 1;
    }
    Ok(())
}

async fn is_fair(chunk: Vec<u8>, variables: &[(&str, &str)]) {
    let node = Cluster::new().node("n1", variables).await;
    // One of each on either worker.
    let mut others = [node.client("One").await, node.client("Two").await];
    let stop = Arc::new(AtomicBool::new(false));
    let floods: Vec<_> = (0..2)
        .map(|_| {
            let (address, chunk, stop) = (node.address, chunk.clone(), stop.clone());
            std::thread::spawn(move || flood(address, &chunk, &stop))
        })
        .collect();
    let (started, mut worst) = (Instant::now(), Duration::ZERO);
    while started.elapsed() < Duration::from_millis(1500) {
        for other in &mut others {
            let asked = Instant::now();
            other.ping().await.unwrap();
            worst = worst.max(asked.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.store(true, Ordering::Relaxed);
    drop(node);
    assert!(floods.into_iter().all(|flood| flood.join().unwrap() > 0), "it was no flood");
    assert!(worst < BEARABLE, "somebody waited for {worst:?}");
}

/// Frames that need no answer, and that no limit of the node counts here.
#[tokio::test]
async fn while_somebody_sends_pongs_without_an_end() {
    is_fair(frame(0x8a, b"").repeat(10_000), &[("LIMIT_COMMAND_NODE", "off")]).await;
}

#[tokio::test]
async fn while_somebody_sends_a_message_of_empty_fragments() {
    is_fair([frame(0x01, b""), frame(0x00, b"").repeat(10_000)].concat(), &[]).await;
}

#[tokio::test]
async fn while_somebody_sends_commands_without_an_end() {
    is_fair(frame(0x81, b"{\"type\":\"PING\"}").repeat(1000), &[("LIMIT_COMMAND_NODE", "off")]).await;
}

/// Closed already, but going on: what comes is thrown away for a while, so that the close frame is not lost.
#[tokio::test]
async fn while_somebody_goes_on_after_the_close() {
    is_fair(vec![0xff; 1 << 20], &[]).await;
}

/// A message may come in as many frames as it has bytes; a message that never ends, of nothing, is too big as well.
#[tokio::test]
async fn a_message_in_single_bytes_is_read_and_one_of_nothings_is_not() {
    let node = crate::support::node(&[]).await;
    let mut guest = node.guest().await;
    let ping = b"{\"type\":\"PING\"}";
    let mut frames = frame(0x01, &ping[..1]);
    ping[1..].iter().for_each(|byte| frames.extend(frame(0x00, &[*byte])));
    frames.extend(frame(0x80, b""));
    guest.0.bytes(&frames).await.unwrap();
    assert_eq!(guest.next().await["type"], "PONG");
    guest.0.bytes(&[frame(0x01, b""), frame(0x00, b"").repeat(17_000)].concat()).await.unwrap();
    assert_eq!(guest.closed().await, 1009);
}
