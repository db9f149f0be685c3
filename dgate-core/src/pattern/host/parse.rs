//! Reads host patterns.

use std::sync::Arc;

use super::super::PatternError;
use super::super::regexes::host_regex;
use super::{Expression, HostPattern, HostShape, Label, normalize_host};

pub(super) fn parse(text: &str) -> Result<HostPattern, PatternError> {
    if text.is_empty() {
        return Err(PatternError::new("a host pattern must not be empty").with_help("`*` matches every host"));
    }
    if text.starts_with('/') {
        return regex(text);
    }
    // A trailing dot says that a name is complete, which it is anyway.
    let name = text.strip_suffix('.').unwrap_or(text);
    if !name.contains(['*', '{', '}']) {
        let host = literal(name, name.starts_with('['))?;
        let literal_length = host.len();
        let shape = HostShape::Exact(host.as_str().into());
        return Ok(HostPattern { text: text.into(), shape, canonical: host.into(), literal_length });
    }
    let mut names = Names::default();
    match labels(name, &mut names)? {
        Some(shape) => Ok(of_labels(text, shape)),
        None => glob(text, name),
    }
}

/// Reads `/expression/`.
fn regex(text: &str) -> Result<HostPattern, PatternError> {
    let source = text
        .strip_prefix('/')
        .and_then(|text| text.strip_suffix('/'))
        .filter(|source| !source.is_empty())
        .ok_or_else(|| PatternError::new("a regular expression stands between two slashes"))?;
    let regex = host_regex(source)?;
    let names = regex.capture_names().enumerate();
    let groups = names.filter_map(|(at, name)| Some((at, name?.into()))).collect();
    let shape = HostShape::Regex(Expression { regex, groups });
    Ok(HostPattern { text: text.into(), shape, canonical: text.into(), literal_length: 0 })
}

/// Reads a pattern whose wildcards are whole labels: `*.example.com`, `{tenant}.example.com`.
fn labels(name: &str, names: &mut Names) -> Result<Option<HostShape>, PatternError> {
    let (rest, tail) = match name.strip_prefix("*.") {
        Some(tail) => (true, tail),
        None => (false, name),
    };
    let mut reversed = Vec::new();
    for label in tail.rsplit('.') {
        if let Some(name) = label.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
            reversed.push(Label::Parameter(names.add(name)?));
        } else if label.contains(['*', '{', '}']) || label.is_empty() {
            return Ok(None);
        } else {
            reversed.push(Label::Literal(literal(label, false)?.into()));
        }
    }
    Ok(Some(HostShape::Labels { reversed, rest }))
}

fn of_labels(text: &str, shape: HostShape) -> HostPattern {
    let mut canonical = Vec::new();
    let mut literal_length = 0;
    if let HostShape::Labels { reversed, rest } = &shape {
        canonical.extend(rest.then_some("*"));
        for label in reversed.iter().rev() {
            canonical.push(match label {
                Label::Literal(text) => text,
                Label::Parameter(_) => "{}",
            });
        }
        let literals = canonical.iter().filter(|label| !matches!(**label, "*" | "{}"));
        literal_length = literals.map(|label| label.len()).sum::<usize>() + canonical.len() - 1;
    }
    let canonical = canonical.join(".").into();
    HostPattern { text: text.into(), shape, canonical, literal_length }
}

/// Reads a pattern with wildcards anywhere: `api.*`, `*api*`, `{env}-api.example.com`.
fn glob(text: &str, mut rest: &str) -> Result<HostPattern, PatternError> {
    let (mut source, mut canonical, mut literal_length) = (String::from("^"), String::new(), 0);
    let mut names = Names::default();
    let mut push_literal = |piece: &str, source: &mut String, canonical: &mut String| {
        let lower = piece.to_ascii_lowercase();
        if !lower.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
            return Err(no_host_name(piece));
        }
        literal_length += lower.len();
        source.push_str(&regex::escape(&lower));
        canonical.push_str(&lower);
        Ok(())
    };
    while let Some(at) = rest.find(['*', '{', '}']) {
        push_literal(&rest[..at], &mut source, &mut canonical)?;
        match rest.as_bytes()[at] {
            b'*' => {
                source.push_str(".*");
                canonical.push('*');
                rest = rest[at..].trim_start_matches('*');
            }
            b'{' => {
                let close = rest[at..].find('}').ok_or_else(|| PatternError::new("`{` without `}`"))?;
                names.add(&rest[at + 1..at + close])?;
                source.push_str("([^.]+)");
                canonical.push_str("{}");
                rest = &rest[at + close + 1..];
            }
            _ => return Err(PatternError::new("`}` without `{`")),
        }
    }
    push_literal(rest, &mut source, &mut canonical)?;
    source.push('$');
    let groups = names.0.into_iter().enumerate().map(|(index, name)| (index + 1, name)).collect();
    let shape = HostShape::Glob(Expression { regex: host_regex(&source)?, groups });
    Ok(HostPattern { text: text.into(), shape, canonical: canonical.into(), literal_length })
}

/// A host name, or a label of one, as requests have it.
fn literal(text: &str, may_be_address: bool) -> Result<String, PatternError> {
    let is_address = may_be_address && text.ends_with(']');
    normalize_host(text)
        .filter(|_| is_address || !text.contains([':', '[', ']']))
        .map(|host| host.into_owned())
        .ok_or_else(|| no_host_name(text))
}

fn no_host_name(text: &str) -> PatternError {
    PatternError::new(format!("`{text}` cannot be a part of a host name"))
        .with_help("a host pattern has no scheme, port or path")
}

/// The names of parameters.
#[derive(Default)]
struct Names(Vec<Arc<str>>);

impl Names {
    fn add(&mut self, name: &str) -> Result<Arc<str>, PatternError> {
        let valid = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
            && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if !valid {
            return Err(PatternError::new(format!("`{name}` is no parameter name")).with_help(
                "a name is made of letters, digits, `_` and `-`, and does not begin with a digit",
            ));
        }
        if self.0.iter().any(|known| **known == *name) {
            return Err(PatternError::new(format!("parameter `{name}` occurs twice")));
        }
        let name: Arc<str> = name.into();
        self.0.push(name.clone());
        Ok(name)
    }
}
