//! The order of a room, seen by those who come and go while others talk. The judge is the client crate's own.

use crate::support::{Cluster, PATIENCE};
use client::{Client, ConnectOptions, Timeline};
use protocol::{ClientCommand, MessageId, RoomId, ServerEvent, command::SendMessage, event::NewMessage};
use uuid::Uuid;

const MESSAGES: usize = 400;

/// Says everything without waiting for anything, as fast as the socket takes it.
async fn talk(client: &mut Client) {
    for n in 0..MESSAGES {
        let id = MessageId::new(Uuid::new_v4());
        let command = SendMessage { id, room_id: None, reply_to: None, body: format!("{n}").as_str().into() };
        client.send(&ClientCommand::SendMessage(command)).await.unwrap();
    }
}

/// Joins, leaves and comes back in the middle of it all, until the last message is there.
async fn come_and_go(url: String, other: String, room: RoomId, last: u64, restless: usize) -> u64 {
    let mut client = Client::connect(&url, ConnectOptions::new()).await.unwrap();
    let mut timeline = Timeline::new();
    let joined = client.join(room).await.unwrap();
    let mut seen = joined.seq.get();
    feed(&mut timeline, joined.into());
    let mut steps = 0;
    while seen < last {
        let event = client.next(PATIENCE).await.unwrap();
        if let ServerEvent::NewMessage(message) = &event {
            seen = message.seq.get();
            steps += 1;
        }
        feed(&mut timeline, event);
        if steps == 25 {
            steps = 0;
            match restless % 3 {
                // Lost, and back on the other node.
                0 => {
                    client = Client::connect(&other, client.again(timeline.position(room))).await.unwrap();
                    let joined = client.next(PATIENCE).await.unwrap();
                    let ServerEvent::RoomJoined(mut joined) = joined else { panic!("{joined:?}") };
                    assert!(joined.recovered, "{joined:?}");
                    seen = joined.seq.get();
                    // As a resume, which must follow what came before, and not as a fresh look.
                    joined.id = None;
                    feed(&mut timeline, joined.into());
                }
                // Left, and in again.
                1 => {
                    let left = client.leave().await.unwrap();
                    client.take_kept().into_iter().for_each(|event| feed(&mut timeline, event));
                    feed(&mut timeline, left.into());
                    let joined = client.join(room).await.unwrap();
                    seen = joined.seq.get();
                    feed(&mut timeline, joined.into());
                }
                _ => {}
            }
        }
    }
    timeline.messages
}

fn feed(timeline: &mut Timeline, event: ServerEvent) {
    if let Err(fault) = timeline.feed(&event) {
        panic!("{fault}\n{event:?}");
    }
}

#[tokio::test]
async fn nobody_misses_anything_however_they_come_and_go() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", &[]).await, cluster.node("n2", &[]).await);
    let mut talkers = [one.client("One").await, two.client("Two").await];
    let room = talkers[0].create_room("Tea").await.unwrap().room.room_id;
    talkers[1].join(room).await.unwrap();
    let mut restless = tokio::task::JoinSet::new();
    for n in 0..12 {
        let (here, there) = if n % 2 == 0 { (&one, &two) } else { (&two, &one) };
        restless.spawn(come_and_go(here.url.clone(), there.url.clone(), room, 2 * MESSAGES as u64, n));
    }
    let mut talking = tokio::task::JoinSet::new();
    for mut talker in talkers {
        talking.spawn(async move {
            talk(&mut talker).await;
            talker
        });
    }
    let mut talkers = talking.join_all().await;
    for seen in restless.join_all().await {
        assert!(seen > 0);
    }
    // Those who talked heard it all, in the same order.
    let mut orders = Vec::new();
    for talker in &mut talkers {
        let mut order = Vec::new();
        while order.len() < 2 * MESSAGES {
            if let ServerEvent::NewMessage(message) = talker.next(PATIENCE).await.unwrap() {
                order.push((message.seq.get(), message.id));
            }
        }
        assert!(order.iter().map(|o| o.0).eq(1..=2 * MESSAGES as u64));
        orders.push(order);
    }
    assert_eq!(orders[0], orders[1]);
}

/// Whoever joins the room it is in gets another look at it, and goes on from there.
#[tokio::test]
async fn another_look_loses_nothing() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1", &[]).await, cluster.node("n2", &[]).await);
    let (mut alice, mut carol) = (one.client("Alice").await, two.client("Carol").await);
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    let mut timeline = Timeline::new();
    for n in 0..70 {
        feed(&mut timeline, carol.join(room).await.unwrap().into());
        let ack = alice.say(&n.to_string()).await.unwrap();
        let heard = carol.expect::<NewMessage>(|m| Some(m.seq) == ack.seq).await.unwrap();
        feed(&mut timeline, heard.into());
    }
    assert_eq!(timeline.messages, 70);
}

/// The same while others talk, so that messages are on their way that the newest 50 do not show.
#[tokio::test]
async fn another_look_in_the_middle_of_a_talk_loses_nothing() {
    let cluster = Cluster::new();
    let unlimited = [("LIMIT_COMMAND_NODE", "off")];
    let (one, two) = (cluster.node("n1", &unlimited).await, cluster.node("n2", &unlimited).await);
    let mut alice = one.client("Alice").await;
    let room = alice.create_room("Tea").await.unwrap().room.room_id;
    let mut looking = tokio::task::JoinSet::new();
    for client in [one.client("Bob").await, two.client("Carol").await] {
        looking.spawn(look_again_and_again(client, room, MESSAGES as u64));
    }
    talk(&mut alice).await;
    looking.join_all().await;
}

async fn look_again_and_again(mut client: Client, room: RoomId, last: u64) {
    let mut timeline = Timeline::new();
    let mut seen = 0;
    while seen < last {
        let joined = client.join(room).await.unwrap();
        client.take_kept().into_iter().for_each(|event| feed(&mut timeline, event));
        seen = joined.seq.get();
        feed(&mut timeline, joined.into());
    }
}
