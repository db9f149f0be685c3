//! What stands before every endpoint: who asks, whether they may, and what is told of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use dgate_core::context::{ConnectionInfo, RequestId};
use http::header::{CACHE_CONTROL, HeaderName};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};

use super::call::{Call, read_json};
use super::endpoint::{Access, Endpoint, Reply};
use super::failure::Failure;
use super::origin;
use super::query::Query;
use super::state::State;
use crate::auth::{Identity, Role};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request to an endpoint: finds out who asks and whether they may, then asks the handler.
pub(crate) async fn answer(
    state: Arc<State>,
    endpoint: Arc<Endpoint>,
    path: Vec<(String, String)>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let request_id = RequestId::generate();
    let from = client(&parts);
    let result = admitted(&state, &endpoint, path, parts, body, from, &request_id).await;
    let mut response = result.unwrap_or_else(Failure::into_response);
    finish(&mut response, &request_id);
    response
}

async fn admitted(
    state: &Arc<State>,
    endpoint: &Endpoint,
    path: Vec<(String, String)>,
    parts: Parts,
    body: Body,
    from: Option<IpAddr>,
    request_id: &RequestId,
) -> Reply {
    let who = match endpoint.access {
        Access::Open => Identity::new("anonymous", Role::Viewer),
        Access::Read(role) => admit(state, &parts, from, role, false).await?,
        Access::Write(role) => admit(state, &parts, from, role, true).await?,
    };
    let query = Query::parse(parts.uri.query(), &endpoint.query, state.auth.query_parameter())?;
    let body = if endpoint.takes.is_some() { read_json(&parts, body).await? } else { None };
    let call = Call {
        state: state.clone(),
        from: from.map_or_else(|| "-".to_owned(), |from| from.to_string()),
        request_id: request_id.to_string(),
        who,
        parts,
        path,
        query,
        kind: endpoint.kind,
        body,
    };
    let audit = matches!(endpoint.access, Access::Write(_)).then(|| Audit::of(&call));
    let reply = (endpoint.handler)(call).await;
    if let Some(audit) = audit {
        audit.tell(reply.as_ref().map_or_else(Failure::status, Response::status));
    }
    reply
}

/// What is kept of a write for those who ask later who did what.
struct Audit {
    who: String,
    from: String,
    request_id: String,
    what: String,
}

impl Audit {
    fn of(call: &Call) -> Self {
        Self {
            who: call.who.name.clone(),
            from: call.from.clone(),
            request_id: call.request_id.clone(),
            what: format!("{} {}", call.parts.method, call.parts.uri.path()),
        }
    }

    fn tell(self, status: StatusCode) {
        let Self { who, from, request_id, what } = self;
        tracing::info!(target: "audit", who, from, request_id, what, status = status.as_u16(), "write");
    }
}

/// Who asks, if they may.
async fn admit(
    state: &State,
    parts: &Parts,
    from: Option<IpAddr>,
    needed: Role,
    writes: bool,
) -> Result<Identity, Failure> {
    origin::check(parts)?;
    let who = state.auth.identify(parts, from).await?;
    let refused = if who.role < needed {
        Some(format!("`{}` has the role `{}`; this needs `{needed}`", who.name, who.role))
    } else if writes && state.auth.is_watch_only() {
        Some("this server is only to be watched (admin.watch_only)".to_owned())
    } else {
        None
    };
    match refused {
        None => Ok(who),
        Some(reason) => {
            let from = from.map(|from| from.to_string()).unwrap_or_default();
            let what = format!("{} {}", parts.method, parts.uri.path());
            tracing::warn!(target: "audit", who = who.name, from, what, reason, "denied");
            Err(Failure::forbidden(reason))
        }
    }
}

/// The address a request came from, if whoever serves it has said so.
pub(crate) fn client(parts: &Parts) -> Option<IpAddr> {
    let info = parts.extensions.get::<Arc<ConnectionInfo>>();
    let address = info.map(|info| info.peer).or_else(|| parts.extensions.get::<SocketAddr>().copied());
    address.map(|address| address.ip().to_canonical())
}

/// What every answer carries.
pub(crate) fn finish(response: &mut Response<Body>, request_id: &RequestId) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, request_id.as_header().clone());
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ] {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
}
