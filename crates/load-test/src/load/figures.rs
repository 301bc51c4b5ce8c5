//! What is counted, and how it comes from the threads to the report.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;

/// The longest time that is told from a longer one, in µs.
const LONGEST: u64 = 300_000_000;

/// Times, to three digits.
#[derive(Debug, Clone, Default)]
pub struct Times(Option<Box<Histogram<u32>>>);

impl Times {
    /// Notes one, in nanoseconds.
    #[inline]
    pub fn note(&mut self, nanoseconds: u64) {
        if self.0.is_none() {
            self.0 = Histogram::new_with_bounds(1, LONGEST, 3).ok().map(Box::new);
        }
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(nanoseconds / 1000);
        }
    }

    /// Adds all of another's.
    pub fn add(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (Some(ours), Some(theirs)) => drop(ours.add(&**theirs)),
            (None, Some(_)) => *self = other.clone(),
            (_, None) => {}
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.as_ref().map_or(0, |histogram| histogram.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The time that so much of them, from 0 to 1, do not exceed, in milliseconds.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> f64 {
        self.0.as_ref().map_or(0.0, |histogram| histogram.value_at_quantile(quantile) as f64 / 1000.0)
    }

    /// The longest, in milliseconds.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |histogram| histogram.max() as f64 / 1000.0)
    }

    /// The mean, in milliseconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |histogram| histogram.mean() / 1000.0)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What a thread has counted since the beginning.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            /// Adds another thread's.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }

            /// What was added since then.
            #[must_use]
            pub fn since(&self, then: &Self) -> Self {
                Self { $($name: self.$name.saturating_sub(then.$name),)* }
            }
        }
    };
}

counters! {
    /// Connections that were begun, those that came back too.
    dialed,
    /// That got as far as their room.
    joined,
    /// That did not, and will not.
    failed,
    /// Attempts that failed and were followed by another.
    retried,
    /// That ended without being asked to.
    dropped,
    /// That were cut on purpose, or by the storm.
    cut,
    /// Of these, back in their room.
    back,
    /// Clients that left, for others to come.
    left,
    /// Messages that were sent.
    sent,
    /// That were due while their sender had no connection, and were not sent.
    withheld,
    /// That were acknowledged.
    acked,
    /// That were refused.
    refused,
    /// Connections that were told to ask again later.
    deferred,
    /// Whose sender lost its connection before it had an answer.
    unanswered,
    /// Deliveries.
    delivered,
    /// Messages that came with the answer to coming back, instead of a delivery.
    recovered,
    /// Positions that are missing.
    lost,
    /// Positions that came twice.
    doubled,
    /// Positions that came after later ones.
    reordered,
    /// Positions of which the server said that they are gone.
    gaps,
    /// Bytes that came.
    received,
    /// Bytes that went.
    wrote,
    /// Reads.
    reads,
    /// Pings that were answered.
    pings,
    /// Moves to another connection that are done.
    moved,
    /// Of these, moves that needed another attempt.
    moved_again,
    /// Whose former connection was closed because the next one had taken over, before that was in the room.
    taken_over,
    /// Clients that had no connection in their room for a while.
    away,
    /// Connections that were closed because their node ends.
    restarted,
    /// Messages that were sent once more on the next connection.
    repeated,
    /// Members of whose coming others were told during a rollout.
    told_joined,
    /// Of whose leaving.
    told_left,
    /// Of whose lost connection.
    told_lost,
}

/// What a thread has to say when it is asked.
#[derive(Debug, Clone, Default)]
pub struct Slice {
    /// Since the beginning.
    pub counters: Counters,
    /// Since it was asked last: from due to delivered, of what was due while it was measured.
    pub delivery: Times,
    /// The same of those whom the storm leaves alone, while it lasts.
    pub others: Times,
    /// From due to acknowledged, likewise.
    pub ack: Times,
    /// From due to the last member's delivery, likewise: one for each message and thread.
    pub last: Times,
    /// From the first attempt until in the room.
    pub setup: Times,
    /// From being cut until back in the room.
    pub back: Times,
    /// From being asked to move until in the room on the next connection.
    pub moving: Times,
    /// From being closed by the node, because the next one had taken over, until that was in the room.
    pub handover: Times,
    /// From losing the connection otherwise until the next one was in the room.
    pub away: Times,
    /// Moves that are under way.
    pub moves: u64,
    /// Connections in their room by node, of the first clients and of those who came after a rollout.
    pub nodes: BTreeMap<String, [u64; 2]>,
    /// Connections that are in their room now.
    pub live: u64,
    /// That are on their way there.
    pub busy: u64,
    /// Deliveries that are still to come, of what was acknowledged.
    pub lacking: u64,
    /// Messages that have no answer yet.
    pub outstanding: u64,
    /// Deliveries that there had to be to those who are in their room now, since they joined.
    pub expected: u64,
    /// Why connections failed or were dropped, and messages refused.
    pub reasons: BTreeMap<String, u64>,
}

impl Slice {
    /// Adds another thread's, of the same time.
    pub fn add(&mut self, other: &Self) {
        self.counters.add(&other.counters);
        self.delivery.add(&other.delivery);
        self.others.add(&other.others);
        self.ack.add(&other.ack);
        self.last.add(&other.last);
        self.setup.add(&other.setup);
        self.back.add(&other.back);
        self.moving.add(&other.moving);
        self.handover.add(&other.handover);
        self.away.add(&other.away);
        self.moves += other.moves;
        for (node, [first, fresh]) in &other.nodes {
            let known = self.nodes.entry(node.clone()).or_default();
            *known = [known[0] + first, known[1] + fresh];
        }
        self.live += other.live;
        self.busy += other.busy;
        self.lacking += other.lacking;
        self.outstanding += other.outstanding;
        self.expected += other.expected;
        for (reason, count) in &other.reasons {
            *self.reasons.entry(reason.clone()).or_default() += count;
        }
    }
}

/// When the last member had each of the newest messages of a room.
#[derive(Debug, Clone, Default)]
pub struct Lasts([Option<(u64, u64)>; Self::SPAN as usize]);

impl Lasts {
    /// How far the deliveries of a room's members may be apart before the first of them is taken for done.
    const SPAN: u64 = 32;

    /// Notes a delivery of `seq` after `nanoseconds`; what it puts aside is done.
    #[inline]
    pub fn note(&mut self, seq: u64, nanoseconds: u64) -> Option<u64> {
        let place = &mut self.0[(seq % Self::SPAN) as usize];
        match place {
            Some((known, longest)) if *known == seq => {
                *longest = (*longest).max(nanoseconds);
                None
            }
            Some((known, _)) if *known > seq => None,
            _ => place.replace((seq, nanoseconds)).map(|(_, longest)| longest),
        }
    }

    /// Those that were not put aside.
    pub fn rest(&mut self) -> impl Iterator<Item = u64> {
        std::mem::take(&mut self.0).into_iter().flatten().map(|(_, longest)| longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_milliseconds_to_three_digits() {
        let mut times = Times::default();
        assert_eq!((times.len(), times.quantile(0.5), times.max()), (0, 0.0, 0.0));
        (1..=1000).for_each(|ms| times.note(ms * 1_000_000));
        let near =
            |value: f64, expected: f64| assert!((value / expected - 1.0).abs() < 0.002, "{value} for {expected}");
        near(times.quantile(0.5), 500.0);
        near(times.quantile(0.99), 990.0);
        near(times.max(), 1000.0);
        near(times.mean(), 500.5);
        let mut both = Times::default();
        both.add(&times);
        both.add(&times);
        assert_eq!(both.len(), 2000);
    }

    #[test]
    fn counters_add_and_subtract() {
        let mut a = Counters { sent: 3, lost: 1, ..Counters::default() };
        a.add(&Counters { sent: 4, ..Counters::default() });
        assert_eq!(a.since(&Counters { sent: 2, ..a }), Counters { sent: 5, ..Counters::default() });
    }

    #[test]
    fn the_last_delivery_of_each_message_is_kept() {
        let mut lasts = Lasts::default();
        assert_eq!([lasts.note(1, 5), lasts.note(1, 9), lasts.note(1, 7), lasts.note(2, 3)], [None; 4]);
        assert_eq!(lasts.note(1 + Lasts::SPAN, 4), Some(9));
        assert_eq!(lasts.note(1, 100), None, "a straggler of long ago");
        let mut rest: Vec<_> = lasts.rest().collect();
        rest.sort_unstable();
        assert_eq!(rest, [3, 4]);
        assert_eq!(lasts.rest().count(), 0);
    }
}
