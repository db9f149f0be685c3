//! One request to an endpoint.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use dgate_core::body::CollectError;
use dgate_core::store::Author;
use dgate_core::{Key, Kind, decode};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::Failure;
use super::query::Query;
use super::state::State;
use crate::auth::Identity;

/// The largest body that is read.
pub(crate) const MAX_BODY: usize = 32 << 20;
/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// One request to an endpoint, from somebody who may use it.
pub(crate) struct Call {
    pub(crate) state: Arc<State>,
    pub(crate) who: Identity,
    /// The address it came from.
    pub(crate) from: String,
    pub(crate) request_id: String,
    pub(crate) parts: Parts,
    /// The parameters of the path, decoded.
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: Query,
    pub(crate) kind: Option<Kind>,
    /// What was sent; nothing when nothing was.
    pub(crate) body: Option<Value>,
}

impl Call {
    /// The kind of resource the endpoint is about.
    pub(crate) fn kind(&self) -> Kind {
        // Endpoints about resources have one; see `table`.
        self.kind.unwrap_or(Kind::Namespace)
    }

    /// A parameter of the path.
    pub(crate) fn segment(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The resource that the path names.
    pub(crate) fn key(&self) -> Key {
        let kind = self.kind();
        let namespace = match self.segment("namespace") {
            "" => self.query.get("namespace").unwrap_or(dgate_core::key::DEFAULT_NAMESPACE),
            namespace => namespace,
        };
        match kind {
            Kind::Namespace => Key::new(kind, "", self.segment("name")),
            Kind::Document => {
                let collection = match self.segment("collection") {
                    "" => self.query.get("collection").unwrap_or_default(),
                    collection => collection,
                };
                Key::new(kind, namespace, format!("{collection}/{}", self.segment("id")))
            }
            kind => Key::new(kind, namespace, self.segment("name")),
        }
    }

    /// Who makes a change, and why.
    pub(crate) fn author(&self, message: Option<String>) -> Author {
        Author {
            who: self.who.name.clone(),
            from: Some(self.from.clone()),
            request_id: Some(self.request_id.clone()),
            message,
        }
    }

    /// Refuses what lies outside of the namespaces that this caller is limited to.
    pub(crate) fn check_namespace(&self, key: &Key) -> Result<(), Failure> {
        let namespace = if key.kind == Kind::Namespace { &key.name } else { &key.namespace };
        if self.who.may_see(namespace) {
            return Ok(());
        }
        Err(Failure::forbidden(format!("`{}` may not use the namespace `{namespace}`", self.who.name)))
    }

    /// What was sent; nothing when nothing was.
    pub(crate) fn json(&mut self) -> Option<Value> {
        self.body.take()
    }

    /// The body as a JSON value.
    pub(crate) fn some_json(&mut self) -> Result<Value, Failure> {
        self.json().ok_or_else(|| Failure::bad_request("the body is empty; a JSON value is expected"))
    }

    /// The body as a value of a type.
    pub(crate) fn read<T: DeserializeOwned + JsonSchema>(&mut self) -> Result<T, Failure> {
        Ok(decode(self.some_json()?)?)
    }
}

/// Reads a body as a JSON value; nothing when it is empty.
pub(crate) async fn read_json(parts: &Parts, body: Body) -> Result<Option<Value>, Failure> {
    check_content_type(parts)?;
    let too_large = || {
        let text = format!("the body is larger than {} MiB", MAX_BODY >> 20);
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", text)
    };
    // What says that it is too large is not read at all.
    if http_body::Body::size_hint(&body).lower() > MAX_BODY as u64 {
        return Err(too_large());
    }
    let body = dgate_core::Body::new(body);
    let collected = match tokio::time::timeout(BODY_TIMEOUT, body.collect_limited(MAX_BODY)).await {
        Ok(Ok(collected)) => collected.bytes,
        Ok(Err(CollectError::TooLarge)) => return Err(too_large()),
        Ok(Err(_)) => return Err(Failure::bad_request("the body broke off")),
        Err(_) => {
            let text = "the body did not come in good time";
            return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "timeout", text));
        }
    };
    if collected.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    serde_json::from_slice(&collected)
        .map(Some)
        .map_err(|error| Failure::bad_request(format!("the body is not JSON: {error}")))
}

fn check_content_type(parts: &Parts) -> Result<(), Failure> {
    let Some(given) = parts.headers.get(CONTENT_TYPE) else { return Ok(()) };
    let given = given.to_str().unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    // A browser sends forms and texts for any page that asks it to, and JSON only for those that may.
    Err(Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        format!("the body is `{given}`; send JSON with `Content-Type: application/json`"),
    ))
}
