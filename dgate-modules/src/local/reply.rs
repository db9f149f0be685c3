//! What comes back from a local gateway.

use std::time::Duration;

use bytes::Bytes;
use dgate_core::{Body, ErrorKind, GatewayError};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use super::trip::HookFailure;
use crate::ConsoleLine;

/// What came back.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The answer, as the client gets it.
    pub response: Response<Bytes>,
    /// The route that took the request; nothing when none did.
    pub route: Option<String>,
    /// What modules wrote to the console meanwhile.
    pub console: Vec<ConsoleLine>,
    /// How long each hook took.
    pub hooks: Vec<HookTime>,
    /// Where the request went; nothing when a module answered.
    pub upstream: Option<String>,
    /// What went wrong in a module, with its place and trace, when something did.
    pub failures: Vec<HookFailure>,
    /// What modules tried and had no permission for, once each.
    pub denied: Vec<String>,
}

/// How long a hook took.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HookTime {
    /// Which one.
    pub hook: &'static str,
    /// So long, with waiting.
    pub took: Duration,
}

/// What a client would be told that wants text.
pub(super) fn refusal(error: &GatewayError) -> Response<Bytes> {
    let kind = error.kind();
    let text = match error.detail() {
        Some(detail) => format!("{}: {detail}\n", kind.title()),
        None => format!("{}\n", kind.title()),
    };
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = kind.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if kind == ErrorKind::MethodNotAllowed {
        let names: Vec<&str> = error.allow().iter().map(http::Method::as_str).collect();
        if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
            headers.insert(ALLOW, value);
        }
    }
    response
}

/// A response with its whole body.
pub(super) async fn collected(response: Response<Body>) -> Response<Bytes> {
    let (head, body) = response.into_parts();
    match body.collect_limited(usize::MAX).await {
        Ok(read) => Response::from_parts(head, read.bytes),
        Err(_) => {
            let mut response = Response::new(Bytes::from_static(b"the body broke off"));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}
