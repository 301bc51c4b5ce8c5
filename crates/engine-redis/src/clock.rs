//! What time it is at Redis, so that a command can say until when it makes sense.
//!
//! A command that timed out may still lie in a socket's buffer, and take effect when Redis gets to it: after an outage,
//! and in no order with what others have asked for since. With a deadline by Redis's own clock it does not.

use protocol::Timestamp;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};
use tokio::time::Instant;

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

#[cfg(test)]
mod tests {
    use super::*;

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
