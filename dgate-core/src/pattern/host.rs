//! Host patterns: `example.com`, `*.example.com`, `api.*`, `*api*`, `{tenant}.example.com`, `/regex/`.

mod parse;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

use regex::Regex;

use super::PatternError;

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
        return inside.parse::<Ipv6Addr>().ok().map(|address| format!("[{address}]").into());
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
/// | `api.*`, `*api*`, `{env}-api.example.com` | any text where the `*` stands, a part of a label for a parameter |
/// | `/^(?<tenant>[a-z]+)\.example\.com$/` | hosts in which the regular expression matches; named groups are captured |
///
/// When several patterns match a host, exact ones go first, then those with the most literal text.
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
    /// The same for all patterns that match the same hosts in the same way, whatever they call their parameters.
    canonical: Box<str>,
    literal_length: usize,
}

/// How a host pattern is looked up.
#[derive(Debug, Clone)]
pub(crate) enum HostShape {
    /// Exactly this host.
    Exact(Arc<str>),
    /// Labels from the right, each literal or a parameter; `rest` when anything may stand before them.
    Labels { reversed: Vec<Label>, rest: bool },
    /// Wildcards that are parts of labels, or extend over several ones.
    Glob(Expression),
    /// A regular expression, as it was written.
    Regex(Expression),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Label {
    Literal(Box<str>),
    Parameter(Arc<str>),
}

/// A regular expression, and the groups that are parameters.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    regex: Regex,
    groups: Vec<(usize, Arc<str>)>,
}

/// The place of a pattern among others of the same priority.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostRank<'p> {
    literal_length: Reverse<usize>,
    class: u8,
    text: &'p str,
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

    pub(crate) fn canonical(&self) -> &str {
        &self.canonical
    }

    pub(crate) fn shape(&self) -> &HostShape {
        &self.shape
    }

    /// Its place among others of the same priority that match the same host.
    pub(crate) fn rank(&self) -> HostRank<'_> {
        let class = match self.shape {
            HostShape::Exact(_) => {
                return HostRank { literal_length: Reverse(usize::MAX), class: 0, text: "" };
            }
            HostShape::Labels { rest: false, .. } => 1,
            HostShape::Labels { rest: true, .. } => 2,
            HostShape::Regex(_) => 3,
            HostShape::Glob(_) => 4,
        };
        HostRank { literal_length: Reverse(self.literal_length), class, text: &self.canonical }
    }

    /// Whether the pattern matches a normalised host.
    pub fn is_match(&self, host: &str) -> bool {
        match &self.shape {
            HostShape::Exact(exact) => **exact == *host,
            HostShape::Glob(expression) | HostShape::Regex(expression) => expression.regex.is_match(host),
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
            HostShape::Glob(expression) | HostShape::Regex(expression) => {
                let found = expression.regex.captures(host)?;
                let groups = expression.groups.iter();
                Some(
                    groups
                        .filter_map(|(at, name)| Some((name.clone(), found.get(*at)?.as_str().into())))
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
        parse::parse(text)
    }
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
            ("*.bücher.example", "a.xn--bcher-kva.example", true),
            ("example.com.", "example.com", true),
            ("*.example.com.", "a.example.com", true),
            ("[::1]", "[::1]", true),
            ("/SHOP/", "myshop.example.com", true),
            ("{a-b}-api.*", "test-api.example.com", true),
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
        assert_eq!(captured("{the-env}-{n}.*", "test-7.example.com"), ["the-env=test", "n=7"]);
        assert_eq!(captured("/^(?<n>[0-9]+)\\./", "42.example.com"), ["n=42"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_reason() {
        for (pattern, reason) in [
            ("", "must not be empty"),
            ("http://example.com", "cannot be a part of a host name"),
            ("example.com:80", "cannot be a part of a host name"),
            ("example.com/x", "cannot be a part of a host name"),
            ("*.example.com:80", "cannot be a part of a host name"),
            ("{a}.example.com:80", "cannot be a part of a host name"),
            ("[::1]:80", "cannot be a part of a host name"),
            ("*bücher*", "cannot be a part of a host name"),
            ("{a}.{a}.example.com", "parameter `a` occurs twice"),
            ("{a}-{a}.*", "parameter `a` occurs twice"),
            ("{1}.example.com", "is no parameter name"),
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
