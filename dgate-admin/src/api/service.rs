//! The Admin API as a tower service.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::routing::{MethodFilter, MethodRouter, on};
use dgate_core::context::RequestId;
use dgate_core::{BoxFuture, Kind, closest, metric_names};
use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

use super::endpoint::{Access, Endpoint};
use super::failure::Failure;
use super::guard;
use super::state::State;
use super::{Context, openapi, table};
use crate::auth::{Auth, Role};

/// The Admin API: a tower service that any HTTP server can serve. Cheap to clone.
///
/// Whoever serves it puts the address of the client into each request's extensions, as `SocketAddr` or as
/// `Arc<`[`ConnectionInfo`](dgate_core::context::ConnectionInfo)`>`: the list of allowed addresses, the audit log and the
/// brake on guessing passwords go by it.
#[derive(Clone)]
pub struct AdminApi {
    router: Router,
}

impl AdminApi {
    /// The API over a gateway, for those whom `auth` lets in.
    pub fn new(context: Context, auth: Auth) -> Self {
        let endpoints = table::endpoints();
        let state = Arc::new(State { openapi: openapi::document().to_string(), context, auth });
        let mut paths: BTreeMap<String, MethodRouter> = BTreeMap::new();
        for endpoint in endpoints {
            let path = endpoint.path.replace("{+", "{*");
            let router = paths.remove(&path).unwrap_or_default().merge(route(endpoint, &state));
            paths.insert(path, router);
        }
        let mut router = Router::new();
        for (path, methods) in paths {
            router = router.route(&path, methods);
        }
        let (missing, refusing) = (state.clone(), state);
        router = router
            .fallback(move |request: Request<Body>| refuse(missing.clone(), request, StatusCode::NOT_FOUND))
            .method_not_allowed_fallback(move |request: Request<Body>| {
                refuse(refusing.clone(), request, StatusCode::METHOD_NOT_ALLOWED)
            });
        Self { router }
    }
}

fn route(endpoint: Endpoint, state: &Arc<State>) -> MethodRouter {
    let filter = MethodFilter::try_from(endpoint.method.clone()).unwrap_or(MethodFilter::GET);
    let (endpoint, state) = (Arc::new(endpoint), state.clone());
    on(filter, move |path: RawPathParams, request: Request<Body>| {
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        guard::answer(state.clone(), endpoint.clone(), path, request)
    })
}

/// Says of a path or method that it is not there, to those who may know.
async fn refuse(state: Arc<State>, request: Request<Body>, status: StatusCode) -> Response<Body> {
    let request_id = RequestId::generate();
    let (parts, _) = request.into_parts();
    let who = state.auth.identify(&parts, guard::client(&parts)).await;
    let failure = match who {
        Err(failure) => failure,
        Ok(_) if status == StatusCode::METHOD_NOT_ALLOWED => Failure::new(
            status,
            "method_not_allowed",
            format!("{} is not possible with {}", parts.method, parts.uri.path()),
        ),
        Ok(_) => {
            let text = format!("there is nothing at {}{}", parts.uri.path(), suggestion(parts.uri.path()));
            Failure::new(status, "not_found", text)
        }
    };
    let mut response = failure.into_response();
    guard::finish(&mut response, &request_id);
    response
}

fn suggestion(path: &str) -> String {
    let Some(rest) = path.strip_prefix("/api/v1/") else {
        return "; the API is below /api/v1, described at /api/v1/openapi.json".to_owned();
    };
    let kind = rest.split('/').next().unwrap_or_default();
    let known = Kind::ALL.map(Kind::as_str);
    match closest(kind, known) {
        Some(meant) if meant != kind => format!("; did you mean /api/v1/{meant}?"),
        _ => String::new(),
    }
}

impl std::fmt::Debug for AdminApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminApi(…)")
    }
}

impl AdminApi {
    /// Answers a request of a client with this address.
    pub async fn answer<B>(&self, request: Request<B>, from: SocketAddr) -> Response<dgate_core::Body>
    where
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<dgate_core::body::BodyError>,
    {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(from);
        let Ok(response) = self.clone().call(request).await;
        response.map(dgate_core::Body::new)
    }
}

impl Service<Request<Body>> for AdminApi {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.router, cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let began = Instant::now();
        let method = method_name(request.method());
        let answer = self.router.call(request);
        Box::pin(async move {
            let response = answer.await?;
            observe(method, response.status(), began);
            Ok(response)
        })
    }
}

/// Counts an answer.
fn observe(method: &'static str, status: StatusCode, began: Instant) {
    let took = began.elapsed();
    metrics::counter!(metric_names::ADMIN_REQUESTS, "method" => method, "code" => status.as_u16().to_string())
        .increment(1);
    metrics::histogram!(metric_names::ADMIN_REQUEST_DURATION).record(took);
    if status.is_client_error() || status.is_server_error() {
        let kind = if status.is_client_error() { "client" } else { "server" };
        metrics::counter!(metric_names::ADMIN_ERRORS, "error_type" => kind).increment(1);
        metrics::histogram!(metric_names::ADMIN_ERROR_DURATION).record(took);
    }
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// What somebody has to be to use an endpoint, for the OpenAPI document.
pub(crate) fn needed(access: Access) -> Option<Role> {
    match access {
        Access::Open => None,
        Access::Read(role) | Access::Write(role) => Some(role),
    }
}
