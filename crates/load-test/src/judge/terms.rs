//! What the cluster under audit promises in numbers, and when nothing was wrong with it.

use crate::journal::{Phase, Record, What};
use serde::Serialize;
use std::{collections::HashMap, time::Duration};

/// The numbers that a verdict depends on.
#[derive(Debug, Clone, Serialize)]
pub struct Terms {
    /// `RESUME_GRACE`: how long a lost member stays one.
    #[serde(serialize_with = "crate::report::seconds")]
    pub grace: Duration,
    /// Positions that a room's log keeps at least; `None` when that is not known, and gaps are not judged.
    pub log_max: Option<u64>,
    /// With nothing wrong, what happens is known to every member after this.
    #[serde(serialize_with = "crate::report::seconds")]
    pub promptness: Duration,
    /// With nothing wrong, a command is answered after this.
    #[serde(serialize_with = "crate::report::seconds")]
    pub answer: Duration,
    /// A fault's consequences may last as long after its end.
    #[serde(serialize_with = "crate::report::seconds")]
    pub heal: Duration,
    /// After the last fault (or loss of a connection), no ghosts are left.
    #[serde(serialize_with = "crate::report::seconds")]
    pub ghosts: Duration,
}

impl Default for Terms {
    /// Those of the contract, on a busy machine.
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(10),
            log_max: Some(1000),
            promptness: Duration::from_secs(4),
            answer: Duration::from_secs(5),
            heal: Duration::from_secs(8),
            ghosts: Duration::from_secs(15),
        }
    }
}

/// When nothing was wrong: outside of faults and what they leave behind, and, for one connection, while its client did
/// read.
#[derive(Debug, Default)]
pub struct Calm {
    /// In order, not overlapping.
    faults: Vec<(Duration, Duration)>,
    /// Those in which a client may have lost its membership without knowing.
    expelling: Vec<(Duration, Duration)>,
    dozes: HashMap<u32, Vec<(Duration, Duration)>>,
}

impl Calm {
    /// Finds it out.
    #[must_use]
    pub fn new(records: &[Record], heal: Duration) -> Self {
        let mut calm = Self::default();
        let (mut open, mut last) = (HashMap::new(), Duration::ZERO);
        let mut asleep = HashMap::new();
        let mut faults = Vec::new();
        for record in records {
            last = record.at;
            match &record.what {
                What::Fault { number, begins: true, expels, .. } => {
                    open.insert(*number, (record.at, *expels));
                }
                What::Fault { number, begins: false, expels, .. } => {
                    let (begin, _) = open.remove(number).unwrap_or((record.at, false));
                    faults.push((begin, record.at + heal));
                    if *expels {
                        calm.expelling.push((begin, record.at + heal));
                    }
                }
                What::Dozing => {
                    asleep.insert(record.connection, record.at);
                }
                // A connection that ends asleep needs no excuse any more.
                What::Awake => {
                    if let Some(since) = asleep.remove(&record.connection) {
                        calm.dozes.entry(record.connection).or_default().push((since, record.at));
                    }
                }
                What::Phase(Phase::Over) => break,
                _ => {}
            }
        }
        for (begin, expels) in open.into_values() {
            faults.push((begin, last + heal));
            if expels {
                calm.expelling.push((begin, last + heal));
            }
        }
        faults.sort();
        for (begin, end) in faults {
            match calm.faults.last_mut() {
                Some((_, until)) if begin <= *until => *until = (*until).max(end),
                _ => calm.faults.push((begin, end)),
            }
        }
        calm
    }

    /// The first moment, from `since + wanted` on, before which nothing was wrong for as long as `wanted`.
    #[must_use]
    pub fn after(&self, since: Duration, wanted: Duration, connection: u32) -> Duration {
        let dozes = self.dozes.get(&connection).map_or(&[][..], Vec::as_slice);
        let mut at = since + wanted;
        loop {
            let from = at - wanted;
            let disturbed = |(begin, end): &&(Duration, Duration)| *begin < at && *end > from;
            let latest =
                self.faults.iter().filter(disturbed).chain(dozes.iter().filter(disturbed)).map(|(_, end)| *end);
            match latest.max() {
                Some(end) => at = end + wanted,
                None => return at,
            }
        }
    }

    /// Whether a client may have lost its membership without knowing, at some time between two moments.
    #[must_use]
    pub fn may_expel(&self, from: Duration, until: Duration) -> bool {
        self.expelling.iter().any(|(begin, end)| *begin <= until && *end >= from)
    }

    /// Whether nothing was wrong at a moment, nor for as long before.
    #[must_use]
    pub fn at(&self, moment: Duration, before: Duration) -> bool {
        let from = moment.saturating_sub(before);
        !self.faults.iter().any(|(begin, end)| *begin <= moment && *end > from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::NOBODY;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn record(at: u64, connection: u32, what: What) -> Record {
        Record { at: s(at), actor: NOBODY, connection, what }
    }

    fn fault(at: u64, number: usize, begins: bool) -> Record {
        record(at, 0, What::Fault { number, begins, expels: false, text: String::new() })
    }

    #[test]
    fn calm_begins_when_faults_have_healed() {
        let records = [fault(10, 0, true), fault(12, 0, false), fault(15, 1, true), fault(16, 1, false)];
        let calm = Calm::new(&records, s(5));
        assert_eq!(calm.after(s(1), s(3), 0), s(4));
        assert_eq!(calm.after(s(7), s(3), 0), s(10));
        assert_eq!(calm.after(s(8), s(3), 0), s(24)); // both are one: 10 to 21
        assert_eq!(calm.after(s(20), s(3), 0), s(24));
        assert_eq!(calm.after(s(21), s(3), 0), s(24));
        assert!(calm.at(s(9), s(5)) && !calm.at(s(10), s(0)) && !calm.at(s(20), s(0)) && calm.at(s(24), s(3)));
    }

    #[test]
    fn a_fault_that_does_not_end_excuses_all_that_follows() {
        let records = [fault(10, 0, true), record(30, 0, What::Phase(Phase::Quiet))];
        assert_eq!(Calm::new(&records, s(5)).after(s(12), s(1), 0), s(36));
    }

    #[test]
    fn a_doze_excuses_its_own_connection() {
        let records = [record(10, 7, What::Dozing), record(20, 7, What::Awake)];
        let calm = Calm::new(&records, s(5));
        assert_eq!(calm.after(s(9), s(3), 7), s(23));
        assert_eq!(calm.after(s(9), s(3), 8), s(12));
    }
}
