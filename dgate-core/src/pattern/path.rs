//! Path patterns: `/users/{id}`, `/{month}-{year}`, `/{n:[0-9]+}`, `/api/**`.

mod parse;

use std::fmt;
use std::sync::Arc;

use super::segment::{Captures, Segment};
use super::{PatternError, RegexCache};

/// The longest path that a pattern matches, in bytes: captured ranges have 16 bits.
pub(crate) const MAX_PATH: usize = u16::MAX as usize;

/// A path pattern, compiled.
///
/// | form | matches |
/// |---|---|
/// | `/users/all` | exactly this path; a trailing slash is significant |
/// | `/users/{id}` | one non-empty segment, captured |
/// | `/img-{id}.png`, `/{month}-{year}` | a part of a segment, captured |
/// | `/{n:[0-9]+}` | one segment that matches the regular expression as a whole |
/// | `/a/*/b` | exactly one non-empty segment |
/// | `/api/*`, `/api/**`, `/api/{rest...}` | the rest, also empty, and also the bare prefix `/api` |
///
/// A `*` captures nothing, but a rest without a name is parameter `*`. Patterns are matched on normalised paths (see
/// [`normalize::path`](super::normalize::path)), and captured values are parts of those: still percent-encoded.
///
/// When several patterns match a path, the segments decide one by one, from the left: literal text goes before parts
/// of a segment (of which more literal text goes first), then regular expressions, parameters, `*`, the rest.
///
/// ```
/// use dgate_core::pattern::PathPattern;
/// let pattern: PathPattern = "/users/{id}/**".parse().unwrap();
/// let captured = pattern.captures("/users/7/orders/9").unwrap();
/// assert_eq!(captured, [("id", "7"), ("*", "orders/9")]);
/// ```
#[derive(Debug, Clone)]
pub struct PathPattern {
    text: Arc<str>,
    segments: Vec<Segment>,
    /// Whether anything may follow the segments.
    has_rest: bool,
    /// Parameter names, in the order of their captures.
    names: Vec<Arc<str>>,
    /// How long the literal prefix before the first wildcard is, for `strip_path`.
    literal_prefix: Option<usize>,
}

impl PathPattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of its parameters, in order.
    pub fn parameters(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The captured values when the pattern matches a normalised path.
    pub fn captures<'p>(&self, path: &'p str) -> Option<Vec<(&str, &'p str)>> {
        let ranges = self.matches(path)?;
        let value = |(from, to): (u16, u16)| &path[usize::from(from)..usize::from(to)];
        Some(self.names.iter().map(AsRef::as_ref).zip(ranges.into_iter().map(value)).collect())
    }

    pub(crate) fn parse(text: &str, regexes: &mut RegexCache) -> Result<Self, PatternError> {
        parse::parse(text, regexes)
    }

    /// How many bytes of a matched path `strip_path` removes: the literal prefix before a wildcard, else everything.
    pub fn strip_length(&self, path: &str) -> usize {
        self.literal_prefix.map_or(path.len(), |prefix| prefix.min(path.len()))
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(crate) fn has_rest(&self) -> bool {
        self.has_rest
    }

    /// Byte ranges of the captured values. The route table does the same for many patterns at once; this one is
    /// for single patterns, and for testing the table.
    fn matches(&self, path: &str) -> Option<Captures> {
        if path.len() > MAX_PATH {
            return None;
        }
        let mut captures = Captures::new();
        let mut at = path.strip_prefix('/').map(|_| 1);
        for segment in &self.segments {
            let start = at?;
            let end = path[start..].find('/').map_or(path.len(), |slash| start + slash);
            segment.matches(path, start, end, &mut captures).then_some(())?;
            at = (end < path.len()).then_some(end + 1);
        }
        match (at, self.has_rest) {
            (None, false) => {}
            (Some(_), false) => return None,
            (rest, true) => captures.push((rest.unwrap_or(path.len()) as u16, path.len() as u16)),
        }
        Some(captures)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for PathPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, &mut RegexCache::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured<'a>(pattern: &str, path: &'a str) -> Option<Vec<(String, &'a str)>> {
        let pattern: PathPattern = pattern.parse().unwrap();
        let captured = pattern.captures(path)?;
        Some(captured.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn matches(pattern: &str, path: &str) -> bool {
        captured(pattern, path).is_some()
    }

    #[test]
    fn literals_are_exact() {
        assert!(matches("/", "/"));
        assert!(matches("/a/b", "/a/b"));
        assert!(!matches("/a/b", "/a/b/"));
        assert!(!matches("/a/b/", "/a/b"));
        assert!(matches("/a//b", "/a//b"));
        assert!(matches("/a+(b)[c]", "/a+(b)[c]"));
        assert!(matches("/café", "/caf%C3%A9"));
    }

    #[test]
    fn parameters() {
        assert_eq!(captured("/u/{id}", "/u/7"), Some(vec![("id".into(), "7")]));
        assert!(!matches("/u/{id}", "/u/"));
        assert!(!matches("/u/{id}", "/u/7/x"));
        assert_eq!(
            captured("/{month}-{year}", "/05-2024"),
            Some(vec![("month".into(), "05"), ("year".into(), "2024")])
        );
        assert_eq!(captured("/x/{n:[0-9]+}/y", "/x/42/y"), Some(vec![("n".into(), "42")]));
        assert!(!matches("/x/{n:[0-9]+}/y", "/x/4a/y"));
        assert_eq!(captured("/{d:[0-9]{2}/[0-9]{2}}", "/12"), None, "a segment never holds a slash");
    }

    #[test]
    fn parts_of_a_segment() {
        for (pattern, path, expected) in [
            ("/{file}.{ext}", "/a.tar.gz", Some(vec!["a", "tar.gz"])),
            ("/{name}.", "/a.", Some(vec!["a"])),
            ("/.{name}", "/.profile", Some(vec!["profile"])),
            ("/{a}..{b}", "/1..2", Some(vec!["1", "2"])),
            ("/{a}é", "/x%C3%A9", Some(vec!["x"])),
            ("/img-{id}.png", "/img-7.png", Some(vec!["7"])),
            ("/img-{id}.png", "/img-.png", None),
        ] {
            let pattern: PathPattern = pattern.parse().unwrap();
            let captured = pattern.captures(path);
            let values = captured.map(|captured| captured.into_iter().map(|(_, value)| value).collect());
            assert_eq!(values, expected, "{pattern} {path}");
        }
    }

    #[test]
    fn paths_that_are_too_long_match_nothing() {
        let pattern: PathPattern = "/**".parse().unwrap();
        assert!(pattern.captures(&format!("/{}", "a".repeat(MAX_PATH - 1))).is_some());
        assert!(pattern.captures(&format!("/{}", "a".repeat(MAX_PATH))).is_none());
    }

    #[test]
    fn wildcards() {
        assert!(matches("/a/*/b", "/a/x/b"));
        assert!(!matches("/a/*/b", "/a//b"));
        for pattern in ["/api/*", "/api/**", "/api/{rest...}"] {
            for (path, rest) in [("/api", ""), ("/api/", ""), ("/api/x", "x"), ("/api/x/y/", "x/y/")] {
                let captured = captured(pattern, path).unwrap();
                assert_eq!(captured[0].1, rest, "{pattern} {path}");
            }
            assert!(!matches(pattern, "/apix"));
        }
        assert!(matches("/**", "/"));
        assert!(matches("/**", "/a/b"));
    }

    #[test]
    fn strip_path_removes_the_literal_prefix_before_the_wildcard() {
        for (pattern, path, rest) in [
            ("/route/**", "/route/img/x.svg", "/img/x.svg"),
            ("/route/**", "/route", ""),
            ("/**", "/a/b", "/a/b"),
            ("/a/b", "/a/b", ""),
            ("/a/{id}", "/a/7", ""),
            ("/a/{id}/**", "/a/7/x", "/7/x"),
        ] {
            let compiled: PathPattern = pattern.parse().unwrap();
            assert_eq!(&path[compiled.strip_length(path)..], rest, "{pattern} {path}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_reason() {
        for (pattern, reason) in [
            ("", "does not start with `/`"),
            ("a/b", "does not start with `/`"),
            ("/{", "`{` without `}`"),
            ("/a}", "`}` without `{`"),
            ("/{}", "is no parameter name"),
            ("/{a b}", "is no parameter name"),
            ("/{a}/{a}", "occurs twice"),
            ("/{a}{b}", "side by side"),
            ("/**/x", "only possible at the end"),
            ("/{r...}/x", "only possible at the end"),
            ("/x*", "cannot be a part of a segment"),
            ("/{*}", "is no parameter name"),
            ("/{*...}", "is no parameter name"),
            ("/{n:[}", "is no regular expression"),
            ("/{n:a)|(b}", "`a)|(b` is no regular expression: unopened group"),
            ("/v{n:[0-9]+}", "must be a whole segment"),
            ("/a?b=c", "cannot be a part of a path"),
            ("/a/../b", "never occurs"),
            ("/a/%2e%2E", "never occurs"),
            ("/{n:(a{1000}){1000}}", "too large"),
        ] {
            let error = pattern.parse::<PathPattern>().unwrap_err().to_string();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
    }
}
