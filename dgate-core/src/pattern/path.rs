//! Path patterns: `/users/{id}`, `/{month}-{year}`, `/{n:[0-9]+}`, `/api/**`.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::segment::{Captures, Part, Segment, SegmentRegex, match_parts};
use super::{PatternError, anchored_regex, normalize};

/// The parameter name of a rest without a name of its own.
pub(crate) const REST: &str = "*";

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
    fn matches(&self, path: &str) -> Option<SmallVec<[(u16, u16); 4]>> {
        let mut ranges = SmallVec::new();
        let mut at = path.strip_prefix('/').map(|_| 1);
        for segment in &self.segments {
            let start = at?;
            let end = path[start..].find('/').map_or(path.len(), |slash| start + slash);
            segment_matches(segment, path, start, end, &mut ranges).then_some(())?;
            at = (end < path.len()).then_some(end + 1);
        }
        match (at, self.has_rest) {
            (None, false) => {}
            (Some(_), false) => return None,
            (rest, true) => ranges.push((rest.unwrap_or(path.len()) as u16, path.len() as u16)),
        }
        Some(ranges)
    }
}

/// Matches one segment of `path` and adds what it captures, relative to the path.
pub(crate) fn segment_matches(
    segment: &Segment,
    path: &str,
    start: usize,
    end: usize,
    ranges: &mut SmallVec<[(u16, u16); 4]>,
) -> bool {
    let text = &path[start..end];
    match segment {
        Segment::Literal(literal) => **literal == *text,
        Segment::Parts(parts) => {
            let mut captures = Captures::new();
            let matched = match_parts(parts, text, &mut captures);
            if matched {
                ranges
                    .extend(captures.into_iter().map(|(from, to)| (from + start as u16, to + start as u16)));
            }
            matched
        }
        Segment::Regex(SegmentRegex { regex }) => {
            let matched = regex.is_match(text);
            if matched {
                ranges.push((start as u16, end as u16));
            }
            matched
        }
        Segment::Parameter => {
            if !text.is_empty() {
                ranges.push((start as u16, end as u16));
            }
            !text.is_empty()
        }
        Segment::Star => !text.is_empty(),
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
        Parser { text, segments: Vec::new(), names: Vec::new() }.parse()
    }
}

struct Parser<'a> {
    text: &'a str,
    segments: Vec<Segment>,
    names: Vec<Arc<str>>,
}

impl Parser<'_> {
    fn parse(mut self) -> Result<PathPattern, PatternError> {
        let Some(body) = self.text.strip_prefix('/') else {
            return Err(PatternError::new(format!("path `{}` does not start with `/`", self.text))
                .with_help(format!("write `/{}`", self.text)));
        };
        let written = split_segments(body)?;
        let mut has_rest = false;
        let mut literal_prefix = None;
        let mut literal_length = 0;
        for (index, segment) in written.iter().enumerate() {
            let last = index + 1 == written.len();
            match *segment {
                "*" | "**" if last => {
                    has_rest = true;
                    self.name(REST)?;
                }
                "*" => self.segments.push(Segment::Star),
                "**" => {
                    return Err(PatternError::new("`**` is only possible at the end")
                        .with_help("use `*` for exactly one segment"));
                }
                segment => match rest_name(segment) {
                    Some(name) if last => {
                        has_rest = true;
                        self.name(name)?;
                    }
                    Some(_) => {
                        return Err(PatternError::new(format!("`{segment}` is only possible at the end")));
                    }
                    None => {
                        let segment = self.segment(segment)?;
                        self.segments.push(segment);
                    }
                },
            }
            let literal = self.segments.get(index).and_then(|segment| match segment {
                Segment::Literal(text) => Some(text.len()),
                _ => None,
            });
            match literal {
                Some(length) => literal_length += 1 + length,
                None => literal_prefix = literal_prefix.or(Some(literal_length)),
            }
        }
        Ok(PathPattern {
            text: self.text.into(),
            segments: self.segments,
            has_rest,
            names: self.names,
            // Only a wildcard makes a prefix; a parameter in the middle is part of the resource's name.
            literal_prefix: literal_prefix.filter(|_| has_rest),
        })
    }

    fn name(&mut self, name: &str) -> Result<(), PatternError> {
        let valid = name == REST
            || (!name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')));
        if !valid {
            return Err(PatternError::new(format!("`{name}` is no parameter name"))
                .with_help("a name is made of letters, digits, `_` and `-`"));
        }
        if self.names.iter().any(|known| **known == *name) {
            return Err(PatternError::new(format!("parameter `{name}` occurs twice")));
        }
        self.names.push(name.into());
        Ok(())
    }

    fn segment(&mut self, text: &str) -> Result<Segment, PatternError> {
        if !text.contains('{') {
            if text.contains('}') {
                return Err(PatternError::new("`}` without `{`"));
            }
            if text.contains('*') {
                return Err(PatternError::new(format!("`*` cannot be a part of a segment, as in `{text}`"))
                    .with_help("use a parameter: `{name}`"));
            }
            if matches!(text, "." | "..") {
                return Err(PatternError::new(format!("the segment `{text}` never occurs in a request")));
            }
            return Ok(Segment::Literal(literal(text).into()));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                parts.push(Part::Literal(literal(&rest[..open]).into()));
            } else if matches!(parts.last(), Some(Part::Parameter)) {
                return Err(PatternError::new(format!("two parameters side by side in `{text}`"))
                    .with_help("put something between them"));
            }
            let close = matching_brace(&rest[open..]).ok_or_else(|| PatternError::new("`{` without `}`"))?;
            let inside = &rest[open + 1..open + close];
            if let Some((name, regex)) = inside.split_once(':') {
                self.name(name)?;
                if close + 1 != text.len() {
                    return Err(PatternError::new(format!("`{{{inside}}}` must be a whole segment"))
                        .with_help("move the text around it into the regular expression"));
                }
                return Ok(Segment::Regex(SegmentRegex { regex: anchored_regex(regex)? }));
            }
            self.name(inside)?;
            parts.push(Part::Parameter);
            rest = &rest[open + close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(literal(rest).into()));
        }
        Ok(match parts.as_slice() {
            [Part::Parameter] => Segment::Parameter,
            _ => Segment::Parts(parts.into()),
        })
    }
}

/// A literal as it stands in a normalised path.
fn literal(text: &str) -> String {
    let encoded = normalize::encode(text);
    normalize::path(&format!("/{encoded}"))[1..].to_owned()
}

fn rest_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix("...}")
}

/// Splits at slashes outside of braces.
fn split_segments(body: &str) -> Result<Vec<&str>, PatternError> {
    let (mut depth, mut start, mut segments) = (0_usize, 0, Vec::new());
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1).ok_or_else(|| PatternError::new("`}` without `{`"))?,
            b'/' if depth == 0 => {
                segments.push(&body[start..at]);
                start = at + 1;
            }
            b'?' | b'#' if depth == 0 => {
                return Err(PatternError::new(format!("`{}` cannot be a part of a path", char::from(byte)))
                    .with_help("conditions on the query belong under `match.query`"));
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(PatternError::new("`{` without `}`"));
    }
    segments.push(&body[start..]);
    Ok(segments)
}

/// Where the brace that opens `text` closes.
fn matching_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
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
    fn wildcards() {
        assert!(matches("/a/*/b", "/a/x/b"));
        assert!(!matches("/a/*/b", "/a//b"));
        for pattern in ["/api/*", "/api/**", "/api/{*...}"] {
            let pattern = pattern.replace("{*...}", "{rest...}");
            for (path, rest) in [("/api", ""), ("/api/", ""), ("/api/x", "x"), ("/api/x/y/", "x/y/")] {
                let captured = captured(&pattern, path).unwrap();
                assert_eq!(captured[0].1, rest, "{pattern} {path}");
            }
            assert!(!matches(&pattern, "/apix"));
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
            ("/{n:[}", "is no regular expression"),
            ("/v{n:[0-9]+}", "must be a whole segment"),
            ("/a?b=c", "cannot be a part of a path"),
            ("/a/../b", "never occurs"),
            ("/{n:(a{1000}){1000}}", "too large"),
        ] {
            let error = pattern.parse::<PathPattern>().unwrap_err().to_string();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
    }
}
