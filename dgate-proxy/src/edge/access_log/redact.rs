//! Secrets in query strings.

use std::borrow::Cow;

use dgate_core::pattern::normalize::decode;

/// Parts of names whose values are secrets.
const TELLING: [&str; 9] =
    ["token", "secret", "passw", "apikey", "api_key", "api-key", "signature", "credential", "session"];

/// Names that are too short to look for in others.
const EXACT: [&str; 6] = ["key", "sig", "pwd", "auth", "jwt", "code"];

/// A query string without the values of parameters whose names tell that they are secrets.
pub(super) fn redacted(query: &str) -> Cow<'_, str> {
    if !query.split('&').any(is_secret) {
        return query.into();
    }
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(pair) => format!("{name}=***"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&").into()
}

fn is_secret(pair: &str) -> bool {
    let Some((name, _)) = pair.split_once('=') else { return false };
    let name = decode(name).to_ascii_lowercase();
    EXACT.contains(&name.as_str()) || TELLING.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_telling_names_go() {
        for (query, expected) in [
            ("a=1&b=2", "a=1&b=2"),
            ("token", "token"),
            ("token=x", "token=***"),
            ("a=1&Access_Token=x&b=token", "a=1&Access_Token=***&b=token"),
            ("key=x&keyboard=y", "key=***&keyboard=y"),
            ("X-Amz-Signature=x&X-Amz-Date=y", "X-Amz-Signature=***&X-Amz-Date=y"),
            ("%70assword=x", "%70assword=***"),
            ("token=a=b", "token=***"),
            ("", ""),
        ] {
            assert_eq!(redacted(query), expected, "{query}");
        }
    }
}
