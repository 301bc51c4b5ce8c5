//! `.env`, as docker compose and shells read it.

use super::Text;

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// Its value, without quotes.
    pub value: String,
    /// Its line, from 1.
    pub line: usize,
    /// Whether `$` in it means itself.
    pub literal: bool,
}

/// The file.
#[derive(Debug, Clone)]
pub struct EnvFile {
    /// Its text.
    pub text: Text,
    /// Its assignments, in order.
    pub assignments: Vec<Assignment>,
}

impl EnvFile {
    /// Reads a text. What is no assignment is passed over, as compose does.
    #[must_use]
    pub fn parse(text: Text) -> Self {
        let assignments = text.text.lines().enumerate().filter_map(|(at, line)| assignment(at + 1, line)).collect();
        Self { text, assignments }
    }

    /// The assignment that counts: the last one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Assignment> {
        self.assignments.iter().rev().find(|assignment| assignment.name == name)
    }
}

fn assignment(line: usize, text: &str) -> Option<Assignment> {
    let text = text.trim();
    let text = text.strip_prefix("export ").unwrap_or(text);
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let quoted =
        |quote: char| value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)).map(|(inner, _)| inner);
    let (value, literal) = match (quoted('\''), quoted('"')) {
        (Some(value), _) => (value, true),
        (None, Some(value)) => (value, false),
        // A comment needs a blank in front: a value may have a # in it.
        (None, None) if value.starts_with('#') => ("", false),
        (None, None) => (value.split_once(" #").map_or(value, |(value, _)| value.trim_end()), false),
    };
    Some(Assignment { name: name.to_owned(), value: value.to_owned(), line, literal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_and_where_it_stands() {
        let text =
            "# A=0\n\nA=1\nexport B = 'two $x # 2' # why\nC=\"3 # 3\"\nD=4#4 # four\nA=5\nE=\nF=#6\nno assignment\n";
        let file = EnvFile::parse(Text::new(".env", text));
        let get = |name: &str| file.get(name).map(|a| (a.line, a.value.as_str(), a.literal));
        assert_eq!(get("A"), Some((7, "5", false)));
        assert_eq!(get("B"), Some((4, "two $x # 2", true)));
        assert_eq!(get("C"), Some((5, "3 # 3", false)));
        assert_eq!(get("D"), Some((6, "4#4", false)));
        assert_eq!(get("E"), Some((8, "", false)));
        assert_eq!(get("F"), Some((9, "", false)));
        assert_eq!((get("no"), file.text.last_line()), (None, 10));
    }
}
