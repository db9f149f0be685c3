//! Query strings: known parameters only, each at most once.

use std::str::FromStr;

use dgate_core::closest;

use super::endpoint::Parameter;
use super::failure::Failure;

/// The parameters of a query string.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query string, and leaves out the parameter that holds a credential.
    ///
    /// # Errors
    /// When it holds parameters that are not known, or one twice.
    pub(crate) fn parse(
        text: Option<&str>,
        known: &[Parameter],
        credential: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if credential == Some(name.as_str()) {
                continue;
            }
            if !known.iter().any(|parameter| parameter.name == name) {
                let names = || known.iter().map(|parameter| parameter.name);
                let help = match closest(&name, names()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None if known.is_empty() => "there are none here".to_owned(),
                    None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
                };
                return Err(Failure::bad_request(format!("there is no query parameter `{name}`: {help}")));
            }
            if pairs.iter().any(|(given, _)| *given == name) {
                return Err(Failure::bad_request(format!("the query parameter `{name}` is given twice")));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// A parameter, if it is given and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(given, value)| given == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A parameter that is a number or the like.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, Failure> {
        let parse = |text: &str| {
            let wrong = || {
                Failure::bad_request(format!("the query parameter `{name}` must be {expected}, not `{text}`"))
            };
            text.parse().map_err(|_| wrong())
        };
        self.get(name).map(parse).transpose()
    }

    /// A parameter that is a flag: `?dry_run`, `?dry_run=true`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str()) {
            None | Some("false" | "0") => Ok(false),
            Some("" | "true" | "1") => Ok(true),
            Some(other) => Err(Failure::bad_request(format!(
                "the query parameter `{name}` must be true or false, not `{other}`"
            ))),
        }
    }
}

/// Undoes the encoding of forms: `+` is a space, `%2F` a slash.
fn decoded(text: &str) -> Result<String, Failure> {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = match bytes[at] {
            b'+' => b' ',
            b'%' => {
                let digits =
                    text.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                at += 2;
                digits
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                    .ok_or_else(|| Failure::bad_request("the query string has a `%` without two digits"))?
            }
            byte => byte,
        };
        plain.push(byte);
        at += 1;
    }
    String::from_utf8(plain).map_err(|_| Failure::bad_request("the query string is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Parameter] =
        &[Parameter::text("tag", ""), Parameter::flag("dry_run", ""), Parameter::number("limit", "")];

    fn query(text: &str) -> Result<Query, String> {
        Query::parse(Some(text), KNOWN, Some("key")).map_err(|failure| failure.detail().to_owned())
    }

    #[test]
    fn parameters_are_decoded() {
        let query = query("tag=a%2Fb+c&dry_run&key=secret&limit=7").unwrap();
        assert_eq!(query.get("tag"), Some("a/b c"));
        assert!(query.flag("dry_run").unwrap());
        assert_eq!(query.parsed::<u32>("limit", "a number").unwrap(), Some(7));
        assert_eq!(query.get("q"), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(query("tga=1").unwrap_err(), "there is no query parameter `tga`: did you mean `tag`?");
        assert_eq!(query("tag=1&tag=2").unwrap_err(), "the query parameter `tag` is given twice");
        assert!(query("tag=%zz").unwrap_err().contains("without two digits"));
        assert!(query("tag=%ff").unwrap_err().contains("not UTF-8"));
        assert!(query("tag=%f").unwrap_err().contains("without two digits"));
        assert!(query("tag=%€").unwrap_err().contains("without two digits"));
        assert!(query("limit=x").unwrap().parsed::<u32>("limit", "a number").is_err());
        assert!(query("dry_run=maybe").unwrap().flag("dry_run").is_err());
    }
}
