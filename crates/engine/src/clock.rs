//! Time and randomness as arguments, so that tests can set both.

use protocol::Timestamp;
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;
use uuid::Uuid;

/// Tells the time of day.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place that asks the machine
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct MockClock(AtomicU64);

impl MockClock {
    /// Starts at a moment in 2023.
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicU64::new(1_700_000_000_000))
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }
}

impl Default for MockClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Where random numbers come from.
pub trait Entropy: Send + Sync {
    /// A number below `bound`; 0 when `bound` is 0.
    fn below(&self, bound: u32) -> u32;
    /// A random UUID.
    fn uuid(&self) -> Uuid;
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn below(&self, bound: u32) -> u32 {
        // A version 4 UUID has 122 random bits; these 64 hold no version or variant bits that matter modulo `bound`.
        #[allow(clippy::cast_possible_truncation)]
        let random = self.uuid().as_u128() as u32;
        if bound == 0 { 0 } else { random % bound }
    }

    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// Repeatable numbers from a seed (SplitMix64).
#[derive(Debug)]
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// Starts from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn below(&self, bound: u32) -> u32 {
        #[allow(clippy::cast_possible_truncation)] // the remainder is below a u32
        if bound == 0 { 0 } else { (self.next() % u64::from(bound)) as u32 }
    }

    fn uuid(&self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }
}
