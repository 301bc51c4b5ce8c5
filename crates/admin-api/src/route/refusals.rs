//! Who was refused at the login by a limit, as far as the audit log is to know: once an address and minute.

use protocol::Timestamp;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Addresses that are remembered. Past that nobody more is written down until the minute is over: the log is not to be
/// filled by those whom it should tell of.
const MOST: usize = 1_000;

/// Sign-ins that failed and have an entry each, in a minute and of one process.
const LISTED: u64 = 240;

/// Who was written down, and in which minute.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<IpAddr, u64>>);

impl Refusals {
    /// Whether this is an address's first refusal of the minute.
    pub(super) fn first(&self, address: IpAddr, now: Timestamp) -> bool {
        let minute = minute(now);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(&address) == Some(&minute) {
            return false;
        }
        if seen.len() >= MOST {
            seen.retain(|_, at| *at == minute);
        }
        seen.len() < MOST && seen.insert(address, minute) != Some(minute)
    }

    /// Forgets what is over.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, at| *at == minute(now));
        seen.shrink_to_fit();
    }
}

/// Sign-ins that failed, of one process. Each has its entry, as long as they are not so many that they push out of the log
/// what it is there for; then their number has.
#[derive(Default)]
pub(crate) struct Failures(Mutex<(u64, u64)>);

impl Failures {
    /// One more: whether it gets an entry of its own, and how many of the minutes before got none.
    pub(super) fn add(&self, now: Timestamp) -> (bool, Option<u64>) {
        let left_out = self.take_left_out(now);
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.1 += 1;
        (failures.1 <= LISTED, left_out)
    }

    /// How many of the minutes before got no entry; told once.
    pub(crate) fn take_left_out(&self, now: Timestamp) -> Option<u64> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.0 == minute(now) {
            return None;
        }
        let former = std::mem::replace(&mut *failures, (minute(now), 0));
        former.1.checked_sub(LISTED).filter(|left_out| *left_out > 0)
    }
}

fn minute(now: Timestamp) -> u64 {
    now.0 / 60_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_listed_until_they_are_too_many_and_then_counted() {
        let failures = Failures::default();
        let listed = (0..LISTED + 7).filter(|_| failures.add(Timestamp(59_000)).0).count() as u64;
        assert_eq!(listed, LISTED);
        assert_eq!(failures.take_left_out(Timestamp(59_999)), None);
        assert_eq!(failures.add(Timestamp(60_000)), (true, Some(7)));
        assert_eq!(failures.take_left_out(Timestamp(120_000)), None, "of one minute there was one");
    }

    #[test]
    fn once_an_address_and_minute_and_never_too_many() {
        let refusals = Refusals::default();
        let ip = |n: u32| IpAddr::from(n.to_be_bytes());
        assert!(refusals.first(ip(1), Timestamp(0)));
        assert!(!refusals.first(ip(1), Timestamp(59_999)));
        assert!(refusals.first(ip(1), Timestamp(60_000)));
        let most = u32::try_from(MOST).unwrap();
        let noted = (10..10 + 2 * most).filter(|n| refusals.first(ip(*n), Timestamp(60_000))).count();
        assert_eq!(noted, MOST - 1);
        refusals.sweep(Timestamp(120_000));
        assert!(refusals.first(ip(1), Timestamp(120_000)));
    }
}
