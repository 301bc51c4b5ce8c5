//! Many clients and rooms, a room with many members, many documents: no script holds Redis up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use bytes::Bytes;
use engine::{
    PortError,
    port::{Attachment, Beat, Claim, ClientRecord, Delivery, Document, RoomRules, Table},
};
use protocol::{ClientId, RoomId, Username};
use server::{
    Server,
    node::{MANY, Node, config, eventually},
};
use std::time::{Duration, Instant};

/// A script may keep Redis busy for so long …
const SLOW: Duration = Duration::from_millis(5);
/// … and all scripts of a call.
const LATE: Duration = Duration::from_millis(50);
/// What else Redis does in the background may come into a call; what takes long does so each time.
const TRIES: usize = 5;
const LEASE: Duration = Duration::from_secs(3600);
const CLIENTS: u32 = 50_000;
const ROOMS: u32 = 5_000;
const FIRST: u32 = 10_000;

/// Writes what attaching, making rooms and joining write, at once: clients of one node, each in a room.
const POPULATE: &str = include_str!("populate.lua");

/// Says whether all of these have an end.
const KEPT: &str = "
for id = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  for _, key in ipairs({ 'client:' .. id, 'entered:' .. id, 'members:' .. 10000 + id % 50, 'ids:' .. 10000 + id % 50 }) do
    if redis.call('PTTL', ARGV[1] .. key) < 0 then return { 0 } end
  end
end
return 1";

/// Fills a room up with members that are nobody.
const CROWD: &str = "
local m, room, low, high = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
for id = low, high do
  redis.call('ZADD', m .. 'members:' .. room, 1800000000000000 + id, id)
  redis.call('ZADD', m .. 'ids:' .. room, id, id)
end
for id = low, low + 9989 do redis.call('ZADD', m .. 'participants:' .. room, id, id) end
return 1";

/// Writes what is left of a table whose documents have expired.
const EXPIRED: &str = "
for id = 1, tonumber(ARGV[2]) do
  redis.call('ZADD', ARGV[1] .. 'bans', 0, 'x' .. id)
  redis.call('ZADD', ARGV[1] .. 'ends:bans', id, 'x' .. id)
end
return 1";

/// Redis takes a command in a line.
fn in_a_line(script: &str) -> String {
    script.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ")
}

/// Runs a script of the test's own.
fn run(server: &Server, script: &str, args: &[&dyn std::fmt::Display]) {
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    let answer = server.ask(&format!("EVAL \"{}\" 0 {}", in_a_line(script), args.join(" "))).unwrap();
    assert_eq!(answer, ":1\r\n");
}

/// What Redis' main thread has computed so far. A machine that does something else meanwhile makes a script slow, and adds
/// nothing to this.
fn computed(server: &Server) -> Duration {
    let info = server.ask("INFO cpu").unwrap();
    let seconds = |name: &str| -> f64 {
        info.lines().find_map(|line| line.strip_prefix(name)?.trim_end().parse().ok()).expect("Redis 7 says it")
    };
    Duration::from_secs_f64(seconds("used_cpu_user_main_thread:") + seconds("used_cpu_sys_main_thread:"))
}

/// What calls took, and what they were.
struct Watch<'a> {
    server: &'a Server,
    what: &'static str,
    calls: u32,
    slowest: Duration,
}

impl<'a> Watch<'a> {
    fn new(server: &'a Server, what: &'static str) -> Self {
        let set = format!("CONFIG SET slowlog-log-slower-than {}", SLOW.as_micros());
        for command in [&set, "CONFIG RESETSTAT"] {
            assert_eq!(server.ask(command).unwrap(), "+OK\r\n");
        }
        Self { server, what, calls: 0, slowest: Duration::ZERO }
    }

    /// Does it, and says whether Redis was not held up: no script can have computed for longer than it took, nor than all did.
    async fn once<T>(&mut self, call: impl Future<Output = T>) -> (T, bool) {
        assert_eq!(self.server.ask("SLOWLOG RESET").unwrap(), "+OK\r\n");
        let begin = computed(self.server);
        let result = call.await;
        let took = computed(self.server).saturating_sub(begin);
        let is_good = (self.server.ask("SLOWLOG LEN").unwrap() == ":0\r\n" || took < SLOW) && took < LATE;
        if is_good {
            self.calls += 1;
            self.slowest = self.slowest.max(took);
        }
        (result, is_good)
    }

    /// Does it until nobody was held up.
    async fn quick<T>(&mut self, call: impl AsyncFn() -> T) -> T {
        for _ in 0..TRIES {
            if let (result, true) = self.once(call()).await {
                return result;
            }
        }
        panic!("{} take long each time: {}", self.what, self.server.ask("SLOWLOG GET 1").unwrap());
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let stats = self.server.ask("INFO commandstats").unwrap_or_default();
        let scripts: Vec<_> = stats.lines().filter(|line| line.starts_with("cmdstat_eval")).collect();
        println!("{}: {} calls, the longest {:?} of Redis; {scripts:?}", self.what, self.calls, self.slowest);
    }
}

/// 50,000 clients in 5,000 rooms: every page comes at once, however large it is, and no script is in anybody's way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_clients_are_listed_without_holding_anybody_up() {
    let server = Server::start();
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let m = format!("{}{{m}}:", config.prefix);
    for low in (FIRST..FIRST + CLIENTS).step_by(1_000) {
        run(&server, POPULATE, &[&m, &node.lease.generation, &node.lease.node, &ROOMS, &low, &(low + 999)]);
    }
    let census = &node.ports.census;
    let counts = census.counts().await.unwrap();
    assert_eq!((counts.clients, counts.rooms), (u64::from(CLIENTS), u64::from(ROOMS)));

    let (mut clients, mut watch): (Vec<ClientRecord>, _) = (Vec::new(), Watch::new(&server, "clients, 500 a page"));
    loop {
        let after = clients.last().map(|last| last.client_id);
        let page = watch.quick(async || census.clients(after, 500).await.unwrap()).await;
        let is_last = page.len() < 500;
        clients.extend(page);
        if is_last {
            break;
        }
    }
    assert_eq!(clients.len() as u32, CLIENTS);
    for (id, client) in (FIRST..).zip(&clients) {
        assert_eq!((client.client_id.get(), client.connected_at.0), (id, 1_700_000_000_000 + u64::from(id)));
        assert_eq!(client.username.as_str(), format!("Name {id}"));
        assert_eq!(client.rooms, [room(FIRST + id % ROOMS)]);
        assert_eq!(client.address, Some(format!("192.0.2.{}", id % 250).parse().unwrap()));
        assert_eq!(client.node.as_ref(), Some(&node.lease.node));
    }
    drop(watch);

    let (mut rooms, mut cursor, mut watch) = (0, None::<String>, Watch::new(&server, "rooms, 500 a page"));
    loop {
        let page = watch.quick(async || node.ports.directory.rooms(cursor.as_deref(), 500).await.unwrap()).await;
        rooms += page.rooms.len() as u32;
        assert!(page.rooms.iter().all(|room| room.member_count == CLIENTS / ROOMS));
        let Some(next) = page.cursor else { break };
        cursor = Some(next);
    }
    assert_eq!(rooms, ROOMS);
    drop(watch);

    let mut watch = Watch::new(&server, "counts, a client, its room's participants");
    for n in 0..50 {
        watch.quick(async || census.counts().await.unwrap()).await;
        watch.quick(async || census.client(client(FIRST + n * 97)).await.unwrap().unwrap()).await;
        watch.quick(async || census.participants(room(FIRST + n), 500).await.unwrap()).await;
    }
    drop(watch);

    // All of them hang on one node: its heartbeat goes through a hundredth of them.
    let mut watch = Watch::new(&server, "heartbeats");
    for _ in 0..20 {
        let beat = async || node.ports.directory.heartbeat(&node.lease, LEASE, CLIENTS).await.unwrap();
        assert_eq!(watch.quick(beat).await, Beat::Alive);
    }
    drop(watch);

    // And when all of them lose their node at once, those that are nobody's shorten no page.
    let other = Node::new(&config).await;
    let (last, _) = other.client("Ann").await;
    node.ports.directory.deregister(&node.lease, LEASE).await.unwrap();
    assert_eq!(other.ports.census.counts().await.unwrap().clients, 1);
    let begin = Instant::now();
    let found = other.ports.census.clients(None, 500).await.unwrap();
    println!("past 50,000 that are nobody's: {:?}", begin.elapsed());
    assert_eq!(found.iter().map(|client| client.client_id).collect::<Vec<_>>(), [last]);
}

/// Beats keep all that hangs on a node from expiring: a portion each, and all of it in a hundred, be it few or many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_beats_keep_everybody_from_expiring() {
    for (count, beats) in [(60, 1), (400, 8), (3_000, 100), (12_000, 100)] {
        let server = Server::start();
        let config = config(&server.url());
        let node = Node::new(&config).await;
        let (m, last) = (format!("{}{{m}}:", config.prefix), FIRST + count - 1);
        run(&server, POPULATE, &[&m, &node.lease.generation, &node.lease.node, &50, &FIRST, &last]);
        for _ in 0..beats {
            assert_eq!(node.ports.directory.heartbeat(&node.lease, LEASE, count).await, Ok(Beat::Alive));
        }
        // Nothing of what was written has an end until it is kept from its end.
        run(&server, KEPT, &[&m, &FIRST, &last]);
    }
}

/// A room with 100,000 members ends in no time; those who were in it are in no room from then on, also when its id is
/// another room's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_ends_in_no_time_however_many_are_in_it() {
    const MEMBERS: u32 = 100_000;
    let rules = RoomRules { rooms_per_client: 2, members_per_room: 1_000_000 };
    let server = Server::start();
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let (census, directory) = (&node.ports.census, &node.ports.directory);
    let m = format!("{}{{m}}:", config.prefix);
    let mut tries = 0..TRIES;
    // Of each of these ten somebody looks at its rooms in another way.
    let (ended, people) = loop {
        assert!(tries.next().is_some(), "it takes long each time");
        let owner = node.client("Ann").await;
        let room = node.room(&owner, "room").await;
        let mut people = vec![owner];
        for n in 1..10 {
            let person = node.client(&format!("Member {n}")).await;
            directory.join(person.0, &person.1, room, rules).await.unwrap();
            people.push(person);
        }
        run(&server, CROWD, &[&m, &room, &900_000_000, &(900_000_000 + MEMBERS - 11)]);
        assert_eq!(directory.room(room, 1).await.unwrap().0.member_count, MEMBERS);
        // One more, who goes again, is remembered in place of the oldest.
        let late = node.client("Late").await;
        directory.join(late.0, &late.1, room, rules).await.unwrap();
        directory.leave(late.0, &late.1, room).await.unwrap();
        let participants = census.participants(room, 1).await.unwrap();
        assert_eq!((participants.count, participants.newest[0].client_id), (10_000, late.0));
        node.ports.bus.subscribe(room).await.unwrap();
        let mut watch = Watch::new(&server, "the end of a room of 100,000");
        let (ended, is_good) = watch.once(directory.end_room(room)).await;
        assert_eq!(ended, Ok(MEMBERS));
        if is_good {
            break (room, people);
        }
    };
    eventually("its end is told", async || node.heard.all().contains(&Delivery::RoomEnded { room: ended })).await;
    assert_eq!(directory.room(ended, 1).await, Err(PortError::RoomNotFound));
    for left in ["members", "ids", "participants", "room"] {
        assert_eq!(server.ask(&format!("EXISTS {m}{left}:{ended}")).unwrap(), ":0\r\n", "{left}");
    }
    let rooms = async |(client, attachment): &(ClientId, Attachment)| directory.rooms_of(*client, attachment).await;
    assert_eq!(rooms(&people[0]).await, Ok(vec![]));
    assert_eq!(census.client(people[1].0).await.unwrap().unwrap().rooms, []);
    let elsewhere =
        directory.join(people[2].0, &people[2].1, node.room(&people[3], "other").await, rules).await.unwrap();
    assert_eq!((elsewhere.moved_from, rooms(&people[2]).await), (vec![], Ok(vec![elsewhere.room.room_id])));

    // Another room is given the id.
    let owner = node.client("Zoë").await;
    for command in [
        format!("HSET {m}room:{ended} name again owner {} created 1 life 9000000000000000 index 0-{ended}", owner.0),
        format!("ZADD {m}members:{ended} 9000000000000000 {}", owner.0),
        format!("ZADD {m}entered:{} 9000000000000000 {ended}", owner.0),
    ] {
        assert!(server.ask(&command).unwrap().starts_with(':'));
    }
    node.heard.clear();
    assert_eq!(rooms(&owner).await, Ok(vec![ended]));
    assert_eq!(rooms(&people[4]).await, Ok(vec![]));
    assert_eq!(directory.leave(people[5].0, &people[5].1, ended).await, Err(PortError::NotInRoom));
    directory.rename(people[6].0, &people[6].1, Username::parse(&"else".into(), 16).unwrap()).await.unwrap();
    let expelled = census.expel(people[7].0, "{}".into()).await.unwrap().unwrap();
    assert_eq!(expelled.rooms, []);
    directory.detach(people[8].0, &people[8].1, Duration::from_secs(3600)).await.unwrap();
    assert_eq!(census.client(people[8].0).await, Ok(None), "there is nothing to come back to");
    assert_eq!(directory.sweep().await.unwrap().members, 0);
    let joined = directory.join(people[9].0, &people[9].1, ended, MANY).await.unwrap();
    assert_eq!((joined.already, joined.room.member_count), (false, 2));
    let only_joined = |d: &Delivery| matches!(d, Delivery::Membership { member_count: 2, .. } | Delivery::Order(_));
    eventually("the join is told", async || node.heard.all().len() == 2).await;
    assert!(node.heard.all().iter().all(only_joined), "{:?}", node.heard.all());
    assert_eq!(rooms(&people[9]).await, Ok(vec![ended]));
}

/// Everybody in a room of 10,000 is listed without holding Redis up, by 500 a page, while people come and go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_members_are_listed_without_holding_anybody_up() {
    const MEMBERS: u32 = 10_000;
    let server = Server::start();
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let (m, directory) = (format!("{}{{m}}:", config.prefix), &node.ports.directory);
    for low in (FIRST..FIRST + MEMBERS).step_by(1_000) {
        run(&server, POPULATE, &[&m, &node.lease.generation, &node.lease.node, &1, &low, &(low + 999)]);
    }
    let crowded = room(FIRST);
    let visitor = node.client("Visitor").await;
    let rules = RoomRules { rooms_per_client: 1, members_per_room: 1_000_000 };
    let (mut listed, mut after, mut watch) = (Vec::new(), None, Watch::new(&server, "members, 500 a page"));
    loop {
        let page = watch.quick(async || directory.members(crowded, after, 500).await.unwrap()).await;
        assert!((MEMBERS..=MEMBERS + 1).contains(&page.member_count));
        listed.extend(page.members);
        after = listed.last().map(|last| last.client_id);
        if !page.more {
            break;
        }
        directory.join(visitor.0, &visitor.1, crowded, rules).await.unwrap();
        directory.leave(visitor.0, &visitor.1, crowded).await.unwrap();
    }
    drop(watch);
    listed.retain(|member| member.client_id != visitor.0);
    assert_eq!(listed.len() as u32, MEMBERS);
    for (id, member) in (FIRST..).zip(&listed) {
        assert_eq!((member.client_id, member.username.to_string()), (client(id), format!("Name {id}")));
    }
    // A node of a version that kept no such list let one out and one in.
    let (gone, new) = (FIRST + 5, FIRST + MEMBERS + 5);
    assert_eq!(server.ask(&format!("ZREM {m}members:{crowded} {gone}")).unwrap(), ":1\r\n");
    run(&server, POPULATE, &[&m, &node.lease.generation, &node.lease.node, &1, &new, &new]);
    assert_eq!(server.ask(&format!("ZREM {m}ids:{crowded} {new}")).unwrap(), ":1\r\n");
    let first = directory.members(crowded, None, 10).await.unwrap();
    assert!(first.members.iter().all(|member| member.client_id != client(gone)) && first.members.len() == 10);
    let attachment = Attachment { lease: node.lease.clone(), connection: 1_000_000 };
    let identity = Some((client(new), "0b1c9a3e-0000-4000-8000-000000000000".parse().unwrap()));
    let claim = Claim { identity, fresh_key: uuid::Uuid::nil(), username: None, rename: false, address: None };
    assert_eq!(directory.attach(&attachment, claim).await.unwrap().rooms, [crowded]);
    let last = directory.members(crowded, Some(client(new - 1)), 10).await.unwrap();
    assert_eq!(last.members.iter().map(|member| member.client_id).collect::<Vec<_>>(), [client(new)]);
}

/// Documents and the log, page by page; and what is left of documents that have expired goes, whether it is ever listed
/// or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_listed_and_forgotten_without_holding_anybody_up() {
    let server = Server::start();
    let config = config(&server.url());
    let node = Node::new(&config).await;
    let (records, a) = (&node.ports.records, format!("{}{{a}}:", config.prefix));
    let put = async |id: String, ttl| {
        let body = Bytes::from_static(&[b'x'; 1000]);
        records.put(Table::Bans, Document { id, body }, ttl).await.unwrap();
    };
    let indexed = |name: &str| server.ask(&format!("ZCARD {a}{name}")).unwrap();
    run(&server, EXPIRED, &[&a, &60]);
    for n in 0..3 {
        put(n.to_string(), Some(LEASE)).await;
    }
    assert_eq!((indexed("bans"), indexed("ends:bans")), (":3\r\n".to_owned(), ":3\r\n".to_owned()));
    put("0".to_owned(), None).await;
    assert_eq!((indexed("bans"), indexed("ends:bans")), (":3\r\n".to_owned(), ":2\r\n".to_owned()));

    for n in 0..500 {
        put(n.to_string(), None).await;
        records.append(Bytes::from_static(&[b'x'; 1000]), 100_000, None).await.unwrap();
    }
    let mut watch = Watch::new(&server, "500 documents of 1 KB");
    for _ in 0..5 {
        assert_eq!(watch.quick(async || records.list(Table::Bans, None, 500).await.unwrap()).await.len(), 500);
    }
    drop(watch);
    let mut watch = Watch::new(&server, "500 entries of 1 KB");
    for _ in 0..5 {
        assert_eq!(watch.quick(async || records.log(None, 500).await.unwrap()).await.len(), 500);
    }
    drop(watch);
    run(&server, EXPIRED, &[&a, &10_000]);
    let begin = Instant::now();
    assert_eq!(records.list(Table::Bans, Some("x"), 500).await, Ok(vec![]));
    println!("past 10,000 that have expired: {:?}", begin.elapsed());
    assert_eq!(indexed("bans"), ":500\r\n");
}

fn client(id: u32) -> ClientId {
    ClientId::new(u64::from(id)).unwrap()
}

fn room(id: u32) -> RoomId {
    RoomId::new(u64::from(id)).unwrap()
}
