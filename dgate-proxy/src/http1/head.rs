//! Message heads: from bytes to `http` types.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use dgate_core::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use httparse::{Header, ParserConfig};

/// The most header fields a head may have, whatever is configured.
const MAX_HEADERS: usize = 512;

/// Room for headers that layers will add.
const EXTRA_HEADERS: usize = 4;

/// How large a head may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeadLimits {
    /// Bytes of the whole head.
    pub(crate) bytes: usize,
    /// Number of header fields.
    pub(crate) headers: usize,
    /// Bytes of the request target.
    pub(crate) uri: usize,
}

/// Why a head cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadError {
    #[error("the message is malformed: {0}")]
    Malformed(&'static str),
    #[error("the request target is too long")]
    UriTooLong,
    #[error("the header fields are too large")]
    TooLarge,
    #[error("the HTTP version is not supported")]
    Version,
}

/// Looks for the end of a head in a buffer that grows.
#[derive(Debug, Default)]
pub(super) struct HeadScanner {
    /// Up to here there is no end.
    scanned: usize,
}

impl HeadScanner {
    /// How long the head is, when it is complete. Empty lines before it are dropped (RFC 9112, section 2.2).
    pub(super) fn scan(
        &mut self,
        buffer: &mut BytesMut,
        limits: HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        while buffer.starts_with(b"\r\n") {
            let _ = buffer.split_to(2);
            self.scanned = self.scanned.saturating_sub(2);
        }
        // The last three bytes may be the beginning of the end.
        let from = self.scanned.saturating_sub(3);
        if let Some(end) = end_of_head(&buffer[from..]) {
            self.scanned = 0;
            let length = from + end;
            return if length > limits.bytes { Err(HeadError::TooLarge) } else { Ok(Some(length)) };
        }
        self.scanned = buffer.len();
        if buffer.len() < limits.bytes.min(limits.uri) {
            return Ok(None);
        }
        let line = memchr::memchr(b'\n', &buffer[..]).unwrap_or(buffer.len());
        if line > limits.uri + 32 {
            return Err(HeadError::UriTooLong);
        }
        if buffer.len() > limits.bytes { Err(HeadError::TooLarge) } else { Ok(None) }
    }
}

/// Where the first empty line ends.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let line_ends = memchr::memchr_iter(b'\n', bytes);
    line_ends.map(|at| at + 1).find(|end| bytes[..*end].ends_with(b"\r\n\r\n"))
}

/// Reads a complete request head. The body is for others to put in.
pub(super) fn parse_request(head: &Bytes, limits: HeadLimits) -> Result<Request<Body>, HeadError> {
    refuse_lone_line_ends(head)?;
    let mut storage = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let room = storage.len().min(limits.headers);
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(head, &mut storage[..room]) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(HeadError::Malformed("line ends")),
        Err(httparse::Error::Version) => return Err(wrong_version(head)),
        Err(error) => return Err(from_httparse(error)),
    }
    let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(HeadError::Malformed("request line"));
    };
    if target.len() > limits.uri {
        return Err(HeadError::UriTooLong);
    }
    // `Uri` is more liberal than RFC 3986: it accepts bytes that some upstreams read otherwise.
    if !target.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
        return Err(HeadError::Malformed("request target"));
    }
    let mut request = Request::new(Body::empty());
    *request.method_mut() =
        Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::Malformed("method"))?;
    *request.uri_mut() = Uri::from_maybe_shared(head.slice_ref(target.as_bytes()))
        .map_err(|_| HeadError::Malformed("request target"))?;
    *request.version_mut() = if version == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    *request.headers_mut() = headers(head, parsed.headers)?;
    Ok(request)
}

/// Reads a complete response head.
pub(super) fn parse_response(head: &Bytes) -> Result<Response<()>, HeadError> {
    refuse_lone_line_ends(head)?;
    let mut storage = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut []);
    match ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, head, &mut storage) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(HeadError::Malformed("line ends")),
        Err(error) => return Err(from_httparse(error)),
    }
    let (Some(code), Some(version)) = (parsed.code, parsed.version) else {
        return Err(HeadError::Malformed("status line"));
    };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(code).map_err(|_| HeadError::Malformed("status"))?;
    *response.version_mut() = if version == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    *response.headers_mut() = headers(head, parsed.headers)?;
    Ok(response)
}

/// Reads a complete trailer section.
pub(super) fn parse_trailers(section: &Bytes) -> Result<HeaderMap, HeadError> {
    refuse_lone_line_ends(section)?;
    let mut storage = [httparse::EMPTY_HEADER; 64];
    match httparse::parse_headers(section, &mut storage) {
        Ok(httparse::Status::Complete((length, parsed))) if length == section.len() => {
            headers(section, parsed)
        }
        Ok(_) => Err(HeadError::Malformed("line ends")),
        Err(error) => Err(from_httparse(error)),
    }
}

fn headers(head: &Bytes, parsed: &[Header<'_>]) -> Result<HeaderMap, HeadError> {
    let mut headers = HeaderMap::with_capacity(parsed.len() + EXTRA_HEADERS);
    for Header { name, value } in parsed {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeadError::Malformed("header name"))?;
        // The values lie in the head's own bytes: nothing is copied.
        let value = HeaderValue::from_maybe_shared(head.slice_ref(value))
            .map_err(|_| HeadError::Malformed("header value"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// `httparse` accepts a line feed without carriage return; others take it for a part of a value.
fn refuse_lone_line_ends(head: &[u8]) -> Result<(), HeadError> {
    let lone = memchr::memchr_iter(b'\n', head).any(|at| at == 0 || head[at - 1] != b'\r');
    if lone { Err(HeadError::Malformed("line feed without carriage return")) } else { Ok(()) }
}

/// Another version of HTTP, or no version at all.
fn wrong_version(head: &[u8]) -> HeadError {
    let line = head.split(|b| *b == b'\r').next().unwrap_or_default();
    let words: Vec<_> = line.split(|b| *b == b' ').collect();
    match words.as_slice() {
        [_, _, version]
            if version.starts_with(b"HTTP/") && version[5..].first().is_some_and(u8::is_ascii_digit) =>
        {
            HeadError::Version
        }
        _ => HeadError::Malformed("request line"),
    }
}

fn from_httparse(error: httparse::Error) -> HeadError {
    match error {
        httparse::Error::HeaderName => HeadError::Malformed("header name"),
        httparse::Error::HeaderValue => HeadError::Malformed("header value"),
        httparse::Error::NewLine => HeadError::Malformed("line ends"),
        httparse::Error::Status => HeadError::Malformed("status line"),
        httparse::Error::Token => HeadError::Malformed("request line"),
        httparse::Error::TooManyHeaders => HeadError::TooLarge,
        httparse::Error::Version => HeadError::Version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeadLimits = HeadLimits { bytes: 1_024, headers: 10, uri: 100 };

    fn request(head: &str) -> Result<Request<Body>, HeadError> {
        parse_request(&Bytes::copy_from_slice(head.as_bytes()), LIMITS)
    }

    #[test]
    fn a_head_is_found_wherever_it_is_cut() {
        let whole = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        for cut in 0..whole.len() {
            let mut scanner = HeadScanner::default();
            let mut buffer = BytesMut::from(&whole[..cut]);
            let first = scanner.scan(&mut buffer, LIMITS).unwrap();
            let found = first.or_else(|| {
                buffer.extend_from_slice(&whole[cut..]);
                scanner.scan(&mut buffer, LIMITS).unwrap()
            });
            assert_eq!(found, Some(27), "cut at {cut}");
        }
    }

    #[test]
    fn empty_lines_before_a_head_are_dropped_wherever_they_are_cut() {
        let whole = b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut scanner = HeadScanner::default();
        let mut buffer = BytesMut::new();
        let mut found = None;
        for byte in whole {
            assert_eq!(found, None);
            buffer.extend_from_slice(&[*byte]);
            found = scanner.scan(&mut buffer, LIMITS).unwrap();
        }
        assert_eq!(found, Some(27));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for (head, what) in [
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", "line feed without carriage return"),
            ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "header name"),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "header name"),
            ("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", "header value"),
            ("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", "header value"),
            ("GET / HTTP/1.1\r\nA(b): c\r\n\r\n", "header name"),
            ("GET / HTTP/1.1\r\n: c\r\n\r\n", "header name"),
            ("GET  / HTTP/1.1\r\n\r\n", "request line"),
            ("GET /a b HTTP/1.1\r\n\r\n", "request line"),
            ("G@T / HTTP/1.1\r\n\r\n", "request line"),
            ("GET /a#b HTTP/1.1\r\n\r\n", "request target"),
            ("GET a HTTP/1.1\r\n\r\n", ""),
        ] {
            match request(head) {
                Err(HeadError::Malformed(found)) => assert_eq!(found, what, "{head:?}"),
                Err(HeadError::Version) if what == "request line" => {}
                Ok(request) if what.is_empty() => assert!(request.uri().path().is_empty()),
                other => panic!("{head:?}: {other:?}"),
            }
        }
        assert_eq!(request("GET / HTTP/2.0\r\n\r\n").unwrap_err(), HeadError::Version);
        assert_eq!(
            request(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100))).unwrap_err(),
            HeadError::UriTooLong
        );
        assert_eq!(
            request(&format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(11))).unwrap_err(),
            HeadError::TooLarge
        );
    }

    #[test]
    fn limits_hold_before_the_head_is_complete() {
        let scan = |bytes: &str| HeadScanner::default().scan(&mut BytesMut::from(bytes), LIMITS);
        assert_eq!(scan(&format!("GET /{}", "x".repeat(200))), Err(HeadError::UriTooLong));
        assert_eq!(scan(&format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(1_100))), Err(HeadError::TooLarge));
        assert_eq!(scan("GET / HTTP/1.1\r\nA: b"), Ok(None));
    }
}
