//! Where things stand in a text. Found out only when something is to be shown.

use std::collections::HashMap;
use std::fmt;

use dgate_core::decode::escape;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::document::{Format, yaml};

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    /// In characters.
    pub(super) length: usize,
}

impl Position {
    /// The place of some bytes.
    pub(super) fn at_offset(text: &str, offset: usize, length: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = (offset + length).min(text.len());
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            length: text
                .get(offset..end)
                .map_or(1, |part| part.lines().next().unwrap_or_default().chars().count())
                .max(1),
        }
    }
}

/// Where the keys and values of a document stand, by JSON pointer.
#[derive(Debug, Default)]
pub(super) struct Spans {
    keys: HashMap<String, Position>,
    values: HashMap<String, Position>,
}

impl Spans {
    /// Finds out where everything stands. What cannot be found is missing.
    pub(super) fn of(text: &str, format: Format) -> Self {
        let mut spans = Self::default();
        match format {
            Format::Yaml | Format::Json => {
                if let Ok(root) = serde_saphyr::from_str_with_options::<Spanned<Node>>(text, yaml()) {
                    spans.add_yaml(String::new(), &root, text);
                }
            }
            Format::Toml => {
                if let Ok(root) = toml::de::DeTable::parse(text) {
                    spans.add_toml_table(String::new(), root.get_ref(), text);
                }
            }
        }
        spans
    }

    /// Where the value of a pointer stands, or the nearest thing that is there: its key, or what it lies in.
    pub(super) fn value(&self, pointer: &str) -> Option<Position> {
        self.nearest(pointer, &self.values)
    }

    /// Where the key of a pointer stands.
    pub(super) fn key(&self, pointer: &str) -> Option<Position> {
        self.nearest(pointer, &self.keys)
    }

    /// Whether the text says something at a pointer.
    pub(super) fn contains(&self, pointer: &str) -> bool {
        self.values.contains_key(&plain(pointer))
    }

    fn nearest(&self, pointer: &str, places: &HashMap<String, Position>) -> Option<Position> {
        let mut here = plain(pointer);
        loop {
            // Milliseconds have names of their own, and so have texts that stand in a file.
            let names = [here.as_str(), &format!("{here}ms"), &format!("{here}file")];
            let known = names.into_iter().find_map(|name| {
                places.get(name).or_else(|| self.keys.get(name)).or_else(|| self.values.get(name))
            });
            if let Some(place) = known {
                return Some(*place);
            }
            here.truncate(here.rfind('/')?);
        }
    }

    fn add_yaml(&mut self, pointer: String, node: &Spanned<Node>, text: &str) {
        match &node.value {
            Node::Scalar => {}
            Node::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add_yaml(format!("{pointer}/{index}"), item, text);
                }
            }
            Node::Mapping(entries) => {
                for (key, value) in entries {
                    let pointer = format!("{pointer}/{}", escape(&key.value));
                    self.keys.insert(plain(&pointer), yaml_position(&key.referenced));
                    self.add_yaml(pointer, value, text);
                }
            }
        }
        self.values.insert(plain(&pointer), yaml_position(&node.referenced));
    }

    fn add_toml_table(&mut self, pointer: String, table: &toml::de::DeTable<'_>, text: &str) {
        for (key, value) in table {
            let pointer = format!("{pointer}/{}", escape(key.get_ref()));
            let span = key.span();
            self.keys.insert(plain(&pointer), Position::at_offset(text, span.start, span.len()));
            self.add_toml(pointer, value, text);
        }
    }

    fn add_toml(&mut self, pointer: String, value: &toml::Spanned<toml::de::DeValue<'_>>, text: &str) {
        let span = value.span();
        self.values.insert(plain(&pointer), Position::at_offset(text, span.start, span.len()));
        match value.get_ref() {
            toml::de::DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add_toml(format!("{pointer}/{index}"), item, text);
                }
            }
            toml::de::DeValue::Table(table) => self.add_toml_table(pointer, table, text),
            _ => {}
        }
    }
}

fn yaml_position(location: &serde_saphyr::Location) -> Position {
    Position {
        line: location.line() as usize,
        column: location.column() as usize,
        length: (location.span().len() as usize).max(1),
    }
}

/// A pointer without case and separators in its names, as different spellings are accepted.
fn plain(pointer: &str) -> String {
    pointer.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
}

/// A document of which only the shape matters.
enum Node {
    Scalar,
    List(Vec<Spanned<Node>>),
    Mapping(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;

        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_str<E>(self, _: &str) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_none<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
                Node::deserialize(deserializer)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Node::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
                let mut mapping = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    mapping.push(entry);
                }
                Ok(Node::Mapping(mapping))
            }
        }

        deserializer.deserialize_any(NodeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_found_in_every_format() {
        for (format, text, key, value) in [
            (Format::Yaml, "a: 1\nproxy:\n  host: x\n  port: 80\n", (4, 3), (4, 9)),
            (Format::Json, "{\"a\": 1,\n \"proxy\": {\n  \"port\": 80}}", (3, 3), (3, 11)),
            (Format::Toml, "a = 1\n[proxy]\nport = 80\n", (3, 1), (3, 8)),
        ] {
            let spans = Spans::of(text, format);
            let at = |position: Option<Position>| {
                position.map(|position| (position.line, position.column)).unwrap()
            };
            assert_eq!(at(spans.key("/proxy/port")), key, "{format:?}");
            assert_eq!(at(spans.value("/proxy/port")), value, "{format:?}");
            assert_eq!(
                at(spans.value("/proxy/missing")).0,
                key.0.min(at(spans.value("/proxy")).0),
                "{format:?}"
            );
        }
    }

    #[test]
    fn other_spellings_are_found() {
        let spans = Spans::of("routes:\n- stripPath: true\n  connect_timeout_ms: 5\n", Format::Yaml);
        assert_eq!(spans.key("/routes/0/strip_path").unwrap().line, 2);
        assert_eq!(spans.key("/routes/0/connect_timeout").unwrap().line, 3);
    }
}
