//! In which line the resources of a YAML file begin. Found out only when something is to be said of one.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::source::options;

/// Where the resources of a text stand.
#[derive(Debug)]
pub(super) struct Lines(Vec<Spanned<Node>>);

impl Lines {
    /// Reads a text. What cannot be found is missing.
    pub(super) fn of(text: &str) -> Self {
        Self(serde_saphyr::from_multiple_with_options(text, options()).unwrap_or_default())
    }

    /// The line of the value that a pointer `/list/index` or `/index` leads to, in the document of a number.
    pub(super) fn at(&self, document: usize, pointer: &str) -> Option<u64> {
        let document = self.0.get(document)?;
        if pointer.is_empty() {
            return Some(document.referenced.line());
        }
        let (list, index) = pointer.rsplit_once('/')?;
        let index: usize = index.parse().ok()?;
        match (&document.value, list.trim_start_matches('/')) {
            (Node::List(lines), "") => lines.get(index).copied(),
            (Node::Lists(lists), name) => lists.get(name)?.get(index).copied(),
            _ => None,
        }
    }
}

/// The lines of what lists hold.
#[derive(Debug)]
enum Node {
    Other,
    List(Vec<u64>),
    Lists(HashMap<String, Vec<u64>>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut lines = Vec::new();
        while let Some(item) = items.next_element::<Spanned<IgnoredAny>>()? {
            lines.push(item.referenced.line());
        }
        Ok(Node::List(lines))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut lists = HashMap::new();
        while let Some((name, node)) = entries.next_entry::<String, Node>()? {
            if let Node::List(lines) = node {
                lists.insert(name, lines);
            }
        }
        Ok(Node::Lists(lists))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_found_in_lists_and_documents() {
        let text = "version: v1\nservices:\n- name: a\n  urls: [x]\n- {name: b}\n---\n- kind: route\n  name: c\n---\nkind: route\n";
        let lines = Lines::of(text);
        for (document, pointer, line) in
            [(0, "/services/0", 3), (0, "/services/1", 5), (1, "/0", 7), (2, "", 10)]
        {
            assert_eq!(lines.at(document, pointer), Some(line), "{document} {pointer}");
        }
        assert_eq!(lines.at(0, "/services/9"), None);
        assert_eq!(lines.at(7, ""), None);
        assert_eq!(Lines::of("a: [1\nb: 2\n").at(0, ""), None, "this is no YAML");
    }
}
