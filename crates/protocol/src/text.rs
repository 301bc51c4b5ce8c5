//! Texts that people write. What came over the wire is a [`RawText`]; only a parser here turns it into something that
//! the rest of the program accepts. Lengths count Unicode scalar values after trimming.

use crate::error::ErrorCode;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// Text as it arrived, not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(as = "String"))]
#[serde(transparent)]
pub struct RawText(pub String);

impl From<&str> for RawText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing is left after trimming.
    #[error("{what} must not be empty")]
    Empty {
        /// Which text.
        what: &'static str,
    },
    /// More characters than allowed.
    #[error("{what} may have at most {max} characters; this has {len}")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// The limit in force.
        max: usize,
        /// What came.
        len: usize,
    },
    /// A name with control characters, or with nothing that one can see.
    #[error("{what} must be visible text without control characters")]
    InvalidName {
        /// Which text.
        what: &'static str,
    },
    /// A body with control characters other than line feed and tab.
    #[error("a message must not have control characters other than line feed and tab")]
    ControlInBody,
}

impl TextError {
    /// The code that goes into the `ERROR` event.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Empty { .. } => ErrorCode::Empty,
            Self::TooLong { .. } => ErrorCode::TooLong,
            Self::InvalidName { .. } => ErrorCode::InvalidName,
            Self::ControlInBody => ErrorCode::BadRequest,
        }
    }
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(as = "String"))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
        // Reading one back (from a node's own record, or by a client) trusts the server that parsed it.
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Trims and checks.
            ///
            /// # Errors
            /// When the text is empty, longer than `max_chars`, or has characters that are refused.
            pub fn parse(raw: &RawText, max_chars: usize) -> Result<Self, TextError> {
                let parse: fn(&str, usize) -> Result<(), TextError> = $parse;
                let trimmed = raw.0.trim();
                parse(trimmed, max_chars)?;
                Ok(Self(trimmed.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// What others call a client.
    Username, |text, max| check_name("a name", text, max)
);
text!(
    /// What a room is called; it need not be unique.
    RoomName, |text, max| check_name("a room's name", text, max)
);
text!(
    /// What a message says.
    MessageBody, |text, max| {
        check_length("a message", text, max)?;
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(TextError::ControlInBody);
        }
        Ok(())
    }
);

impl Username {
    /// The name of a guest who chose none.
    #[must_use]
    pub fn guest(id: crate::ClientId) -> Self {
        Self(format!("User {id}").into())
    }
}

fn check_length(what: &'static str, text: &str, max: usize) -> Result<(), TextError> {
    match text.chars().count() {
        0 => Err(TextError::Empty { what }),
        len if len > max => Err(TextError::TooLong { what, max, len }),
        _ => Ok(()),
    }
}

fn check_name(what: &'static str, text: &str, max: usize) -> Result<(), TextError> {
    check_length(what, text, max)?;
    if text.chars().any(char::is_control) || text.chars().all(is_invisible) {
        return Err(TextError::InvalidName { what });
    }
    Ok(())
}

/// Characters that leave no mark: a name of nothing else would be a blank line in everybody's list.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<String, ErrorCode> {
        Username::parse(&text.into(), 16).map(|n| n.to_string()).map_err(|e| e.code())
    }

    fn body(text: &str) -> Result<String, ErrorCode> {
        MessageBody::parse(&text.into(), 5).map(|n| n.to_string()).map_err(|e| e.code())
    }

    #[test]
    fn names() {
        assert_eq!(name("  Zoë \t"), Ok("Zoë".into()));
        assert_eq!(name(&"🦀".repeat(16)), Ok("🦀".repeat(16)));
        assert_eq!(name(&"a".repeat(17)), Err(ErrorCode::TooLong));
        assert_eq!(name(""), Err(ErrorCode::Empty));
        assert_eq!(name(" \u{a0}\u{2003} "), Err(ErrorCode::Empty));
        assert_eq!(name("a\u{7}b"), Err(ErrorCode::InvalidName));
        assert_eq!(name("a\nb"), Err(ErrorCode::InvalidName));
        assert_eq!(name("\u{200b}\u{feff}"), Err(ErrorCode::InvalidName));
        // Part of a visible name (an emoji sequence), so it stays.
        assert_eq!(name("👩\u{200d}🚀"), Ok("👩\u{200d}🚀".into()));
    }

    #[test]
    fn bodies() {
        assert_eq!(body(" a\n\tb "), Ok("a\n\tb".into()));
        assert_eq!(body("123456"), Err(ErrorCode::TooLong));
        assert_eq!(body(" 12345 "), Ok("12345".into()));
        assert_eq!(body("\n \t"), Err(ErrorCode::Empty));
        assert_eq!(body("a\rb"), Err(ErrorCode::BadRequest));
        assert_eq!(body("a\0b"), Err(ErrorCode::BadRequest));
        assert_eq!(body("\u{85}a\u{9f}b"), Err(ErrorCode::BadRequest));
    }
}
