//! Replicas behind one name, as in a network of containers: found without a reload.

use crate::support::{
    PATIENCE, eventually,
    http::get,
    site::Nginx,
    upstream::{Manner, Upstream},
};
use cluster::{Port, nginx};
use futures_util::StreamExt;
use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};
use tokio::{net::UdpSocket, task::JoinHandle, time::timeout};
use tokio_tungstenite::connect_async;

/// A name server that knows one name, and how many addresses it has now. It knows no other, not even that there is
/// none.
struct Names {
    address: SocketAddr,
    replicas: Arc<Mutex<Vec<Ipv4Addr>>>,
    task: JoinHandle<()>,
}

impl Drop for Names {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Names {
    async fn serve(name: &'static str, replicas: &[Ipv4Addr]) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let replicas = Arc::new(Mutex::new(replicas.to_vec()));
        let known = replicas.clone();
        let task = tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, asker)) = socket.recv_from(&mut query).await {
                let addresses = known.lock().unwrap().clone();
                let _ = socket.send_to(&answer(&query[..length], name, &addresses), asker).await;
            }
        });
        Self { address, replicas, task }
    }
}

/// RFC 1035 §4.1, as far as it goes.
fn answer(query: &[u8], name: &str, addresses: &[Ipv4Addr]) -> Vec<u8> {
    let question = &query[12..];
    let label: Vec<u8> = [&[u8::try_from(name.len()).unwrap()], name.as_bytes(), &[0]].concat();
    let known = question.starts_with(&label);
    let count = if known { u16::try_from(addresses.len()).unwrap() } else { 0 };
    // Recursion was asked for and is available; name error for what is not known.
    let mut answer = [&query[..2], &[0x81, if known { 0x80 } else { 0x83 }], &[0, 1]].concat();
    answer.extend(count.to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(question);
    for address in addresses.iter().filter(|_| known) {
        // The name of the question, A, IN, an hour: what `valid` overrides.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4]);
        answer.extend(address.octets());
    }
    answer
}

/// Who answers a new socket, if anybody does.
async fn who(address: SocketAddr) -> Option<String> {
    let connecting = timeout(PATIENCE, connect_async(format!("ws://{address}/ws")));
    let (mut socket, _) = connecting.await.expect("no handshake in time").ok()?;
    let heard = timeout(PATIENCE, socket.next()).await.expect("silence")?.ok()?;
    Some(heard.into_text().unwrap().to_string())
}

/// Waits until many sockets in a row all reach one of these, and each of these is reached. Each worker of nginx asks
/// the name server for itself, so one may know what another does not yet.
async fn everybody_reaches(nginx: &Nginx, nodes: &[&str]) {
    eventually(&format!("everybody reaches {nodes:?}"), async || {
        let mut reached = HashSet::new();
        for _ in 0..20 {
            match who(nginx.address()).await {
                Some(node) if nodes.contains(&node.as_str()) => reached.insert(node),
                _ => return false,
            };
        }
        reached.len() == nodes.len()
    })
    .await;
}

#[tokio::test]
async fn replicas_come_and_go() {
    // All of loopback is ours, so replicas can have one port and different addresses.
    let (one, two) = (Ipv4Addr::new(127, 83, 0, 1), Ipv4Addr::new(127, 83, 0, 2));
    let port = Port::any().unwrap();
    let at = |address: Ipv4Addr| SocketAddr::from((address, port.number()));
    let first = Upstream::at(at(one), Manner::WebSocket("first")).await;
    let names = Names::serve("chat-node", &[one]).await;
    let nginx = Nginx::start(|site| {
        site.resolver = Some(names.address);
        site.chat_nodes = nginx::Upstream::Name(format!("chat-node:{}", port.number()));
        site.gateway = nginx::Upstream::Name("gateway:8080".into());
        site.admin_api = Some(nginx::Upstream::Name("admin-api:8080".into()));
    })
    .await;
    assert_eq!(who(nginx.address()).await.as_deref(), Some("first"));

    // One more, which the name server tells of; and nobody tells nginx.
    let _second = Upstream::at(at(two), Manner::WebSocket("second")).await;
    names.replicas.lock().unwrap().push(two);
    everybody_reaches(&nginx, &["first", "second"]).await;

    // One less, whose name is still there: whoever draws it is sent on.
    drop(first);
    eventually("it is gone", async || tokio::net::TcpStream::connect(at(one)).await.is_err()).await;
    everybody_reaches(&nginx, &["second"]).await;

    // Services without any replica are unavailable, each for itself.
    for path in ["/api/health", "/admin/servers"] {
        get(nginx.address(), path, &[]).await.assert_problem(503);
    }
    assert_eq!(get(nginx.address(), "/", &[]).await.status, 200);
}
