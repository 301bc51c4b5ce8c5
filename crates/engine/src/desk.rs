//! Where an operator's process asks nodes to do something, and hears whether they did.

use crate::{
    control::{Order, Outcome, Task},
    port::{Address, Delivery, Ports, Sink, Unavailable},
};
use bytes::Bytes;
use protocol::NodeId;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};
use uuid::Uuid;

/// Nodes that answer one request at most.
const ANSWERS: usize = 1024;

/// What nodes said to a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// Those who did it, and what came of it.
    pub done: BTreeMap<NodeId, Outcome>,
    /// Those who did not say so in time.
    pub unconfirmed: Vec<NodeId>,
}

impl Confirmation {
    /// Connections that it hit.
    #[must_use]
    pub fn hit(&self) -> u64 {
        self.done.values().map(|outcome| outcome.hit).sum()
    }
}

type Waiting = Mutex<HashMap<Uuid, mpsc::Sender<(NodeId, Outcome)>>>;

/// One process's.
pub struct Desk {
    node: NodeId,
    ports: Ports,
    patience: Duration,
    waiting: Arc<Waiting>,
}

/// Hears answers.
struct Ear(Arc<Waiting>);

impl Sink for Ear {
    fn deliver(&self, delivery: Delivery) {
        let Delivery::Order(bytes) = delivery else { return };
        // Whatever else is ordered is nodes' business.
        let Some(Order::Done { request, node, outcome }) = Order::decode(&bytes) else { return };
        if let Some(waiting) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&request) {
            let _ = waiting.try_send((node, outcome));
        }
    }
}

impl Desk {
    /// Begins to hear answers, under a name that is no node's. `ports` are that name's, and used for nothing else that is
    /// delivered. `patience` is how long a request waits for its answers.
    ///
    /// # Errors
    /// When the backend cannot be reached.
    pub async fn open(node: NodeId, ports: Ports, patience: Duration) -> Result<Self, Unavailable> {
        let waiting = Arc::new(Waiting::default());
        ports.bus.attach(Arc::new(Ear(waiting.clone())));
        ports.bus.listen().await?;
        Ok(Self { node, ports, patience, waiting })
    }

    /// Names a request, for whoever has its order published by something else.
    pub fn request(&self, request: Uuid, task: Task) -> Request {
        let (answer, answers) = mpsc::channel(ANSWERS);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(request, answer);
        let order = Order::Task { request, reply_to: self.node.clone(), task }.encode();
        Request { id: request, order, answers, patience: self.patience, waiting: self.waiting.clone() }
    }

    /// Asks one node, or all that there are, and waits for their answers.
    ///
    /// # Errors
    /// When the backend cannot be reached; whether it was done is not known then.
    pub async fn ask(&self, request: Uuid, to: Address, task: Task) -> Result<Confirmation, Unavailable> {
        let request = self.request(request, task);
        let nodes = match &to {
            Address::Node(node) => vec![node.clone()],
            Address::Everyone => self.ports.directory.nodes().await?.into_iter().map(|record| record.node).collect(),
        };
        self.ports.bus.order(to, request.order()).await?;
        Ok(request.confirmed_by(nodes).await)
    }
}

/// A request that waits for its answers; nobody does any more when it is dropped.
pub struct Request {
    id: Uuid,
    order: Bytes,
    answers: mpsc::Receiver<(NodeId, Outcome)>,
    patience: Duration,
    waiting: Arc<Waiting>,
}

impl Request {
    /// What is to be published.
    #[must_use]
    pub fn order(&self) -> Bytes {
        self.order.clone()
    }

    /// Waits until all of these have answered, or the time is over.
    pub async fn confirmed_by(mut self, nodes: impl IntoIterator<Item = NodeId>) -> Confirmation {
        let mut missing: BTreeSet<NodeId> = nodes.into_iter().collect();
        let (mut done, mut answered) = (BTreeMap::new(), BTreeSet::new());
        let deadline = Instant::now() + self.patience;
        while !missing.is_empty() {
            let Ok(Some((node, outcome))) = tokio::time::timeout_at(deadline, self.answers.recv()).await else { break };
            if !outcome.unfinished {
                missing.remove(&node);
            }
            answered.insert(node.clone());
            done.insert(node, outcome);
            if missing.iter().all(|node| answered.contains(node)) {
                break; // the others will say no more
            }
        }
        Confirmation { done, unconfirmed: missing.into_iter().collect() }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MemoryCluster, Retention,
        clock::{SystemClock, SystemEntropy},
    };

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    /// Answers each task, as a node does, unless it is called silent.
    struct Obedient(NodeId, Ports);

    impl Sink for Obedient {
        fn deliver(&self, delivery: Delivery) {
            let Delivery::Order(bytes) = delivery else { return };
            let Some(Order::Task { request, reply_to, .. }) = Order::decode(&bytes) else { return };
            if self.0.as_str().starts_with("silent") {
                return;
            }
            let done = Order::Done { request, node: self.0.clone(), outcome: Outcome { hit: 2, ..Outcome::default() } };
            let bus = self.1.bus.clone();
            tokio::spawn(async move { bus.order(Address::Node(reply_to), done.encode()).await });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_has_confirmed_and_who_does_not_is_named() {
        let cluster = MemoryCluster::new(Arc::new(SystemClock), Arc::new(SystemEntropy), Retention::default());
        for name in ["a", "b", "silent"] {
            let ports = cluster.node(node(name));
            ports.bus.attach(Arc::new(Obedient(node(name), ports.clone())));
            ports.directory.register(&node(name), Duration::from_secs(3600)).await.unwrap();
        }
        let desk = Desk::open(node("desk"), cluster.node(node("desk")), Duration::from_secs(1)).await.unwrap();
        let one = desk.ask(Uuid::new_v4(), Address::Node(node("a")), Task::Drain).await.unwrap();
        assert_eq!((one.hit(), one.unconfirmed), (2, vec![]));
        let all = desk.ask(Uuid::new_v4(), Address::Everyone, Task::Bans).await.unwrap();
        assert_eq!((all.hit(), all.unconfirmed), (4, vec![node("silent")]));
        assert!(desk.waiting.lock().unwrap().is_empty(), "nobody waits any more");
    }
}
