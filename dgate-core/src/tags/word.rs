//! Names and values, and errors that know their place.

/// Why a tag cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tag `{tag}`: {reason} (character {position})")]
pub struct TagError {
    /// The whole tag.
    pub tag: String,
    /// What is wrong with it.
    pub reason: String,
    /// Which character it is about, counted from 1.
    pub position: usize,
}

impl TagError {
    /// An error about a part of a tag, a slice of it.
    pub(super) fn at(tag: &str, part: &str, reason: impl Into<String>) -> Self {
        let at = part.as_ptr().addr().saturating_sub(tag.as_ptr().addr()).min(tag.len());
        Self { tag: tag.to_owned(), reason: reason.into(), position: tag[..at].chars().count() + 1 }
    }
}

/// Checks a name or value that is a part of a tag.
pub(super) fn check_word(tag: &str, word: &str) -> Result<(), TagError> {
    if word.is_empty() {
        return Err(TagError::at(tag, word, "a name or value is missing"));
    }
    match word.char_indices().find(|(_, c)| !is_plain(*c)) {
        None => Ok(()),
        Some((at, c)) => Err(TagError::at(tag, &word[at..], format!("`{c}` is not allowed"))),
    }
}

/// Reads `value` or `key:value` out of a tag.
pub(super) fn name_and_value<'t>(tag: &str, text: &'t str) -> Result<(&'t str, Option<&'t str>), TagError> {
    let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
    check_word(tag, name)?;
    value.map_or(Ok(()), |value| check_word(tag, value))?;
    Ok((name, value))
}

pub(super) fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}
