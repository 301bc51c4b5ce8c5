//! What a cluster of real processes promises about who is a member, and what a message costs it.

use crate::support::programs::options;
use client::{Client, ConnectOptions};
use cluster::{Cluster, Signal};
use protocol::{
    ClientId, RoomId,
    event::{NewMessage, UserEvent},
};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    task::JoinSet,
};

pub async fn start(nodes: usize, env: &[(&str, &str)]) -> (Cluster, tempfile::TempDir) {
    let (mut options, dir) = options(nodes);
    options.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    (Cluster::start(options, &mut |_| {}).await.unwrap(), dir)
}

/// Through nginx.
pub fn site(cluster: &Cluster) -> String {
    format!("{}/ws", cluster.url().replacen("http", "ws", 1))
}

/// Straight to a node.
pub fn node(cluster: &mut Cluster, index: usize) -> String {
    format!("ws://127.0.0.1:{}/ws", cluster.node(index).port())
}

pub async fn client(url: &str) -> Client {
    // Longer than a lease, for that is what some wait for.
    Client::connect(url, ConnectOptions::new().timeout(Duration::from_secs(25))).await.unwrap()
}

/// How many of a crowd come at once: on a busy machine more would wait for each other until they are told to try again.
const AT_ONCE: usize = 16;

/// So many clients in a room, each on a connection of its own.
async fn crowd(url: &str, room: RoomId, count: usize) -> Vec<Client> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut joining = JoinSet::new();
    for _ in 0..count {
        let (url, turns) = (url.to_owned(), turns.clone());
        joining.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let mut client = client(&url).await;
            client.join(room).await.unwrap();
            client
        });
    }
    joining.join_all().await
}

fn ids(crowd: &[Client]) -> BTreeSet<ClientId> {
    crowd.iter().map(|client| client.connected.client_id).collect()
}

/// Listens until all of these have left, as far as this member is told, and gives the count that it is told last.
async fn told_of_leaving(member: &mut Client, mut expected: BTreeSet<ClientId>) -> u32 {
    loop {
        let event = member.expect::<UserEvent>(|event| !event.left.is_empty()).await.unwrap();
        event.left.iter().for_each(|id| assert!(expected.remove(id), "{id} left twice, or was never there"));
        if expected.is_empty() {
            return event.member_count;
        }
    }
}

/// What Redis answers, as text.
pub async fn ask_redis(port: u16, command: &str) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn calls(port: u16, command: &str) -> u64 {
    let stats = ask_redis(port, "INFO commandstats").await;
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// Fifty who connect, join and drop, without a word, leave nobody behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_drops_leaves_no_ghost() {
    let (cluster, _dir) = start(2, &[("RESUME_GRACE", "1s")]).await;
    let url = site(&cluster);
    let mut host = client(&url).await;
    let room = host.create_room("Ghosts").await.unwrap().room.room_id;
    let crowd = crowd(&url, room, 50).await;
    let expected = ids(&crowd);
    assert_eq!(expected.len(), 50);
    let begin = Instant::now();
    drop(crowd);
    assert_eq!(told_of_leaving(&mut host, expected).await, 1);
    assert!(begin.elapsed() >= Duration::from_secs(1), "the grace was theirs");
    assert_eq!(host.join(room).await.unwrap().members.len(), 1);
    cluster.stop().await;
}

/// A killed node's five hundred members are gone for everybody within 20 s, each with its leave event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_members_of_a_killed_node_leave_in_time() {
    let (mut cluster, _dir) = start(2, &[("LIMIT_CONNECT_CLUSTER", "off")]).await;
    let mut host = client(&node(&mut cluster, 0)).await;
    let room = host.create_room("Killed").await.unwrap().room.room_id;
    let crowd = crowd(&node(&mut cluster, 1), room, 500).await;
    let expected = ids(&crowd);
    assert_eq!((expected.len(), host.join(room).await.unwrap().room.member_count), (500, 501));
    let begin = Instant::now();
    cluster.node(1).signal(Signal::KILL);
    let gone = tokio::time::timeout(Duration::from_secs(20), told_of_leaving(&mut host, expected));
    assert_eq!(gone.await.expect("20 s later some are still members"), 1);
    println!("500 members of a killed node were gone after {:?}", begin.elapsed());
    let shown = host.join(room).await.unwrap();
    assert_eq!((shown.room.member_count, shown.members.len()), (1, 1));
    cluster.stop().await;
}

/// Commands and deliveries of a message, counted by Redis: one script from the node that takes it, one publication, and
/// that only to the nodes with a member.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_one_round_trip_and_reaches_nodes_with_members_only() {
    const COUNT: u64 = 200;
    // Heartbeats are seldom; what is left in the background is of each node a sweep, a report and a probe a second, and now
    // and then the bans and a canary's round.
    let (mut cluster, _dir) = start(3, &[("NODE_LEASE", "1h"), ("LIMIT_MESSAGE_NODE", "off")]).await;
    let redis = cluster.redis().port();
    let mut ada = client(&node(&mut cluster, 0)).await;
    let room = ada.create_room("Cost").await.unwrap().room.room_id;
    let mut bob = client(&node(&mut cluster, 1)).await;
    bob.join(room).await.unwrap();
    let _elsewhere = client(&node(&mut cluster, 2)).await;
    ada.say("so that Redis knows the script").await.unwrap();

    ask_redis(redis, "CONFIG RESETSTAT").await;
    let begin = Instant::now();
    for n in 0..COUNT {
        ada.say(&n.to_string()).await.unwrap();
    }
    let (scripts, entries) = (calls(redis, "evalsha").await, calls(redis, "xadd").await);
    let elapsed = begin.elapsed();
    assert_eq!(entries, COUNT);
    let background = 12 * (elapsed.as_secs() + 2);
    assert!((COUNT..=COUNT + background).contains(&scripts), "{scripts} scripts for {COUNT} messages in {elapsed:?}");
    let published = calls(redis, "publish").await;
    assert!((COUNT..=COUNT + background).contains(&published), "{published} publications in {elapsed:?}");
    let heard = ask_redis(redis, &format!("PUBSUB NUMSUB rf:{{{room}}}:ch")).await;
    assert!(heard.contains("\r\n:2\r\n"), "the third node has no member there: {heard:?}");
    // And whoever is there has them all.
    for n in 0..COUNT {
        bob.expect::<NewMessage>(|message| message.body.as_str() == n.to_string()).await.unwrap();
    }
    cluster.stop().await;
}
