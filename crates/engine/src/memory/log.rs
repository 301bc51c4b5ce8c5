//! A room's timeline: positions, what is still kept of them, and the ids that would be duplicates.

use super::{Retention, after};
use crate::port::{Amended, Amendment, Appended, Entry, Original, PortError, Slice, Span};
use bytes::Bytes;
use protocol::{ClientId, Epoch, MessageId, Seq, Timestamp};
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

pub(super) struct Log {
    epoch: Epoch,
    newest: Seq,
    entries: VecDeque<Original>,
    seen: HashMap<(ClientId, MessageId), Appended>,
    seen_by_age: VecDeque<(Timestamp, (ClientId, MessageId))>,
}

impl Log {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self { epoch, newest: Seq::ZERO, entries: VecDeque::new(), seen: HashMap::new(), seen_by_age: VecDeque::new() }
    }

    /// The newest position that was given.
    pub(super) fn newest(&self) -> Seq {
        self.newest
    }

    /// The position of a message that was here before.
    pub(super) fn seen(
        &mut self,
        now: Timestamp,
        retention: &Retention,
        key: (ClientId, MessageId),
    ) -> Option<Appended> {
        self.expire(now, retention);
        self.seen.get(&key).map(|first| Appended { duplicate: true, budget: None, ..*first })
    }

    /// Whether what an amendment is to replace is as its author believes.
    pub(super) fn check(
        &mut self,
        now: Timestamp,
        retention: &Retention,
        amendment: &Amendment,
    ) -> Result<(), PortError> {
        self.expire(now, retention);
        let last = self.at(amendment.target).map(|original| original.amended.as_ref().map(|amended| amended.by));
        if last == Some(amendment.expect) { Ok(()) } else { Err(PortError::Amended) }
    }

    /// Has the newest position replace what it amends.
    pub(super) fn amend(&mut self, amendment: &Amendment) {
        let by = self.newest;
        let superseded = amendment.superseded.iter().map(|(seq, payload)| (*seq, payload.clone()));
        for (seq, payload) in superseded.chain([(amendment.target, amendment.noted(by))]) {
            if let Some(original) = self.at(seq) {
                original.amended = Some(Amended { by, payload });
            }
        }
    }

    fn at(&mut self, seq: Seq) -> Option<&mut Original> {
        let oldest = self.entries.front()?.entry.seq;
        self.entries.get_mut(usize::try_from(seq.get().checked_sub(oldest.get())?).ok()?)
    }

    /// Appends what was not.
    pub(super) fn append(
        &mut self,
        now: Timestamp,
        retention: &Retention,
        key: (ClientId, MessageId),
        whose: Option<Uuid>,
        payload: Bytes,
    ) -> Appended {
        self.newest = self.newest.next();
        let appended = Appended { seq: self.newest, sent_at: now, duplicate: false, budget: None };
        self.seen.insert(key, appended);
        self.seen_by_age.push_back((after(now, retention.duplicates), key));
        let entry = Entry { seq: self.newest, sent_at: now, payload };
        self.entries.push_back(Original { entry, key: whose, amended: None });
        if self.entries.len() > retention.messages {
            self.entries.pop_front();
        }
        appended
    }

    /// Begins another epoch in place of this one. Says whether it did.
    pub(super) fn renew(&mut self, lost: &Epoch, fresh: Epoch) -> bool {
        let is_lost = self.epoch == *lost;
        if is_lost {
            self.epoch = fresh;
        }
        is_lost
    }

    /// Reads a part of it, each entry through `show`.
    pub(super) fn read<E>(
        &mut self,
        now: Timestamp,
        retention: &Retention,
        span: Span,
        limit: usize,
        show: impl Fn(&Original) -> E,
    ) -> Slice<E> {
        self.expire(now, retention);
        let oldest = self.entries.front().map_or(self.newest.next(), |e| e.entry.seq);
        // Positions have no holes, so a position is an index.
        let len = self.entries.len();
        let index = |seq: Seq| usize::try_from(seq.get().saturating_sub(oldest.get())).unwrap_or(len).min(len);
        let (low, high, forward) = match span {
            Span::Newest => (0, len, false),
            Span::Before(before) => (0, index(before), false),
            Span::After(after) => (index(after.next()), len, true),
            Span::Between(after, before) => (index(after.next()), index(before), true),
        };
        let high = high.max(low);
        let (from, to) =
            if forward { (low, high.min(low + limit)) } else { (low.max(high.saturating_sub(limit)), high) };
        Slice {
            epoch: self.epoch.clone(),
            oldest,
            newest: self.newest,
            entries: self.entries.range(from..to).map(show).collect(),
            more: if forward { to < high } else { from > low },
        }
    }

    fn expire(&mut self, now: Timestamp, retention: &Retention) {
        while let Some((until, key)) = self.seen_by_age.front() {
            if *until > now {
                break;
            }
            self.seen.remove(key);
            self.seen_by_age.pop_front();
        }
        while self.entries.front().is_some_and(|e| after(e.entry.sent_at, retention.time) <= now) {
            self.entries.pop_front();
        }
    }
}

/// An entry as it reads now.
pub(super) fn as_amended(original: &Original) -> Entry {
    let payload = original.amended.as_ref().map_or(&original.entry.payload, |amended| &amended.payload);
    Entry { payload: payload.clone(), ..original.entry }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn filled(n: u64, retention: &Retention) -> Log {
        let mut log = Log::new("e".parse().unwrap());
        let client = ClientId::new(10_000).unwrap();
        for i in 0..n {
            log.append(NOW, retention, (client, MessageId::new(Uuid::from_u128(i.into()))), None, Bytes::new());
        }
        log
    }

    fn seqs(slice: &Slice) -> Vec<u64> {
        slice.entries.iter().map(|e| e.seq.get()).collect()
    }

    #[test]
    fn spans() {
        let retention = Retention { messages: 5, ..Retention::default() };
        let mut log = filled(8, &retention);
        let mut read = |span, limit| {
            let slice = log.read(NOW, &retention, span, limit, as_amended);
            (seqs(&slice), slice.more)
        };
        assert_eq!(read(Span::Newest, 3), (vec![6, 7, 8], true));
        assert_eq!(read(Span::Newest, 5), (vec![4, 5, 6, 7, 8], false));
        assert_eq!(read(Span::Before(Seq::new(6)), 9), (vec![4, 5], false));
        assert_eq!(read(Span::Before(Seq::new(2)), 9), (vec![], false));
        assert_eq!(read(Span::Before(Seq::new(99)), 1), (vec![8], true));
        assert_eq!(read(Span::After(Seq::new(5)), 2), (vec![6, 7], true));
        assert_eq!(read(Span::After(Seq::ZERO), 2), (vec![4, 5], true));
        assert_eq!(read(Span::After(Seq::new(8)), 2), (vec![], false));
        assert_eq!(read(Span::After(Seq::new(u64::MAX - 1)), 2), (vec![], false));
        assert_eq!(read(Span::Between(Seq::new(4), Seq::new(7)), 9), (vec![5, 6], false));
        assert_eq!(read(Span::Between(Seq::new(7), Seq::new(4)), 9), (vec![], false));
    }

    #[test]
    fn old_messages_and_ids_are_forgotten() {
        let retention = Retention::default();
        let mut log = filled(2, &retention);
        let later = after(NOW, Duration::from_secs(24 * 3600));
        let slice = log.read(later, &retention, Span::Newest, 9, as_amended);
        assert_eq!((slice.oldest.get(), slice.newest.get(), slice.entries.len()), (3, 2, 0));
        assert!(log.seen.is_empty() && log.seen_by_age.is_empty());
    }
}
