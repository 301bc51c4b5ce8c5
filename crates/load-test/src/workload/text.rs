//! What is said: of all sizes, in many scripts, with whatever has broken a chat before.

use crate::dice::Dice;

const WORDS: &[&str] = &[
    "tea",
    "hello",
    "who is here?",
    "Grüße",
    "привет",
    "你好",
    "こんにちは",
    "안녕하세요",
    "مرحبا",
    "שלום",
    "🦀",
    "👩‍👩‍👧‍👦",
    "e\u{301}",
    "<img src=x onerror=alert(1)>",
    "\"quotes\" and \\back\\slashes\\",
    "null",
    "{\"type\":\"ACK\"}",
    "a\tb",
    "line\nbreak",
    "subscribe",
    "message",
    "\u{202e}drawkcab",
    "zero\u{200b}width",
    "'; DROP TABLE rooms; --",
    "%00%n",
    "\u{fffd}",
    "𝕳𝖊𝖑𝖑𝖔",
];

/// A message's body: mostly short, now and then as long as it may be.
pub fn body(dice: &mut Dice, most: usize) -> String {
    let length = match dice.number(0..100) {
        0..70 => dice.number(1..80),
        70..95 => dice.number(80..400),
        95..99 => dice.number(400..most as u64),
        _ => most as u64,
    };
    let mut text = String::new();
    let mut left = usize::try_from(length).unwrap_or(most).min(most);
    while left > 0 {
        let word = dice.pick(WORDS).copied().unwrap_or("x");
        let part: String = word.chars().take(left).collect();
        left -= part.chars().count();
        text.push_str(&part);
        if left > 1 {
            text.push(' ');
            left -= 1;
        }
    }
    // What is cut off in the middle may end in white space, which is trimmed: one visible character there.
    if text.trim().is_empty() { "x".to_owned() } else { text }
}

/// A name of at most 16 characters.
pub fn name(dice: &mut Dice) -> String {
    const NAMES: &[&str] = &[
        "Zoë",
        "Ада",
        "花子",
        "O'Neil",
        "<b>Bob</b>",
        "subscribe",
        "message",
        "🦊",
        "constructor",
        "a b",
        "null",
        "Ünal",
    ];
    let name = dice.pick(NAMES).copied().unwrap_or("x");
    format!("{name} {}", dice.number(0..1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{MessageBody, RawText, RoomName, Username};

    #[test]
    fn all_that_is_said_can_be_said() {
        let mut dice = Dice::new(1, 1);
        for _ in 0..2000 {
            MessageBody::parse(&RawText(body(&mut dice, 2000)), 2000).unwrap();
            let name = RawText(name(&mut dice));
            Username::parse(&name, 16).unwrap();
            RoomName::parse(&name, 16).unwrap();
        }
    }
}
