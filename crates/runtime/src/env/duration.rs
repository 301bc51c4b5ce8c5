//! Durations as people write them: `250ms`, `10s`, `5m`, `24h`, `30d`.

use std::time::Duration;

/// The [`unit`](super::Variable::unit) of a variable that holds a duration.
pub const DURATION: &str = "duration: 250ms, 10s, 5m, 24h, 30d";

/// Milliseconds of each unit, longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// There is no whole number at its start.
    #[error("it does not start with a whole number")]
    Number,
    /// The number is not followed by a unit. A bare number is refused: nobody remembers whether it meant seconds.
    #[error("the unit is missing or unknown")]
    Unit,
    /// It is longer than can be counted.
    #[error("it is too long")]
    TooLong,
}

/// Reads one whole number and one unit.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(ParseDurationError::Number);
    }
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or(ParseDurationError::Unit)?;
    let number: u64 = number.parse().map_err(|_| ParseDurationError::TooLong)?;
    number.checked_mul(*millis).map(Duration::from_millis).ok_or(ParseDurationError::TooLong)
}

/// Writes `duration` in the longest unit that is exact, so that [`parse_duration`] reads it back. What is below a
/// millisecond is dropped.
pub fn format_duration(duration: Duration) -> String {
    let total = duration.as_millis();
    let exact = UNITS.iter().find(|(_, millis)| total > 0 && total.is_multiple_of(u128::from(*millis)));
    match exact {
        Some((unit, millis)) => format!("{}{unit}", total / u128::from(*millis)),
        None => "0s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_unit() {
        for (text, millis) in [("250ms", 250), ("10s", 10_000), ("5m", 300_000), ("24h", 86_400_000), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse_duration("30d"), Ok(Duration::from_secs(30 * 86_400)));
    }

    #[test]
    fn what_is_not_one() {
        use ParseDurationError::{Number, TooLong, Unit};
        for (text, error) in [
            ("", Number),
            ("s", Number),
            ("-1s", Number),
            ("1.5s", Unit),
            ("10", Unit),
            ("10sec", Unit),
            ("1h30m", Unit),
        ] {
            assert_eq!(parse_duration(text), Err(error), "{text}");
        }
        assert_eq!(parse_duration("99999999999999999999s"), Err(TooLong));
        assert_eq!(parse_duration("18446744073709551615d"), Err(TooLong));
    }

    #[test]
    fn written_in_the_longest_exact_unit() {
        for text in ["250ms", "90s", "90m", "25h", "30d", "0s"] {
            assert_eq!(parse_duration(text).map(format_duration), Ok(text.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn round_trip(millis in 0u64..10_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = parse_duration(&text);
        }
    }
}
