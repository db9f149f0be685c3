//! Errors as clients see them.

use dgate_core::body::Body;
use dgate_core::context::RequestId;
use dgate_core::{ErrorKind, GatewayError};
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// The form in which a client wants to hear of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// `application/problem+json` (RFC 9457).
    Problem,
    /// One line of text.
    Text,
    /// gRPC trailers in place of headers.
    Grpc,
}

impl Wanted {
    /// What a request's headers ask for.
    pub(crate) fn by(headers: &HeaderMap) -> Self {
        if headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc")) {
            return Self::Grpc;
        }
        let json = |value: &HeaderValue| memchr::memmem::find(value.as_bytes(), b"json").is_some();
        if headers.get_all(ACCEPT).iter().any(json) { Self::Problem } else { Self::Text }
    }
}

/// An error as a client sees it: its status, its stable code, never an internal address.
pub(crate) fn error_response(error: &GatewayError, wanted: Wanted, id: Option<&RequestId>) -> Response<Body> {
    let kind = error.kind();
    let mut response = match wanted {
        Wanted::Grpc => grpc(error),
        Wanted::Problem => problem(error, id),
        Wanted::Text => text(error),
    };
    let headers = response.headers_mut();
    if kind == ErrorKind::MethodNotAllowed {
        let names: Vec<_> = error.allow().iter().map(http::Method::as_str).collect();
        if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
            headers.insert(ALLOW, value);
        }
    }
    if kind.status() == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn text(error: &GatewayError) -> Response<Body> {
    let kind = error.kind();
    let text = match error.detail() {
        Some(detail) => format!("{}: {detail}\n", kind.title()),
        None => format!("{}\n", kind.title()),
    };
    with_body(kind.status(), "text/plain; charset=utf-8", text)
}

fn problem(error: &GatewayError, id: Option<&RequestId>) -> Response<Body> {
    let kind = error.kind();
    let mut problem = serde_json::json!({
        "type": "about:blank",
        "title": kind.title(),
        "status": kind.status().as_u16(),
        "code": kind.code(),
    });
    if let Some(detail) = error.detail() {
        problem["detail"] = detail.into();
    }
    if let Some(id) = id {
        problem["request_id"] = id.as_str().into();
    }
    with_body(kind.status(), "application/problem+json", problem.to_string())
}

/// A response of gRPC that consists of trailers only: they come as headers, with status 200.
fn grpc(error: &GatewayError) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from(u16::from(error.kind().grpc_status())));
    headers.insert("grpc-message", HeaderValue::from_static(error.kind().title()));
    response
}

fn with_body(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
