//! Whether one connection saw its room's timeline whole: `seq` after `seq`, none missing, none twice. Nothing is kept for
//! each message; only what is missing is remembered, until it comes after all.

/// One connection's place in its room's timeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    next: u64,
    /// First and last of what was left out, oldest first. Nearly always empty, and then it owns no memory.
    holes: Vec<(u64, u64)>,
}

/// What a position is to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The one that had to come.
    Next,
    /// Later than that: so many were left out.
    Skipped(u64),
    /// One that had been left out, and is no longer lost but out of order.
    Late,
    /// One that was here before.
    Again,
}

impl Line {
    /// A line that goes on after `seq`.
    #[must_use]
    pub fn after(seq: u64) -> Self {
        Self { next: seq + 1, holes: Vec::new() }
    }

    /// The newest position that was seen, or that it began after.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// Takes note of a position.
    #[inline]
    pub fn see(&mut self, seq: u64) -> Seen {
        if seq == self.next {
            self.next += 1;
            return Seen::Next;
        }
        self.odd(seq)
    }

    /// Goes on after `seq`, because the server said that what is before it cannot be had: how many those are.
    pub fn give_up(&mut self, seq: u64) -> u64 {
        let left = (seq + 1).saturating_sub(self.next);
        self.next += left;
        left
    }

    #[cold]
    fn odd(&mut self, seq: u64) -> Seen {
        if seq > self.next {
            let skipped = seq - self.next;
            self.holes.push((self.next, seq - 1));
            self.next = seq + 1;
            return Seen::Skipped(skipped);
        }
        let Some(at) = self.holes.iter().position(|(first, last)| (*first..=*last).contains(&seq)) else {
            return Seen::Again;
        };
        let (first, last) = self.holes.remove(at);
        if seq < last {
            self.holes.insert(at, (seq + 1, last));
        }
        if first < seq {
            self.holes.insert(at, (first, seq - 1));
        }
        Seen::Late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(after: u64, seqs: &[u64]) -> Vec<Seen> {
        let mut line = Line::after(after);
        seqs.iter().map(|seq| line.see(*seq)).collect()
    }

    #[test]
    fn one_after_the_other_is_well() {
        assert_eq!(all(41, &[42, 43, 44]), [Seen::Next; 3]);
        assert_eq!(Line::after(41).newest(), 41);
    }

    #[test]
    fn what_is_left_out_is_counted_once() {
        assert_eq!(all(0, &[1, 5, 6]), [Seen::Next, Seen::Skipped(3), Seen::Next]);
    }

    #[test]
    fn twice_is_told_from_late() {
        assert_eq!(all(0, &[1, 1]), [Seen::Next, Seen::Again]);
        assert_eq!(all(7, &[7]), [Seen::Again]);
        assert_eq!(all(0, &[2, 1, 1]), [Seen::Skipped(1), Seen::Late, Seen::Again]);
    }

    #[test]
    fn holes_close_from_both_ends_and_from_the_middle() {
        let expected = [Seen::Skipped(5), Seen::Late, Seen::Late, Seen::Late, Seen::Again, Seen::Late, Seen::Late];
        assert_eq!(all(0, &[6, 3, 1, 5, 3, 2, 4]), expected);
        let mut line = Line::after(0);
        for seq in [6, 3, 1, 5, 2, 4] {
            line.see(seq);
        }
        assert_eq!(line, Line::after(6));
    }

    #[test]
    fn what_is_given_up_is_counted() {
        let mut line = Line::after(3);
        assert_eq!((line.give_up(7), line.give_up(5)), (4, 0));
        assert_eq!(line.see(8), Seen::Next);
    }
}
