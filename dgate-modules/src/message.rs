//! What modules may read and write of a message, and how it is checked.
//!
//! Texts of headers are bytes, one for each character, as the fetch standard has it: characters beyond U+00FF are refused.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use bytes::Bytes;
use dgate_core::Body;
use http::header::{self, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION};
use http::uri::{PathAndQuery, Uri};
use http::{Method, Response, StatusCode, Version};
use http_body::Body as _;

use crate::thrown::Thrown;

/// How a message is framed is the gateway's business: writing these does nothing.
const FRAMING: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Whether an answer of this status has no body.
pub(crate) fn is_bare(status: u16) -> bool {
    matches!(status, 204 | 205 | 304)
}

/// The status of a `Response` that is made; nothing for what is none.
pub(crate) fn response_status(code: f64) -> Option<StatusCode> {
    (200.0..600.0).contains(&code).then(|| StatusCode::from_u16(code as u16).ok()).flatten()
}

/// The error of what is none.
pub(crate) fn no_response_status(shown: impl Display) -> Thrown {
    Thrown::range(format!("{shown} is no status of a response"))
}

/// The status of a `Response` that leads elsewhere; nothing for what does not.
pub(crate) fn redirect_status(code: f64) -> Option<StatusCode> {
    let is_redirect = [301.0, 302.0, 303.0, 307.0, 308.0].contains(&code);
    is_redirect.then(|| StatusCode::from_u16(code as u16).ok()).flatten()
}

/// The error of what does not.
pub(crate) fn no_redirect(shown: impl Display) -> Thrown {
    Thrown::range(format!("{shown} is no redirect"))
}

/// There is a body where none may be.
pub(crate) fn with_body(status: u16) -> Thrown {
    Thrown::typ(format!("a response with status {status} has no body"))
}

/// Whether a header is the gateway's business alone.
pub(crate) fn is_framing(name: &HeaderName) -> bool {
    FRAMING.contains(name)
}

/// A function was called without something that it needs; `is` says what is there instead.
pub(crate) fn missing(function: &str, name: &str, is: &str) -> Thrown {
    Thrown::typ(format!("`{function}` needs `{name}`, which is {is}"))
}

/// A header name; `bytes` are the text's, if it has only such characters.
pub(crate) fn header_name(bytes: Option<&[u8]>, text: impl Display) -> Result<HeaderName, Thrown> {
    let name = bytes.and_then(|bytes| HeaderName::from_bytes(bytes).ok());
    name.ok_or_else(|| Thrown::typ(format!("`{text}` is no header name")))
}

/// A header value, without white space around; `bytes` are the text's, if it has only such characters.
pub(crate) fn header_value(bytes: Option<&[u8]>, text: impl Display) -> Result<HeaderValue, Thrown> {
    let value = bytes.and_then(|bytes| HeaderValue::from_bytes(trim(bytes)).ok());
    value.ok_or_else(|| Thrown::typ(format!("`{text}` is no header value")))
}

fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let begin = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(begin, |at| at + 1);
    &bytes[begin..end]
}

/// All values of a name, as one: `, ` between them.
pub(crate) fn joined<'m>(headers: &'m HeaderMap, name: &HeaderName) -> Option<Cow<'m, [u8]>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let Some(second) = values.next() else { return Some(first.as_bytes().into()) };
    let mut all = first.as_bytes().to_vec();
    for value in std::iter::once(second).chain(values) {
        all.extend_from_slice(b", ");
        all.extend_from_slice(value.as_bytes());
    }
    Some(all.into())
}

/// The host that a request is for, as it was written.
pub(crate) fn host<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> &'r str {
    let header = headers.get(HOST).and_then(|host| host.to_str().ok());
    header.or(uri.authority().map(|authority| authority.as_str())).unwrap_or_default()
}

/// The URL that a client asked for.
pub(crate) fn url(tls: bool, headers: &HeaderMap, uri: &Uri) -> String {
    let scheme = if tls { "https" } else { "http" };
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    format!("{scheme}://{}{target}", host(headers, uri))
}

/// The name of an HTTP version.
pub(crate) fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}

/// The length of a request's body in bytes, -1 when nobody knows; of one that is gone, what its head said.
pub(crate) fn request_length(headers: &HeaderMap, body: &Body, gone: bool) -> f64 {
    let said = || headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse::<f64>().ok();
    let length = if gone { said() } else { body.size_hint().exact().map(|length| length as f64) };
    length.unwrap_or(-1.0)
}

/// The length of a response's body in bytes, -1 when nobody knows.
pub(crate) fn response_length(response: &Response<Body>) -> f64 {
    response.body().size_hint().exact().map_or(-1.0, |length| length as f64)
}

/// A method that a request may have.
pub(crate) fn method(name: &str) -> Result<Method, Thrown> {
    let method = Method::from_bytes(name.as_bytes()).ok().filter(|method| *method != Method::CONNECT);
    method.ok_or_else(|| Thrown::typ(format!("`{name}` is no method for a request")))
}

/// A URI with another path, which may bring a query with it; what may not stand there is encoded.
pub(crate) fn with_path(uri: &Uri, path: &str) -> Result<Uri, Thrown> {
    let bad = || Thrown::typ(format!("`{path}` is no path"));
    if !path.starts_with('/') {
        return Err(bad());
    }
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '"' | '<' | '>' | '`');
    let mut target = String::with_capacity(path.len());
    for character in path.chars() {
        if is_plain(character) {
            target.push(character);
        } else {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                let _ = write!(target, "%{byte:02X}");
            }
        }
    }
    if let Some(query) = uri.query().filter(|_| !target.contains('?')) {
        target.push('?');
        target.push_str(query);
    }
    with_target(uri, &target).ok_or_else(bad)
}

/// The same URI with another path and query.
pub(crate) fn with_target(uri: &Uri, target: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

/// A status that a final response may have; `code` is a whole number or not.
pub(crate) fn status(code: f64, text: impl Display) -> Result<StatusCode, Thrown> {
    let is_final = (200.0..=599.0).contains(&code);
    let status = is_final.then(|| StatusCode::from_u16(code as u16).ok()).flatten();
    status.ok_or_else(|| Thrown::range(format!("{text} is no status of a response")))
}

/// Gives an upstream's answer another status.
pub(crate) fn set_status(response: &mut Response<Body>, status: StatusCode) -> Result<(), Thrown> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Thrown::typ("the status of an upgrade cannot be changed"));
    }
    *response.status_mut() = status;
    Ok(())
}

/// Gives an upstream's answer another body.
pub(crate) fn replace_body(response: &mut Response<Body>, bytes: Bytes, kind: Option<&'static str>) {
    response.headers_mut().remove(CONTENT_LENGTH);
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    *response.body_mut() = Body::full(bytes);
}

/// Makes an upstream's answer a redirection.
pub(crate) fn redirect(response: &mut Response<Body>, location: HeaderValue, status: StatusCode) {
    *response.status_mut() = status;
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().remove(CONTENT_TYPE);
    *response.body_mut() = Body::empty();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_and_keep_their_query() {
        let uri: Uri = "http://h/a?x=1".parse().unwrap();
        assert_eq!(with_path(&uri, "/b c/ä#").unwrap(), "http://h/b%20c/%C3%A4%23?x=1");
        assert_eq!(with_path(&uri, "/b?y").unwrap(), "http://h/b?y");
        assert_eq!(with_path(&uri, "b").unwrap_err().message, "`b` is no path");
    }

    #[test]
    fn only_final_statuses_are_some() {
        assert_eq!(status(404.0, 404).unwrap(), StatusCode::NOT_FOUND);
        for code in [101.0, 600.0, f64::NAN, f64::INFINITY, -1.0] {
            assert!(status(code, code).is_err(), "{code}");
        }
    }
}
