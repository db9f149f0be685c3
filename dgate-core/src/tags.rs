//! Tags: which server a resource applies to.
//!
//! A server has tags (`edge`, `region:eu`); a resource has labels and conditions on them (`#region:eu`). The decision
//! is a pure function of both.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{Problem, Problems};

/// The tags of this server.
///
/// ```
/// use dgate_core::tags::{Conditions, ServerTags};
/// let (server, _) = ServerTags::parse(&["edge".into(), "region:eu".into()]);
/// let applies = |tags: &[&str]| {
///     let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
///     Conditions::parse(&tags).0.hold_on(&server)
/// };
/// assert!(applies(&["#region:eu"]));
/// assert!(applies(&["team:web"]), "a label is no condition");
/// assert!(!applies(&["!edge"]));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTags(Arc<BTreeSet<Tag>>);

/// A tag: a value with or without a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Tag {
    name: Box<str>,
    value: Option<Box<str>>,
}

impl ServerTags {
    /// Reads `value` and `key:value` tags, and says what is wrong with the others.
    pub fn parse(tags: &[String]) -> (Self, Problems) {
        let mut problems = Problems::new();
        let mut parsed = BTreeSet::new();
        for (index, tag) in tags.iter().enumerate() {
            let pointer = format!("/{index}");
            if tag.contains(['@', '#', '(']) {
                problems.push(
                    Problem::error(
                        pointer,
                        format!("tag `{tag}`: canary and timed tags are not available in this version"),
                    )
                    .with_help("use `value` or `key:value`"),
                );
                continue;
            }
            match parse_tag(tag) {
                Ok(tag) => drop(parsed.insert(tag)),
                Err(reason) => problems.push(Problem::error(pointer, format!("tag `{tag}`: {reason}"))),
            }
        }
        (Self(Arc::new(parsed)), problems)
    }

    /// Each tag as it was written.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|tag| match &tag.value {
            Some(value) => format!("{}:{value}", tag.name),
            None => tag.name.to_string(),
        })
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|tag| *tag.name == *name && tag.value.as_deref() == Some(value))
    }

    /// Whether there is a tag with this key, or a bare tag of this name.
    fn has_name(&self, name: &str) -> bool {
        self.0.iter().any(|tag| *tag.name == *name)
    }
}

/// The conditions among a resource's tags. All of them must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions(Vec<Condition>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    operator: Operator,
    name: Box<str>,
    values: Vec<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// `#`: the server has all of them.
    All,
    /// `!`: the server has none of them.
    None,
    /// `?`: the server has any of them.
    Any,
    /// `?*`: the server has exactly one of them.
    One,
}

impl Conditions {
    /// Reads a resource's tags, leaving labels aside, and says what is wrong with them.
    pub fn parse(tags: &[String]) -> (Self, Problems) {
        let mut problems = Problems::new();
        let mut conditions = Vec::new();
        for (index, tag) in tags.iter().enumerate() {
            match parse_resource_tag(tag) {
                Ok(condition) => conditions.extend(condition),
                Err(reason) => {
                    problems.push(Problem::error(format!("/tags/{index}"), format!("tag `{tag}`: {reason}")));
                }
            }
        }
        (Self(conditions), problems)
    }

    /// How many there are: a conditional resource ranks before an unconditional one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of them hold on a server.
    pub fn hold_on(&self, server: &ServerTags) -> bool {
        self.0.iter().all(|condition| condition.holds_on(server))
    }
}

impl Condition {
    fn holds_on(&self, server: &ServerTags) -> bool {
        let had = self.values.iter().filter(|value| server.has(&self.name, value)).count();
        match self.operator {
            Operator::All if self.values.is_empty() => server.has_name(&self.name),
            Operator::None if self.values.is_empty() => !server.has_name(&self.name),
            Operator::All => had == self.values.len(),
            Operator::None => had == 0,
            Operator::Any => had > 0,
            Operator::One => had == 1,
        }
    }
}

fn parse_resource_tag(tag: &str) -> Result<Option<Condition>, String> {
    let (operator, rest) = if let Some(rest) = tag.strip_prefix("?*") {
        (Operator::One, rest)
    } else if let Some(rest) = tag.strip_prefix('?') {
        (Operator::Any, rest)
    } else if let Some(rest) = tag.strip_prefix('#') {
        (Operator::All, rest)
    } else if let Some(rest) = tag.strip_prefix('!') {
        (Operator::None, rest)
    } else {
        return parse_tag(tag).map(|_| None);
    };
    let Some((name, list)) = rest.split_once(':') else {
        if matches!(operator, Operator::Any | Operator::One) {
            return Err(format!(
                "`{}` needs a list of values, as in `?name:a,b`",
                &tag[..tag.len() - rest.len()]
            ));
        }
        word(rest)?;
        return Ok(Some(Condition { operator, name: rest.into(), values: Vec::new() }));
    };
    word(name)?;
    let values = list.split(',').map(|value| word(value).map(|()| value.into())).collect::<Result<_, _>>()?;
    Ok(Some(Condition { operator, name: name.into(), values }))
}

fn parse_tag(tag: &str) -> Result<Tag, String> {
    let (name, value) = tag.split_once(':').map_or((tag, None), |(name, value)| (name, Some(value)));
    word(name)?;
    value.map_or(Ok(()), word)?;
    Ok(Tag { name: name.into(), value: value.map(Into::into) })
}

fn word(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("a name or value is empty".to_owned());
    }
    match text.char_indices().find(|(_, c)| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))) {
        None => Ok(()),
        Some((at, c)) => Err(format!("`{c}` is not allowed (character {} of `{text}`)", at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(tags: &[&str]) -> ServerTags {
        let (server, problems) =
            ServerTags::parse(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        assert!(problems.is_empty(), "{problems}");
        server
    }

    fn applies(condition: &str, tags: &[&str]) -> bool {
        let (conditions, problems) = Conditions::parse(&[condition.to_owned()]);
        assert!(problems.is_empty(), "{problems}");
        conditions.hold_on(&server(tags))
    }

    #[test]
    fn truth_table() {
        for (condition, tags, expected) in [
            ("label", &[][..], true),
            ("team:web", &[], true),
            ("#edge", &["edge"], true),
            ("#region", &["region:eu"], true),
            ("#edge", &["core"], false),
            ("#region:eu", &["region:eu", "region:us"], true),
            ("#region:eu,us", &["region:eu", "region:us"], true),
            ("#region:eu,us", &["region:eu"], false),
            ("!region:eu,us", &["region:asia"], true),
            ("!region:eu,us", &["region:us"], false),
            ("!edge", &["edge"], false),
            ("!edge", &[], true),
            ("?region:eu,us", &["region:us"], true),
            ("?region:eu,us", &["region:asia"], false),
            ("?*region:eu,us", &["region:us"], true),
            ("?*region:eu,us", &["region:us", "region:eu"], false),
            ("?*region:eu,us", &[], false),
        ] {
            assert_eq!(applies(condition, tags), expected, "{condition} on {tags:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_place() {
        for (tag, reason) in [
            ("", "is empty"),
            ("a b", "` ` is not allowed (character 2"),
            ("#name:", "is empty"),
            ("#name:a,,b", "is empty"),
            ("?name", "needs a list"),
            ("name:va/lue", "`/` is not allowed"),
            ("%x", "`%` is not allowed"),
        ] {
            let (_, problems) = Conditions::parse(&[tag.to_owned()]);
            assert!(problems.to_string().contains(reason), "{tag}: {problems}");
        }
    }
}
