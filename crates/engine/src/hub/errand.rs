//! What operators ask of a worker's connections.

use super::Hub;
use crate::{bans::BanList, connection::Connection, control::Described, outbox::Wire};
use bytes::Bytes;
use protocol::{ClientId, CloseCode, Timestamp};
use std::{
    convert::Infallible,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{sync::mpsc, time::Instant};

/// One thing to do, on every worker.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Close the connection that speaks for this client.
    Remove(ClientId, CloseCode),
    /// Close whom these hit.
    Enforce(Arc<BanList>),
    /// Send this frame to everybody who has a name.
    Notice(Bytes),
    /// Say what is known of this client.
    Describe(ClientId),
}

/// What came of it, on all workers together.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    hit: AtomicU64,
    described: Mutex<Option<Described>>,
}

impl Findings {
    pub(crate) fn hit(&self) -> u64 {
        self.hit.load(Ordering::Acquire)
    }

    pub(crate) fn described(&self) -> Option<Described> {
        *self.described.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by whoever is not done yet: a worker until it has looked, a connection until its close is written.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    findings: Arc<Findings>,
    _held: mpsc::Sender<Infallible>,
}

impl Receipt {
    /// One to hand out, and what ends when all that was handed out is dropped.
    pub(crate) fn new() -> (Self, Arc<Findings>, mpsc::Receiver<Infallible>) {
        let (held, all_dropped) = mpsc::channel(1);
        let findings = Arc::new(Findings::default());
        (Self { findings: findings.clone(), _held: held }, findings, all_dropped)
    }
}

impl<W: Wire> Hub<W> {
    pub(super) fn run_errand(&self, errand: &Errand, receipt: &Receipt) {
        match errand {
            Errand::Remove(client, code) => {
                if let Some(connection) = self.speaker(*client) {
                    self.dismiss(&connection, *code, receipt);
                }
            }
            Errand::Enforce(bans) => {
                let all: Vec<_> = self.state.borrow().connections.values().cloned().collect();
                for connection in all.iter().filter(|connection| connection.is_banned_by(bans)) {
                    self.dismiss(connection, CloseCode::Banned, receipt);
                }
            }
            Errand::Notice(frame) => self.for_each(|connection| {
                self.push(connection, frame.clone());
                receipt.findings.hit.fetch_add(1, Ordering::AcqRel);
            }),
            Errand::Describe(client) => {
                let Some(connection) = self.speaker(*client) else { return };
                let silent = Instant::now().saturating_duration_since(connection.heard());
                let silent = u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
                let described = Described {
                    messages_sent: connection.sent.get(),
                    last_seen_at: Timestamp(self.engine.now().0.saturating_sub(silent)),
                };
                *receipt.findings.described.lock().unwrap_or_else(PoisonError::into_inner) = Some(described);
            }
        }
    }

    fn dismiss(&self, connection: &Rc<Connection<W>>, code: CloseCode, receipt: &Receipt) {
        if connection.closing().is_none() {
            receipt.findings.hit.fetch_add(1, Ordering::AcqRel);
        }
        connection.receipts.borrow_mut().push(receipt.clone());
        self.close(connection, code);
    }

    fn speaker(&self, client: ClientId) -> Option<Rc<Connection<W>>> {
        let state = self.state.borrow();
        state.connections.get(state.speakers.get(&client)?).cloned()
    }
}
