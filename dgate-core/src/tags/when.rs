//! When a server carries a tag.

use std::fmt;

use jiff::Timestamp;

use super::TagError;

/// When a server carries a tag: from an instant on, until just before another one. Without either, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct When {
    /// The first instant.
    pub from: Option<Timestamp>,
    /// The first instant after it.
    pub until: Option<Timestamp>,
}

impl When {
    /// Whether an instant lies in it.
    pub fn holds(self, instant: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= instant) && self.until.is_none_or(|until| instant < until)
    }

    /// Reads what stands between `@(` and `)`.
    pub(super) fn parse(tag: &str, text: &str) -> Result<Self, TagError> {
        let Some((from, until)) = text.split_once("..") else {
            return Ok(Self { from: Some(instant(tag, text)?), until: None });
        };
        let end = |end: &str| if end.is_empty() { Ok(None) } else { instant(tag, end).map(Some) };
        let when = Self { from: end(from)?, until: end(until)? };
        match (when.from, when.until) {
            (None, None) => Err(TagError::at(tag, text, "the window has neither beginning nor end")),
            (Some(first), Some(last)) if last <= first => {
                Err(TagError::at(tag, until, "the window ends before it begins"))
            }
            _ => Ok(when),
        }
    }
}

fn instant(tag: &str, text: &str) -> Result<Timestamp, TagError> {
    // jiff reads more than RFC 3339; here one way to write it is enough.
    let is_rfc_3339 = text.as_bytes().get(10).is_some_and(|b| matches!(b, b'T' | b't'));
    text.parse().ok().filter(|_| is_rfc_3339).ok_or_else(|| {
        let reason = format!("`{text}` is no instant: write it like `2030-01-31T08:00:00Z`");
        TagError::at(tag, text, reason)
    })
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.until) {
            (None, None) => f.write_str("always"),
            (Some(from), None) => write!(f, "from {from} on"),
            (None, Some(until)) => write!(f, "until {until}"),
            (Some(from), Some(until)) => write!(f, "from {from} until {until}"),
        }
    }
}
