//! Paths and queries. All are read as text, so that a refusal can say what would be right. Empty is as good as absent: a
//! form sends its empty fields, too.

use crate::{cursor, mac::Mac};
use protocol::admin::{PAGE_DEFAULT, PAGE_MAX, TEXT_MAX};
use runtime::http::Problem;
use serde::Deserialize;

/// Where to go on, how far, and what for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// From the page before; without it the list begins.
    #[param(max_length = 256)]
    cursor: Option<String>,
    /// How many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// What is searched for: the beginning of an id, or a part of a name, in whatever case; of clients also an address or a
    /// network.
    #[param(max_length = 500)]
    query: Option<String>,
}

/// What a [`Listing`] asks for.
#[derive(Debug)]
pub(crate) struct Page {
    /// The position that the cursor means.
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
    /// In lower case.
    pub(crate) query: Option<String>,
}

impl Listing {
    /// For one list: another one's cursor is none.
    pub(crate) fn checked(self, mac: &Mac, list: &str) -> Result<Page, Problem> {
        let after = position(self.cursor, mac, list)?;
        let query = text("query", self.query)?.map(|query| query.to_lowercase());
        Ok(Page { after, limit: limit(self.limit)?, query })
    }
}

/// A page without a search.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// From the page before; without it the list begins.
    #[param(max_length = 256)]
    cursor: Option<String>,
    /// How many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
}

impl Paging {
    /// Where to go on, and how far.
    pub(crate) fn checked(self, mac: &Mac, list: &str) -> Result<(Option<String>, usize), Problem> {
        Ok((position(self.cursor, mac, list)?, limit(self.limit)?))
    }
}

/// Why, for the audit log.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Why {
    /// Why, for the audit log.
    #[param(max_length = 500)]
    reason: Option<String>,
}

impl Why {
    pub(crate) fn checked(self) -> Result<Option<String>, Problem> {
        text("reason", self.reason)
    }
}

/// The position that a cursor means.
pub(crate) fn position(cursor: Option<String>, mac: &Mac, list: &str) -> Result<Option<String>, Problem> {
    given(cursor).map(|cursor| cursor::take(mac, list, &cursor)).transpose()
}

pub(crate) fn limit(limit: Option<String>) -> Result<usize, Problem> {
    let Some(limit) = given(limit) else { return Ok(PAGE_DEFAULT) };
    let digits = limit.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = limit.parse().ok().filter(|limit| digits && (1..=PAGE_MAX).contains(limit));
    parsed.ok_or_else(|| Problem::bad_request(format!("limit must be a whole number from 1 to {PAGE_MAX}")))
}

/// A text that is not too long.
pub(crate) fn text(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    match given(text) {
        Some(text) if text.chars().count() > TEXT_MAX => {
            Err(Problem::bad_request(format!("{name} may have at most {TEXT_MAX} characters")))
        }
        text => Ok(text),
    }
}

/// `true` or `false`.
pub(crate) fn flag(name: &str, value: Option<String>) -> Result<bool, Problem> {
    match given(value).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::bad_request(format!("{name} must be true or false"))),
    }
}

pub(crate) fn given(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::CURSOR_MAX;

    #[test]
    fn the_document_names_the_limits_in_force() {
        // Attributes of a derive are literals; this keeps them true.
        assert_eq!((PAGE_DEFAULT, PAGE_MAX, TEXT_MAX, CURSOR_MAX), (50, 500, 500, 256));
    }

    #[test]
    fn limits_are_whole_numbers() {
        assert_eq!(limit(Some("500".into())).unwrap(), 500);
        for bad in ["0", "501", "-1", "+5", "1.5", "x", "99999999999999999999999", " 5"] {
            assert!(limit(Some(bad.into())).is_err(), "{bad}");
        }
    }
}
