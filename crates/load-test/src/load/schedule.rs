//! When what is due. Times are nanoseconds since the run's beginning.
//!
//! Messages are sent at fixed times, whatever became of those before (an open loop): a server that stalls does not get
//! fewer of them for it, and each is late from the time on when it was due. That is what corrects the figures for
//! coordinated omission.

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// The messages of the senders that one thread has.
#[derive(Debug, Clone)]
pub struct Schedule {
    start: u64,
    end: u64,
    /// Nanoseconds between two messages of all threads together.
    step: f64,
    /// Senders of all threads together.
    senders: u64,
    /// Those of this thread, in order.
    mine: Vec<u64>,
    round: u64,
    at: usize,
}

impl Schedule {
    /// `rate` messages a second in turn by `senders`, of which `mine` are ours.
    #[must_use]
    pub fn new(start: u64, end: u64, rate: f64, senders: u64, mine: Vec<u64>) -> Self {
        Self { start, end, step: SECOND as f64 / rate, senders, mine, round: 0, at: 0 }
    }

    /// Nothing is due any more from then on.
    pub fn end_at(&mut self, end: u64) {
        self.end = end;
    }

    /// The next message: when, and whose.
    #[must_use]
    pub fn peek(&self) -> Option<(u64, u64)> {
        let sender = *self.mine.get(self.at)?;
        let due = self.start + ((self.round * self.senders + sender) as f64 * self.step) as u64;
        (due < self.end).then_some((due, sender))
    }

    /// Takes it, if it is due by now.
    pub fn take(&mut self, now: u64) -> Option<(u64, u64)> {
        let next = self.peek().filter(|(due, _)| *due <= now)?;
        self.at += 1;
        if self.at == self.mine.len() {
            (self.at, self.round) = (0, self.round + 1);
        }
        Some(next)
    }
}

/// Something that happens so many times a second.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    start: u64,
    step: f64,
    done: u64,
}

impl Pace {
    /// `rate` a second from `start` on.
    #[must_use]
    pub fn new(start: u64, rate: f64) -> Self {
        Self { start, step: SECOND as f64 / rate, done: 0 }
    }

    /// When it happens next.
    #[must_use]
    pub fn due(&self) -> u64 {
        self.start + (self.done as f64 * self.step) as u64
    }

    /// Whether it is to happen by now; then it counts as done.
    pub fn take(&mut self, now: u64) -> bool {
        let due = self.due() <= now;
        self.done += u64::from(due);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut schedule: Schedule, now: u64) -> Vec<(u64, u64)> {
        std::iter::from_fn(|| schedule.take(now)).collect()
    }

    #[test]
    fn messages_are_even_and_in_turn() {
        let of = |mine| Schedule::new(100, 100 + SECOND, 4.0, 2, mine);
        let q = SECOND / 4;
        assert_eq!(all(of(vec![0, 1]), u64::MAX), [(100, 0), (100 + q, 1), (100 + 2 * q, 0), (100 + 3 * q, 1)]);
        assert_eq!(all(of(vec![1]), u64::MAX), [(100 + q, 1), (100 + 3 * q, 1)]);
        assert_eq!(all(of(Vec::new()), u64::MAX), []);
    }

    #[test]
    fn it_can_be_ended() {
        let mut schedule = Schedule::new(0, u64::MAX, 1.0, 1, vec![0]);
        schedule.end_at(3 * SECOND);
        assert_eq!(all(schedule, u64::MAX).len(), 3);
    }

    #[test]
    fn threads_share_a_schedule_without_gaps() {
        let of = |mine| all(Schedule::new(7, 7 + SECOND, 997.0, 10, mine), u64::MAX);
        let mut shared = [of(vec![0, 2, 4, 6, 8]), of(vec![1, 3, 5, 7, 9])].concat();
        shared.sort_unstable();
        assert_eq!(shared, of((0..10).collect()));
        assert_eq!(shared.len(), 997);
    }

    #[test]
    fn what_was_not_done_in_time_keeps_its_time() {
        let mut schedule = Schedule::new(0, SECOND, 10.0, 1, vec![0]);
        assert_eq!(schedule.take(0), Some((0, 0)));
        assert_eq!(schedule.take(1), None);
        // After a stall all come at once, each with the time at which it was due.
        let late = all(schedule, SECOND / 2);
        assert_eq!(late.iter().map(|(due, _)| due / 100_000_000).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_pace_catches_up() {
        let mut pace = Pace::new(10, 2.0);
        assert!(!pace.take(9) && pace.take(10) && !pace.take(11));
        assert_eq!(pace.due(), 10 + SECOND / 2);
        assert_eq!((0..5).filter(|_| pace.take(10 + SECOND)).count(), 2);
    }
}
