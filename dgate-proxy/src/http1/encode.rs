//! Message heads: from `http` types to bytes.

use bytes::BytesMut;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, response};

use crate::date;
use crate::forwarding::LateHeaders;

/// How the body that follows a head is framed, as the head says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyHeader {
    /// No body. A request says nothing about one; what a response says stays, as it may be about another answer.
    AsIs,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Nothing: it ends with the connection.
    UntilClose,
}

/// Appends a request head.
pub(super) fn push_request(
    out: &mut BytesMut,
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    late: Option<&LateHeaders>,
    body: BodyHeader,
) {
    out.reserve(256 + target.len() + headers.len() * 48 + late.map_or(0, LateHeaders::len));
    out.extend_from_slice(method.as_str().as_bytes());
    out.extend_from_slice(b" ");
    out.extend_from_slice(target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        // What frames the message is ours to say.
        let ours = *name == CONTENT_LENGTH
            || *name == TRANSFER_ENCODING
            || (*name == CONNECTION && !is_connection_option(value, &["upgrade", "close"]));
        if !ours {
            push_header(out, name, value);
        }
    }
    if let Some(late) = late {
        late.write(out);
    }
    push_body_header(out, body);
    out.extend_from_slice(b"\r\n");
}

/// Appends a response head. `connection` is our own word on the connection, if there is one to say.
pub(super) fn push_response(
    out: &mut BytesMut,
    head: &response::Parts,
    body: BodyHeader,
    connection: Option<&'static str>,
) {
    out.reserve(192 + head.headers.len() * 48);
    push_status_line(out, head.status);
    let keeps_length = body == BodyHeader::AsIs && may_have_length(head.status);
    for (name, value) in &head.headers {
        let ours = (*name == CONTENT_LENGTH && !keeps_length)
            || *name == TRANSFER_ENCODING
            || (*name == CONNECTION && !is_connection_option(value, &["upgrade"]));
        if !ours {
            push_header(out, name, value);
        }
    }
    push_body_header(out, body);
    if let Some(option) = connection {
        out.extend_from_slice(b"connection: ");
        out.extend_from_slice(option.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    // A gateway with a clock adds what is missing (RFC 9110, section 6.6.1).
    if !head.headers.contains_key(DATE) {
        date::with_now(|now| push_header(out, &DATE, now));
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends an interim response (RFC 9110, section 15.2).
pub(super) fn push_interim(out: &mut BytesMut, status: StatusCode, headers: &HeaderMap) {
    push_status_line(out, status);
    for (name, value) in headers {
        if !matches!(*name, CONTENT_LENGTH | TRANSFER_ENCODING | CONNECTION) {
            push_header(out, name, value);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Whether a response of this status may say a length (RFC 9110, section 8.6).
fn may_have_length(status: StatusCode) -> bool {
    !status.is_informational() && status != StatusCode::NO_CONTENT
}

/// Whether a `Connection` header is one of the options that we set ourselves.
fn is_connection_option(value: &HeaderValue, options: &[&str]) -> bool {
    options.iter().any(|option| value.as_bytes().eq_ignore_ascii_case(option.as_bytes()))
}

fn push_status_line(out: &mut BytesMut, status: StatusCode) {
    // Almost every answer.
    if status == StatusCode::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    // Even to HTTP/1.0 clients a 1.1 server says 1.1; it only does not use what they cannot read
    // (RFC 9110, section 2.5).
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.extend_from_slice(b" ");
    out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
    out.extend_from_slice(b"\r\n");
}

pub(super) fn push_header(out: &mut BytesMut, name: &HeaderName, value: &HeaderValue) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn push_body_header(out: &mut BytesMut, body: BodyHeader) {
    match body {
        BodyHeader::Length(length) => {
            out.extend_from_slice(b"content-length: ");
            push_number(out, length);
            out.extend_from_slice(b"\r\n");
        }
        BodyHeader::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        BodyHeader::AsIs | BodyHeader::UntilClose => {}
    }
}

fn push_number(out: &mut BytesMut, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl FnOnce(&mut BytesMut)) -> String {
        let mut out = BytesMut::new();
        push(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn framing_headers_are_ours_to_say() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, "7".parse().unwrap());
        headers.insert(TRANSFER_ENCODING, "chunked".parse().unwrap());
        headers.insert(CONNECTION, "x-b".parse().unwrap());
        headers.insert("x-a", "1".parse().unwrap());
        let request = |body| text(|out| push_request(out, &Method::GET, "/p?q", &headers, None, body));
        assert_eq!(request(BodyHeader::AsIs), "GET /p?q HTTP/1.1\r\nx-a: 1\r\n\r\n");
        assert_eq!(
            request(BodyHeader::Length(12)),
            "GET /p?q HTTP/1.1\r\nx-a: 1\r\ncontent-length: 12\r\n\r\n"
        );
        assert_eq!(
            request(BodyHeader::Chunked),
            "GET /p?q HTTP/1.1\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n"
        );
    }

    #[test]
    fn a_length_stays_where_one_may_be() {
        let head = |status: u16| {
            let builder = http::Response::builder().status(status).header("date", "x");
            let (parts, ()) = builder.header("content-length", "5").body(()).unwrap().into_parts();
            text(|out| push_response(out, &parts, BodyHeader::AsIs, None))
        };
        for (status, expected) in [(304, true), (200, true), (204, false), (101, false)] {
            assert_eq!(head(status).contains("content-length: 5"), expected, "{status}");
        }
    }

    #[test]
    fn a_missing_date_is_added() {
        let head = |headers: &[(&str, &str)]| {
            let mut builder = http::Response::builder().status(404);
            for (name, value) in headers {
                builder = builder.header(*name, *value);
            }
            let (parts, ()) = builder.body(()).unwrap().into_parts();
            text(|out| push_response(out, &parts, BodyHeader::Length(0), Some("close")))
        };
        let added = head(&[]);
        assert!(
            added.starts_with("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\ndate: "),
            "{added}"
        );
        assert!(added.ends_with(" GMT\r\n\r\n"), "{added}");
        assert_eq!(head(&[("date", "x")]).matches("date").count(), 1);
    }
}
