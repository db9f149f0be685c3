//! What goes wrong with a request, as problem+json (RFC 9457).

use axum::body::Body;
use dgate_core::apply::ApplyError;
use dgate_core::store::StoreError;
use dgate_core::{Problem, Problems, Severity};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response, StatusCode};

use super::model::{Failed, Fault};

/// Why a request has failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    status: StatusCode,
    /// The stable name of what went wrong.
    kind: &'static str,
    detail: String,
    errors: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// What was sent makes no sense.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// What was sent is understood, and not valid.
    pub(crate) fn invalid(problems: Problems) -> Self {
        let faults: Vec<_> = problems.into_iter().filter(is_error).map(Fault::from).collect();
        let detail = match faults.as_slice() {
            [fault] => fault.to_string(),
            faults => format!(
                "{} problems; the first: {}",
                faults.len(),
                faults.first().map(Fault::to_string).unwrap_or_default()
            ),
        };
        Self { errors: faults, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
    }

    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} does not exist"))
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    pub(crate) fn precondition(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// The same, as another status: what is wrong with a body may be a conflict with what is there.
    pub(crate) fn with_status(mut self, status: StatusCode, kind: &'static str) -> Self {
        (self.status, self.kind) = (status, kind);
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn faults(&self) -> &[Fault] {
        &self.errors
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let title = self.status.canonical_reason().unwrap_or("Failed");
        let body = Failed {
            kind: format!("urn:dgate:error:{}", self.kind),
            title: title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            errors: self.errors,
            success: false,
            error: self.detail,
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&body).unwrap_or_default()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.headers);
        response
    }
}

fn is_error(problem: &Problem) -> bool {
    problem.severity == Severity::Error
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::invalid(problems)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::conflict(error.to_string()),
            error => {
                // Where the store is and what ails it is for the log, not for clients.
                tracing::error!(error = &error as &dyn std::error::Error, "the store cannot be used");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "the store cannot be used")
            }
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Invalid(problems) => Self::invalid(problems),
            ApplyError::Store(error) => error.into(),
            ApplyError::Unexpected { .. } => Self::precondition(error.to_string()),
            ApplyError::OutOfBounds { .. } => Self::forbidden(error.to_string()),
            ApplyError::Refused { .. } => Self::new(StatusCode::CONFLICT, "refused", error.to_string()),
            error => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string()),
        }
    }
}
