//! One service, compiled.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::resource;
use crate::stored::Stored;
use crate::tags::CanaryRule;

/// The number of a service in its namespace.
pub type ServiceId = u32;

/// One service, compiled.
#[derive(Debug)]
pub struct CompiledService {
    /// Its number in its namespace.
    pub id: ServiceId,
    /// Its name.
    pub name: Arc<str>,
    /// What was written.
    pub spec: Arc<Stored<resource::Service>>,
    /// Its endpoints that apply to this server.
    pub urls: Vec<CompiledUrl>,
    /// Which requests it is there for; for all when absent.
    pub rule: Option<CanaryRule>,
    url_bits: u64,
}

impl CompiledService {
    pub(crate) fn new(
        id: ServiceId,
        name: Arc<str>,
        spec: Arc<Stored<resource::Service>>,
        rule: Option<CanaryRule>,
        urls: Vec<CompiledUrl>,
    ) -> Self {
        let rules = urls.iter().filter_map(|url| url.rule.as_ref());
        let url_bits = rules.fold(0, |bits, rule| bits | rule.bits());
        Self { id, name, spec, urls, rule, url_bits }
    }

    /// The canary tags that its endpoints ask for.
    pub fn url_bits(&self) -> u64 {
        self.url_bits
    }

    /// The canary tags that it or its endpoints ask for.
    pub fn canary_bits(&self) -> u64 {
        self.url_bits | self.rule.as_ref().map_or(0, CanaryRule::bits)
    }
}

/// One endpoint of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledUrl {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Host name or address; an IPv6 address without brackets.
    pub host: Arc<str>,
    /// TCP port.
    pub port: u16,
    /// What is put before every request path; without a slash at the end, so often empty.
    pub path: Arc<str>,
    /// Its share of the requests.
    pub weight: u32,
    /// Endpoints of a higher priority are used first.
    pub priority: i32,
    /// Which requests may go there; all when absent.
    pub rule: Option<CanaryRule>,
}

/// How an endpoint is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// HTTP/1.1.
    Http,
    /// HTTP over TLS; HTTP/2 when the endpoint agrees.
    Https,
    /// HTTP/2 without TLS, by prior knowledge.
    H2c,
    /// Bytes.
    Tcp,
    /// Bytes over TLS.
    Tls,
}

impl Scheme {
    const ALL: [(Self, &str, Option<u16>); 5] = [
        (Self::Http, "http", Some(80)),
        (Self::Https, "https", Some(443)),
        (Self::H2c, "h2c", Some(80)),
        (Self::Tcp, "tcp", None),
        (Self::Tls, "tls", None),
    ];

    /// The scheme of a URL, if it is one of them.
    pub fn of(url: &str) -> Option<Self> {
        let (name, _) = url.split_once("://")?;
        Self::ALL
            .into_iter()
            .find(|(_, known, _)| name.eq_ignore_ascii_case(known))
            .map(|(scheme, ..)| scheme)
    }

    /// The name as it stands in URLs.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(scheme, ..)| *scheme == self).map_or("", |(_, name, _)| name)
    }

    /// Whether it carries HTTP.
    pub const fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https | Self::H2c)
    }

    /// Whether it is encrypted.
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Tls)
    }
}

impl CompiledUrl {
    /// `host:port`, as it stands in a `Host` header: without the scheme's own port.
    pub fn authority(&self) -> String {
        let host = BracketedHost(&self.host);
        match Scheme::ALL.iter().find(|(scheme, ..)| *scheme == self.scheme) {
            Some((_, _, Some(port))) if *port == self.port => host.to_string(),
            _ => format!("{host}:{}", self.port),
        }
    }

    /// `scheme://host:port`: the endpoint's identity, apart from TLS settings.
    pub fn origin(&self) -> String {
        format!("{}://{}:{}", self.scheme.as_str(), BracketedHost(&self.host), self.port)
    }
}

struct BracketedHost<'a>(&'a str);

impl fmt::Display for BracketedHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(self.0) }
    }
}

impl FromStr for CompiledUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = || Scheme::ALL.map(|(_, name, _)| name).join(", ");
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("`{text}` has no scheme: write `http://{text}` (or one of {})", known()));
        };
        let Some((scheme, _, default_port)) =
            Scheme::ALL.into_iter().find(|(_, name, _)| scheme.eq_ignore_ascii_case(name))
        else {
            return Err(format!("scheme `{scheme}` is not known, expected one of {}", known()));
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("user and password cannot be a part of a service URL".to_owned());
        }
        if path.contains(['?', '#']) {
            return Err("a service URL has no query and no fragment".to_owned());
        }
        let parsed: http::uri::Authority =
            authority.parse().map_err(|_| format!("`{authority}` is no `host` or `host:port`"))?;
        let host = parsed.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err("the host is missing".to_owned());
        }
        let port = match authority[parsed.host().len()..].strip_prefix(':') {
            None => default_port.ok_or_else(|| format!("`{}` URLs need a port", scheme.as_str()))?,
            Some(port) => {
                port.parse().ok().filter(|port| *port > 0).ok_or_else(|| format!("`{port}` is no port"))?
            }
        };
        let path = crate::pattern::normalize::path(&format!("{path}/")).trim_end_matches('/').to_owned();
        if !path.is_empty() && !scheme.is_http() {
            return Err(format!("`{}` URLs have no path", scheme.as_str()));
        }
        if http::uri::PathAndQuery::try_from(format!("{path}/")).is_err() {
            return Err(format!("`{path}` is no path"));
        }
        Ok(Self { scheme, host: host.into(), port, path: path.into(), weight: 1, priority: 0, rule: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples() {
        for (text, origin, authority, path) in [
            ("http://a", "http://a:80", "a", ""),
            ("http://a:8080/", "http://a:8080", "a:8080", ""),
            ("HTTPS://A.example/base/", "https://a.example:443", "a.example", "/base"),
            ("h2c://[::1]:50051", "h2c://[::1]:50051", "[::1]:50051", ""),
            ("tcp://10.0.0.1:6379", "tcp://10.0.0.1:6379", "10.0.0.1:6379", ""),
            ("http://a:443/x/../y", "http://a:443", "a:443", "/y"),
        ] {
            let url: CompiledUrl = text.parse().unwrap();
            assert_eq!(
                (url.origin().as_str(), url.authority().as_str(), &*url.path),
                (origin, authority, path)
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "no scheme"),
            ("example.com", "write `http://example.com`"),
            ("ftp://a", "not known"),
            ("http://", "is no `host`"),
            ("http://:80", "the host is missing"),
            ("http://a:0", "is no port"),
            ("http://a:99999", "is no"),
            ("http://u:p@a", "user and password"),
            ("http://a/?x=1", "no query"),
            ("tcp://a", "need a port"),
            ("tcp://a:1/x", "no path"),
            ("http://a b", "is no `host`"),
        ] {
            let error = text.parse::<CompiledUrl>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
