//! What a node counts, in plain atomics: whoever has a registry shows them.

use crate::connection::Connection;
use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::time::{Duration, Instant};

/// How often values fell between fixed bounds. Whole numbers: what is measured in time counts microseconds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One more than bounds: what is above the last.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// One with these bounds, ascending; each belongs to the values up to it.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }

    /// One more.
    pub fn observe(&self, value: u64) {
        self.observe_n(value, 1);
    }

    /// So many at once.
    pub fn observe_n(&self, value: u64, n: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(n, Ordering::Relaxed);
            self.sum.fetch_add(value.saturating_mul(n), Ordering::Relaxed);
        }
    }

    /// One more, of a time.
    pub fn observe_time(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 2));
    }

    /// Each bound and how many fell below it and above the one before, and the sum of all; `unit` is what a whole number
    /// is worth. The last bound is infinite.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // for people and graphs
    pub fn read(&self, unit: f64) -> (Vec<(f64, u64)>, f64) {
        let bounds = self.bounds.iter().map(|bound| *bound as f64 * unit).chain([f64::INFINITY]);
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        (bounds.zip(counts).collect(), self.sum.load(Ordering::Relaxed) as f64 * unit)
    }

    /// The same of one that counts microseconds, in seconds.
    #[must_use]
    pub fn read_seconds(&self) -> (Vec<(f64, u64)>, f64) {
        // (Not times 1e-6, by which half a millisecond would become 0.0005 and a little more.)
        let (buckets, sum) = self.read(1.0);
        (buckets.into_iter().map(|(bound, count)| (bound / 1e6, count)).collect(), sum / 1e6)
    }
}

/// From one node in an idle cluster to what nobody would call a chat, in microseconds.
const DELIVERY: &[u64] = &[
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];
/// Members of a room on one node.
const FAN_OUT: &[u64] = &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

/// What a node has done since it started.
#[derive(Debug)]
pub struct Stats {
    /// Sockets open now.
    pub connections: AtomicU64,
    /// Messages accepted from clients.
    pub received: AtomicU64,
    /// Frames of messages put on queues, when the workers looked last.
    pub delivered: AtomicU64,
    /// Connections closed because they could not keep up.
    pub slow: AtomicU64,
    /// Bytes that came from sockets.
    pub bytes_received: AtomicU64,
    /// Bytes that sockets took.
    pub bytes_sent: AtomicU64,
    /// Bytes that wait for sockets, when the workers looked last.
    pub queued: AtomicU64,
    /// Memberships of clients that are connected here, when the workers looked last.
    pub members: AtomicU64,
    /// From when a timeline took a message to when the kernel took its frame for one member, in microseconds.
    pub delivery: Arc<Histogram>,
    /// Members that one message reached here.
    pub fan_out: Arc<Histogram>,
    /// Dead nodes that this one reaped.
    pub nodes_reaped: AtomicU64,
    /// Members whose grace was over, and that this node made leave.
    pub members_reaped: AtomicU64,
    /// How often this node found that its lease had run out.
    pub fenced: AtomicU64,
    /// Connections that were to be compared with the directory.
    pub doubts: AtomicU64,
    /// Rooms that a worker read again, for something was missing.
    pub repairs: AtomicU64,
    /// Timelines that had to begin another epoch.
    pub renewed: AtomicU64,
    /// Bans that hold.
    pub bans: AtomicU64,
    /// How late a worker's timer was at most, in microseconds, since this was asked last.
    lag: AtomicU64,
}

impl Default for Stats {
    fn default() -> Self {
        let none = AtomicU64::default;
        Self {
            connections: none(),
            received: none(),
            delivered: none(),
            slow: none(),
            bytes_received: none(),
            bytes_sent: none(),
            queued: none(),
            members: none(),
            delivery: Arc::new(Histogram::new(DELIVERY)),
            fan_out: Arc::new(Histogram::new(FAN_OUT)),
            nodes_reaped: none(),
            members_reaped: none(),
            fenced: none(),
            doubts: none(),
            repairs: none(),
            renewed: none(),
            bans: none(),
            lag: none(),
        }
    }
}

impl Stats {
    pub(crate) fn count_bytes<W>(&self, connection: &Connection<W>) {
        let written = connection.outbox.borrow_mut().take_written();
        if written > 0 {
            self.bytes_sent.fetch_add(written, Ordering::Relaxed);
        }
        let received = connection.received.take();
        if received > 0 {
            self.bytes_received.fetch_add(received, Ordering::Relaxed);
        }
    }

    pub(crate) fn was_late(&self, by: Duration) {
        self.lag.fetch_max(u64::try_from(by.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How late a worker's timer was at most since this was asked last.
    pub fn take_lag(&self) -> Duration {
        Duration::from_micros(self.lag.swap(0, Ordering::Relaxed))
    }
}

/// One more.
pub(crate) fn one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// How many members a message reached on all workers together, told when the last of them is done with it.
#[derive(Debug)]
pub(crate) struct Reach {
    members: AtomicU64,
    fan_out: Arc<Histogram>,
}

impl Reach {
    pub(crate) fn new(fan_out: Arc<Histogram>) -> Self {
        Self { members: AtomicU64::new(0), fan_out }
    }

    pub(crate) fn add(&self, members: u64) {
        self.members.fetch_add(members, Ordering::Relaxed);
    }
}

impl Drop for Reach {
    fn drop(&mut self) {
        let members = *self.members.get_mut();
        if members > 0 {
            self.fan_out.observe(members);
        }
    }
}

/// When a timeline took a message: microseconds on one worker's own scale. 0: nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Taken(u64);

impl Taken {
    pub(crate) const NOT: Self = Self(0);

    #[cfg(test)]
    pub(crate) const fn at(micros: u64) -> Self {
        Self(micros)
    }
}

/// Sums that wait for a look at the clock. One look has to be enough for all that a flusher writes in a turn, and one sum
/// for all frames of a message: a delivery costs two microseconds, and knowing how long it took must cost next to nothing.
#[derive(Debug)]
pub(crate) struct Tally {
    /// What the scale begins with.
    origin: Instant,
    /// What was added last is most often added again, by the next member of the room.
    taken: Cell<Taken>,
    count: Cell<u64>,
    former: RefCell<Former>,
    delivery: Arc<Histogram>,
}

/// What was added before.
#[derive(Debug)]
struct Former {
    /// By the low bits of a moment: a turn has a handful of messages, and each member's frames are of all of them.
    recent: [(Taken, u64); PLACES],
    /// Those that had to make room.
    others: Vec<(Taken, u64)>,
    any: bool,
}

const PLACES: usize = 32;
/// So much waits at most; a turn that writes more looks at the clock in between.
const OTHERS: usize = 1024;

impl Tally {
    pub(crate) fn new(delivery: Arc<Histogram>) -> Self {
        // A message may be older than its worker.
        let now = Instant::now();
        let origin = now.checked_sub(Duration::from_secs(60)).unwrap_or(now);
        let former = RefCell::new(Former { recent: [(Taken::NOT, 0); PLACES], others: Vec::new(), any: false });
        Self { origin, taken: Cell::new(Taken::NOT), count: Cell::new(0), former, delivery }
    }

    /// A moment on this scale.
    pub(crate) fn mark(&self, at: Instant) -> Taken {
        Taken(u64::try_from(at.saturating_duration_since(self.origin).as_micros()).unwrap_or(u64::MAX).max(1))
    }

    /// The kernel has so many frames of messages of which the first was taken then.
    #[inline]
    pub(crate) fn add(&self, taken: Taken, n: u64) {
        if taken == self.taken.get() {
            self.count.set(self.count.get() + n);
        } else {
            self.change(taken, n);
        }
    }

    fn change(&self, taken: Taken, n: u64) {
        let (former, count) = (self.taken.replace(taken), self.count.replace(n));
        if former == Taken::NOT || count == 0 {
            return;
        }
        let kept = &mut *self.former.borrow_mut();
        kept.any = true;
        #[allow(clippy::cast_possible_truncation)] // the remainder is small
        let place = &mut kept.recent[former.0 as usize % PLACES];
        if place.0 == former {
            place.1 += count;
            return;
        }
        let other = std::mem::replace(place, (former, count));
        if other.1 > 0 {
            kept.others.push(other);
        }
        if kept.others.len() >= OTHERS {
            let now = self.mark(Instant::now());
            self.settle_former(now, kept);
        }
    }

    /// The turn is over: what was written has taken until now.
    pub(crate) fn settle(&self) {
        let (taken, count) = (self.taken.replace(Taken::NOT), self.count.replace(0));
        let kept = &mut *self.former.borrow_mut();
        if taken == Taken::NOT && !kept.any {
            return;
        }
        let now = self.mark(Instant::now());
        if taken != Taken::NOT && count > 0 {
            self.observe(now, taken, count);
        }
        if kept.any {
            self.settle_former(now, kept);
        }
    }

    #[cold]
    fn settle_former(&self, now: Taken, kept: &mut Former) {
        let recent = kept.recent.iter_mut().map(|place| std::mem::replace(place, (Taken::NOT, 0)));
        for (taken, n) in kept.others.drain(..).chain(recent).filter(|(_, n)| *n > 0) {
            self.observe(now, taken, n);
        }
        kept.any = false;
    }

    fn observe(&self, now: Taken, taken: Taken, n: u64) {
        // By another clock's estimate it may be of the future.
        self.delivery.observe_n(now.0.saturating_sub(taken.0), n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(histogram: &Histogram) -> Vec<u64> {
        histogram.read(1.0).0.into_iter().map(|(_, count)| count).collect()
    }

    #[test]
    fn values_fall_below_the_bound_that_they_equal() {
        let histogram = Histogram::new(&[10, 20]);
        for value in [0, 10, 11, 20, 21] {
            histogram.observe(value);
        }
        histogram.observe_n(15, 100);
        assert_eq!(counts(&histogram), [2, 102, 1]);
        let (buckets, sum) = histogram.read(0.5);
        assert_eq!((buckets[1].0, buckets[2].0, sum), (10.0, f64::INFINITY, 781.0));
        let (buckets, _) = Histogram::new(DELIVERY).read_seconds();
        assert_eq!(buckets[1].0.to_string(), "0.0005");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_summed_and_looked_at_once() {
        let delivery = Arc::new(Histogram::new(&[1_000, 5_000, 50_000]));
        let tally = Tally::new(delivery.clone());
        let first = tally.mark(Instant::now());
        tokio::time::advance(Duration::from_millis(4)).await;
        let second = tally.mark(Instant::now());
        tally.settle();
        for _ in 0..50 {
            tally.add(first, 1);
            tally.add(second, 1);
            tally.add(Taken::NOT, 1);
        }
        assert_eq!(counts(&delivery), [0, 0, 0, 0], "the turn is not over");
        tokio::time::advance(Duration::from_micros(500)).await;
        tally.settle();
        assert_eq!(counts(&delivery), [50, 50, 0, 0]);
        tally.settle();
        assert_eq!(counts(&delivery), [50, 50, 0, 0], "once");
        // More messages than places, and one of the future.
        for n in 0..5_000 {
            tally.add(Taken::at(first.0 + n), 1);
        }
        tally.add(tally.mark(Instant::now() + Duration::from_secs(1)), 1);
        tally.settle();
        assert_eq!(counts(&delivery).iter().sum::<u64>(), 5_101);
    }

    #[test]
    fn a_message_is_told_of_once_however_many_workers_it_went_to() {
        let fan_out = Arc::new(Histogram::new(&[1, 10]));
        let reach = Arc::new(Reach::new(fan_out.clone()));
        let other = reach.clone();
        reach.add(3);
        drop(reach);
        assert_eq!(counts(&fan_out), [0, 0, 0]);
        other.add(4);
        drop(other);
        assert_eq!((counts(&fan_out), fan_out.read(1.0).1), (vec![0, 1, 0], 7.0));
    }
}
