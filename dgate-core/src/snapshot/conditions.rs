//! Conditions of a route on headers and query.

use std::fmt;

use http::{HeaderMap, HeaderName};
use regex::Regex;

use crate::decode::escape;
use crate::pattern::{RegexCache, normalize};
use crate::resource::{Condition, RouteMatch};
use crate::{Problem, Problems};

/// Conditions of a route on headers and query, compiled. All of them must hold.
#[derive(Debug, Clone, Default)]
pub struct RequestConditions {
    headers: Vec<(HeaderName, ValueMatcher)>,
    query: Vec<(Box<str>, ValueMatcher)>,
}

/// What a value must be.
#[derive(Debug, Clone)]
pub enum ValueMatcher {
    /// The whole value.
    Exact(Box<str>),
    /// How it begins.
    Prefix(Box<str>),
    /// A regular expression that matches the whole value.
    Regex(Regex),
    /// Whether there is one.
    Present(bool),
}

impl RequestConditions {
    /// Compiles the conditions of a route, and says what is wrong with them.
    pub(crate) fn compile(spec: &RouteMatch, regexes: &mut RegexCache, problems: &mut Problems) -> Self {
        let mut compiled = Self::default();
        for (name, condition) in &spec.headers {
            let at = format!("/match/headers/{}", escape(name));
            let matcher = compile(condition, &at, regexes, problems);
            match HeaderName::from_bytes(name.as_bytes()) {
                Ok(name) => compiled.headers.extend(matcher.map(|matcher| (name, matcher))),
                Err(_) => problems.push(Problem::error(at, format!("`{name}` is no header name"))),
            }
        }
        for (name, condition) in &spec.query {
            let at = format!("/match/query/{}", escape(name));
            let matcher = compile(condition, &at, regexes, problems);
            compiled.query.extend(matcher.map(|matcher| (name.as_str().into(), matcher)));
        }
        compiled
    }

    /// How many there are: more conditions rank before fewer.
    pub fn len(&self) -> usize {
        self.headers.len() + self.query.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they all hold for a request's headers and its query string.
    pub fn hold(&self, headers: &HeaderMap, query: Option<&str>) -> bool {
        let header = |(name, matcher): &(HeaderName, ValueMatcher)| {
            matcher.holds(headers.get_all(name).iter().map(|value| value.as_bytes()))
        };
        self.headers.iter().all(header)
            && (self.query.is_empty() || self.query_holds(query.unwrap_or_default()))
    }

    fn query_holds(&self, query: &str) -> bool {
        self.query.iter().all(|(wanted, matcher)| parameter_holds(query, wanted, matcher))
    }

    /// Each of them, with whether it holds.
    pub(crate) fn each(
        &self,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> impl Iterator<Item = (String, bool)> {
        let of_headers = self.headers.iter().map(|(name, matcher)| {
            let values = headers.get_all(name).iter().map(|value| value.as_bytes());
            (format!("header {name} {matcher}"), matcher.holds(values))
        });
        let query = query.unwrap_or_default();
        let of_query = self.query.iter().map(move |(name, matcher)| {
            (format!("query {name} {matcher}"), parameter_holds(query, name, matcher))
        });
        of_headers.chain(of_query)
    }

    /// Whether no request can satisfy both: they want different exact values of the same name.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        fn differ<N: PartialEq>(ours: &[(N, ValueMatcher)], theirs: &[(N, ValueMatcher)]) -> bool {
            ours.iter().any(|(name, matcher)| {
                theirs.iter().any(|(other_name, other)| name == other_name && matcher.excludes(other))
            })
        }
        // A header may come twice, with either value; who sends that meets the order of names.
        differ(&self.headers, &other.headers) || differ(&self.query, &other.query)
    }
}

fn parameter_holds(query: &str, wanted: &str, matcher: &ValueMatcher) -> bool {
    let values: Vec<_> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| form_decode(name) == wanted)
        .map(|(_, value)| form_decode(value))
        .collect();
    matcher.holds(values.iter().map(String::as_bytes))
}

impl fmt::Display for ValueMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(value) => write!(f, "is `{value}`"),
            Self::Prefix(value) => write!(f, "begins with `{value}`"),
            Self::Regex(regex) => write!(f, "matches `{}`", regex.as_str()),
            Self::Present(true) => f.write_str("is there"),
            Self::Present(false) => f.write_str("is not there"),
        }
    }
}

impl ValueMatcher {
    /// Whether one of the values is right. Header values are bytes: most are text, but nobody has to promise that.
    fn holds<'a>(&self, mut values: impl Iterator<Item = &'a [u8]>) -> bool {
        match self {
            Self::Exact(exact) => values.any(|value| value == exact.as_bytes()),
            Self::Prefix(prefix) => values.any(|value| value.starts_with(prefix.as_bytes())),
            Self::Regex(regex) => values.any(|value| regex.is_match(&String::from_utf8_lossy(value))),
            Self::Present(wanted) => values.next().is_some() == *wanted,
        }
    }

    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a != b,
            (Self::Exact(exact), Self::Prefix(prefix)) | (Self::Prefix(prefix), Self::Exact(exact)) => {
                !exact.starts_with(&**prefix)
            }
            (Self::Exact(exact), Self::Regex(regex)) | (Self::Regex(regex), Self::Exact(exact)) => {
                !regex.is_match(exact)
            }
            (Self::Prefix(a), Self::Prefix(b)) => !a.starts_with(&**b) && !b.starts_with(&**a),
            (Self::Present(a), Self::Present(b)) => a != b,
            (Self::Present(false), _) | (_, Self::Present(false)) => true,
            _ => false,
        }
    }
}

fn compile(
    condition: &Condition,
    at: &str,
    regexes: &mut RegexCache,
    problems: &mut Problems,
) -> Option<ValueMatcher> {
    Some(match condition {
        Condition::Exact(value) => ValueMatcher::Exact(value.as_str().into()),
        Condition::Prefix(value) => ValueMatcher::Prefix(value.as_str().into()),
        Condition::Present(wanted) => ValueMatcher::Present(*wanted),
        Condition::Regex(source) => match regexes.anchored(source) {
            Ok(regex) => ValueMatcher::Regex(regex),
            Err(error) => {
                problems.push(Problem::error(format!("{at}/regex"), error.to_string()));
                return None;
            }
        },
    })
}

/// Decodes `application/x-www-form-urlencoded` text.
fn form_decode(text: &str) -> String {
    normalize::decode(&text.replace('+', " ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(json: serde_json::Value) -> RequestConditions {
        let mut problems = Problems::new();
        let spec = crate::decode(json).unwrap();
        let compiled = RequestConditions::compile(&spec, &mut RegexCache::default(), &mut problems);
        assert!(problems.is_empty(), "{problems}");
        compiled
    }

    #[test]
    fn headers_and_query() {
        let conditions = conditions(serde_json::json!({
            "headers": { "x-version": "2", "accept": { "prefix": "text/" }, "x-debug": { "present": false } },
            "query": { "q": { "regex": "[a-z ]+" } },
        }));
        let mut headers = HeaderMap::new();
        headers.insert("x-version", "2".parse().unwrap());
        headers.insert("accept", "text/html".parse().unwrap());
        assert!(conditions.hold(&headers, Some("a=1&q=ab+c")));
        assert!(conditions.hold(&headers, Some("q=ab%20c")));
        assert!(!conditions.hold(&headers, Some("q=7")));
        assert!(!conditions.hold(&headers, None));
        headers.insert("x-debug", "1".parse().unwrap());
        assert!(!conditions.hold(&headers, Some("q=a")));
    }

    #[test]
    fn values_that_are_no_text_are_there_all_the_same() {
        let mut headers = HeaderMap::new();
        headers.insert("x", http::HeaderValue::from_bytes(b"caf\xe9").unwrap());
        let holds =
            |condition| conditions(serde_json::json!({ "headers": { "x": condition } })).hold(&headers, None);
        assert!(holds(serde_json::json!({ "present": true })));
        assert!(!holds(serde_json::json!({ "present": false })));
        assert!(holds(serde_json::json!({ "prefix": "caf" })));
        assert!(holds(serde_json::json!({ "regex": "caf." })));
        assert!(!holds(serde_json::json!("caf")));
    }

    #[test]
    fn different_exact_values_exclude_each_other() {
        let of = |value: &str| conditions(serde_json::json!({ "headers": { "x": value } }));
        assert!(of("1").excludes(&of("2")));
        assert!(!of("1").excludes(&of("1")));
        assert!(!of("1").excludes(&RequestConditions::default()));
    }
}
