//! Tags: which server a resource applies to.
//!
//! A server has tags (`edge`, `region:eu`); a resource has labels and conditions on them (`#region:eu`). The decision
//! is a pure function of both.

use std::collections::{BTreeMap, BTreeSet};
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
pub struct ServerTags(Arc<BTreeMap<Box<str>, Values>>);

/// What a server has under one name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Values {
    /// Whether it has the name itself, as a tag without a key.
    is_bare: bool,
    keyed: BTreeSet<Box<str>>,
}

impl ServerTags {
    /// Reads `value` and `key:value` tags, and says what is wrong with the others.
    pub fn parse(tags: &[String]) -> (Self, Problems) {
        let mut problems = Problems::new();
        let mut parsed: BTreeMap<Box<str>, Values> = BTreeMap::new();
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
                Err(reason) => problems.push(Problem::error(pointer, format!("tag `{tag}`: {reason}"))),
                Ok((name, None)) => parsed.entry(name.into()).or_default().is_bare = true,
                Ok((name, Some(value))) => {
                    parsed.entry(name.into()).or_default().keyed.insert(value.into());
                }
            }
        }
        (Self(Arc::new(parsed)), problems)
    }

    /// Each tag as it was written.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().flat_map(|(name, values)| {
            let bare = values.is_bare.then(|| name.to_string());
            bare.into_iter().chain(values.keyed.iter().map(move |value| format!("{name}:{value}")))
        })
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|values| values.keyed.contains(value))
    }

    /// Whether there is a tag with this key, or a bare tag of this name.
    fn has_name(&self, name: &str) -> bool {
        self.0.contains_key(name)
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

/// Reads a tag of a resource; a label is no condition.
fn parse_resource_tag(tag: &str) -> Result<Option<Condition>, String> {
    let operators =
        [("?*", Operator::One), ("?", Operator::Any), ("#", Operator::All), ("!", Operator::None)];
    let found = operators
        .into_iter()
        .find_map(|(prefix, operator)| Some((prefix, operator, tag.strip_prefix(prefix)?)));
    let Some((prefix, operator, rest)) = found else {
        return parse_tag(tag).map(|_| None);
    };
    let Some((name, list)) = rest.split_once(':') else {
        if matches!(operator, Operator::Any | Operator::One) {
            return Err(format!("`{prefix}` needs a list of values, as in `{prefix}name:a,b`"));
        }
        word(tag, rest)?;
        return Ok(Some(Condition { operator, name: rest.into(), values: Vec::new() }));
    };
    word(tag, name)?;
    let mut values: Vec<Box<str>> = Vec::new();
    for value in list.split(',') {
        word(tag, value)?;
        if values.iter().any(|known| **known == *value) {
            return Err(format!("`{value}` occurs twice (character {})", position(tag, value)));
        }
        values.push(value.into());
    }
    Ok(Some(Condition { operator, name: name.into(), values }))
}

/// Reads `value` or `key:value`.
fn parse_tag(tag: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(first) = tag.chars().next().filter(|first| !is_plain(*first) && *first != ':') {
        return Err(format!("unknown prefix `{first}`: conditions begin with `#`, `!`, `?` or `?*`"));
    }
    let (name, value) = tag.split_once(':').map_or((tag, None), |(name, value)| (name, Some(value)));
    word(tag, name)?;
    value.map_or(Ok(()), |value| word(tag, value))?;
    Ok((name, value))
}

/// Checks a name or value that is a part of a tag.
fn word(tag: &str, word: &str) -> Result<(), String> {
    if word.is_empty() {
        return Err(format!("a name or value is missing (character {})", position(tag, word)));
    }
    match word.char_indices().find(|(_, c)| !is_plain(*c)) {
        None => Ok(()),
        Some((at, c)) => Err(format!("`{c}` is not allowed (character {})", position(tag, &word[at..]))),
    }
}

/// Which character of a tag a part of it begins with, counted from 1.
fn position(tag: &str, part: &str) -> usize {
    let at = part.as_ptr().addr() - tag.as_ptr().addr();
    tag[..at].chars().count() + 1
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
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
            ("", "tag ``: a name or value is missing (character 1)"),
            ("a b", "tag `a b`: ` ` is not allowed (character 2)"),
            ("#name:", "tag `#name:`: a name or value is missing (character 7)"),
            ("#name:a,,b", "a name or value is missing (character 9)"),
            ("#name:a,b,a", "`a` occurs twice (character 11)"),
            (":value", "a name or value is missing (character 1)"),
            ("#é:a", "`é` is not allowed (character 2)"),
            ("?name", "`?` needs a list of values, as in `?name:a,b`"),
            ("?*name", "`?*` needs a list of values, as in `?*name:a,b`"),
            ("name:va/lue", "`/` is not allowed (character 8)"),
            ("name:a,b", "`,` is not allowed (character 7)"),
            ("%x", "unknown prefix `%`"),
            ("@x", "unknown prefix `@`"),
        ] {
            let (_, problems) = Conditions::parse(&[tag.to_owned()]);
            assert!(problems.to_string().contains(reason), "{tag}: {problems}");
        }
    }
}
