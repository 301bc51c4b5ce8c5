//! Cursors: where a list goes on, signed, so that nobody asks the backend for anything else.

use crate::mac::Mac;
use runtime::http::Problem;

/// No cursor of ours is longer.
pub(crate) const CURSOR_MAX: usize = 256;
/// Characters of the signature: 96 bits.
const SIGNATURE: usize = 16;

/// The cursor for a position of a list.
pub(crate) fn give(mac: &Mac, list: &str, position: &str) -> String {
    format!("{position}.{}", signature(mac, list, position))
}

/// The position that a cursor means.
pub(crate) fn take(mac: &Mac, list: &str, cursor: &str) -> Result<String, Problem> {
    match cursor.rsplit_once('.') {
        Some((position, signed)) if cursor.len() <= CURSOR_MAX && mac.same(&signature(mac, list, position), signed) => {
            Ok(position.to_owned())
        }
        _ => Err(bad_cursor()),
    }
}

pub(crate) fn bad_cursor() -> Problem {
    Problem::bad_request("cursor must be one that a page of this list gave")
}

fn signature(mac: &Mac, list: &str, position: &str) -> String {
    let mut signature = mac.of("cursor", &[list, position]);
    signature.truncate(SIGNATURE);
    signature
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::env::Secret;

    #[test]
    fn only_what_was_given_is_taken() {
        let mac = Mac::new(&Secret::new("s".repeat(32)));
        let cursor = give(&mac, "clients", "12345");
        assert_eq!(take(&mac, "clients", &cursor).unwrap(), "12345");
        let longer = format!("{cursor}x");
        for bad in ["", ".", "12345", "12345.", &cursor[1..], &longer, &cursor.replace("12345", "12346"), "\0", "é.é"]
        {
            assert_eq!(take(&mac, "clients", bad).unwrap_err().status(), 400, "{bad}");
        }
        assert!(take(&mac, "rooms", &cursor).is_err());
    }
}
