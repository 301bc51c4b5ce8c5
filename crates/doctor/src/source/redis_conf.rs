//! `redis.conf`: a directive a line.

use super::Text;

/// One directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// In small letters.
    pub name: String,
    /// The rest of the line, without quotes around it.
    pub value: String,
    /// Its line, from 1.
    pub line: usize,
}

/// The file.
#[derive(Debug, Clone)]
pub struct RedisConf {
    /// Its text.
    pub text: Text,
    /// Its directives, in order.
    pub directives: Vec<Directive>,
}

impl RedisConf {
    /// Reads a text.
    #[must_use]
    pub fn parse(text: Text) -> Self {
        let directives = text.text.lines().enumerate().filter_map(|(at, line)| directive(at + 1, line)).collect();
        Self { text, directives }
    }

    /// The one that counts: the last.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Directive> {
        self.directives.iter().rev().find(|directive| directive.name == name)
    }
}

fn directive(line: usize, text: &str) -> Option<Directive> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let value = value.trim();
    let bare = |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    let value = bare('"').or_else(|| bare('\'')).unwrap_or(value);
    Some(Directive { name: name.to_ascii_lowercase(), value: value.to_owned(), line })
}

/// Bytes as Redis writes them: `1gb`, `512mb`, `100`.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_counts() {
        let conf = RedisConf::parse(Text::new("redis.conf", "# x\nappendonly no\n\nAppendOnly  yes\nsave \"\"\n"));
        let get = |name: &str| conf.get(name).map(|d| (d.line, d.value.as_str()));
        assert_eq!((get("appendonly"), get("save"), get("x")), (Some((4, "yes")), Some((5, "")), None));
    }

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0", Some(0)), ("1gb", Some(1 << 30)), ("2M", Some(2_000_000)), ("x", None), ("1tb", None)]
        {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }
}
