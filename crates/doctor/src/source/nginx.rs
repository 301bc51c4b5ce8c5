//! nginx's files: blocks of directives. Files that are included beside them are read in their place; `${NAME}` of a template
//! stays as it is.

use super::Text;
use std::path::Path;

/// One directive, with its block if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Its name.
    pub name: String,
    /// Its arguments, without quotes.
    pub args: Vec<String>,
    /// The file that it stands in.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What is in its braces.
    pub block: Vec<Directive>,
}

impl Directive {
    /// It, as it stands.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {}", self.name, self.args.join(" ")).trim_end().to_owned()
    }

    /// The last of its block of this name.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&Self> {
        self.block.iter().rev().find(|directive| directive.name == name)
    }
}

/// What goes to chat-nodes, and what it is inherited from, innermost first.
#[derive(Debug)]
pub struct Route<'a> {
    /// `location`, `server`, `http`.
    pub levels: Vec<&'a Directive>,
}

impl Route<'_> {
    /// The directive of this name that counts, as nginx inherits most of them.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&Directive> {
        self.levels.iter().find_map(|level| level.last(name))
    }

    /// What this header is set to towards the service. Headers are inherited only by a level that sets none.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&Directive> {
        let sets = |level: &&&Directive| level.block.iter().any(|d| d.name == "proxy_set_header");
        let level = self.levels.iter().find(sets)?;
        let is_it = |d: &&Directive| {
            d.name == "proxy_set_header" && d.args.first().is_some_and(|header| header.eq_ignore_ascii_case(name))
        };
        level.block.iter().rev().find(is_it)
    }

    /// The `location`.
    #[must_use]
    pub fn location(&self) -> Option<&Directive> {
        self.levels.first().copied()
    }
}

/// The file, with what it includes.
#[derive(Debug, Clone)]
pub struct Nginx {
    /// What is outside of all blocks, as if it were in one.
    pub root: Directive,
}

/// Files that one includes, and those theirs.
const DEEPEST: usize = 4;
/// Blocks in blocks.
const BLOCKS: usize = 32;

impl Nginx {
    /// Reads a text, and what it includes from the directory beside it.
    ///
    /// # Errors
    /// Where it is no such file.
    pub fn parse(text: &Text, beside: &Path) -> Result<Self, String> {
        let block = read(text, beside, 0)?;
        Ok(Self { root: Directive { name: String::new(), args: vec![], file: text.name.clone(), line: 1, block } })
    }

    /// Where `/ws` goes.
    #[must_use]
    pub fn websocket(&self) -> Option<Route<'_>> {
        find(&self.root, &mut vec![])
    }

    /// A directive outside of all blocks, or in this one.
    #[must_use]
    pub fn top(&self, block: Option<&str>, name: &str) -> Option<&Directive> {
        match block {
            Some(block) => self.root.last(block)?.last(name),
            None => self.root.last(name),
        }
    }
}

fn find<'a>(block: &'a Directive, above: &mut Vec<&'a Directive>) -> Option<Route<'a>> {
    above.insert(0, block);
    let found = block.block.iter().find_map(|inner| {
        let is_ws =
            inner.name == "location" && inner.args.last().is_some_and(|path| path.trim_end_matches('/') == "/ws");
        match is_ws {
            true => Some(Route { levels: [&[inner], &above[..]].concat() }),
            false => find(inner, above),
        }
    });
    above.remove(0);
    found
}

fn read(text: &Text, beside: &Path, depth: usize) -> Result<Vec<Directive>, String> {
    let mut tokens = tokens(text)?.into_iter();
    block((text, beside), &mut tokens, depth, 0)
}

fn block(
    file: (&Text, &Path),
    tokens: &mut impl Iterator<Item = (usize, Token)>,
    depth: usize,
    nested: usize,
) -> Result<Vec<Directive>, String> {
    let text = file.0;
    let (mut directives, mut words, mut first) = (Vec::new(), Vec::new(), 0);
    let fault = |line: usize, what: &str| Err(format!("{}:{line}: {what}", text.name));
    while let Some((line, token)) = tokens.next() {
        match token {
            Token::Word(word) => {
                if words.is_empty() {
                    first = line;
                }
                words.push(word);
            }
            Token::Close if nested == 0 || !words.is_empty() => return fault(line, "a `}` too many, or a `;` too few"),
            Token::Close => return Ok(directives),
            _ if words.is_empty() => return fault(line, "there is no directive in front of this"),
            Token::Open if nested == BLOCKS => return fault(line, "too many blocks in blocks"),
            end => {
                let mut args = std::mem::take(&mut words);
                let name = args.remove(0);
                let is_block = end == Token::Open;
                let inner = if is_block { block(file, tokens, depth, nested + 1)? } else { vec![] };
                if name == "include" && depth < DEEPEST {
                    directives.extend(included(file, args.first().map_or("", String::as_str), depth)?);
                }
                directives.push(Directive { name, args, file: text.name.clone(), line: first, block: inner });
            }
        }
    }
    if nested > 0 { fault(text.last_line(), "a `}` is missing at the end") } else { Ok(directives) }
}

/// What is included, if it is there: in an image it may be elsewhere.
fn included((text, beside): (&Text, &Path), name: &str, depth: usize) -> Result<Vec<Directive>, String> {
    let Some(file) = Path::new(name).file_name().filter(|_| !name.contains('*') && !name.ends_with("types.conf"))
    else {
        return Ok(vec![]);
    };
    match Text::read(&beside.join(file)) {
        Ok(inner) => {
            let name = Path::new(&text.name).with_file_name(file).display().to_string();
            read(&Text { name, ..inner }, beside, depth + 1)
        }
        Err(_) => Ok(vec![]),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

fn tokens(text: &Text) -> Result<Vec<(usize, Token)>, String> {
    let (mut found, mut line) = (Vec::new(), 1);
    let mut chars = text.text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            ';' => found.push((line, Token::End)),
            '{' => found.push((line, Token::Open)),
            '}' => found.push((line, Token::Close)),
            quote @ ('"' | '\'') => {
                let (begin, mut word) = (line, String::new());
                loop {
                    match chars.next() {
                        Some(c) if c == quote => break,
                        Some('\\') if chars.peek() == Some(&quote) => word.extend(chars.next()),
                        Some(c) => {
                            line += usize::from(c == '\n');
                            word.push(c);
                        }
                        None => return Err(format!("{}:{begin}: a quote has no end", text.name)),
                    }
                }
                found.push((begin, Token::Word(word)));
            }
            c => {
                let mut word = String::from(c);
                loop {
                    // `${NAME}` is a variable, and no block.
                    if word.ends_with('$') && chars.peek() == Some(&'{') {
                        while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                            word.push(c);
                            if c == '}' {
                                break;
                            }
                        }
                        continue;
                    }
                    match chars.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '{' | '}')) {
                        Some(c) => word.push(c),
                        None => break,
                    }
                }
                found.push((line, Token::Word(word)));
            }
        }
    }
    Ok(found)
}

/// Seconds, as nginx writes times.
#[must_use]
pub fn parse_seconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "" | "s" => Some(number),
        "ms" => Some(number / 1000),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        "d" => number.checked_mul(86_400),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_quotes_templates_and_lines() {
        let text = "worker_connections ${N}; # {\nhttp {\n  log_format x 'a {'\n    'b';\n  map \"$a\" $b { default 1; }\n\
                    \x20 server { listen 80;\n    location = /ws {\n      proxy_read_timeout 75s;\n    }\n  }\n}\n";
        let nginx = Nginx::parse(&Text::new("nginx.conf", text), Path::new("/nowhere")).unwrap();
        assert_eq!(nginx.top(None, "worker_connections").unwrap().args, ["${N}"]);
        let route = nginx.websocket().unwrap();
        assert_eq!(
            route.levels.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(),
            ["location", "server", "http", ""]
        );
        let timeout = route.last("proxy_read_timeout").unwrap();
        assert_eq!((timeout.line, timeout.text().as_str()), (8, "proxy_read_timeout 75s"));
        assert_eq!(route.last("log_format").unwrap().args, ["x", "a {", "b"]);
    }

    #[test]
    fn what_is_no_such_file_is_told_with_its_line() {
        for (text, fault) in [
            ("http {\n", "x:1: a `}` is missing at the end"),
            ("a;\n}", "x:2: a `}` too many"),
            ("a 'b", "x:1: a quote"),
        ] {
            let told = Nginx::parse(&Text::new("x", text), Path::new("/nowhere")).unwrap_err();
            assert!(told.starts_with(fault), "{told}");
        }
    }

    #[test]
    fn our_own_file_is_read_with_its_includes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../nginx/nginx.conf.template");
        let path = Path::new(path);
        let nginx = Nginx::parse(&Text::read(path).unwrap(), path.parent().unwrap()).unwrap();
        let route = nginx.websocket().unwrap();
        let timeout = route.last("proxy_read_timeout").unwrap();
        assert!(timeout.file.ends_with("websocket.conf") && timeout.args == ["75s"], "{timeout:?}");
        assert_eq!(route.header("upgrade").unwrap().args, ["Upgrade", "$upgrade"]);
        assert_eq!(parse_seconds("2m"), Some(120));
    }
}
