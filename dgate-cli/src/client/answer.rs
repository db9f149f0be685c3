//! What the Admin API answered.

use bytes::Bytes;
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    /// The body, if it is JSON; else null.
    pub(crate) body: Value,
}

impl Answer {
    pub(super) fn new(head: http::response::Parts, bytes: Bytes) -> Self {
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Self { status: head.status, headers: head.headers, bytes, body }
    }

    /// What the envelope holds.
    pub(crate) fn data(&self) -> &Value {
        &self.body["data"]
    }

    /// The same, taken out.
    pub(crate) fn into_data(mut self) -> Value {
        self.body["data"].take()
    }

    /// The revision that the envelope tells.
    pub(crate) fn revision(&self) -> Option<u64> {
        self.body["revision"].as_u64()
    }

    /// The version of a single resource, for `If-Match`.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.header(ETAG.as_str())
    }

    /// A header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
