//! What time it is here, and elsewhere.

use crate::{
    code::Code,
    finding::{Edit, Findings, Place, Severity},
};

/// Milliseconds from which on somebody should know.
const WARNING: u64 = 2_000;
/// Milliseconds from which on sessions and bans begin and end at the wrong time.
const ERROR: u64 = 30_000;

/// What a clock said, and when it was asked and answered by ours; all in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When it was asked.
    pub asked: u64,
    /// What it said.
    pub said: u64,
    /// When the answer was here.
    pub answered: u64,
}

impl Reading {
    /// How far it is off at least, and whether it is ahead: somewhere between the question and the answer is no fault.
    #[must_use]
    pub fn skew(&self) -> (u64, bool) {
        match self.said {
            said if said < self.asked => (self.asked - said, false),
            said => (said.saturating_sub(self.answered), true),
        }
    }
}

/// Compares one clock with ours.
pub fn check(code: Code, whose: &str, reading: Reading, out: &mut Findings) {
    out.looked(&[code]);
    let (skew, is_ahead) = reading.skew();
    if skew <= WARNING {
        return;
    }
    let severity = if skew > ERROR { Severity::Error } else { Severity::Warning };
    let direction = if is_ahead { "ahead of" } else { "behind" };
    let seen = format!("the clock of {whose} is {}.{} s {direction} this machine's", skew / 1000, skew % 1000 / 100);
    let change = "Sessions, bans and tokens end by these clocks: have both machines follow NTP.".to_owned();
    let place = Place::at(whose).edit(Edit::Run("timedatectl set-ntp true".to_owned()));
    out.add(code, severity, Some(place), seen, change);
}
