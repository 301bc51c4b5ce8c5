//! A client that stops reading is disconnected, and delays nobody.

use crate::support::{PATIENCE, TestNode, UPGRADE, frame, node, read_close, read_frame, read_head, within};
use client::{Client, ConnectOptions, Timeline};
use protocol::{ClientId, RoomId, Seq, ServerEvent, command::Resume};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};

/// What the contract gives the node to notice.
const GONE_WITHIN: Duration = Duration::from_secs(20);
/// What somebody else may wait for a message, all but one in a hundred, on a machine that is overloaded with tests: 5 ms
/// are usual, and whoever waited for the slow one would wait for its stall, of a second and more.
const BEARABLE: Duration = Duration::from_millis(750);

/// A member with a small window, that reads its ROOM_JOINED and then nothing more.
async fn stops_reading(node: &TestNode, room: RoomId) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut socket = socket.connect(node.address).await.unwrap();
    socket.write_all(format!("{UPGRADE}\r\n").as_bytes()).await.unwrap();
    within(read_head(&mut socket)).await;
    let join = format!("{{\"type\":\"JOIN_ROOM\",\"roomId\":{room}}}");
    let commands = [frame(0x81, b"{\"type\":\"CONNECT\",\"username\":\"Slow\"}"), frame(0x81, join.as_bytes())];
    socket.write_all(&commands.concat()).await.unwrap();
    for _ in 0..2 {
        within(read_frame(&mut socket)).await.unwrap();
    }
    socket
}

/// Reads all, in order, until the slow one has left and one message more has come.
async fn judge(mut client: Client, sent: Arc<Mutex<Vec<Instant>>>) -> (Vec<Duration>, Option<ClientId>) {
    let mut timeline = Timeline::new();
    let joined = client.join(client_room(&client)).await.unwrap();
    timeline.feed(&joined.into()).unwrap();
    let (mut latencies, mut left) = (Vec::new(), None);
    loop {
        let event = client.next(GONE_WITHIN).await.unwrap();
        timeline.feed(&event).unwrap();
        match event {
            ServerEvent::NewMessage(message) => {
                let n: usize = message.body.as_str().split(' ').next().unwrap().parse().unwrap();
                latencies.push(sent.lock().unwrap()[n].elapsed());
                if left.is_some() {
                    return (latencies, left);
                }
            }
            ServerEvent::UserEvent(event) if !event.left.is_empty() => left = Some(event.left[0]),
            _ => {}
        }
    }
}

fn client_room(client: &Client) -> RoomId {
    client.connected.username.as_str().split(' ').next_back().unwrap().parse().unwrap()
}

/// The whole of it. Gives how long the slow one was a member, and the latency that 99 % of messages kept to another one.
async fn goes(variables: &[(&str, &str)]) -> (Duration, Duration) {
    let node = node(&[variables, &[("RESUME_GRACE", "100ms")]].concat()).await;
    let mut alice = node.client("Alice").await;
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    let mut slow = stops_reading(&node, room).await;
    let stopped = Instant::now();

    let sent = Arc::new(Mutex::new(Vec::new()));
    let bob = node.client(&format!("Bob {room}")).await;
    let judge = tokio::spawn(judge(bob, sent.clone()));
    let filler = "x".repeat(1900);
    let mut pace = tokio::time::interval(Duration::from_millis(2));
    let mut n = 0;
    while !judge.is_finished() {
        pace.tick().await;
        sent.lock().unwrap().push(Instant::now());
        alice.say(&format!("{n} {filler}")).await.unwrap();
        alice.take_kept();
        n += 1;
        assert!(stopped.elapsed() < GONE_WITHIN + PATIENCE, "it is still there");
    }
    let gone = stopped.elapsed();
    let (mut latencies, left) = judge.await.unwrap();
    assert!(left.is_some());
    latencies.sort_unstable();
    assert!(latencies.len() > 100, "{}", latencies.len());
    // It learns why, if it reads on: the close frame follows what was begun, and what waited is dropped.
    assert_eq!(within(read_close(&mut slow)).await.unwrap(), 4008);
    assert_eq!(node.metric("slow_consumers_closed_total").await, 1.0);
    (gone, latencies[latencies.len() * 99 / 100])
}

#[tokio::test]
async fn when_nothing_is_taken_for_too_long() {
    let (gone, p99) = goes(&[("STALL_TIMEOUT", "1s"), ("OUTBOX_BYTES", "1000000000")]).await;
    println!("gone after {gone:?}, p99 of the others {p99:?}");
    assert!(gone < GONE_WITHIN && gone > Duration::from_secs(1), "{gone:?}");
    assert!(p99 < BEARABLE, "{p99:?}");
}

#[tokio::test]
async fn when_too_much_waits() {
    let (gone, p99) = goes(&[("STALL_TIMEOUT", "60s"), ("OUTBOX_BYTES", "300000")]).await;
    println!("gone after {gone:?}, p99 of the others {p99:?}");
    assert!(gone < GONE_WITHIN, "{gone:?}");
    assert!(p99 < BEARABLE, "{p99:?}");
}

/// Far behind, but reading: how far is the queue's affair, and not the stall's.
#[tokio::test]
async fn a_reader_that_is_slow_but_steady_stays() {
    let node = node(&[("STALL_TIMEOUT", "500ms"), ("OUTBOX_BYTES", "1000000000")]).await;
    let mut alice = node.client("Alice").await;
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    let mut slow = stops_reading(&node, room).await;
    // Three megabytes, of which the kernel has some hundred KiB: nearly all the while something waits.
    let reading = tokio::spawn(async move {
        let (started, mut got) = (Instant::now(), 0);
        while got < 1500 {
            let (first, payload) = within(read_frame(&mut slow)).await.unwrap();
            assert_ne!(first, 0x88, "closed after {:?} and {got} messages", started.elapsed());
            got += usize::from(payload.len() > 2000);
            if got % 12 == 0 {
                tokio::time::sleep(Duration::from_millis(16)).await;
            }
        }
        started.elapsed()
    });
    let body = "x".repeat(2000);
    for _ in 0..1500 {
        alice.say(&body).await.unwrap();
        alice.take_kept();
    }
    let took = reading.await.unwrap();
    assert!(took > Duration::from_secs(1), "{took:?}");
}

/// As it is configured by default; it takes its time, and `--ignored` runs it.
#[tokio::test]
async fn as_configured_by_default() {
    let (gone, p99) = goes(&[("OUTBOX_BYTES", "1000000000")]).await;
    println!("gone after {gone:?}, p99 of the others {p99:?}");
    assert!(gone < GONE_WITHIN, "{gone:?}");
    assert!(p99 < BEARABLE, "{p99:?}");
}

/// What a room is shown with may be larger than all that may wait for a client otherwise: who comes back after a long
/// time is not too slow because others go on talking.
#[tokio::test]
async fn a_long_resume_is_not_too_slow() {
    const MISSED: usize = 600;
    let node = node(&[("OUTBOX_BYTES", "16384")]).await;
    let mut alice = node.client("Alice").await;
    let joined = alice.create_room("Tea").await.unwrap();
    let (room, long) = (joined.room.room_id, "x".repeat(1900));
    for _ in 0..MISSED {
        alice.say(&long).await.unwrap();
    }
    let resume = Resume { room_id: room, epoch: joined.epoch, seq: Seq::ZERO };
    let mut bob = node.connect(ConnectOptions::new().username("Bob").resume(resume)).await;
    // 1.2 MB are on their way to him, of which the kernel takes a part; he has read only his CONNECT.
    for _ in 0..5 {
        alice.say("meanwhile").await.unwrap();
    }
    let mut timeline = Timeline::new();
    let mut seen = 0;
    while seen < MISSED + 5 {
        let event = bob.next(PATIENCE).await.unwrap();
        timeline.feed(&event).unwrap();
        match event {
            ServerEvent::RoomJoined(joined) => {
                assert!(joined.recovered);
                seen += joined.messages.len();
            }
            ServerEvent::NewMessage(_) => seen += 1,
            _ => {}
        }
    }
}
