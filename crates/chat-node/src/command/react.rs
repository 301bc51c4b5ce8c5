//! `REACT`: puts an emoji to a message, or takes one's own away again. Who has which is for clients to count.

use super::{
    Client, Refusal, Reply,
    change::{self, Right, Wish},
};
use protocol::{CorrelationId, ErrorCode, command::React, event::ChangeKind};

pub(super) async fn run(client: &mut Client, echo: Option<CorrelationId>, command: React) -> Reply {
    let React { id, room_id: room, seq, emoji, on } = command;
    let emoji = known(&emoji.0)
        .ok_or_else(|| Refusal::error(ErrorCode::BadRequest, "`emoji` must be one emoji of Unicode's list"))?;
    let kind = if on { ChangeKind::React } else { ChangeKind::Unreact };
    change::run(client, Wish { echo, id, room, seq, kind, body: emoji }, Right::Anybody).await
}

/// The emoji as Unicode spells it in full, so that one with and one without its variation selector are the same.
fn known(text: &str) -> Option<&'static str> {
    emojis::get(text).map(emojis::Emoji::as_str)
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn what_people_use_is_known() {
        for emoji in [
            "👍",
            "👍🏽",                               // with a skin tone
            "❤️",                               // with a variation selector
            "👩\u{200d}🚀",                     // joined
            "👩🏿\u{200d}🚀",                     // both
            "👨\u{200d}👩\u{200d}👧\u{200d}👦", // four of them
            "🧑🏻\u{200d}❤️\u{200d}💋\u{200d}🧑🏿", // about the longest
            "🇨🇭",                               // a flag
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "3️⃣",
            "🏳️\u{200d}🌈",
        ] {
            let known = known(emoji);
            assert_eq!(known, Some(emoji));
            assert!(known.is_some_and(|known| known.chars().count() <= 16));
        }
        assert_eq!(known("❤"), Some("❤️"), "without its selector");
    }

    #[test]
    fn all_else_is_not() {
        for text in ["", " ", "a", ":+1:", "👍👍", "👍 ", "\u{200d}", "\u{fe0f}", "<b>", "3", "🇨", &"👍".repeat(1000)]
        {
            assert_eq!(known(text), None, "{text:?}");
        }
    }
}
