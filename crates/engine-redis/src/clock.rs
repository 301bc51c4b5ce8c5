//! What time it is at Redis, so that a command can say until when it makes sense.
//!
//! A command that timed out may still lie in a socket's buffer, and take effect when Redis gets to it: after an outage,
//! and in no order with what others have asked for since. With a deadline by Redis's own clock it does not.

use crate::{commands::Commands, keys::Keys, routes::Routes, script::CLOCK};
use protocol::Timestamp;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// An answer that took longer says too little. (Each node asks every second, so there will be another one.)
const PROMPT: Duration = Duration::from_millis(250);
/// Nothing was learned yet.
const UNKNOWN: i64 = i64::MIN;

/// Redis's clock, as this process's own clock sees it.
#[derive(Debug)]
pub struct RemoteClock {
    origin: Instant,
    /// Redis's time when ours was `origin`, in ms.
    offset: AtomicI64,
}

impl RemoteClock {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self { origin: Instant::now(), offset: AtomicI64::new(UNKNOWN) }
    }

    /// A question of that moment was answered with this time. It is taken for the time of the asking: too late rather
    /// than too early, for a deadline in the past would refuse what is wanted.
    pub fn learn(&self, asked: Instant, time: Timestamp) {
        let is_prompt = asked.elapsed() < PROMPT;
        if is_prompt || self.offset.load(Ordering::Relaxed) == UNKNOWN {
            self.offset.store(signed(time.0) - self.since_origin(asked), Ordering::Relaxed);
        }
    }

    /// Redis's time so much after one of our moments, in ms; 0 while it is not known.
    pub fn after(&self, moment: Instant, wait: Duration) -> u64 {
        match self.offset.load(Ordering::Relaxed) {
            UNKNOWN => 0,
            offset => u64::try_from(offset + self.since_origin(moment + wait)).unwrap_or(0),
        }
    }

    fn since_origin(&self, moment: Instant) -> i64 {
        i64::try_from(moment.saturating_duration_since(self.origin).as_millis()).unwrap_or(i64::MAX / 2)
    }
}

fn signed(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX / 2)
}

/// Answers that are compared: the promptest of them says most.
const COMPARED: usize = 16;

/// When it was here what it was at Redis, for measuring how long something took from there: as exact as can be had, and
/// perhaps too early as well as too late. In a Redis Cluster it is the clock of the server that has membership.
#[derive(Debug)]
pub struct ServerClock {
    origin: Instant,
    /// Redis's time when ours was `origin`, in µs.
    offset: AtomicI64,
    /// How long each answer took, and what it says.
    answers: Mutex<VecDeque<(Duration, i64)>>,
}

impl Default for ServerClock {
    fn default() -> Self {
        Self { origin: Instant::now(), offset: AtomicI64::new(UNKNOWN), answers: Mutex::default() }
    }
}

impl ServerClock {
    /// A question of that moment was answered just now with this time, in µs. It is taken for the time of half the way.
    pub fn learn(&self, asked: Instant, micros: u64) {
        let took = asked.elapsed();
        let offset = signed(micros) - self.since_origin(asked + took / 2);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() == COMPARED {
            answers.pop_front();
        }
        answers.push_back((took, offset));
        if let Some((_, best)) = answers.iter().min_by_key(|(took, _)| *took) {
            self.offset.store(*best, Ordering::Relaxed);
        }
    }

    /// What our clock showed when Redis's showed this, in µs.
    pub fn here(&self, micros: u64) -> Option<Instant> {
        let offset = Some(self.offset.load(Ordering::Relaxed)).filter(|offset| *offset != UNKNOWN)?;
        let since = signed(micros).checked_sub(offset)?;
        let distance = Duration::from_micros(since.unsigned_abs());
        if since < 0 { self.origin.checked_sub(distance) } else { self.origin.checked_add(distance) }
    }

    fn since_origin(&self, moment: Instant) -> i64 {
        i64::try_from(moment.saturating_duration_since(self.origin).as_micros()).unwrap_or(i64::MAX / 2)
    }
}

/// Asks what time it is, until the end.
pub async fn keep_asking(
    every: Duration,
    keys: Keys,
    commands: Arc<Commands>,
    routes: Arc<Routes>,
    end: CancellationToken,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while end.run_until_cancelled(ticks.tick()).await.is_some() {
        let asked = Instant::now();
        // While it does not answer, what was known last is good enough.
        if let Ok(mut reply) = commands.run(&CLOCK, vec![keys.nothing()], Vec::new()).await
            && reply.int() == Ok(1)
            && let Ok(micros) = reply.number()
        {
            routes.clock.learn(asked, micros);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_promptest_answer_counts() {
        let (clock, ms) = (ServerClock::default(), Duration::from_millis(1));
        assert_eq!(clock.here(1), None, "nothing is known");
        let begin = Instant::now();
        tokio::time::advance(ms * 10).await;
        clock.learn(begin, 5_000_000);
        assert_eq!(clock.here(5_000_000), Some(begin + ms * 5), "half the way");
        let asked = Instant::now();
        tokio::time::advance(ms * 2).await;
        clock.learn(asked, 5_007_500);
        assert_eq!(clock.here(5_007_500), Some(asked + ms));
        let asked = Instant::now();
        tokio::time::advance(ms * 50).await;
        clock.learn(asked, 1);
        assert_eq!(clock.here(5_007_500), Some(begin + ms * 11), "a slow one changes nothing");
        // Another server's clock, or one that was set: soon nobody remembers.
        for _ in 0..COMPARED {
            clock.learn(Instant::now(), 9_000_000);
        }
        assert_eq!(clock.here(9_000_001), Some(Instant::now() + Duration::from_micros(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_by_the_other_clock() {
        let clock = RemoteClock::new();
        let wait = Duration::from_secs(2);
        assert_eq!(clock.after(Instant::now(), wait), 0, "nothing is known");
        let asked = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        clock.learn(asked, Timestamp(1_000_000));
        assert_eq!(clock.after(Instant::now(), wait), 1_003_000, "a slow answer is better than none");
        let asked = Instant::now();
        tokio::time::advance(Duration::from_millis(10)).await;
        clock.learn(asked, Timestamp(5_000_000));
        assert_eq!(clock.after(Instant::now(), wait), 5_002_010);
        let asked = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        clock.learn(asked, Timestamp(1));
        assert_eq!(clock.after(Instant::now(), wait), 5_003_010, "a slow one changes nothing");
    }
}
