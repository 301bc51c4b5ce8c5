//! What operators ask of a cluster: every node does it, and says so.

use crate::harness::{Client, Node, Options, World, run, settle};
use bytes::Bytes;
use engine::{
    Desk, Peer,
    control::{Order, Task},
    desk::Confirmation,
    port::{Address, Document, Table},
};
use protocol::{
    ClientId, CloseCode, NodeId,
    admin::Ban,
    event::{LeaveReason, NoticeLevel},
};
use std::{net::IpAddr, rc::Rc, time::Duration};
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

async fn desk(world: &World) -> Desk {
    let name: NodeId = "desk".parse().unwrap();
    Desk::open(name.clone(), world.cluster.node(name), SECOND).await.unwrap()
}

async fn ask(world: &World, task: Task) -> Confirmation {
    desk(world).await.ask(Uuid::new_v4(), Address::Everyone, task).await.unwrap()
}

fn node(n: usize) -> NodeId {
    format!("node-{n}").parse().unwrap()
}

async fn ban(world: &World, client: Option<ClientId>, ip: Option<&str>) {
    let ban = Ban {
        ban_id: "1".into(),
        client_id: client,
        ip: ip.map(str::to_owned),
        reason: "spam".into(),
        created_at: world.nodes[0].engine.now(),
        created_by: "admin".into(),
        expires_at: None,
    };
    let body = Bytes::from(serde_json::to_vec(&ban).unwrap());
    let records = world.cluster.node("desk".parse().unwrap()).records;
    records.put(Table::Bans, Document { id: "1".into(), body }, None).await.unwrap();
}

async fn from(node: &Rc<Node>, address: &str, is_proxy: bool) -> Client {
    let peer = Peer { address: Some(address.parse::<IpAddr>().unwrap()), is_proxy };
    let client = Client::connect_from(node, None, peer).await.unwrap();
    client.takes_leave();
    client
}

/// One a node, in one room.
async fn room(world: &World) -> (Vec<Client>, protocol::RoomId) {
    let mut people = Vec::new();
    for n in 0..world.nodes.len() {
        let person = world.guest(n).await;
        person.takes_leave();
        people.push(person);
    }
    let room = people[0].create().await.unwrap();
    for person in &people[1..] {
        person.join(room).await.unwrap();
    }
    settle().await;
    (people, room)
}

#[test]
fn whoever_is_removed_is_closed_and_leaves_at_once() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = room(&world).await;
        let desk = desk(&world).await;
        let victim = people[1].id;
        let request = desk.request(Uuid::new_v4(), Task::Remove { client: victim, code: CloseCode::Removed.get() });
        let census = world.cluster.node("desk".parse().unwrap()).census;
        let expelled = census.expel(victim, request.order()).await.unwrap().unwrap();
        assert_eq!((expelled.node.clone(), expelled.rooms), (Some(node(1)), vec![room]));
        let confirmed = request.confirmed_by(expelled.node).await;
        assert_eq!((confirmed.hit(), confirmed.unconfirmed), (1, vec![]));
        assert_eq!(people[1].model().closed, Some(4011), "the answer comes after the close");
        settle().await;
        for person in [&people[0], &people[2]] {
            assert_eq!(person.room(room).count, 2);
            world.check(person, room).await;
        }
        assert!(census.expel(victim, Bytes::new()).await.unwrap().is_none(), "nobody is there twice");
        let back = people[1].again(&world.nodes[2]).await.unwrap();
        assert_eq!(back.attached_rooms, vec![], "it may come back, but was in no room any more");
    });
}

#[test]
fn a_ban_closes_whom_it_hits_on_every_node_and_keeps_them_out_until_it_is_lifted() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = room(&world).await;
        ban(&world, Some(people[2].id), None).await;
        let confirmed = ask(&world, Task::Bans).await;
        assert_eq!((confirmed.hit(), confirmed.done.len(), confirmed.unconfirmed), (1, 3, vec![]));
        assert_eq!(people[2].model().closed, Some(4010));
        world.pass(2 * SECOND).await;
        assert_eq!(people[0].room(room).count, 2, "there is no grace for it");
        for n in 0..3 {
            assert!(world.nodes[n].engine.is_banned(Some(people[2].id), Peer::default()));
            let back = people[2].again(&world.nodes[n]).await.unwrap();
            settle().await;
            assert_eq!(back.model().closed, Some(4010), "on node {n}");
            back.lose().await;
        }
        let again = ask(&world, Task::Bans).await;
        assert_eq!(again.hit(), 0, "asked again it hits nobody more");
        let records = world.cluster.node("desk".parse().unwrap()).records;
        assert!(records.remove(Table::Bans, "1").await.unwrap());
        ask(&world, Task::Bans).await;
        let back = people[2].again(&world.nodes[0]).await.unwrap();
        back.join(room).await.unwrap();
        settle().await;
        assert_eq!((back.model().closed, back.room(room).count), (None, 3));
    });
}

#[test]
fn a_ban_of_a_network_hits_its_addresses_and_never_a_proxy_s() {
    run(async {
        let world = World::new(Options::default()).await;
        let inside = from(&world.nodes[0], "203.0.113.9", false).await;
        let outside = from(&world.nodes[1], "203.0.114.9", false).await;
        let proxy = from(&world.nodes[2], "203.0.113.1", true).await;
        ban(&world, None, Some("203.0.113.0/24")).await;
        assert_eq!(ask(&world, Task::Bans).await.hit(), 1);
        settle().await;
        let closed: Vec<_> = [&inside, &outside, &proxy].iter().map(|client| client.model().closed).collect();
        assert_eq!(closed, [Some(4010), None, None]);
        // Before it has said who it is.
        let hub = &world.nodes[1].hubs[0];
        let peer = Peer { address: Some("203.0.113.77".parse().unwrap()), is_proxy: false };
        let newcomer = hub.open(crate::harness::Fake::new(), peer);
        assert!(newcomer.closing().is_some());
        hub.forget(&newcomer);
    });
}

/// Who does not read its close holds up neither the answer nor what else there is to say.
#[test]
fn a_connection_that_takes_its_time_is_not_all_that_is_told() {
    run(async {
        let world = World::new(Options::default()).await;
        let quick = from(&world.nodes[0], "203.0.113.9", false).await;
        let peer = Peer { address: Some("203.0.113.10".parse().unwrap()), is_proxy: false };
        let _slow = Client::connect_from(&world.nodes[0], None, peer).await.unwrap();
        ban(&world, None, Some("203.0.113.0/24")).await;
        let confirmed = ask(&world, Task::Bans).await;
        assert_eq!((confirmed.hit(), confirmed.unconfirmed), (2, vec![node(0)]));
        assert_eq!(quick.model().closed, Some(4010));
    });
}

/// Orders can be lost; what is written down is not.
#[test]
fn a_ban_that_a_node_was_not_told_of_holds_there_soon() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, _) = room(&world).await;
        world.nodes[1].rough.deafen(true);
        ban(&world, Some(people[1].id), None).await;
        let confirmed = ask(&world, Task::Bans).await;
        assert_eq!((confirmed.hit(), confirmed.unconfirmed), (0, vec![node(1)]));
        world.pass(6 * SECOND).await;
        assert_eq!(people[1].model().closed, Some(4010));
    });
}

#[test]
fn a_notice_reaches_everybody_and_a_client_is_described() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, _) = room(&world).await;
        let task = Task::Notice { text: "tea at four".into(), level: NoticeLevel::Info };
        assert_eq!(ask(&world, task).await.hit(), 3);
        settle().await;
        assert!(people.iter().all(|person| person.model().notices == ["tea at four"]));

        people[1].connection.posted();
        people[1].connection.posted();
        world.pass(3 * SECOND).await;
        let confirmed = ask(&world, Task::Describe { client: people[1].id }).await;
        let known: Vec<_> = confirmed.done.values().filter_map(|outcome| outcome.client).collect();
        let [described] = known[..] else { panic!("one node knows it: {known:?}") };
        let silent = world.nodes[0].engine.now().0 - described.last_seen_at.0;
        assert_eq!((described.messages_sent, silent / 1000), (2, 3));
    });
}

#[test]
fn a_room_that_is_deleted_is_left_by_all_on_every_node() {
    run(async {
        let world = World::new(Options::default()).await;
        let (people, room) = room(&world).await;
        let ports = world.cluster.node("desk".parse().unwrap());
        assert_eq!(ports.census.participants(room, 10).await.unwrap().count, 3);
        assert_eq!(ports.directory.end_room(room).await, Ok(3));
        settle().await;
        for person in &people {
            assert_eq!(person.model().left, [(room, LeaveReason::RoomDeleted)]);
        }
        assert!(ports.directory.end_room(room).await.is_err());
    });
}

#[test]
fn a_node_is_asked_to_drain() {
    run(async {
        let world = World::new(Options::default()).await;
        let desk = desk(&world).await;
        let confirmed = desk.ask(Uuid::new_v4(), Address::Node(node(1)), Task::Drain).await.unwrap();
        assert_eq!(confirmed.unconfirmed, vec![]);
        world.nodes[1].engine.drain_asked().await;
    });
}

#[test]
fn every_node_measures_the_way_to_every_other_and_sees_when_it_is_lost() {
    run(async {
        let world = World::new(Options::default()).await;
        world.pass(SECOND).await;
        let lost = |n: usize| {
            let ways = world.nodes[n].engine.canary().ways(tokio::time::Instant::now());
            ways.into_iter().filter(|way| way.lost).map(|way| way.node).collect::<Vec<_>>()
        };
        // The first round may begin before all are there.
        world.pass(10 * SECOND).await;
        for n in 0..3 {
            let ways = world.nodes[n].engine.canary().ways(tokio::time::Instant::now());
            assert_eq!(ways.iter().filter(|way| way.delivery.is_some() && !way.lost).count(), 3, "{ways:?}");
        }
        world.nodes[2].rough.deafen(true);
        world.pass(30 * SECOND).await;
        assert_eq!((lost(0), lost(1)), (vec![node(2)], vec![node(2)]));
        assert_eq!(lost(2).len(), 3, "it hears nobody, itself included");
        world.nodes[2].rough.deafen(false);
        world.pass(11 * SECOND).await;
        assert_eq!([lost(0), lost(1), lost(2)].concat(), Vec::<NodeId>::new());

        let farewell = Order::Farewell { node: node(2) };
        let bus = world.cluster.node("desk".parse().unwrap()).bus;
        bus.order(Address::Node(node(0)), farewell.encode()).await.unwrap();
        settle().await;
        assert_eq!(world.nodes[0].engine.canary().ways(tokio::time::Instant::now()).len(), 2);
    });
}
