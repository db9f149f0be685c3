//! Requests that nobody has sent, as somebody describes them.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::failure::Failure;

/// A request that nobody has sent.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
}

impl Fixture {
    /// Reads one; the path may come with a query string.
    pub(crate) fn read(
        method: &str,
        path: &str,
        written: &BTreeMap<String, String>,
    ) -> Result<Self, Failure> {
        let known = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
            .map_err(|_| Failure::bad_request(format!("`{method}` is no method")))?;
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path, None),
        };
        if !path.starts_with('/') {
            return Err(Failure::bad_request(format!("`path` must start with `/`, not `{path}`")));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in written {
            match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                (Ok(name), Ok(value)) => drop(headers.append(name, value)),
                _ => return Err(Failure::bad_request(format!("`{name}: {value}` is no header"))),
            }
        }
        Ok(Self { method: known, path: path.to_owned(), query, headers })
    }

    /// Path and query.
    pub(crate) fn target(&self) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", self.path)
    }
}
