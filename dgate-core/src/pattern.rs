//! Patterns over paths and hosts: how they are written, and what they match.

mod host;
pub mod normalize;
mod overlap;
mod path;
mod regexes;
mod segment;

pub use host::{HostPattern, normalize_host};
pub(crate) use host::{HostRank, HostShape, Label};
pub(crate) use overlap::Overlaps;
pub(crate) use path::MAX_PATH;
pub use path::PathPattern;
pub(crate) use regexes::RegexCache;
pub(crate) use segment::Segment;

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
