//! A Redis behind TLS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine_redis::{ConnectError, RedisCluster, RedisConfig};
use server::{
    node::{Node, config, eventually},
    tls::Authority,
};
use std::{path::PathBuf, time::Duration};

fn trusting(port: u16, authority: Option<&Authority>) -> RedisConfig {
    let url = format!("rediss://127.0.0.1:{port}");
    // A handshake takes its time where other tests are computing.
    RedisConfig { ca_file: authority.map(Authority::file), command_timeout: Duration::from_secs(2), ..config(&url) }
}

async fn refused(config: RedisConfig) -> String {
    match RedisCluster::wait_for(config, Duration::from_secs(60)).await.err() {
        Some(ConnectError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_our_authority_signed_is_good() {
    let authority = Authority::new();
    let (mut server, port) = authority.server("IP:127.0.0.1");
    let node = Node::new(&trusting(port, Some(&authority))).await;
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    node.ports.bus.subscribe(room).await.unwrap();
    node.say(room, person.0, "x").await.unwrap();
    eventually("it is heard", async || !node.heard.all().is_empty()).await;
    server.restart(Duration::ZERO);
    eventually("it is there again", async || node.cluster.check().await.is_ok() && node.heard.missed() > 0).await;
}

#[tokio::test]
async fn a_stranger_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (server, port) = authority.server("IP:127.0.0.1");
    for trust in [Some(&other), None] {
        let why = refused(trusting(port, trust)).await;
        assert!(why.contains("nobody we trust") && why.contains("REDIS_CA_FILE"), "{why}");
    }
    // One side says TLS and the other does not: whoever gets the first word waits for more, or closes.
    let quick = Duration::from_millis(200);
    for url in [format!("redis://127.0.0.1:{port}"), format!("rediss://127.0.0.1:{}", server.port)] {
        let config = RedisConfig { command_timeout: quick, url, ..trusting(port, Some(&authority)) };
        assert!(RedisCluster::connect(config).await.is_err());
    }
}

#[tokio::test]
async fn another_host_s_certificate_is_refused() {
    let authority = Authority::new();
    let (_server, port) = authority.server("DNS:elsewhere.test,IP:127.0.0.2");
    let why = refused(trusting(port, Some(&authority))).await;
    assert!(why.contains("for another host"), "{why}");
}

#[tokio::test]
async fn a_file_without_certificates_is_a_fault_of_the_configuration() {
    for file in ["/nowhere.pem", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
        let config = RedisConfig { ca_file: Some(PathBuf::from(file)), ..config("rediss://127.0.0.1:1") };
        let fault = RedisCluster::connect(config).await.err().unwrap();
        assert!(matches!(&fault, ConnectError::Config(why) if why.contains(file)), "{fault}");
    }
}
