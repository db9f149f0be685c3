//! Keys, as programs use them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use http::header::HeaderName;
use http::request::Parts;

use super::{Attempt, Grant, header_name};

/// The header that holds a key when nobody says.
const HEADER: HeaderName = HeaderName::from_static("x-api-key");

/// A key, and what whoever has it may do.
#[derive(Clone)]
pub struct ApiKey {
    /// Whose it is, as the changelog and the audit log show it.
    pub name: String,
    /// The key itself, or `sha256:` and its digest in hexadecimal.
    pub key: String,
    /// What whoever has it may do.
    pub grant: Grant,
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKey").field("name", &self.name).field("grant", &self.grant).finish_non_exhaustive()
    }
}

/// Whoever has a key.
pub struct KeyAuth {
    keys: Vec<(Vec<u8>, String, Grant)>,
    header: HeaderName,
    query: Option<String>,
}

impl KeyAuth {
    /// These keys, in the header `X-API-Key`.
    ///
    /// Returns the first key that is none: empty, or not a digest after `sha256:`.
    ///
    /// # Errors
    /// The name of a key that is none.
    pub fn new(keys: impl IntoIterator<Item = ApiKey>) -> Result<Self, String> {
        let digested =
            keys.into_iter().map(|ApiKey { name, key, grant }| match key.strip_prefix("sha256:") {
                Some(hex) => from_hex(hex).map(|digest| (digest, name.clone(), grant)).ok_or(name),
                None if key.is_empty() => Err(name),
                None => Ok((digest(&SHA256, key.as_bytes()).as_ref().to_vec(), name, grant)),
            });
        Ok(Self { keys: digested.collect::<Result<_, _>>()?, header: HEADER, query: None })
    }

    /// In another header. One that is no header name is not heeded.
    #[must_use]
    pub fn in_header(mut self, name: &str) -> Self {
        self.header = header_name(name).unwrap_or(self.header);
        self
    }

    /// Also in a query parameter, for programs that cannot send headers. Addresses are written to many logs.
    #[must_use]
    pub fn in_query(mut self, name: impl Into<String>) -> Self {
        self.query = Some(name.into());
        self
    }

    pub(super) fn header(&self) -> &str {
        self.header.as_str()
    }

    pub(super) fn query_parameter(&self) -> Option<&str> {
        self.query.as_deref()
    }

    pub(super) fn identify(&self, parts: &Parts) -> Attempt {
        let in_header = parts.headers.get(&self.header).map(|value| value.as_bytes());
        let in_query = self.query.as_deref().and_then(|name| {
            let pairs = parts.uri.query().unwrap_or_default().split('&');
            pairs.filter_map(|pair| pair.split_once('=')).find(|(given, _)| *given == name)
        });
        let Some(given) = in_header.or(in_query.map(|(_, value)| value.as_bytes())) else {
            return Attempt::Missing;
        };
        let given: Digest = digest(&SHA256, given);
        // All are looked at: how long it takes says nothing of which one it is.
        let matching = self.keys.iter().fold(None, |found, (known, name, grant)| {
            let is_it = verify_slices_are_equal(known, given.as_ref()).is_ok();
            if is_it { Some((name, grant)) } else { found }
        });
        match matching {
            Some((name, grant)) => Attempt::Good(grant.to(name)),
            None => Attempt::Bad("an unknown key"),
        }
    }
}

impl std::fmt::Debug for KeyAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyAuth").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    is_digest.then(|| (0..64).step_by(2).map(pair).collect::<Option<_>>()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Identity, Role};

    fn key(name: &str, key: &str) -> ApiKey {
        ApiKey { name: name.to_owned(), key: key.to_owned(), grant: Grant::of(Role::Viewer) }
    }

    fn identify(auth: &KeyAuth, uri: &str, header: Option<(&str, &str)>) -> Attempt {
        let mut request = http::Request::builder().uri(uri);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        auth.identify(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn keys_come_in_a_header_or_where_they_are_allowed_to() {
        // The digest of `hunter2`.
        let hashed = "sha256:f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7";
        let auth = KeyAuth::new([key("ci", "abc"), key("cd", hashed)]).unwrap();
        let good = |name: &str| Attempt::Good(Identity::new(name, Role::Viewer));
        assert_eq!(identify(&auth, "/", Some(("x-api-key", "abc"))), good("ci"));
        assert_eq!(identify(&auth, "/", Some(("x-api-key", "hunter2"))), good("cd"));
        assert!(matches!(identify(&auth, "/", Some(("x-api-key", hashed))), Attempt::Bad(_)));
        assert_eq!(identify(&auth, "/?key=abc", None), Attempt::Missing);
        let auth = auth.in_header("X-DGate-Key").in_query("key");
        assert_eq!(identify(&auth, "/?a=1&key=abc", None), good("ci"));
        assert_eq!(identify(&auth, "/", Some(("x-dgate-key", "abc"))), good("ci"));
        assert_eq!(identify(&auth, "/", Some(("x-api-key", "abc"))), Attempt::Missing);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(KeyAuth::new([key("a", "")]).unwrap_err(), "a");
        assert_eq!(KeyAuth::new([key("a", "sha256:abc")]).unwrap_err(), "a");
    }
}
