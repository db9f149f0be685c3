//! Host patterns: `example.com`, `*.example.com`, `api.*`, `*api*`, `{tenant}.example.com`, `/regex/`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use regex::Regex;

use super::{PatternError, bounded_regex};

/// A host as patterns see it: without port and trailing dot, in lower case, international names in ASCII (IDNA).
///
/// Returns nothing when the text cannot be a host.
///
/// ```
/// use dgate_core::pattern::normalize_host;
/// assert_eq!(normalize_host("API.Example.com:8080").as_deref(), Some("api.example.com"));
/// assert_eq!(normalize_host("[::1]:80").as_deref(), Some("[::1]"));
/// assert_eq!(normalize_host("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
/// assert_eq!(normalize_host("a b"), None);
/// assert_eq!(normalize_host("[::1]evil"), None);
/// ```
pub fn normalize_host(host: &str) -> Option<Cow<'_, str>> {
    let name = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, behind) = host.split_at(rest.find(']')? + 2);
            let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
            if !behind.is_empty() && !behind.strip_prefix(':').is_some_and(is_port) {
                return None;
            }
            name
        }
        None => host
            .rsplit_once(':')
            .map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host }),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    if name.bytes().all(plain) && !name.is_empty() {
        return Some(name.into());
    }
    if name.starts_with('[') {
        let inside = name.strip_prefix('[')?.strip_suffix(']')?;
        return inside.parse::<std::net::Ipv6Addr>().ok().map(|address| format!("[{address}]").into());
    }
    if name.is_empty() || name.bytes().any(|b| b.is_ascii() && !plain(b.to_ascii_lowercase())) {
        return None;
    }
    idna::domain_to_ascii(name).ok().map(Cow::Owned)
}

/// A host pattern, compiled.
///
/// | form | matches |
/// |---|---|
/// | `example.com` | exactly this host |
/// | `*.example.com` | every host below it, at any depth |
/// | `{tenant}.example.com` | one label in that place, captured |
/// | `api.*`, `*api*`, `*-api.example.com` | any text where the `*` stands |
/// | `/^(?<tenant>[a-z]+)\.example\.com$/` | what the regular expression matches; named groups are captured |
///
/// ```
/// use dgate_core::pattern::HostPattern;
/// let pattern: HostPattern = "{tenant}.example.com".parse().unwrap();
/// assert_eq!(pattern.captures("acme.example.com"), Some(vec![("tenant".into(), "acme".into())]));
/// assert_eq!(pattern.captures("a.b.example.com"), None);
/// ```
#[derive(Debug, Clone)]
pub struct HostPattern {
    text: Arc<str>,
    shape: HostShape,
    literal_length: usize,
}

/// How a host pattern is looked up.
#[derive(Debug, Clone)]
pub(crate) enum HostShape {
    /// Exactly this host.
    Exact(Arc<str>),
    /// Labels from the right, each literal or a parameter; `rest` when anything may stand before them.
    Labels { reversed: Vec<Label>, rest: bool },
    /// Everything else.
    Regex(Regex),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Label {
    Literal(Box<str>),
    Parameter(Arc<str>),
}

impl HostPattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches exactly one host.
    pub fn is_exact(&self) -> bool {
        matches!(self.shape, HostShape::Exact(_))
    }

    /// How many characters of it are literal: the longer, the more specific.
    pub(crate) fn literal_length(&self) -> usize {
        self.literal_length
    }

    pub(crate) fn shape(&self) -> &HostShape {
        &self.shape
    }

    /// Whether the pattern matches a normalised host.
    pub fn is_match(&self, host: &str) -> bool {
        match &self.shape {
            HostShape::Exact(exact) => **exact == *host,
            HostShape::Regex(regex) => regex.is_match(host),
            HostShape::Labels { .. } => self.captures(host).is_some(),
        }
    }

    /// The captured values when the pattern matches a normalised host.
    pub fn captures(&self, host: &str) -> Option<Vec<(Arc<str>, Arc<str>)>> {
        match &self.shape {
            HostShape::Exact(exact) => (**exact == *host).then(Vec::new),
            HostShape::Labels { reversed, rest } => {
                let mut labels = host.rsplit('.');
                let mut captured = Vec::new();
                for expected in reversed {
                    let label = labels.next().filter(|label| !label.is_empty())?;
                    match expected {
                        Label::Literal(text) if **text != *label => return None,
                        Label::Literal(_) => {}
                        Label::Parameter(name) => captured.push((name.clone(), label.into())),
                    }
                }
                captured.reverse();
                let more = labels.next().is_some_and(|label| !label.is_empty());
                (more == *rest).then_some(captured)
            }
            HostShape::Regex(regex) => {
                let groups = regex.captures(host)?;
                let named = regex.capture_names().flatten();
                Some(
                    named
                        .filter_map(|name| Some((name.into(), groups.name(name)?.as_str().into())))
                        .collect(),
                )
            }
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (shape, literal_length) = parse(text)?;
        Ok(Self { text: text.into(), shape, literal_length })
    }
}

fn parse(text: &str) -> Result<(HostShape, usize), PatternError> {
    if text.is_empty() {
        return Err(PatternError::new("a host pattern must not be empty").with_help("`*` matches every host"));
    }
    if let Some(source) = text.strip_prefix('/') {
        let source = source
            .strip_suffix('/')
            .filter(|source| !source.is_empty())
            .ok_or_else(|| PatternError::new("a regular expression stands between two slashes"))?;
        let regex = bounded_regex(source)
            .map_err(|reason| PatternError::new(format!("`{source}` is no regular expression: {reason}")))?;
        return Ok((HostShape::Regex(regex), 0));
    }
    let literal = |piece: &str| {
        if piece.is_empty() {
            return Ok(String::new());
        }
        normalize_host(piece)
            .map(Cow::into_owned)
            .filter(|_| !piece.contains(':') || piece.starts_with('['))
            .ok_or_else(|| {
                PatternError::new(format!("`{piece}` cannot be a part of a host name"))
                    .with_help("a host pattern has no scheme, port or path")
            })
    };
    if !text.contains(['*', '{', '}']) {
        let host = literal(text)?;
        let length = host.len();
        return Ok((HostShape::Exact(host.into()), length));
    }
    labels(text)?.map_or_else(|| glob(text), Ok)
}

/// Reads a pattern whose wildcards are whole labels: `*.example.com`, `{tenant}.example.com`.
fn labels(text: &str) -> Result<Option<(HostShape, usize)>, PatternError> {
    let (rest, tail) = match text.strip_prefix("*.") {
        Some(tail) => (true, tail),
        None => (false, text),
    };
    let mut reversed = Vec::new();
    let mut length = 0;
    for label in tail.rsplit('.') {
        if let Some(name) = label.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
            reversed.push(Label::Parameter(parameter_name(name)?));
        } else if label.contains(['*', '{', '}']) || label.is_empty() {
            return Ok(None);
        } else {
            let Some(label) = normalize_host(label) else {
                return Err(PatternError::new(format!("`{label}` cannot be a part of a host name"))
                    .with_help("a host pattern has no scheme, port or path"));
            };
            length += label.len() + 1;
            reversed.push(Label::Literal(label.as_ref().into()));
        }
    }
    Ok(Some((HostShape::Labels { reversed, rest }, length)))
}

/// Reads a pattern with wildcards anywhere: `api.*`, `*api*`, `{env}-api.example.com`.
fn glob(text: &str) -> Result<(HostShape, usize), PatternError> {
    let mut source = String::from("^");
    let mut length = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['*', '{', '}']) {
        push_literal(&rest[..at], &mut source, &mut length)?;
        match rest.as_bytes()[at] {
            b'*' => {
                source.push_str(".*");
                rest = rest[at..].trim_start_matches('*');
            }
            b'{' => {
                let close = rest[at..].find('}').ok_or_else(|| PatternError::new("`{` without `}`"))?;
                let name = parameter_name(&rest[at + 1..at + close])?;
                if name.contains('-') {
                    return Err(PatternError::new(format!(
                        "parameter `{name}` is a part of a label, so its name may not hold `-`"
                    )));
                }
                source.push_str("(?<");
                source.push_str(&name);
                source.push_str(">[^.]+)");
                rest = &rest[at + close + 1..];
            }
            _ => return Err(PatternError::new("`}` without `{`")),
        }
    }
    push_literal(rest, &mut source, &mut length)?;
    source.push('$');
    let regex = bounded_regex(&source).map_err(PatternError::new)?;
    Ok((HostShape::Regex(regex), length))
}

fn push_literal(piece: &str, source: &mut String, length: &mut usize) -> Result<(), PatternError> {
    let lower = piece.to_ascii_lowercase();
    if !lower.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
        return Err(PatternError::new(format!("`{piece}` cannot be a part of a host name"))
            .with_help("a host pattern has no scheme, port or path"));
    }
    *length += lower.len();
    source.push_str(&regex::escape(&lower));
    Ok(())
}

fn parameter_name(name: &str) -> Result<Arc<str>, PatternError> {
    let valid = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && !name.as_bytes()[0].is_ascii_digit();
    if valid { Ok(name.into()) } else { Err(PatternError::new(format!("`{name}` is no parameter name"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples() {
        for (pattern, host, expected) in [
            ("example.com", "example.com", true),
            ("Example.COM", "example.com", true),
            ("example.com", "www.example.com", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "xexample.com", false),
            ("api.*", "api.example.com", true),
            ("api.*", "xapi.example.com", false),
            ("*api*", "my-api.example.com", true),
            ("*api*", "example.com", false),
            ("*", "anything.at.all", true),
            ("{tenant}.example.com", "acme.example.com", true),
            ("{tenant}.example.com", "a.b.example.com", false),
            ("{env}-api.example.com", "test-api.example.com", true),
            ("/^(?<n>[0-9]+)\\.example\\.com$/", "42.example.com", true),
            ("/shop/", "myshop.example.com", true),
            ("bücher.example", "xn--bcher-kva.example", true),
        ] {
            let compiled: HostPattern = pattern.parse().unwrap();
            assert_eq!(compiled.is_match(host), expected, "{pattern} {host}");
            assert_eq!(compiled.captures(host).is_some(), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn captures() {
        let captured = |pattern: &str, host: &str| {
            let pattern: HostPattern = pattern.parse().unwrap();
            let captured = pattern.captures(host).unwrap();
            captured.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(captured("{a}.{b}.example.com", "x.y.example.com"), ["a=x", "b=y"]);
        assert_eq!(captured("*.{region}.example.com", "a.b.eu.example.com"), ["region=eu"]);
        assert_eq!(captured("{env}-api.example.com", "test-api.example.com"), ["env=test"]);
        assert_eq!(captured("/^(?<n>[0-9]+)\\./", "42.example.com"), ["n=42"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_reason() {
        for (pattern, reason) in [
            ("", "must not be empty"),
            ("http://example.com", "cannot be a part of a host name"),
            ("example.com:80", "cannot be a part of a host name"),
            ("example.com/x", "cannot be a part of a host name"),
            ("{a", "`{` without `}`"),
            ("a}", "`}` without `{`"),
            ("{}.example.com", "is no parameter name"),
            ("/x", "between two slashes"),
            ("/[/", "is no regular expression"),
        ] {
            let error = pattern.parse::<HostPattern>().unwrap_err().to_string();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
    }

    #[test]
    fn hosts_are_normalised() {
        for (raw, normal) in [
            ("example.com", Some("example.com")),
            ("EXAMPLE.com:80", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("127.0.0.1:8080", Some("127.0.0.1")),
            ("[::1]:8080", Some("[::1]")),
            ("[0:0::1]", Some("[::1]")),
            ("", None),
            (":80", None),
            ("a b", None),
            ("a/b", None),
            ("[::1", None),
            ("user@example.com", None),
        ] {
            assert_eq!(normalize_host(raw).as_deref(), normal, "{raw}");
        }
    }
}
