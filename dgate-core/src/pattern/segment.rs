//! One segment of a path pattern.

use std::hash::{Hash, Hasher};
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// Exactly this text.
    Literal(Box<str>),
    /// Non-empty text, as short as the next literal allows.
    Parameter,
}

/// A regular expression, equal to others of the same source.
#[derive(Debug, Clone)]
pub(crate) struct SegmentRegex {
    pub(crate) regex: Regex,
}

impl PartialEq for SegmentRegex {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str()
    }
}

impl Eq for SegmentRegex {}

impl Hash for SegmentRegex {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.regex.as_str().hash(state);
    }
}

/// Byte ranges of captured values, relative to the segment.
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
