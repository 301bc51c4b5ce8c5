//! Who was refused just now, for operators.

use super::Who;
use crate::{
    clock::Clock,
    port::{Document, Records, Table},
};
use protocol::{NodeId, Timestamp, admin::Limited, policy::Policy};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, timeout};

/// How much of the past counts …
const MEMORY: Duration = Duration::from_secs(60);
/// … in so many parts.
const PARTS: usize = 6;
/// Those who are remembered at once; of more than that the newest are not.
const KEPT: usize = 1000;

/// Those who are told of.
pub const TOLD: usize = 50;
/// How often it is told …
const EVERY: Duration = Duration::from_secs(2);
/// … and how long that counts.
const VALID: Duration = Duration::from_secs(6);

/// Somebody who was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// By which limit.
    pub policy: Policy,
    /// Who.
    pub who: Who,
    /// How often within the last minute.
    pub count: u64,
    /// How long ago it was the last time.
    pub ago: Duration,
}

#[derive(Debug)]
struct Entry {
    parts: [u64; PARTS],
    /// Which part the last one fell into.
    part: u64,
    last: Instant,
}

/// Those who were refused within the last minute.
#[derive(Debug)]
pub struct Refusals {
    start: Instant,
    entries: Mutex<HashMap<(Policy, Who), Entry>>,
}

impl Refusals {
    pub(super) fn new(now: Instant) -> Self {
        Self { start: now, entries: Mutex::default() }
    }

    fn part(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs() / (MEMORY.as_secs() / PARTS as u64)
    }

    /// Notes one.
    pub(super) fn note(&self, policy: Policy, who: Who, now: Instant) {
        let part = self.part(now);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= KEPT && !entries.contains_key(&(policy, who)) {
            entries.retain(|_, entry| now.saturating_duration_since(entry.last) < MEMORY);
            if entries.len() >= KEPT {
                return;
            }
        }
        let entry = entries.entry((policy, who)).or_insert(Entry { parts: [0; PARTS], part, last: now });
        entry.move_to(part);
        entry.parts[(part % PARTS as u64) as usize] += 1;
        entry.last = now;
    }

    /// The same as operators are told.
    pub fn limited(&self, limit: usize, now: Timestamp) -> Vec<Limited> {
        let told = |refused: Refused| {
            let (client_id, ip) = match refused.who {
                Who::Client(client) => (Some(client), None),
                Who::Address(ip) => (None, Some(ip)),
            };
            let ago = u64::try_from(refused.ago.as_millis()).unwrap_or(u64::MAX);
            let last_at = Timestamp(now.0.saturating_sub(ago));
            Limited { policy: refused.policy, client_id, ip, refused: refused.count, last_at }
        };
        self.most(limit, Instant::now()).into_iter().map(told).collect()
    }

    /// Tells operators whom this process refuses, until it is dropped. For processes that report nothing else.
    pub async fn keep_telling(&self, process: &NodeId, records: &dyn Records, clock: &dyn Clock) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let limited = self.limited(TOLD, clock.now());
            let Ok(body) = serde_json::to_vec(&limited) else { continue };
            if limited.is_empty() {
                continue; // what was told last ends by itself
            }
            let document = Document { id: process.to_string(), body: body.into() };
            if !matches!(timeout(EVERY, records.put(Table::Limited, document, Some(VALID))).await, Ok(Ok(()))) {
                tracing::debug!("could not tell whom this process refuses");
            }
        }
    }

    /// Those who were refused most first, at most `limit`.
    pub fn most(&self, limit: usize, now: Instant) -> Vec<Refused> {
        let part = self.part(now);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| now.saturating_duration_since(entry.last) < MEMORY);
        let refused = |((policy, who), entry): (&(Policy, Who), &mut Entry)| {
            entry.move_to(part);
            let (count, ago) = (entry.parts.iter().sum(), now.saturating_duration_since(entry.last));
            Refused { policy: *policy, who: *who, count, ago }
        };
        let mut all: Vec<_> = entries.iter_mut().map(refused).collect();
        all.sort_unstable_by_key(|refused| (std::cmp::Reverse(refused.count), refused.ago));
        all.truncate(limit);
        all
    }
}

impl Entry {
    /// Empties the parts that lie between.
    fn move_to(&mut self, part: u64) {
        for passed in self.part + 1..=part.min(self.part + PARTS as u64) {
            self.parts[(passed % PARTS as u64) as usize] = 0;
        }
        self.part = part.max(self.part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ClientId;

    fn who(id: u64) -> Who {
        Who::Client(ClientId::new(id).unwrap())
    }

    #[test]
    fn a_minute_counts_and_no_more() {
        let start = Instant::now();
        let second = |n| start + Duration::from_secs(n);
        let refusals = Refusals::new(start);
        for n in 0..5 {
            refusals.note(Policy::Message, who(10_001), second(n));
        }
        refusals.note(Policy::Typing, who(10_002), second(30));
        let counts = |at| refusals.most(9, second(at)).iter().map(|r| (r.policy, r.count)).collect::<Vec<_>>();
        assert_eq!(counts(31), [(Policy::Message, 5), (Policy::Typing, 1)]);
        refusals.note(Policy::Message, who(10_001), second(59));
        assert_eq!(counts(59), [(Policy::Message, 6), (Policy::Typing, 1)]);
        assert_eq!(counts(61), [(Policy::Message, 1), (Policy::Typing, 1)], "the first five are past");
        assert_eq!(refusals.most(1, second(61))[0].ago, Duration::from_secs(2));
        assert_eq!(counts(119), []);
        refusals.note(Policy::Message, who(10_001), second(1000));
        assert_eq!(counts(1000), [(Policy::Message, 1)]);
    }

    #[test]
    fn it_stays_small() {
        let (start, refusals) = (Instant::now(), Refusals::new(Instant::now()));
        for id in 0..2 * KEPT as u64 {
            refusals.note(Policy::Connect, who(10_000 + id), start);
        }
        assert_eq!(refusals.most(usize::MAX, start).len(), KEPT);
        refusals.note(Policy::Connect, who(99_999), start + MEMORY);
        assert_eq!(refusals.most(usize::MAX, start + MEMORY).len(), 1, "those of the past make room");
    }
}
