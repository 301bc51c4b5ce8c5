//! Following single messages from node to node (`docs/tracing.md`). The engine hands a message's trace context on, and
//! says when the message was heard and handed to its members; what becomes of that is not its business.

use std::{fmt, num::NonZeroU64, str::FromStr};

/// Where in which trace a message stands, as W3C's Trace Context has it. There is one only for a message that is followed:
/// it is always sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Both halves of the trace's id; not both are 0.
    trace: [u64; 2],
    span: NonZeroU64,
}

impl TraceContext {
    /// Of a trace and a span; `None` when one of the ids is 0, which means that there is none.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // the lower half is meant
    pub fn new(trace: u128, span: u64) -> Option<Self> {
        (trace != 0).then_some(())?;
        Some(Self { trace: [(trace >> 64) as u64, trace as u64], span: NonZeroU64::new(span)? })
    }

    /// The trace's id.
    #[must_use]
    pub fn trace(&self) -> u128 {
        u128::from(self.trace[0]) << 64 | u128::from(self.trace[1])
    }

    /// The span's id.
    #[must_use]
    pub fn span(&self) -> u64 {
        self.span.get()
    }
}

/// As in the header `traceparent`: `00-<32 hexadecimal digits>-<16>-01`.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace(), self.span)
    }
}

/// Not one that is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFollowed;

impl FromStr for TraceContext {
    type Err = NotFollowed;

    fn from_str(text: &str) -> Result<Self, NotFollowed> {
        let hex = |part: &str, length: usize| {
            let is_hex = part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            is_hex.then(|| u128::from_str_radix(part, 16).ok())?
        };
        let mut parts = text.split('-');
        let mut next = || parts.next().unwrap_or_default();
        let ("00", trace, span, flags) = (next(), next(), next(), next()) else { return Err(NotFollowed) };
        let sampled = hex(flags, 2).is_some_and(|flags| flags & 1 == 1);
        let (trace, span) = (hex(trace, 32), hex(span, 16).and_then(|span| u64::try_from(span).ok()));
        let context = trace.zip(span).and_then(|(trace, span)| Self::new(trace, span));
        context.filter(|_| sampled && parts.next().is_none()).ok_or(NotFollowed)
    }
}

/// Takes down what becomes of messages that are followed.
pub trait Tracer: Send + Sync {
    /// One has come from the bus, and is handed to its room's members here until the last clone of what is returned is
    /// dropped.
    fn delivering(&self, message: TraceContext) -> Box<dyn Delivering>;
}

/// A message on its way to a room's members on this node; each worker says what it did.
pub trait Delivering: Send + Sync {
    /// So many members, and so many bytes for all of them together.
    fn reached(&self, members: u64, bytes: u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_traceparent_of_what_is_sampled() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context: TraceContext = text.parse().unwrap();
        assert_eq!(context.trace(), 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!((context.span(), context.to_string()), (0xb7ad_6b71_6920_3331, text.to_owned()));
        let low = TraceContext::new(1, 1).unwrap();
        assert_eq!(low.to_string().parse(), Ok(low));
        for bad in [
            "",
            "00",
            &text[..54],
            &format!("{text}-x"),
            &text.replace("-01", "-00"),
            &text.replacen("00", "01", 1),
            &text.to_uppercase(),
            &text.replace("b7ad6b7169203331", "0000000000000000"),
            &text.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &text.replace("0af7", "+af7"),
        ] {
            assert_eq!(bad.parse::<TraceContext>(), Err(NotFollowed), "{bad}");
        }
    }
}
