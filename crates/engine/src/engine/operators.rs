//! What other processes ask of this node: operators' tasks, and whether it hears them.

use super::Engine;
use crate::{
    bans::BanList,
    canary,
    connection::Peer,
    control::{Order, Outcome, Task},
    frame,
    hub::{Errand, Receipt},
    port::{Address, Document, Table, Unavailable},
};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use protocol::{
    ClientId, CloseCode, ServerEvent, Timestamp,
    event::{Notice, NoticeLevel},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, atomic::Ordering},
};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, timeout},
};

/// Orders that are carried out at once; the others wait.
const AT_ONCE: usize = 64;
/// How long connections get to take their leave before the operator is told how far it is: less than operators wait.
const TAKES_LEAVE: Duration = Duration::from_millis(700);
/// How often somebody who is to be removed is looked for …
const LOOKS: usize = 3;
/// … and how long after each other.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How often the bans are read, for the case that an order was missed.
const BANS_READ: Duration = Duration::from_secs(5);
/// Bans in one reading …
const BANS_PAGE: usize = 500;
/// … and in all.
const BANS_MAX: usize = 20_000;

/// An order, and when it was heard.
pub(crate) type Heard = (Order, Instant);

impl Engine {
    /// Whether a client that has proved who it is, or an address, is to be kept out.
    pub fn is_banned(&self, client: Option<ClientId>, peer: Peer) -> bool {
        peer.is_banned_by(&self.bans(), client.map(|client| (client, Timestamp(0))))
    }

    pub(crate) fn bans(&self) -> Arc<BanList> {
        self.bans.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until an operator wants this node to send its clients elsewhere.
    pub async fn drain_asked(&self) {
        self.drain_asked.notified().await;
    }

    /// What is known of the ways to other nodes.
    pub fn canary(&self) -> &canary::Canary {
        &self.canary
    }

    pub(super) async fn keep_orders(&self) {
        let Some(mut orders) = self.orders.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(heard) = orders.recv(), if running.len() < AT_ONCE => running.push(self.obey(heard)),
                Some(()) = running.next() => {}
                else => return,
            }
        }
    }

    pub(super) async fn keep_bans(&self) {
        loop {
            let _ = timeout(BANS_READ, self.router.bans_doubtful.notified()).await;
            if let Err(e) = self.read_bans(false).await {
                tracing::warn!(error = %e, "could not read the bans; trying again");
            }
        }
    }

    pub(super) async fn keep_canary(&self) {
        let mut rounds = super::life::every(canary::ROUND);
        loop {
            let asked = async {
                let nodes = self.nodes().await?;
                let nodes: BTreeSet<_> = nodes.into_iter().map(|record| record.node).collect();
                let number = self.canary.ask(nodes, Instant::now());
                let order = Order::Canary { from: self.node.clone(), number };
                self.bounded(self.ports.bus.order(Address::Everyone, order.encode())).await
            };
            if let Err(e) = asked.await {
                tracing::debug!(error = %e, "could not ask the other nodes");
            }
            rounds.tick().await;
        }
    }

    /// Nobody need look for this node any more.
    pub(super) async fn say_farewell(&self) {
        let order = Order::Farewell { node: self.node.clone() };
        let _ = self.bounded(self.ports.bus.order(Address::Everyone, order.encode())).await;
    }

    async fn obey(&self, (order, at): Heard) {
        let (to, answer) = match order {
            Order::Task { request, reply_to, task } => {
                let Ok(outcome) = self.carry_out(task).await else { return };
                (reply_to, Order::Done { request, node: self.node.clone(), outcome })
            }
            Order::Canary { from, number } => (from, Order::Echo { node: self.node.clone(), number }),
            Order::Echo { node, number } => return self.canary.hear(&node, number, at),
            Order::Farewell { node } => return self.canary.forget(&node),
            Order::Close { .. } | Order::Done { .. } => return,
        };
        if let Err(e) = self.bounded(self.ports.bus.order(Address::Node(to), answer.encode())).await {
            tracing::warn!(error = %e, "could not answer an order");
        }
    }

    async fn carry_out(&self, task: Task) -> Result<Outcome, Unavailable> {
        tracing::debug!(task = task.name(), "an operator's task");
        match task {
            Task::Remove { client, code } => {
                let code = CloseCode::from_number(code).unwrap_or(CloseCode::Removed);
                Ok(self.remove(client, code).await)
            }
            Task::Bans => self.read_bans(true).await,
            Task::Notice { text, level } => Ok(self.run_errand(Errand::Notice(notice(text, level))).await),
            Task::Describe { client } => Ok(self.run_errand(Errand::Describe(client)).await),
            Task::Hear => Ok(Outcome::default()),
            Task::Drain => {
                self.drain_asked.notify_one();
                Ok(Outcome::default())
            }
        }
    }

    /// Has every worker do something, and waits until all have, and what they closed is closed.
    async fn run_errand(&self, errand: Errand) -> Outcome {
        let (receipt, findings, mut done) = Receipt::new();
        self.router.run_errand(errand, receipt);
        // What was done in time is said in time, and also that it is not all.
        let unfinished = timeout(TAKES_LEAVE, done.recv()).await.is_err();
        Outcome { hit: findings.hit(), unfinished, client: findings.described() }
    }

    /// The answer to what the client asked, and that made it this client's, may still be on its way: then nobody here is
    /// found, and soon is.
    async fn remove(&self, client: ClientId, code: CloseCode) -> Outcome {
        for _ in 0..LOOKS {
            let outcome = self.run_errand(Errand::Remove(client, code)).await;
            if outcome.hit > 0 {
                return outcome;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Outcome::default()
    }

    /// Reads the bans, and closes whom they hit. Without `always` only when they have changed.
    async fn read_bans(&self, always: bool) -> Result<Outcome, Unavailable> {
        // One at a time, so that what was read first does not come second.
        let mut former = self.bans_read.lock().await;
        let mut documents: Vec<Document> = Vec::new();
        loop {
            let after = documents.last().map(|document| document.id.as_str());
            let page = self.bounded(self.ports.records.list(Table::Bans, after, BANS_PAGE)).await?;
            let more = page.len() == BANS_PAGE;
            documents.extend(page);
            if !more {
                break;
            }
            if documents.len() >= BANS_MAX {
                tracing::error!(bans = documents.len(), "more bans than a node takes: the newest do not count here");
                break;
            }
        }
        if !always && *former == documents {
            return Ok(Outcome::default());
        }
        let bans = Arc::new(BanList::from(&documents));
        self.stats.bans.store(documents.len() as u64, Ordering::Relaxed);
        *former = documents;
        *self.bans.write().unwrap_or_else(PoisonError::into_inner) = bans.clone();
        drop(former);
        Ok(self.run_errand(Errand::Enforce(bans)).await)
    }

    /// The bans that hold when the node begins: nobody is let in before they are known.
    pub(super) async fn first_bans(&self) -> Result<(), Unavailable> {
        self.read_bans(true).await.map(|_| ())
    }
}

fn notice(text: String, level: NoticeLevel) -> bytes::Bytes {
    frame::text(ServerEvent::from(Notice { text, level }).encode().as_bytes())
}

/// A queue for orders. What does not fit is lost, as an order may be on its way.
pub(super) fn orders() -> (mpsc::Sender<Heard>, mpsc::Receiver<Heard>) {
    mpsc::channel(4096)
}
