//! The tags of a server, as they are written.

use std::sync::Arc;

use jiff::Timestamp;

use super::share::percents;
use super::word::{check_word, is_plain, name_and_value};
use super::{ActiveTags, Ramp, Share, TagError, When};
use crate::{Problem, Problems};

/// The most canary tags with different names or values that a server may have.
pub const MOST_CANARY_TAGS: usize = 64;

/// The tags of a server. Cheap to clone. The default ones are those of a server about which nothing is known: it has
/// none, and nothing is said of conditions that ask for some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTags {
    tags: Arc<[ServerTag]>,
    is_known: bool,
}

/// One tag of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTag {
    text: Box<str>,
    /// Its key; the whole tag when it has no value.
    pub name: Box<str>,
    /// Its value, if it has one.
    pub value: Option<Box<str>>,
    /// When the server carries it.
    pub when: When,
    /// For which share of its requests; for all when absent.
    pub share: Option<Share>,
}

impl ServerTags {
    /// Reads the tags of a server, and says what is wrong with those that cannot be read.
    pub fn parse(tags: &[String]) -> (Self, Problems) {
        let mut problems = Problems::new();
        let mut parsed: Vec<ServerTag> = Vec::with_capacity(tags.len());
        for (index, tag) in tags.iter().enumerate() {
            match ServerTag::parse(tag) {
                Ok(tag) => parsed.push(tag),
                Err(error) => problems.push(Problem::error(format!("/{index}"), error.to_string())),
            }
        }
        let (tags, too_many) = Self { tags: parsed.into(), is_known: true }.limited();
        problems.extend(too_many);
        (tags, problems)
    }

    /// These and more, and what is wrong with so many.
    pub(crate) fn with(&self, more: &Self) -> (Self, Option<Problem>) {
        let tags = self.iter().chain(more.iter()).cloned().collect();
        Self { tags, is_known: self.is_known }.limited()
    }

    /// Without canary tags if there are too many.
    fn limited(self) -> (Self, Option<Problem>) {
        let canaries = self.canaries().len();
        if canaries <= MOST_CANARY_TAGS {
            return (self, None);
        }
        let message = format!("{canaries} canary tags are too many: {MOST_CANARY_TAGS} is the most");
        let tags = self.iter().filter(|tag| tag.share.is_none()).cloned().collect();
        (Self { tags, is_known: self.is_known }, Some(Problem::error("", message)))
    }

    /// Each tag.
    pub fn iter(&self) -> impl Iterator<Item = &ServerTag> {
        self.tags.iter()
    }

    /// Whether somebody has said which tags the server has, be it none.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// What the server carries at an instant.
    pub fn at(&self, instant: Timestamp) -> ActiveTags {
        ActiveTags::new(self, instant)
    }

    /// The canary tags, as name and value, once each. A tag's place is the number of its bit, at every instant.
    pub(super) fn canaries(&self) -> Vec<(&str, &str)> {
        let mut canaries = Vec::new();
        for tag in self.iter().filter(|tag| tag.share.is_some()) {
            let canary = (&*tag.name, tag.value.as_deref().unwrap_or_default());
            if !canaries.contains(&canary) {
                canaries.push(canary);
            }
        }
        canaries
    }
}

impl ServerTag {
    /// Reads one tag.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(tag: &str) -> Result<Self, TagError> {
        let Some(timed) = tag.strip_prefix('@') else { return Self::carried(tag, tag, When::default()) };
        let Some(inside) = timed.strip_prefix('(') else {
            return Err(TagError::at(
                tag,
                timed,
                "`@` stands before an instant, as in `@(2030-01-31T08:00:00Z)#a`",
            ));
        };
        let Some((when, rest)) = inside.split_once(')') else {
            return Err(TagError::at(tag, timed, "`(` without `)`"));
        };
        let when = When::parse(tag, when)?;
        let Some(carried) = rest.strip_prefix('#') else {
            return Err(TagError::at(tag, rest, "`#` and a tag are missing after `)`"));
        };
        Self::carried(tag, carried, when)
    }

    /// Reads what is carried.
    fn carried(tag: &str, text: &str, when: When) -> Result<Self, TagError> {
        if let Some(first) = text.chars().next().filter(|first| !is_plain(*first) && *first != ':') {
            let reason = match first {
                '#' | '!' | '?' => {
                    format!("a server's tag has no prefix `{first}`: conditions stand on resources")
                }
                _ => format!("`{first}` is not allowed"),
            };
            return Err(TagError::at(tag, text, reason));
        }
        let new = |name: &str, value: Option<&str>, share| Self {
            text: tag.into(),
            name: name.into(),
            value: value.map(Into::into),
            when,
            share,
        };
        let Some((name, rest)) = text.split_once('@') else {
            let (name, value) = name_and_value(tag, text)?;
            return Ok(new(name, value, None));
        };
        check_word(tag, name)?;
        let Some((share, value)) = rest.split_once(':') else {
            let reason = format!("a canary tag needs a value, as in `{name}@1%:v2`");
            return Err(TagError::at(tag, &rest[rest.len()..], reason));
        };
        let (from, to) = percents(tag, share)?;
        check_word(tag, value)?;
        let share = match (to, when.from, when.until) {
            (None, ..) => Share::Fixed(from),
            (Some(to), Some(begins), Some(ends)) => Share::Ramp(Ramp { begins, ends, from, to }),
            _ => {
                let reason =
                    "a ramp needs a window with beginning and end, as in `@(a..b)#canary@1%..50%:v2`";
                return Err(TagError::at(tag, share, reason));
            }
        };
        Ok(new(name, Some(value), Some(share)))
    }

    /// The tag as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the server carries it at an instant, for whichever share of its requests. A ramp keeps its end.
    pub fn is_carried(&self, instant: Timestamp) -> bool {
        match self.share {
            Some(Share::Ramp(ramp)) => ramp.begins <= instant,
            _ => self.when.holds(instant),
        }
    }
}
