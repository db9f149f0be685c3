//! Reads path patterns.

use std::sync::Arc;

use super::super::segment::{Part, Segment, SegmentRegex};
use super::super::{PatternError, RegexCache, normalize};
use super::PathPattern;

/// The parameter name of a rest without a name of its own.
const REST: &str = "*";

pub(super) fn parse(text: &str, regexes: &mut RegexCache) -> Result<PathPattern, PatternError> {
    Parser { text, segments: Vec::new(), names: Vec::new(), regexes }.parse()
}

struct Parser<'a> {
    text: &'a str,
    segments: Vec<Segment>,
    names: Vec<Arc<str>>,
    regexes: &'a mut RegexCache,
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
                    self.names.push(REST.into());
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
        let valid =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
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
            let literal = normalize::respell(text);
            if matches!(&*literal, "." | "..") {
                return Err(PatternError::new(format!("the segment `{text}` never occurs in a request")));
            }
            return Ok(Segment::Literal(literal.into()));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                parts.push(Part::Literal(normalize::respell(&rest[..open]).into()));
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
                return Ok(Segment::Regex(SegmentRegex { regex: self.regexes.anchored(regex)? }));
            }
            self.name(inside)?;
            parts.push(Part::Parameter);
            rest = &rest[open + close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(normalize::respell(rest).into()));
        }
        Ok(match parts.as_slice() {
            [Part::Parameter] => Segment::Parameter,
            _ => Segment::Parts(parts.into()),
        })
    }
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
