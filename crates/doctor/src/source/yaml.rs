//! YAML with the line of each value. All scalars stay texts, as they stand.

use saphyr_parser::{Event, Parser};
use std::collections::BTreeMap;

/// A value and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// From 1.
    pub line: usize,
    /// What it is.
    pub value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, a number, or nothing.
    Scalar(String),
    /// Values.
    List(Vec<Node>),
    /// Named values, in order, with the lines of the names.
    Map(Vec<(Key, Node)>),
}

/// A name and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The name.
    pub name: String,
    /// From 1.
    pub line: usize,
}

/// Values that an alias may stand for, all together: no file of people has more, and some are made to.
const MOST: usize = 100_000;

impl Node {
    /// Reads one document.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut builder = Builder::default();
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|e| format!("{}: {}", e.marker().line(), e.info()))?;
            builder.take(event, span.start.line())?;
        }
        builder.root.ok_or_else(|| "1: there is nothing in it".to_owned())
    }

    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The values of a list.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        match &self.value {
            Value::List(list) => list,
            _ => &[],
        }
    }

    /// The entries of a map, and after them those that it takes over by `<<`.
    #[must_use]
    pub fn entries(&self) -> Vec<(&Key, &Self)> {
        let Value::Map(entries) = &self.value else { return vec![] };
        let own = entries.iter().filter(|(key, _)| key.name != "<<").map(|(key, node)| (key, node));
        let merged = entries.iter().filter(|(key, _)| key.name == "<<").flat_map(|(_, node)| match &node.value {
            Value::List(list) => list.iter().flat_map(Self::entries).collect(),
            _ => node.entries(),
        });
        own.chain(merged).collect()
    }

    /// The first entry of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.entries().into_iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) => 0,
            Value::List(list) => list.iter().map(Self::size).sum(),
            Value::Map(map) => map.iter().map(|(_, node)| node.size()).sum(),
        }
    }
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    /// What is open, with the anchor that names it and, in a map, the name that waits for its value.
    open: Vec<(Node, usize, Option<Key>)>,
    anchors: BTreeMap<usize, Node>,
    copied: usize,
}

/// Blocks in blocks.
const DEEPEST: usize = 64;

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::Scalar(text, _, anchor, _) => {
                let node = Node { line, value: Value::Scalar(text.into_owned()) };
                self.add(node, anchor);
            }
            Event::SequenceStart(anchor, _) => self.begin(Value::List(vec![]), anchor, line)?,
            Event::MappingStart(anchor, _) => self.begin(Value::Map(vec![]), anchor, line)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((node, anchor, _)) = self.open.pop() {
                    self.add(node, anchor);
                }
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(format!("{line}: an alias of nothing"));
                };
                self.copied += node.size();
                if self.copied > MOST {
                    return Err(format!("{line}: too many aliases"));
                }
                self.add(node, 0);
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, value: Value, anchor: usize, line: usize) -> Result<(), String> {
        if self.open.len() == DEEPEST {
            return Err(format!("{line}: too many blocks in blocks"));
        }
        self.open.push((Node { line, value }, anchor, None));
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => drop(self.root.get_or_insert(node)),
            Some((Node { value: Value::List(list), .. }, ..)) => list.push(node),
            Some((Node { value: Value::Map(map), .. }, _, key)) => match key.take() {
                Some(name) => map.push((name, node)),
                None => *key = Some(Key { name: node.text().unwrap_or_default().to_owned(), line: node.line }),
            },
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_anchors_and_merges() {
        let text = "x: &x\n  restart: always\n  ports: [\"80:80\"]\ns:\n  <<: *x\n  ports:\n    - 1\n    - 2\nt: ~\n";
        let root = Node::parse(text).unwrap();
        let s = root.get("s").unwrap();
        assert_eq!((s.get("restart").unwrap().line, s.get("restart").unwrap().text()), (2, Some("always")));
        assert_eq!(s.get("ports").unwrap().list().iter().map(|n| n.line).collect::<Vec<_>>(), [7, 8]);
        assert_eq!(s.entries()[0].0, &Key { name: "ports".into(), line: 6 });
        assert!(Node::parse("a: [1\nb: {").is_err() && Node::parse("").is_err());
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let mut text = String::from("a0: &a0 [x, x]\n");
        for i in 1..40 {
            text += &format!("a{i}: &a{i} [*a{p}, *a{p}]\n", p = i - 1);
        }
        assert!(Node::parse(&text).unwrap_err().ends_with("too many aliases"));
    }
}
