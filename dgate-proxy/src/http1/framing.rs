//! Where a message ends (RFC 9112, section 6).

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    Empty,
    /// After so many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// When the connection ends.
    UntilClose,
}

/// Why a message has no certain end, or could be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FramingError {
    #[error("more than one Content-Length")]
    RepeatedLength,
    #[error("Content-Length is not a number")]
    BadLength,
    #[error("Content-Length together with Transfer-Encoding")]
    LengthAndEncoding,
    #[error("Transfer-Encoding in HTTP/1.0")]
    EncodingIn10,
    #[error("Transfer-Encoding is not `chunked`")]
    BadEncoding,
    #[error("the Host header is missing")]
    NoHost,
    #[error("more than one Host header")]
    RepeatedHost,
    #[error("the host is not valid")]
    BadHost,
    #[error("the request target does not fit the method")]
    BadTarget,
}

/// What a request's head says about its body and its connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestFraming {
    pub(super) body: Framing,
    /// Whether another request may follow.
    pub(super) keep_alive: bool,
    /// Whether the client waits for `100 Continue`.
    pub(super) expects_continue: bool,
}

/// Checks all that makes a request ambiguous.
pub(super) fn of_request<B>(request: &Request<B>) -> Result<RequestFraming, FramingError> {
    let (headers, version) = (request.headers(), request.version());
    let body = match (content_length(headers)?, encoding(headers)) {
        (Some(_), Some(_)) => return Err(FramingError::LengthAndEncoding),
        (None, Some(_)) if version == Version::HTTP_10 => return Err(FramingError::EncodingIn10),
        (None, Some(Encoding::Chunked)) => Framing::Chunked,
        (None, Some(Encoding::Other)) => return Err(FramingError::BadEncoding),
        (Some(0) | None, None) => Framing::Empty,
        (Some(length), None) => Framing::Length(length),
    };
    check_host(request)?;
    let expects_continue = version == Version::HTTP_11
        && body != Framing::Empty
        && headers
            .get(http::header::EXPECT)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    Ok(RequestFraming { body, keep_alive: keep_alive(version, headers), expects_continue })
}

/// How the body of a response ends.
pub(super) fn of_response<B>(response: &Response<B>, method: &Method) -> Result<Framing, FramingError> {
    let headers = response.headers();
    let length = content_length(headers)?;
    let encoding = encoding(headers);
    if length.is_some() && encoding.is_some() {
        return Err(FramingError::LengthAndEncoding);
    }
    if *method == Method::HEAD || has_no_body(response.status()) {
        return Ok(Framing::Empty);
    }
    match (length, encoding) {
        (_, Some(_)) if response.version() == Version::HTTP_10 => Err(FramingError::EncodingIn10),
        (_, Some(Encoding::Chunked)) => Ok(Framing::Chunked),
        (_, Some(Encoding::Other)) => Err(FramingError::BadEncoding),
        (Some(0), None) => Ok(Framing::Empty),
        (Some(length), None) => Ok(Framing::Length(length)),
        (None, None) => Ok(Framing::UntilClose),
    }
}

/// Whether answers of this status never have a body.
pub(crate) fn has_no_body(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

/// Whether the connection stays open after the message.
pub(super) fn keep_alive(version: Version, headers: &HeaderMap) -> bool {
    let mut options = headers.get_all(CONNECTION).iter();
    if version == Version::HTTP_10 {
        options.any(|value| has_token(value, "keep-alive"))
    } else {
        !options.any(|value| has_token(value, "close"))
    }
}

/// Whether a comma list holds a token, in any case.
pub(crate) fn has_token(value: &HeaderValue, token: &str) -> bool {
    // The usual value is the token alone.
    value.as_bytes().eq_ignore_ascii_case(token.as_bytes())
        || value
            .as_bytes()
            .split(|b| *b == b',')
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// What `Content-Length` says, if it says one thing.
pub(crate) fn content_length(headers: &HeaderMap) -> Result<Option<u64>, FramingError> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(FramingError::RepeatedLength);
    }
    let bytes = value.as_bytes();
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return Err(FramingError::BadLength);
    }
    let digit = |sum: u64, b: &u8| sum.checked_mul(10)?.checked_add(u64::from(b - b'0'));
    bytes.iter().try_fold(0, digit).map(Some).ok_or(FramingError::BadLength)
}

enum Encoding {
    Chunked,
    Other,
}

fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let mut values = headers.get_all(TRANSFER_ENCODING).iter();
    let value = values.next()?;
    let chunked = value.as_bytes().eq_ignore_ascii_case(b"chunked") && values.next().is_none();
    Some(if chunked { Encoding::Chunked } else { Encoding::Other })
}

/// One host, and a valid one (RFC 9112, section 3.2).
fn check_host<B>(request: &Request<B>) -> Result<(), FramingError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(FramingError::RepeatedHost);
    }
    let uri = request.uri();
    let valid = |host: &str| dgate_core::pattern::normalize_host(host).is_some();
    match host {
        None if request.version() == Version::HTTP_11 => return Err(FramingError::NoHost),
        Some(value) if value.is_empty() && uri.authority().is_none() => {}
        Some(value) if !value.to_str().is_ok_and(valid) => return Err(FramingError::BadHost),
        _ => {}
    }
    match uri.authority() {
        // `CONNECT host:port` is for forward proxies.
        _ if *request.method() == Method::CONNECT => Err(FramingError::BadTarget),
        Some(authority) if uri.scheme().is_some() => {
            let http = matches!(uri.scheme_str(), Some("http" | "https"));
            let usable = http && !authority.as_str().contains('@') && valid(authority.as_str());
            if usable { Ok(()) } else { Err(FramingError::BadTarget) }
        }
        None if uri.path() == "*" && *request.method() == Method::OPTIONS => Ok(()),
        None if uri.path().starts_with('/') => Ok(()),
        _ => Err(FramingError::BadTarget),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(version: Version, headers: &[(&str, &str)]) -> Result<RequestFraming, FramingError> {
        let mut builder = Request::builder().uri("/").version(version);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        of_request(&builder.body(()).unwrap())
    }

    fn body(headers: &[(&str, &str)]) -> Result<Framing, FramingError> {
        let mut all = vec![("host", "a")];
        all.extend_from_slice(headers);
        request(Version::HTTP_11, &all).map(|framing| framing.body)
    }

    #[test]
    fn ambiguous_requests_are_refused() {
        use FramingError::*;
        for (headers, expected) in [
            (&[][..], Ok(Framing::Empty)),
            (&[("content-length", "0")], Ok(Framing::Empty)),
            (&[("content-length", "5")], Ok(Framing::Length(5))),
            (&[("transfer-encoding", "Chunked")], Ok(Framing::Chunked)),
            (&[("content-length", "5"), ("content-length", "5")], Err(RepeatedLength)),
            (&[("content-length", "5"), ("content-length", "6")], Err(RepeatedLength)),
            (&[("content-length", "5, 5")], Err(BadLength)),
            (&[("content-length", "+5")], Err(BadLength)),
            (&[("content-length", "-1")], Err(BadLength)),
            (&[("content-length", "0x5")], Err(BadLength)),
            (&[("content-length", "")], Err(BadLength)),
            (&[("content-length", "18446744073709551616")], Err(BadLength)),
            (&[("content-length", "5"), ("transfer-encoding", "chunked")], Err(LengthAndEncoding)),
            (&[("transfer-encoding", "gzip, chunked")], Err(BadEncoding)),
            (&[("transfer-encoding", "chunked, gzip")], Err(BadEncoding)),
            (&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], Err(BadEncoding)),
            (&[("transfer-encoding", "xchunked")], Err(BadEncoding)),
            (&[("transfer-encoding", "chunked,")], Err(BadEncoding)),
            (&[("transfer-encoding", "identity")], Err(BadEncoding)),
            (&[("host", "b")], Err(RepeatedHost)),
        ] {
            assert_eq!(body(headers), expected, "{headers:?}");
        }
        let of = |version, headers| request(version, headers).map(|framing| framing.body);
        assert_eq!(of(Version::HTTP_11, &[]), Err(NoHost));
        assert_eq!(of(Version::HTTP_10, &[]), Ok(Framing::Empty));
        assert_eq!(of(Version::HTTP_10, &[("transfer-encoding", "chunked")]), Err(EncodingIn10));
        assert_eq!(of(Version::HTTP_11, &[("host", "a b")]), Err(BadHost));
        assert_eq!(of(Version::HTTP_11, &[("host", "a@b")]), Err(BadHost));
    }

    #[test]
    fn targets_fit_their_methods() {
        let of = |method: &str, target: &str| {
            of_request(&Request::builder().method(method).uri(target).header("host", "a").body(()).unwrap())
                .err()
        };
        assert_eq!(of("GET", "/x"), None);
        assert_eq!(of("GET", "http://b/x"), None);
        assert_eq!(of("OPTIONS", "*"), None);
        assert_eq!(of("GET", "*"), Some(FramingError::BadTarget));
        assert_eq!(of("CONNECT", "b:443"), Some(FramingError::BadTarget));
        assert_eq!(of("GET", "b:443"), Some(FramingError::BadTarget));
        assert_eq!(of("GET", "ftp://b/x"), Some(FramingError::BadTarget));
        assert_eq!(of("GET", "http://u@b/x"), Some(FramingError::BadTarget));
    }

    #[test]
    fn connections_stay_open_as_the_version_says() {
        let with = |value: &str| HeaderMap::from_iter([(CONNECTION, HeaderValue::from_str(value).unwrap())]);
        assert!(keep_alive(Version::HTTP_11, &HeaderMap::new()));
        assert!(!keep_alive(Version::HTTP_11, &with("Close")));
        assert!(!keep_alive(Version::HTTP_11, &with("x, close")));
        assert!(!keep_alive(Version::HTTP_10, &HeaderMap::new()));
        assert!(keep_alive(Version::HTTP_10, &with("Keep-Alive")));
    }
}
