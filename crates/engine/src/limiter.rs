//! Both layers of the limits (`docs/protocol.md` §5): this node's own token buckets, and behind them the cluster's
//! sliding windows. The cluster is asked only about what the node let pass, and only the node protects when the
//! backend is away.

mod refusals;

pub use refusals::{Refusals, Refused, TOLD};

use crate::port::Throttle;
use governor::{
    Quota as Rate, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use protocol::{
    ClientId,
    event::Budget,
    policy::{Bucket, Policy, Quota, Window},
};
use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Who is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// A client.
    Client(ClientId),
    /// An address; of IPv6, the /64 that one customer has.
    Address(IpAddr),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(id) => write!(f, "c:{id}"),
            Self::Address(ip) => write!(f, "a:{ip}"),
        }
    }
}

/// A refusal: how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl Wait {
    /// In whole milliseconds, at least one.
    #[must_use]
    pub fn millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

type Buckets = RateLimiter<Who, DashMapStateStore<Who>, DefaultClock, StateInformationMiddleware>;

/// What each policy allows.
pub type Quotas = BTreeMap<Policy, (Quota<Bucket>, Quota<Window>)>;

/// Both layers.
pub struct Limiter {
    policies: BTreeMap<Policy, (Option<Buckets>, Option<Window>)>,
    throttle: Arc<dyn Throttle>,
    /// The cluster's answer is worth this long a wait.
    timeout: Duration,
    turns: Semaphore,
    refusals: Refusals,
    /// By policy and layer.
    refused: BTreeMap<Policy, [AtomicU64; 2]>,
}

/// Who refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// A process's own buckets.
    Node,
    /// The windows that all processes share.
    Cluster,
}

impl Layer {
    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Cluster => "cluster",
        }
    }
}

/// Questions to the cluster at once. Thousands who connect in the same second would otherwise be in front of every message.
const ASKING: usize = 64;

impl Limiter {
    /// Both layers, as configured; a policy that `quotas` does not name is not limited.
    #[must_use]
    pub fn new(quotas: &Quotas, throttle: Arc<dyn Throttle>, timeout: Duration) -> Self {
        let policies = quotas
            .iter()
            .map(|(policy, (bucket, window))| (*policy, (bucket.on().and_then(buckets), window.on())))
            .collect();
        let refused = quotas.keys().map(|policy| (*policy, <[AtomicU64; 2]>::default())).collect();
        let refusals = Refusals::new(Instant::now());
        Self { policies, throttle, timeout, turns: Semaphore::new(ASKING), refusals, refused }
    }

    /// Lets one pass, or says how long to wait.
    ///
    /// # Errors
    /// [`Wait`] when the limit is reached.
    pub async fn check(&self, policy: Policy, who: Who) -> Result<(), Wait> {
        self.check_node(policy, who)?;
        let Some((_, Some(window))) = self.policies.get(&policy) else { return Ok(()) };
        let asks = async {
            let _turn = self.turns.acquire().await;
            self.throttle.take(policy, &who.to_string(), *window).await
        };
        match tokio::time::timeout(self.timeout, asks).await {
            Ok(Ok(Some(wait))) => {
                self.note(policy, who, Layer::Cluster);
                Err(Wait(wait))
            }
            Ok(Ok(None)) => Ok(()),
            Ok(Err(_)) | Err(_) => Ok(()), // the node's own bucket let it pass, and is all there is now
        }
    }

    /// The cluster's layer, for whoever asks it together with something else.
    #[must_use]
    pub fn window(&self, policy: Policy) -> Option<Window> {
        self.policies.get(&policy)?.1
    }

    /// The node's layer alone, for what is too small to ask the cluster about, or asks it otherwise. What is left of the
    /// bucket, if there is one; there is one more at the latest when it says.
    ///
    /// # Errors
    /// [`Wait`] when the limit is reached.
    pub fn check_node(&self, policy: Policy, who: Who) -> Result<Option<Budget>, Wait> {
        let Some((Some(buckets), _)) = self.policies.get(&policy) else { return Ok(None) };
        match buckets.check_key(&who) {
            Ok(after) => {
                let interval = after.quota().replenish_interval();
                let one_more_ms = u64::try_from(interval.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
                Ok(Some(Budget { remaining: after.remaining_burst_capacity(), one_more_ms }))
            }
            Err(until) => {
                self.note(policy, who, Layer::Node);
                Err(Wait(until.wait_time_from(buckets.clock().now())))
            }
        }
    }

    /// Notes a refusal of the cluster's layer, for whoever asked it together with something else.
    pub fn note_refused(&self, policy: Policy, who: Who) {
        self.note(policy, who, Layer::Cluster);
    }

    fn note(&self, policy: Policy, who: Who, layer: Layer) {
        self.refusals.note(policy, who, Instant::now());
        if let Some(counts) = self.refused.get(&policy) {
            counts[layer as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often each policy's layers have refused since the start; a layer that a policy does not have is left out.
    pub fn refused(&self) -> impl Iterator<Item = (Policy, Layer, u64)> {
        self.refused.iter().flat_map(|(policy, counts)| {
            let layers = [Layer::Node, Layer::Cluster].into_iter().zip(counts);
            let layers = layers.filter(|(layer, _)| *layer == Layer::Node || policy.has_window());
            layers.map(|(layer, count)| (*policy, layer, count.load(Ordering::Relaxed)))
        })
    }

    /// Who was refused just now.
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Forgets buckets that are full again; call it now and then.
    pub fn sweep(&self) {
        for (buckets, _) in self.policies.values() {
            if let Some(buckets) = buckets {
                buckets.retain_recent();
                buckets.shrink_to_fit();
            }
        }
    }
}

fn buckets(bucket: Bucket) -> Option<Buckets> {
    let rate = Rate::with_period(bucket.interval)?.allow_burst(NonZeroU32::new(bucket.burst)?);
    Some(RateLimiter::dashmap(rate).with_middleware())
}
