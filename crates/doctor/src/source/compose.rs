//! `docker-compose.yml`: its services, what they are given, and in which lines.

use super::{
    Text,
    yaml::{Node, Value},
};
use crate::finding::Place;

/// The file.
#[derive(Debug, Clone)]
pub struct Compose {
    /// Its text.
    pub text: Text,
    root: Node,
}

/// One of its services.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Where that stands.
    pub line: usize,
    node: &'a Node,
    text: &'a Text,
}

/// Something a service is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its name.
    pub name: String,
    /// Its value, as it stands: `${NAME}` and all.
    pub value: String,
    /// Its line, from 1.
    pub line: usize,
}

/// Those of ours that read settings, the one that counts first.
const READERS: [&str; 4] = ["chat-node", "roomful", "gateway", "admin-api"];

impl Compose {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: Text) -> Result<Self, String> {
        let root = Node::parse(&text.text).map_err(|fault| format!("{}:{fault}", text.name))?;
        match root.get("services") {
            Some(Node { value: Value::Map(_), .. }) => Ok(Self { text, root }),
            _ => Err(format!("{}:{}: there are no services in it", text.name, root.line)),
        }
    }

    /// All services.
    pub fn services(&self) -> impl Iterator<Item = Service<'_>> {
        let services = self.root.get("services").map(Node::entries).unwrap_or_default();
        services.into_iter().map(|(key, node)| Service { name: &key.name, line: key.line, node, text: &self.text })
    }

    /// The service of this name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<Service<'_>> {
        self.services().find(|service| service.name == name)
    }

    /// The Redis.
    #[must_use]
    pub fn redis(&self) -> Option<Service<'_>> {
        let is_redis = |service: &Service<'_>| {
            let image = service.image().map(|image| image.value).unwrap_or_default();
            let image = image.rsplit('/').next().unwrap_or_default();
            // Not an exporter of its figures.
            ["redis", "valkey"].iter().any(|name| image.split(':').next() == Some(*name))
        };
        self.service("redis").or_else(|| self.services().find(is_redis))
    }

    /// The services of ours that hold sockets.
    pub fn nodes(&self) -> impl Iterator<Item = Service<'_>> {
        ["chat-node", "roomful"].into_iter().filter_map(|name| self.service(name))
    }

    /// What a service of ours is given, and where that stands.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<Given> {
        let services = READERS.iter().filter_map(|name| self.service(name));
        services.flat_map(|service| service.environment()).find(|given| given.name == name)
    }

    /// Every name that a service of ours is given.
    #[must_use]
    pub fn setting_names(&self) -> Vec<String> {
        let services = READERS.iter().filter_map(|name| self.service(name));
        services.flat_map(|service| service.environment()).map(|given| given.name).collect()
    }
}

impl<'a> Service<'a> {
    /// Whether it is the front door.
    #[must_use]
    pub fn is_front(&self) -> bool {
        self.name == "nginx" || self.image().is_some_and(|image| image.value.contains("nginx"))
    }

    /// A value of it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        self.node.get(name)
    }

    /// A scalar of it, by names one in the other, with its line.
    #[must_use]
    pub fn scalar(&self, path: &[&str]) -> Option<Given> {
        let node = path.iter().try_fold(self.node, |node, name| node.get(name))?;
        Some(Given { name: path.last()?.to_string(), value: node.text()?.to_owned(), line: node.line })
    }

    /// Its image.
    #[must_use]
    pub fn image(&self) -> Option<Given> {
        self.scalar(&["image"])
    }

    /// Its environment, whether it is written as a map or as a list.
    #[must_use]
    pub fn environment(&self) -> Vec<Given> {
        let Some(node) = self.get("environment") else { return vec![] };
        // A name alone takes the value from whoever starts compose.
        let passed = |name: &str| format!("${{{name}}}");
        match &node.value {
            Value::List(list) => list
                .iter()
                .filter_map(|item| {
                    let (name, value) = item.text().map(|text| match text.split_once('=') {
                        Some((name, value)) => (name, value.to_owned()),
                        None => (text, passed(text)),
                    })?;
                    Some(Given { name: name.to_owned(), value, line: item.line })
                })
                .collect(),
            _ => node
                .entries()
                .into_iter()
                .filter_map(|(key, value)| {
                    let text = value.text()?;
                    let value = if matches!(text, "" | "~" | "null") { passed(&key.name) } else { text.to_owned() };
                    Some(Given { name: key.name.clone(), value, line: key.line })
                })
                .collect(),
        }
    }

    /// The words of its command, with their lines.
    #[must_use]
    pub fn command(&self) -> Vec<(String, usize)> {
        let Some(node) = self.get("command") else { return vec![] };
        let parts = if let Value::List(list) = &node.value { list.iter().collect() } else { vec![node] };
        let words = parts.into_iter().flat_map(|part| {
            let text = part.text().unwrap_or_default();
            // An empty item of a list is an argument as well.
            let words = if text.is_empty() { vec![""] } else { text.split_whitespace().collect::<Vec<_>>() };
            // A folded text has its first line here; where exactly a word stands is found in the file.
            words.into_iter().map(|word| (word.to_owned(), self.line_of(word, part.line))).collect::<Vec<_>>()
        });
        words.collect()
    }

    fn line_of(&self, word: &str, from: usize) -> usize {
        let has = |line: &usize| self.text.line(*line).contains(word);
        (from..from + 40).take_while(|line| *line <= self.text.last_line()).find(has).unwrap_or(from)
    }

    /// The options of its command: `--name value…`.
    #[must_use]
    pub fn options(&self) -> Vec<Given> {
        let mut options: Vec<Given> = Vec::new();
        for (word, line) in self.command() {
            match (word.strip_prefix("--"), options.last_mut()) {
                (Some(name), _) => options.push(Given { name: name.to_owned(), value: String::new(), line }),
                (None, Some(option)) => {
                    let word = word.trim_matches(['"', '\'']);
                    option.value = format!("{} {word}", option.value).trim().to_owned();
                }
                (None, None) => {}
            }
        }
        options
    }

    /// Where it stands that it has this, by the line of its value.
    #[must_use]
    pub fn place(&self, line: usize) -> Place {
        Place::line(&self.text.name, line, self.text.line(line))
    }

    /// Where to add something to it: after its first line, indented as its own.
    #[must_use]
    pub fn add(&self, lines: &[&str]) -> Place {
        let first = self.node.entries().into_iter().map(|(key, _)| key.line).find(|line| *line > self.line);
        let indent = first.map_or(self.text.indent(self.line) + 2, |line| self.text.indent(line));
        let lines: Vec<_> = lines.iter().map(|line| format!("{}{line}", " ".repeat(indent))).collect();
        Place::insert(&self.text.name, self.line, lines.join("\n"))
    }
}

/// Puts values in the place of `${NAME}`, `${NAME:-default}` and `$NAME`, as compose does.
pub fn interpolate(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let (mut made, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        made += before;
        if let Some(after) = after.strip_prefix('$') {
            made.push('$');
            rest = after;
        } else if let Some((inner, after)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            let (name, how) = inner.split_at(inner.find([':', '-', '?', '+']).unwrap_or(inner.len()));
            let set = value(name);
            made += &match how.strip_prefix(":-") {
                Some(default) => set.filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned()),
                None => set.or_else(|| how.strip_prefix('-').map(str::to_owned)).unwrap_or_default(),
            };
            rest = after;
        } else {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            made += &value(&after[..end]).unwrap_or_default();
            rest = &after[end..];
        }
    }
    made + rest
}

/// The variable, when the text is nothing but that.
#[must_use]
pub fn reference(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let name = &inner[..inner.find([':', '-', '?', '+']).unwrap_or(inner.len())];
    (!name.is_empty() && !inner.contains('{')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "services:\n  redis:\n    image: redis:7\n    command: >\n      redis-server\n      --appendonly yes\n      --save \"\"\n\
                        \x20 chat-node:\n    environment:\n      - A=1\n      - B\n  gateway:\n    environment:\n      C: ${X:-3}\n      D:\n";

    #[test]
    fn services_and_what_they_are_given() {
        let compose = Compose::parse(Text::new("c.yml", FILE)).unwrap();
        let given = |name: &str| compose.setting(name).map(|given| (given.value, given.line));
        assert_eq!(given("A"), Some(("1".into(), 10)));
        assert_eq!(given("B"), Some(("${B}".into(), 11)));
        assert_eq!(given("C"), Some(("${X:-3}".into(), 14)));
        assert_eq!(given("D"), Some(("${D}".into(), 15)));
        let options = compose.redis().unwrap().options();
        let options: Vec<_> = options.iter().map(|o| (o.name.as_str(), o.value.as_str(), o.line)).collect();
        assert_eq!(options, [("appendonly", "yes", 6), ("save", "", 7)]);
        let add = compose.redis().unwrap().add(&["volumes:", "  - data:/data"]);
        assert_eq!(add, Place::insert("c.yml", 2, "    volumes:\n      - data:/data"));
        assert!(Compose::parse(Text::new("c.yml", "a: 1\n")).unwrap_err().starts_with("c.yml:1: "));
    }

    #[test]
    fn interpolation() {
        let value = |name: &str| (name == "A").then(|| "1".to_owned());
        for (text, made) in [
            ("${A}", "1"),
            ("$A/x", "1/x"),
            ("${B:-2}", "2"),
            ("${B-3}${B}", "3"),
            ("$$A", "$A"),
            ("${A:?no}", "1"),
            ("${", "{"),
        ] {
            assert_eq!(interpolate(text, &value), made, "{text}");
        }
        assert_eq!((reference("${A:?no}"), reference("x${A}")), (Some("A"), None));
    }
}
