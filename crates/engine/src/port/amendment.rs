//! What a post may do to earlier ones.

use super::Entry;
use bytes::{BufMut, Bytes, BytesMut};
use protocol::Seq;
use uuid::Uuid;

/// An earlier position of the log is to read otherwise from now on. What was posted there stays where it is, for
/// [`Bus::originals`](super::Bus::originals) alone, as long as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// Which position.
    pub target: Seq,
    /// The newest amendment of it that its author knows; none: that it is as it was posted. When that is not so, or the log
    /// does not have it any more, nothing is done.
    pub expect: Option<Seq>,
    /// What it reads as from now on, a JSON object. The amendment's own position, which nobody knows before, becomes the last
    /// field of it …
    pub replacement: Bytes,
    /// … under this name.
    pub noted_as: &'static str,
    /// What its former amendment reads as from now on, if that is to be replaced as well.
    pub superseded: Option<(Seq, Bytes)>,
}

/// An entry as it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// What was posted.
    pub entry: Entry,
    /// Of its [`Post`](super::Post).
    pub key: Option<Uuid>,
    /// What has become of it.
    pub amended: Option<Amended>,
}

/// What an amendment has made of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// The position of the newest amendment.
    pub by: Seq,
    /// What the entry reads as.
    pub payload: Bytes,
}

impl Amendment {
    /// The replacement, once the amendment has its position. (Backends with scripts do the same in them.)
    #[must_use]
    pub fn noted(&self, by: Seq) -> Bytes {
        let open = self.replacement.strip_suffix(b"}").unwrap_or(&self.replacement);
        let mut whole = BytesMut::with_capacity(open.len() + self.noted_as.len() + 24);
        whole.put_slice(open);
        whole.put_slice(format!(",\"{}\":{by}}}", self.noted_as).as_bytes());
        whole.freeze()
    }
}
