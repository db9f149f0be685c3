//! Answers: `{"success": true, "data": …, "revision": n}`.

use axum::body::Body;
use dgate_core::Problems;
use dgate_core::stored::Revision;
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::etag::etag;
use super::model::Fault;

/// An answer that is no failure.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<T> {
    success: bool,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    revision: Revision,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Fault>,
    #[serde(skip)]
    tag: Option<Revision>,
    #[serde(skip)]
    status: StatusCode,
}

impl<T: Serialize> Answer<T> {
    /// An answer with a value, true at a revision of the configuration.
    pub(crate) fn new(data: T, revision: Revision) -> Self {
        Self {
            success: true,
            data,
            count: None,
            next_cursor: None,
            revision,
            warnings: Vec::new(),
            tag: None,
            status: StatusCode::OK,
        }
    }

    /// With an entity tag: the revision that last changed what is shown.
    pub(crate) fn tagged(mut self, revision: Revision) -> Self {
        self.tag = Some(revision);
        self
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn warnings(mut self, warnings: Problems) -> Self {
        self.warnings = warnings.into_iter().map(Fault::from).collect();
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = json(self.status, &self);
        if let Some(tag) = self.tag {
            response.headers_mut().insert(ETAG, etag(tag));
        }
        response
    }
}

impl<T: Serialize> Answer<Vec<T>> {
    /// An answer with a list, and where it goes on.
    pub(crate) fn list(data: Vec<T>, next_cursor: Option<String>, revision: Revision) -> Self {
        let count = Some(data.len());
        Self { count, next_cursor, ..Self::new(data, revision) }
    }
}

/// A response with a JSON value.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    respond(status, "application/json", serde_json::to_vec(value).unwrap_or_default())
}

/// A response of any type.
pub(crate) fn respond(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
