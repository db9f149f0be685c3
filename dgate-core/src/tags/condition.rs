//! Conditions of a resource, as they are written.

use super::word::{check_word, is_plain, name_and_value};
use super::{ActiveTags, Applies, TagError};
use crate::{Problem, Problems};

/// The conditions among a resource's tags. All of them must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions(Vec<Condition>);

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    text: Box<str>,
    /// Which of the resource's tags it is.
    pub(crate) index: usize,
    pub(super) operator: Operator,
    pub(super) name: Box<str>,
    /// None: the name alone is asked for.
    pub(super) values: Vec<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `#`: the server has all of them.
    All,
    /// `!`: the server has none of them.
    None,
    /// `?`: the server has any of them.
    Any,
    /// `?*`: the server has exactly one of them.
    One,
}

const PREFIXES: [(&str, Operator); 4] =
    [("?*", Operator::One), ("?", Operator::Any), ("#", Operator::All), ("!", Operator::None)];

impl Conditions {
    /// Reads a resource's tags, leaving labels aside, and says what is wrong with them.
    pub fn parse(tags: &[String]) -> (Self, Problems) {
        let mut problems = Problems::new();
        let mut conditions = Vec::new();
        for (index, tag) in tags.iter().enumerate() {
            match Condition::parse(tag, index) {
                Ok(condition) => conditions.extend(condition),
                Err(error) => {
                    problems.push(Problem::error(format!("/tags/{index}"), error.to_string()));
                }
            }
        }
        (Self(conditions), problems)
    }

    /// The conditions of tags that were checked before.
    pub(crate) fn of(tags: &[String]) -> Self {
        if tags.is_empty() { Self::default() } else { Self::parse(tags).0 }
    }

    /// How many there are: a conditional resource ranks before an unconditional one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Condition> {
        self.0.iter()
    }

    /// Whether a resource with these conditions applies, as far as that does not depend on the request.
    pub fn on(&self, tags: &ActiveTags) -> Applies {
        self.0.iter().fold(Applies::Always, |all, condition| all.and(condition.on(tags)))
    }
}

impl Condition {
    /// Reads a tag of a resource; a label is no condition.
    fn parse(tag: &str, index: usize) -> Result<Option<Self>, TagError> {
        let found = PREFIXES
            .iter()
            .find_map(|(prefix, operator)| Some((prefix, *operator, tag.strip_prefix(prefix)?)));
        let Some((prefix, operator, rest)) = found else {
            if let Some(first) = tag.chars().next().filter(|first| !is_plain(*first) && *first != ':') {
                let reason = format!("unknown prefix `{first}`: conditions begin with `#`, `!`, `?` or `?*`");
                return Err(TagError::at(tag, tag, reason));
            }
            return name_and_value(tag, tag).map(|_| None);
        };
        let (name, list) = rest.split_once(':').map_or((rest, None), |(name, list)| (name, Some(list)));
        check_word(tag, name)?;
        let mut values: Vec<Box<str>> = Vec::new();
        match list {
            None if matches!(operator, Operator::Any | Operator::One) => {
                let reason = format!("`{prefix}` needs a list of values, as in `{prefix}{name}:a,b`");
                return Err(TagError::at(tag, &rest[rest.len()..], reason));
            }
            None => {}
            Some(list) => {
                for value in list.split(',') {
                    check_word(tag, value)?;
                    if values.iter().any(|known| **known == *value) {
                        return Err(TagError::at(tag, value, format!("`{value}` occurs twice")));
                    }
                    values.push(value.into());
                }
            }
        }
        Ok(Some(Self { text: tag.into(), index, operator, name: name.into(), values }))
    }

    /// The tag as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tags that it is about: `name:value` each, or the name alone.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = String> {
        let name_alone = self.values.is_empty().then(|| self.name.to_string());
        let values = self.values.iter().map(|value| format!("{}:{value}", self.name));
        name_alone.into_iter().chain(values)
    }

    /// The name of the server's tags that it is about.
    pub fn name(&self) -> &str {
        &self.name
    }
}
