//! Where things stand in a text. Found out only when something is to be shown.

use std::collections::HashMap;

use serde_saphyr::Spanned;

use super::format::{Format, yaml};
use super::node::Node;
use super::position::Position;
use crate::decode::escape;

/// Where the keys and values of a document stand, by JSON pointer.
#[derive(Debug, Default)]
pub struct Spans {
    keys: HashMap<String, Position>,
    values: HashMap<String, Position>,
}

impl Spans {
    /// Finds out where everything stands in a text of one document. What cannot be found is missing.
    pub fn of(text: &str, format: Format) -> Self {
        Self::of_all(text, format).into_iter().next().unwrap_or_default()
    }

    /// The same for each document of a text: YAML may hold several.
    pub fn of_all(text: &str, format: Format) -> Vec<Self> {
        match format {
            Format::Yaml | Format::Json => {
                let roots = serde_saphyr::from_multiple_with_options::<Spanned<Node>>(text, yaml());
                roots.unwrap_or_default().iter().map(Self::of_yaml).collect()
            }
            Format::Toml => toml::de::DeTable::parse(text).map_or_else(
                |_| Vec::new(),
                |root| {
                    let mut spans = Self::default();
                    spans.add_toml_table("", root.get_ref(), text);
                    vec![spans]
                },
            ),
        }
    }

    fn of_yaml(root: &Spanned<Node>) -> Self {
        let mut spans = Self::default();
        spans.add_yaml("", root);
        spans
    }

    /// Where the value of a pointer stands, or the nearest thing that is there: its key, or what it lies in.
    pub fn value(&self, pointer: &str) -> Option<Position> {
        self.nearest(pointer, &self.values)
    }

    /// Where the key of a pointer stands.
    pub fn key(&self, pointer: &str) -> Option<Position> {
        self.nearest(pointer, &self.keys)
    }

    /// Whether the text says something at a pointer.
    pub fn contains(&self, pointer: &str) -> bool {
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

    /// Where a problem stands: at its key when that is what is wrong, else at its value.
    pub fn problem(&self, pointer: &str, message: &str) -> Option<Position> {
        if message.starts_with("unknown field") { self.key(pointer) } else { self.value(pointer) }
    }

    fn add_yaml(&mut self, pointer: &str, node: &Spanned<Node>) {
        match &node.value {
            Node::Scalar => {}
            Node::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add_yaml(&format!("{pointer}/{index}"), item);
                }
            }
            Node::Mapping(entries) => {
                for (key, value) in entries {
                    let pointer = format!("{pointer}/{}", escape(&key.value));
                    self.keys.insert(plain(&pointer), Position::of_yaml(&key.referenced));
                    self.add_yaml(&pointer, value);
                }
            }
        }
        self.values.insert(plain(pointer), Position::of_yaml(&node.referenced));
    }

    fn add_toml_table(&mut self, pointer: &str, table: &toml::de::DeTable<'_>, text: &str) {
        for (key, value) in table {
            let pointer = format!("{pointer}/{}", escape(key.get_ref()));
            let span = key.span();
            self.keys.insert(plain(&pointer), Position::at_offset(text, span.start, span.len()));
            self.add_toml(&pointer, value, text);
        }
    }

    fn add_toml(&mut self, pointer: &str, value: &toml::Spanned<toml::de::DeValue<'_>>, text: &str) {
        let span = value.span();
        self.values.insert(plain(pointer), Position::at_offset(text, span.start, span.len()));
        match value.get_ref() {
            toml::de::DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add_toml(&format!("{pointer}/{index}"), item, text);
                }
            }
            toml::de::DeValue::Table(table) => self.add_toml_table(pointer, table, text),
            _ => {}
        }
    }
}

/// A pointer without case and separators in its names, as different spellings are accepted.
fn plain(pointer: &str) -> String {
    pointer.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
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
