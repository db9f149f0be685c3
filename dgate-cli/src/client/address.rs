//! Where the Admin API is.

use std::fmt;

use http::Uri;

use crate::failure::Failure;

/// Scheme, host, port, and a path that everything else is below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_tls: bool,
    /// Without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// Without a slash at its end; often empty.
    pub(super) path: String,
}

impl Address {
    /// Reads a URL; without a scheme, `http` is meant.
    pub(super) fn parse(url: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::usage(format!("`{url}` is no address of an Admin API: {why}"))
                .with_help("write it like http://localhost:9080")
        };
        let text = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| wrong(&error.to_string()))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("the scheme is neither http nor https")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("there is no host in it"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("names and passwords belong to `--auth`"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("there is no host in it"));
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Self { is_tls, host, port, path: uri.path().trim_end_matches('/').to_owned() })
    }

    /// Whether both are the same server.
    pub(super) fn is_same_origin(&self, other: &Self) -> bool {
        (self.is_tls, &self.host, self.port) == (other.is_tls, &other.host, other.port)
    }

    /// Host and port, as they stand in `Host`.
    pub(super) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_scheme() {
        for (written, read) in [
            ("http://localhost:9080", "http://localhost:9080"),
            ("localhost:9080", "http://localhost:9080"),
            ("https://gw.example.com/admin/", "https://gw.example.com:443/admin"),
            ("http://[::1]:9080", "http://[::1]:9080"),
        ] {
            assert_eq!(Address::parse(written).unwrap().to_string(), read);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for written in ["ftp://x", "http://", "http://user:pw@host", "a b"] {
            let failure = Address::parse(written).unwrap_err();
            assert!(failure.to_string().contains("no address of an Admin API"), "{failure}");
        }
    }
}
