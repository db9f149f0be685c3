//! Requests that could be read in two ways, or are too large.

use dgate_core::pattern::normalize_host;
use dgate_core::{ErrorKind, GatewayError};
use http::header::{COOKIE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request};

use crate::http1::{FramingError, content_length};
use crate::settings::Limits;

/// Refuses what could be read in two ways, or is too large. Returns the length of the body, if the head says it.
pub(super) fn accept<B>(request: &mut Request<B>, limits: &Limits) -> Result<Option<u64>, GatewayError> {
    join_cookies(request.headers_mut());
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if target.len() > limits.uri {
        return Err(ErrorKind::UriTooLong.into());
    }
    if request.headers().len() > limits.headers {
        return Err(ErrorKind::HeadersTooLarge.into());
    }
    check(request).map_err(|error| {
        GatewayError::new(ErrorKind::BadRequest).with_detail(error.to_string()).because(error)
    })
}

fn check<B>(request: &Request<B>) -> Result<Option<u64>, FramingError> {
    let length = content_length(request.headers())?;
    check_host(request)?;
    let uri = request.uri();
    if uri.scheme().is_some_and(|scheme| !matches!(scheme.as_str(), "http" | "https")) {
        return Err(FramingError::BadTarget);
    }
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let is_path = target.starts_with('/') || (target == "*" && *request.method() == Method::OPTIONS);
    if is_path && target.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(length)
    } else {
        Err(FramingError::BadTarget)
    }
}

/// There is one host, and a valid one. `:authority` wins over `Host`, as an absolute target does in HTTP/1.1: nobody
/// behind us sees both.
fn check_host<B>(request: &Request<B>) -> Result<(), FramingError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(FramingError::RepeatedHost);
    }
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let host = host.map(|host| host.to_str().unwrap_or(""));
    let mut named = authority.into_iter().chain(host).peekable();
    if named.peek().is_none() {
        return Err(FramingError::NoHost);
    }
    if named.all(|name| normalize_host(name).is_some()) { Ok(()) } else { Err(FramingError::BadHost) }
}

/// A client may send each cookie in a field of its own; nobody else understands that (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut cookies = headers.get_all(COOKIE).iter();
    if cookies.next().is_none() || cookies.next().is_none() {
        return;
    }
    let all: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(uri: &str, headers: &[(&str, &str)]) -> Result<Option<u64>, FramingError> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap())
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        use FramingError::*;
        for (uri, headers, expected) in [
            ("http://a/x?y", &[][..], Ok(None)),
            ("http://a/", &[("host", "A")], Ok(None)),
            ("/x", &[("host", "a:80")], Ok(None)),
            ("http://a/", &[("content-length", "5")], Ok(Some(5))),
            ("http://a/", &[("content-length", "5"), ("content-length", "5")], Err(RepeatedLength)),
            ("http://a/", &[("content-length", "+5")], Err(BadLength)),
            ("/x", &[], Err(NoHost)),
            ("http://a/", &[("host", "b")], Ok(None)),
            ("http://a/", &[("host", "b/c")], Err(BadHost)),
            ("/", &[("host", "a"), ("host", "a")], Err(RepeatedHost)),
            ("/", &[("host", "a/b")], Err(BadHost)),
            ("/", &[("host", "")], Err(BadHost)),
            ("http://u@a/", &[], Err(BadHost)),
            ("ftp://a/", &[], Err(BadTarget)),
            ("http://a/\u{e9}", &[], Err(BadTarget)),
            ("*", &[("host", "a")], Err(BadTarget)),
        ] {
            assert_eq!(checked(uri, headers), expected, "{uri} {headers:?}");
        }
    }

    #[test]
    fn cookies_become_one_field() {
        let mut headers = HeaderMap::new();
        for cookie in ["a=1", "b=2; c=3", "d=4"] {
            headers.append(COOKIE, cookie.parse().unwrap());
        }
        join_cookies(&mut headers);
        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=2; c=3; d=4"]);
    }
}
