//! Chance, from a seed.

use std::{ops::Range, time::Duration};
use uuid::Uuid;

/// Repeatable chance. Each part of an audit throws dice of its own, so that what one does changes nothing for the others.
#[derive(Debug, Clone)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// From a seed, for one of many.
    #[must_use]
    pub fn new(seed: u64, part: u64) -> Self {
        Self(fastrand::Rng::with_seed(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ part.wrapping_mul(0xbf58_476d_1ce4_e5b9),
        ))
    }

    /// A number within a range; its start when it is empty.
    pub fn number(&mut self, range: Range<u64>) -> u64 {
        if range.is_empty() { range.start } else { self.0.u64(range) }
    }

    /// Yes, in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.0.u64(0..100) < percent
    }

    /// A time between two.
    pub fn time(&mut self, from: Duration, to: Duration) -> Duration {
        from + (to.saturating_sub(from)).mul_f64(self.0.f64())
    }

    /// A time around another, from almost nothing to twice as long.
    pub fn around(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(0.1 + 1.8 * self.0.f64())
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.0.usize(0..all.len())) }
    }

    /// One of several, by their weights.
    pub fn weighed<T: Copy>(&mut self, all: &[(u32, T)]) -> Option<T> {
        let sum: u64 = all.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut at = self.number(0..sum);
        all.iter()
            .find(|(weight, _)| match at.checked_sub((*weight).into()) {
                Some(left) => {
                    at = left;
                    false
                }
                None => true,
            })
            .map(|(_, one)| *one)
    }

    /// Puts several into another order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        self.0.shuffle(all);
    }

    /// A UUID of version 4.
    pub fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.0.u128(..).to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same() {
        let throw = |seed, part| {
            let mut dice = Dice::new(seed, part);
            (dice.uuid(), dice.number(0..1000), dice.percent(50))
        };
        assert_eq!(throw(1, 2), throw(1, 2));
        assert_ne!(throw(1, 2), throw(1, 3));
        assert_ne!(throw(1, 2), throw(2, 2));
    }

    #[test]
    fn weights_weigh() {
        let mut dice = Dice::new(1, 1);
        let all = [(0, 'a'), (90, 'b'), (10, 'c')];
        let thrown: Vec<char> = (0..1000).filter_map(|_| dice.weighed(&all)).collect();
        let count = |of| thrown.iter().filter(|c| **c == of).count();
        assert_eq!(count('a'), 0);
        assert!((850..950).contains(&count('b')), "{}", count('b'));
        assert_eq!(dice.weighed::<char>(&[]), None);
    }
}
