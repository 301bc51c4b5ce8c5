//! A worker's thread has its connections to Redis on its own runtime, and ends before the others do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod server;

use engine::port::{Delivery, Span};
use server::node::{Node, config, eventually};
use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tokio::sync::oneshot;

/// A worker thread with a runtime of its own, which ends with this.
struct Worker {
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    fn start(node: Arc<Node>) -> Self {
        let (end, ended) = oneshot::channel();
        let (settled, has_settled) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                node.ports.bus.settle();
                settled.send(()).unwrap();
                let _ = ended.await;
            });
        });
        has_settled.recv_timeout(Duration::from_secs(10)).unwrap();
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.end.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Whatever becomes of the thread that hears, what is said is heard, and what could have been missed is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hears_moves_and_nothing_is_missed_unnoticed() {
    let node = Arc::new(Node::new(&config(&server::shared().url())).await);
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    node.ports.bus.subscribe(room).await.unwrap();
    for life in 0..3 {
        node.heard.clear();
        let worker = Worker::start(node.clone());
        eventually("it hears there", async || node.heard.missed() > 0).await;
        node.cluster.check().await.unwrap();
        let seq = node.say(room, person.0, "x").await.unwrap().seq;
        let is_heard =
            || node.heard.all().iter().any(|d| matches!(d, Delivery::Entry { entry, .. } if entry.seq == seq));
        eventually("what is said is heard", async || is_heard()).await;

        node.heard.clear();
        drop(worker);
        eventually("it hears where it began", async || node.heard.missed() > 0).await;
        let seq = node.say(room, person.0, "y").await.unwrap().seq;
        let is_heard =
            || node.heard.all().iter().any(|d| matches!(d, Delivery::Entry { entry, .. } if entry.seq == seq));
        eventually("what is said is heard", async || is_heard()).await;
        assert_eq!(node.ports.bus.read(room, Span::Newest, 99).await.unwrap().newest.get(), 2 * (life + 1));
    }
    node.cluster.check().await.unwrap();
}

/// The thread's own connection is used when it is there, and the common ones when it is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_s_own_connection_is_used_and_can_be_lost() {
    let server = Arc::new(server::Server::start());
    let node = Arc::new(Node::new(&config(&server.url())).await);
    let person = node.client("Ann").await;
    let room = node.room(&person, "room").await;
    let (alone, redis) = (node.clone(), server.clone());
    let said = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clients = || redis.ask("CLIENT LIST").unwrap().matches(" addr=").count();
            let before = clients();
            alone.ports.bus.settle();
            eventually("it has a connection more", async || clients() > before).await;
            for _ in 0..20 {
                alone.say(room, person.0, "x").await.unwrap();
            }
            redis.ask("CLIENT KILL TYPE normal SKIPME yes").unwrap();
            eventually("it goes on", async || alone.say(room, person.0, "y").await.is_ok()).await;
        });
    });
    said.await.unwrap();
    eventually("so do the others", async || node.say(room, person.0, "z").await.is_ok()).await;
}
