//! Redis is away: everybody is told, nobody is disconnected, and nothing is lost when it is back.

use crate::{
    promises::{client, node, site, start},
    support::{
        eventually,
        http::{self, Response},
    },
};
use client::{Client, ClientError};
use cluster::{Cluster, Signal};
use futures_util::future::join_all;
use protocol::{ErrorCode, MessageId, event::NewMessage};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Until when everybody is to know (docs/protocol.md).
const KNOWN: Duration = Duration::from_secs(5);

async fn get(port: u16, path: &str) -> Response {
    http::get(SocketAddr::from(([127, 0, 0, 1], port)), path, &[]).await
}

/// Waits until every process says that Redis is away, and asserts that this took no longer than it may.
async fn is_known(cluster: &mut Cluster, since: Instant) {
    let (nginx, gateway) = (cluster.nginx().port(), cluster.gateway().port());
    let nodes = [cluster.node(0).port(), cluster.node(1).port()];
    let processes = nodes.into_iter().chain([gateway]).map(|port| async move {
        eventually("it is not ready", async || get(port, "/readyz").await.status == 503).await;
        assert_eq!(get(port, "/livez").await.status, 200, "nothing is wrong with the process");
    });
    let site = async {
        let asked = Instant::now();
        let health = get(nginx, "/api/health").await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        assert_eq!((health.status, &health.json()["status"]), (503, &"degraded".into()));
        assert_eq!(health.json()["checks"]["redis"]["status"], "degraded");
    };
    tokio::join!(join_all(processes), site);
    assert!(since.elapsed() < KNOWN, "{:?}", since.elapsed());
}

/// Says something until it is acknowledged, with the same id each time, and gives how often it was refused.
async fn insist(client: &mut Client, id: MessageId, text: &str) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut refused = 0;
    loop {
        match client.say_with_id(id, text).await {
            Ok(_) => return refused,
            Err(ClientError::Refused(e)) if e.code == ErrorCode::Unavailable => {
                assert!(e.retry_after_ms.is_some_and(|ms| ms > 0), "{e:?}");
                refused += 1;
            }
            Err(e) => panic!("{e}"),
        }
        assert!(Instant::now() < deadline, "refused {refused} times");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Two people on two nodes, before, during and after; what they see is the same, and everything once.
async fn survives(away: impl AsyncFn(&mut Cluster), back: impl AsyncFn(&mut Cluster)) {
    let (mut cluster, _dir) = start(2, &[]).await;
    let mut ada = client(&node(&mut cluster, 0)).await;
    let room = ada.create_room("Outage").await.unwrap().room.room_id;
    let mut bob = client(&node(&mut cluster, 1)).await;
    bob.join(room).await.unwrap();
    ada.say("before").await.unwrap();

    let begin = Instant::now();
    away(&mut cluster).await;
    let id = MessageId::new(Uuid::new_v4());
    let (refused, ()) = tokio::join!(ada.say_with_id(id, "during"), is_known(&mut cluster, begin));
    let refused = refused.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(ref e) if e.code == ErrorCode::Unavailable), "{refused}");
    // Who is connected stays so, and what needs no Redis is served.
    bob.ping().await.unwrap();

    back(&mut cluster).await;
    insist(&mut ada, id, "during").await;
    bob.say("after").await.unwrap();
    for (who, expected) in [(&mut bob, ["before", "during", "after"]), (&mut ada, ["before", "during", "after"])] {
        for (n, body) in expected.into_iter().enumerate() {
            let message = who.expect::<NewMessage>(|_| true).await.unwrap();
            assert_eq!((message.body.as_str(), message.seq.get()), (body, n as u64 + 1));
        }
    }
    let port = cluster.nginx().port();
    eventually("all is well", async || get(port, "/api/health").await.status == 200).await;
    // The rooms are where they were, also for who comes now.
    let mut carol = client(&site(&cluster)).await;
    assert_eq!(carol.join(room).await.unwrap().messages.len(), 3);
    cluster.stop().await;
}

async fn survives_a_restart_after(signal: Signal) {
    let away = async |cluster: &mut Cluster| {
        cluster.redis().signal(signal);
        cluster.redis().wait(KNOWN).await.unwrap();
    };
    let back = async |cluster: &mut Cluster| {
        cluster.redis().start().await.unwrap();
        cluster.redis().ready(KNOWN).await.unwrap();
    };
    survives(away, back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_that_is_started_again() {
    survives_a_restart_after(Signal::KILL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_stopped_and_started_again() {
    survives_a_restart_after(Signal::TERM).await;
}

/// It takes what is sent to it, and does nothing: the hardest to notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_paused() {
    survives(
        async |cluster| cluster.redis().signal(Signal::STOP),
        async |cluster| cluster.redis().signal(Signal::CONT),
    )
    .await;
}
