//! A room's timeline: positions, what is still kept of them, and the ids that would be duplicates.

use super::{Retention, after};
use crate::port::{Appended, Entry, Slice, Span};
use bytes::Bytes;
use protocol::{ClientId, Epoch, MessageId, Seq, Timestamp};
use std::collections::{HashMap, VecDeque};

pub(super) struct Log {
    epoch: Epoch,
    newest: Seq,
    entries: VecDeque<Entry>,
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
        self.seen.get(&key).map(|first| Appended { duplicate: true, ..*first })
    }

    /// Appends what was not.
    pub(super) fn append(
        &mut self,
        now: Timestamp,
        retention: &Retention,
        key: (ClientId, MessageId),
        payload: Bytes,
    ) -> Appended {
        self.newest = self.newest.next();
        let appended = Appended { seq: self.newest, sent_at: now, duplicate: false };
        self.seen.insert(key, appended);
        self.seen_by_age.push_back((after(now, retention.duplicates), key));
        self.entries.push_back(Entry { seq: self.newest, sent_at: now, payload });
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

    pub(super) fn read(&mut self, now: Timestamp, retention: &Retention, span: Span, limit: usize) -> Slice {
        self.expire(now, retention);
        let oldest = self.entries.front().map_or(self.newest.next(), |e| e.seq);
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
            entries: self.entries.range(from..to).cloned().collect(),
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
        while self.entries.front().is_some_and(|e| after(e.sent_at, retention.time) <= now) {
            self.entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn filled(n: u64, retention: &Retention) -> Log {
        let mut log = Log::new("e".parse().unwrap());
        let client = ClientId::new(10_000).unwrap();
        for i in 0..n {
            log.append(NOW, retention, (client, MessageId::new(Uuid::from_u128(i.into()))), Bytes::new());
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
            let slice = log.read(NOW, &retention, span, limit);
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
        let slice = log.read(later, &retention, Span::Newest, 9);
        assert_eq!((slice.oldest.get(), slice.newest.get(), slice.entries.len()), (3, 2, 0));
        assert!(log.seen.is_empty() && log.seen_by_age.is_empty());
    }
}
