//! A sliding window from two buckets: this window's count, and the part of the last one's that still overlaps.

use super::{MemoryNode, State, after};
use crate::port::{Throttle, Unavailable};
use async_trait::async_trait;
use protocol::{
    Timestamp,
    event::Budget,
    policy::{Policy, Window},
};
use std::time::Duration;

/// How often keys that nobody asks for any more are dropped.
const SWEEP: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    /// Which window `current` counts.
    index: u64,
    current: u32,
    previous: u32,
    until: Timestamp,
}

#[async_trait]
impl Throttle for MemoryNode {
    async fn take(&self, policy: Policy, who: &str, window: Window) -> Result<Option<Duration>, Unavailable> {
        let now = self.now();
        Ok(self.state().take(now, policy, who, window))
    }
}

impl State {
    pub(super) fn take(&mut self, now: Timestamp, policy: Policy, who: &str, window: Window) -> Option<Duration> {
        if self.windows_swept.is_none_or(|at| after(at, SWEEP) <= now) {
            self.windows_swept = Some(now);
            self.windows.retain(|_, counts| counts.until > now);
        }
        let fresh = Counts { index: 0, current: 0, previous: 0, until: now };
        self.windows.entry((policy, who.to_owned())).or_insert(fresh).take(now, window)
    }

    /// What it has left.
    pub(super) fn left(&self, now: Timestamp, policy: Policy, who: &str, window: Window) -> Budget {
        let counts = self.windows.get(&(policy, who.to_owned())).copied();
        counts.unwrap_or(Counts { index: 0, current: 0, previous: 0, until: now }).left(now, window)
    }
}

impl Counts {
    /// Goes on to this moment's window, and says how long it is and how far into it.
    fn turn(&mut self, now: Timestamp, window: Window) -> (u64, u64) {
        let length = u64::try_from(window.window.as_millis()).unwrap_or(u64::MAX).max(1);
        let (index, into) = (now.0 / length, now.0 % length);
        match index - self.index.min(index) {
            0 => {}
            1 => (self.previous, self.current) = (self.current, 0),
            _ => (self.previous, self.current) = (0, 0),
        }
        self.index = index;
        (length, into)
    }

    /// How many more may be counted, and how long until it is one more than that.
    fn left(mut self, now: Timestamp, window: Window) -> Budget {
        let (length, into) = self.turn(now, window);
        let (previous, current) = (u64::from(self.previous), u64::from(self.current));
        let share = previous * (length - into) / length;
        let one_more_ms = if share > 0 {
            // When that much of the last window has slid out; at its very end it has none any more.
            (length + 1).saturating_sub((share * length).div_ceil(previous) + into)
        } else if current > 0 {
            // As soon as this one is the last one, and begins to slide out.
            length - into + 1
        } else {
            0
        };
        let remaining = u64::from(window.count).saturating_sub(share + current);
        Budget { remaining: u32::try_from(remaining).unwrap_or(u32::MAX), one_more_ms }
    }

    fn take(&mut self, now: Timestamp, window: Window) -> Option<Duration> {
        let (length, into) = self.turn(now, window);
        let index = self.index;
        let limit = u64::from(window.count);
        let (previous, current) = (u64::from(self.previous), u64::from(self.current));
        if previous * (length - into) / length + current < limit {
            self.current += 1;
            self.until = Timestamp((index + 2).saturating_mul(length));
            return None;
        }
        // When enough has slid out for one more: within this window if the last one's share is the cause …
        let wait = if current < limit {
            let share = limit - current; // what the last window's overlap must fall below
            let overlap = (share * length).saturating_sub(1) / previous.max(1);
            (length - into).saturating_sub(overlap)
        } else {
            // … else in the next, where this one's count is the last one's.
            let overlap = (limit * length).saturating_sub(1) / current.max(1);
            (length - into) + (length - overlap.min(length))
        };
        Some(Duration::from_millis(wait.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whoever waits as long as told gets through, and was not told to wait much longer than needed.
        #[test]
        fn the_wait_is_true(count in 1_u32..50, length in 1_u64..100_000, steps in prop::collection::vec(0_u64..20_000, 1..200)) {
            let window = Window { count, window: Duration::from_millis(length) };
            let mut counts = Counts { index: 0, current: 0, previous: 0, until: Timestamp(0) };
            let mut now = 1_700_000_000_000_u64;
            for step in steps {
                now += step;
                let (before, mut then) = (counts.left(Timestamp(now), window), counts);
                // As many pass as it says is left; after the time it says, and not before, it is more.
                prop_assert!((0..before.remaining).all(|_| then.take(Timestamp(now), window).is_none()));
                prop_assert!(then.take(Timestamp(now), window).is_some());
                let later = |ms| counts.left(Timestamp(now + ms), window).remaining;
                if before.one_more_ms > 0 && before.remaining > 0 {
                    prop_assert!(later(before.one_more_ms) > before.remaining || length < u64::from(count));
                    prop_assert!(later(before.one_more_ms - 1) <= before.remaining);
                }
                if let Some(wait) = counts.take(Timestamp(now), window) {
                    let wait = u64::try_from(wait.as_millis()).unwrap();
                    prop_assert!(wait <= 2 * length, "{wait}");
                    let mut then = counts;
                    prop_assert_eq!(then.take(Timestamp(now + wait), window), None);
                }
            }
        }
    }
}
