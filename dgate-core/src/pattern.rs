//! Patterns over paths and hosts: how they are written, and what they match.

mod host;
pub mod normalize;
mod path;
mod segment;

pub use host::{HostPattern, normalize_host};
pub(crate) use host::{HostShape, Label};
pub use path::PathPattern;
pub(crate) use path::segment_matches;
pub(crate) use segment::{Part, Segment};

/// A pattern cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    message: String,
    /// How to mend it, when that is known.
    pub help: Option<String>,
}

impl PatternError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Compiles a regular expression that must match a whole text, with bounded memory.
pub(crate) fn anchored_regex(source: &str) -> Result<regex::Regex, PatternError> {
    bounded_regex(&format!("^(?:{source})$"))
        .map_err(|error| PatternError::new(format!("`{source}` is no regular expression: {error}")))
}

/// Compiles a regular expression with bounded memory; the `regex` crate matches in linear time.
pub(crate) fn bounded_regex(source: &str) -> Result<regex::Regex, String> {
    let limit = 1 << 20;
    regex::RegexBuilder::new(source).size_limit(limit).dfa_size_limit(limit).build().map_err(|error| {
        match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            regex::Error::Syntax(text) => {
                text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            }
            other => other.to_string(),
        }
    })
}
