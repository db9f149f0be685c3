//! One segment of a path pattern.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use regex::Regex;
use smallvec::SmallVec;

/// What one segment of a path must look like.
#[derive(Debug, Clone)]
pub(crate) enum Segment {
    /// Exactly this text.
    Literal(Arc<str>),
    /// Text with parameters in it: `img-{id}.png`, `{month}-{year}`.
    Parts(Arc<[Part]>),
    /// A parameter that matches a regular expression as a whole.
    Regex(SegmentRegex),
    /// Any non-empty text, captured.
    Parameter,
    /// Any non-empty text.
    Star,
}

/// A piece of a segment with parameters in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Exactly this text.
    Literal(Box<str>),
    /// Non-empty text, as short as the next literal allows.
    Parameter,
}

/// A regular expression for a whole segment.
#[derive(Debug, Clone)]
pub(crate) struct SegmentRegex {
    pub(crate) regex: Regex,
}

impl Segment {
    /// Matches one segment of `path` and adds what it captures, relative to the path.
    pub(crate) fn matches(&self, path: &str, start: usize, end: usize, captures: &mut Captures) -> bool {
        let text = &path[start..end];
        let whole = (start as u16, end as u16);
        match self {
            Self::Literal(literal) => **literal == *text,
            Self::Parts(parts) => {
                let mut found = Captures::new();
                let matched = match_parts(parts, text, &mut found);
                if matched {
                    captures.extend(found.into_iter().map(|(from, to)| (from + whole.0, to + whole.0)));
                }
                matched
            }
            Self::Regex(SegmentRegex { regex }) => {
                let matched = regex.is_match(text);
                if matched {
                    captures.push(whole);
                }
                matched
            }
            Self::Parameter => {
                if !text.is_empty() {
                    captures.push(whole);
                }
                !text.is_empty()
            }
            Self::Star => !text.is_empty(),
        }
    }

    /// Its place among other segments, the first of which is tried first. Segments of one rank that are not the same
    /// may still match the same texts.
    pub(crate) fn rank(&self) -> Rank {
        let length = |part: &Part| part.literal().map_or(0, str::len);
        let (class, literal, leading) = match self {
            Self::Literal(_) => (0, 0, 0),
            Self::Parts(parts) => {
                (1, parts.iter().map(length).sum::<usize>(), parts.first().map_or(0, length))
            }
            Self::Regex(_) => (2, 0, 0),
            Self::Parameter => (3, 0, 0),
            Self::Star => (4, 0, 0),
        };
        Rank { class, literal: Reverse(literal), leading: Reverse(leading) }
    }

    /// Whether both match the same texts with the same rank, parameter names aside.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(a), Self::Literal(b)) => a == b,
            (Self::Parts(a), Self::Parts(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.regex.as_str() == b.regex.as_str(),
            (Self::Parameter, Self::Parameter) | (Self::Star, Self::Star) => true,
            _ => false,
        }
    }

    /// What it looks like, as a regular expression: for the order of segments of one rank, and for overlaps.
    pub(crate) fn pattern(&self) -> Cow<'_, str> {
        match self {
            Self::Literal(text) => regex::escape(text).into(),
            Self::Parts(parts) => parts.iter().map(Part::pattern).collect::<String>().into(),
            Self::Regex(SegmentRegex { regex }) => regex.as_str().into(),
            Self::Parameter | Self::Star => "[^/]+".into(),
        }
    }
}

/// The place of a segment among others: by class, then the most literal text, then the most of it in front.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    class: u8,
    literal: Reverse<usize>,
    leading: Reverse<usize>,
}

impl Part {
    pub(super) fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Parameter => None,
        }
    }

    fn pattern(&self) -> String {
        match self {
            Self::Literal(text) => regex::escape(text),
            Self::Parameter => "[^/]+".to_owned(),
        }
    }
}

/// Byte ranges of captured values.
pub(crate) type Captures = SmallVec<[(u16, u16); 4]>;

/// Matches a segment against parts; captures as many ranges as there are parameters.
///
/// A parameter takes as little as possible, the last one all that is left. That is what people mean by
/// `{month}-{year}`, and it needs no backtracking over more than one literal.
pub(crate) fn match_parts(parts: &[Part], segment: &str, captures: &mut Captures) -> bool {
    let mut at = 0;
    let mut index = 0;
    while index < parts.len() {
        match &parts[index] {
            Part::Literal(text) => {
                if !segment[at..].starts_with(&**text) {
                    return false;
                }
                at += text.len();
                index += 1;
            }
            Part::Parameter => {
                let end = match parts.get(index + 1) {
                    None => segment.len(),
                    // The last literal must end the segment, wherever else it occurs.
                    Some(Part::Literal(text)) if index + 2 == parts.len() => {
                        match segment.len().checked_sub(text.len()) {
                            Some(end) if segment.is_char_boundary(end) => end,
                            _ => return false,
                        }
                    }
                    Some(Part::Literal(text)) => {
                        // Skips one character, as a parameter is never empty.
                        let Some(first) = segment[at..].chars().next() else { return false };
                        let from = at + first.len_utf8();
                        match segment[from..].find(&**text) {
                            Some(found) => from + found,
                            None => return false,
                        }
                    }
                    Some(Part::Parameter) => return false,
                };
                if end <= at {
                    return false;
                }
                captures.push((at as u16, end as u16));
                at = end;
                index += 1;
            }
        }
    }
    at == segment.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part> {
        text.split_inclusive(['{', '}'])
            .filter_map(|piece| match piece {
                "{" => None,
                "}" => Some(Part::Parameter),
                text => {
                    let text = text.trim_end_matches('{');
                    (!text.is_empty()).then(|| Part::Literal(text.into()))
                }
            })
            .collect()
    }

    fn captured<'a>(pattern: &str, segment: &'a str) -> Option<Vec<&'a str>> {
        let mut captures = Captures::new();
        match_parts(&parts(pattern), segment, &mut captures).then(|| {
            captures.iter().map(|(from, to)| &segment[usize::from(*from)..usize::from(*to)]).collect()
        })
    }

    #[test]
    fn examples() {
        assert_eq!(captured("{}-{}", "05-2024"), Some(vec!["05", "2024"]));
        assert_eq!(captured("{}-{}", "a-b-c"), Some(vec!["a", "b-c"]));
        assert_eq!(captured("img-{}.png", "img-a.png"), Some(vec!["a"]));
        assert_eq!(captured("img-{}.png", "img-a.png.png"), Some(vec!["a.png"]));
        assert_eq!(captured("img-{}.png", "img-.png"), None);
        assert_eq!(captured("{}.", "."), None);
        assert_eq!(captured("{}-{}", "-x"), None);
        assert_eq!(captured("{}-{}", "--x"), Some(vec!["-", "x"]));
        assert_eq!(captured("{}é", "xé"), Some(vec!["x"]));
    }
}
