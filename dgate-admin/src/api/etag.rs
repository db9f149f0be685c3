//! Entity tags: the revision that last changed a resource, in quotes.

use dgate_core::Key;
use dgate_core::apply::Expect;
use dgate_core::stored::Revision;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue};

use super::failure::Failure;

/// The entity tag of a revision.
pub(crate) fn etag(revision: Revision) -> HeaderValue {
    // Digits in quotes are a valid header value.
    HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// What `If-Match` and `If-None-Match` expect of a resource before it is written.
pub(crate) fn expected(headers: &HeaderMap, key: &Key) -> Result<Vec<(Key, Expect)>, Failure> {
    let mut expected = Vec::new();
    if let Some(given) = text(headers.get(IF_MATCH))? {
        expected.push((
            key.clone(),
            if given == "*" { Expect::Present } else { Expect::Revision(revision(given)?) },
        ));
    }
    match text(headers.get(IF_NONE_MATCH))? {
        None => {}
        Some("*") => expected.push((key.clone(), Expect::Absent)),
        Some(_) => return Err(Failure::bad_request("with a write, `If-None-Match` can only be `*`")),
    }
    Ok(expected)
}

/// The revision that `If-Match` expects the whole configuration to be at.
pub(crate) fn expected_revision(headers: &HeaderMap) -> Result<Option<Revision>, Failure> {
    text(headers.get(IF_MATCH))?.filter(|given| *given != "*").map(revision).transpose()
}

/// Whether a reader has this revision already, as `If-None-Match` says.
pub(crate) fn is_known(headers: &HeaderMap, current: Revision) -> bool {
    let Some(given) = headers.get(IF_NONE_MATCH).and_then(|given| given.to_str().ok()) else { return false };
    let current = format!("\"{current}\"");
    given.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == current)
}

fn text(value: Option<&HeaderValue>) -> Result<Option<&str>, Failure> {
    let wrong = |_| Failure::bad_request("`If-Match` and `If-None-Match` hold an entity tag, such as \"7\"");
    value.map(|value| value.to_str().map(str::trim).map_err(wrong)).transpose()
}

fn revision(tag: &str) -> Result<Revision, Failure> {
    let digits = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    match digits.parse() {
        Ok(revision) => Ok(revision),
        // It may be a perfect tag of somebody else: it names nothing that is here.
        Err(_) if tag.starts_with('"') || tag.starts_with("W/") => {
            Err(Failure::precondition(format!("the entity tag {tag} is not one of this server")))
        }
        Err(_) => Err(Failure::bad_request(format!("`If-Match: {tag}` is no entity tag; write it as \"7\""))),
    }
}

#[cfg(test)]
mod tests {
    use dgate_core::Kind;

    use super::*;

    fn expect(name: http::HeaderName, value: &'static str) -> Result<Vec<Expect>, u16> {
        let headers: HeaderMap = [(name, HeaderValue::from_static(value))].into_iter().collect();
        let key = Key::new(Kind::Route, "default", "r");
        expected(&headers, &key)
            .map(|all| all.into_iter().map(|(_, expected)| expected).collect())
            .map_err(|failure| failure.status().as_u16())
    }

    #[test]
    fn tags_are_revisions_in_quotes() {
        assert_eq!(etag(7), "\"7\"");
        assert_eq!(expect(IF_MATCH, "\"7\""), Ok(vec![Expect::Revision(7)]));
        assert_eq!(expect(IF_MATCH, "7"), Ok(vec![Expect::Revision(7)]));
        assert_eq!(expect(IF_MATCH, "*"), Ok(vec![Expect::Present]));
        assert_eq!(expect(IF_NONE_MATCH, "*"), Ok(vec![Expect::Absent]));
        assert_eq!(expect(IF_NONE_MATCH, "\"7\""), Err(400));
        assert_eq!(expect(IF_MATCH, "\"abc\""), Err(412));
        assert_eq!(expect(IF_MATCH, "W/\"7\""), Err(412), "weak tags never match");
        assert_eq!(expect(IF_MATCH, "abc"), Err(400));
    }

    #[test]
    fn readers_may_know_it_already() {
        let known = |value: &'static str| {
            let headers: HeaderMap = [(IF_NONE_MATCH, HeaderValue::from_static(value))].into_iter().collect();
            is_known(&headers, 7)
        };
        assert!(known("\"7\"") && known("\"6\", W/\"7\"") && known("*"));
        assert!(!known("\"8\"") && !known("7"));
    }
}
