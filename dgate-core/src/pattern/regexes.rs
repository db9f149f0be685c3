//! Regular expressions of patterns and conditions: bounded in memory, compiled once for all that are spelled alike.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::parse::Parser;

use super::PatternError;

/// How large a compiled expression, and what it remembers while matching, may become, in bytes.
const LIMIT: usize = 1 << 20;

/// Regular expressions that were compiled already, by source.
#[derive(Debug, Default)]
pub(crate) struct RegexCache(HashMap<String, Regex>);

impl RegexCache {
    /// An expression that must match a whole text.
    pub(crate) fn anchored(&mut self, source: &str) -> Result<Regex, PatternError> {
        if let Some(known) = self.0.get(source) {
            return Ok(known.clone());
        }
        // By itself first: `a)|(b` would be an expression between brackets, and not be anchored.
        Parser::new().parse(source).map_err(|error| no_regex(source, error.kind()))?;
        let regex = bounded(&mut RegexBuilder::new(&format!("^(?:{source})$")))
            .map_err(|reason| no_regex(source, reason))?;
        self.0.insert(source.to_owned(), regex.clone());
        Ok(regex)
    }
}

/// An expression that may match anywhere in a host.
pub(super) fn host_regex(source: &str) -> Result<Regex, PatternError> {
    bounded(RegexBuilder::new(source).case_insensitive(true)).map_err(|reason| no_regex(source, reason))
}

fn no_regex(source: &str, reason: impl std::fmt::Display) -> PatternError {
    PatternError::new(format!("`{source}` is no regular expression: {reason}"))
}

/// Memory is bounded here, time by the `regex` crate: it is linear in the text.
fn bounded(builder: &mut RegexBuilder) -> Result<Regex, String> {
    builder.size_limit(LIMIT).dfa_size_limit(LIMIT).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        regex::Error::Syntax(text) => {
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
        other => other.to_string(),
    })
}
