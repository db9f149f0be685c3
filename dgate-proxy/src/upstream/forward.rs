//! What a request says to the upstream about where it comes from, and what ends at this hop.

mod origin;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dgate_core::body::Body;
use dgate_core::context::Matched;
use dgate_core::snapshot::RouteService;
use dgate_core::{ErrorKind, GatewayError};
use http::header::{ACCEPT_ENCODING, CONNECTION, EXPECT, HOST, UPGRADE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use self::origin::{block_of, set_forwarded, set_via};
use super::Passage;
use super::hop_by_hop::{strip_hop_by_hop, strip_request};
use crate::forwarding::{
    LateHeaders, X_DGATE_CANARY, X_DGATE_NAMESPACE, X_DGATE_ROUTE, X_DGATE_SERVICE, X_REQUEST_ID,
};
use crate::future::OrError;
use crate::http1::has_token;
use crate::plan::{HashOn, ProxyPlan};
use crate::route::context;

/// Prepares a request for the upstream, once for all attempts: hop-by-hop headers, forwarding headers, the stripped
/// path. On the way back it removes hop-by-hop headers from the response.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForwardLayer {
    is_late: bool,
}

impl ForwardLayer {
    /// A layer that may leave forwarding headers to whoever writes the request down, when nobody looks at them before.
    pub(crate) fn late(is_late: bool) -> Self {
        Self { is_late }
    }
}

impl<S> Layer<S> for ForwardLayer {
    type Service = Forward<S>;

    fn layer(&self, inner: S) -> Forward<S> {
        Forward { inner, layer: *self }
    }
}

/// See [`ForwardLayer`].
#[derive(Debug, Clone)]
pub struct Forward<S> {
    inner: S,
    layer: ForwardLayer,
}

impl<S> Service<Request<Body>> for Forward<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>,
{
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = ForwardFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let inner = match prepare(&mut request, self.layer) {
            Ok(()) => OrError::inner(self.inner.call(request)),
            Err(error) => OrError::error(error),
        };
        ForwardFuture { inner }
    }
}

pin_project! {
    /// The upstream's answer to come.
    #[derive(Debug)]
    pub struct ForwardFuture<F> {
        #[pin]
        inner: OrError<F>,
    }
}

impl<F> Future for ForwardFuture<F>
where
    F: Future<Output = Result<Response<Body>, GatewayError>>,
{
    type Output = Result<Response<Body>, GatewayError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut result = ready!(self.project().inner.poll(cx));
        if let Ok(response) = &mut result {
            clean_response(response);
        }
        Poll::Ready(result)
    }
}

fn clean_response(response: &mut Response<Body>) {
    let upgrade = (response.status() == StatusCode::SWITCHING_PROTOCOLS)
        .then(|| response.headers_mut().remove(UPGRADE))
        .flatten();
    let headers = response.headers_mut();
    strip_hop_by_hop(headers);
    if let Some(protocol) = upgrade {
        headers.insert(UPGRADE, protocol);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

fn prepare(request: &mut Request<Body>, layer: ForwardLayer) -> Result<(), GatewayError> {
    // Put aside, so that they can change while the request's context is looked at.
    let mut headers = std::mem::take(request.headers_mut());
    let prepared = prepare_headers(request, &mut headers, layer);
    *request.headers_mut() = headers;
    let Prepared { target, late } = prepared?;
    if let Some(target) = target {
        *request.uri_mut() = target;
    }
    if let Some(late) = late {
        Passage::of(request.extensions_mut()).late = Some(late);
    }
    Ok(())
}

/// What becomes of a request, besides its headers.
struct Prepared {
    target: Option<Uri>,
    late: Option<LateHeaders>,
}

fn prepare_headers(
    request: &Request<Body>,
    headers: &mut HeaderMap,
    layer: ForwardLayer,
) -> Result<Prepared, GatewayError> {
    let context = context(request)?;
    let plan = context.live.plan::<ProxyPlan>();
    let matched = context.matched.as_ref();
    let namespace = matched.and_then(|matched| plan?.namespace(matched.namespace.id));
    let route = matched.and_then(|matched| namespace?.route(matched.route.id));
    let service = matched.and_then(|matched| match matched.route.service {
        Some(RouteService::Active(id)) => namespace?.service(id),
        _ => None,
    });
    let spec = service.map(|service| &service.service.spec.spec);
    let upgrade = wanted_upgrade(request, headers, matched)?;
    let target = matched
        .and_then(|matched| rewritten(request, matched, spec.is_some_and(|spec| spec.disable_query_params)));
    let says_own = strip_request(headers);
    // We answered it ourselves; the upstream need not wait.
    headers.remove(EXPECT);
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
    }
    let settings = plan.map(|plan| &*plan.settings);
    if settings.is_some_and(|settings| settings.client.disable_compression) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    let names =
        route.filter(|_| !spec.is_some_and(|spec| spec.hide_dgate_headers)).map(|route| &route.headers);
    let is_usual = !says_own
        && !context.record.client.trusted
        && !settings.is_some_and(|settings| settings.disable_x_forwarded_headers);
    // Copies have the headers alone, and balancers may look for any of them.
    let is_seen = matched.is_some_and(|matched| matched.route.mirror.is_some())
        || service.is_some_and(|service| matches!(service.hash_on, Some(HashOn::Header(_))));
    if layer.is_late && is_usual && !is_seen {
        let late = LateHeaders {
            of_connection: block_of(&context.connection, headers.get(HOST)),
            of_route: names.cloned(),
            id: context.record.id.clone(),
        };
        return Ok(Prepared { target, late: Some(late) });
    }
    set_forwarded(headers, context, settings);
    headers.insert(X_REQUEST_ID, context.record.id.as_header().clone());
    set_via(headers);
    for name in [X_DGATE_NAMESPACE, X_DGATE_ROUTE, X_DGATE_SERVICE] {
        headers.remove(name);
    }
    if !settings.is_some_and(|settings| settings.canary.hears(&context.record.client)) {
        // The next gateway may trust this one, and must not hear whom this one does not hear.
        headers.remove(X_DGATE_CANARY);
    }
    if let Some(names) = names {
        names.set_in(headers);
    }
    Ok(Prepared { target, late: None })
}

/// The protocol that the client wants to change to, if that is possible here.
fn wanted_upgrade(
    request: &Request<Body>,
    headers: &HeaderMap,
    matched: Option<&Matched>,
) -> Result<Option<HeaderValue>, GatewayError> {
    let Some(protocol) = headers.get(UPGRADE).filter(|_| request.version() == Version::HTTP_11) else {
        return Ok(None);
    };
    let asks = headers.get_all(CONNECTION).iter().any(|value| has_token(value, "upgrade"));
    // The way from HTTP/1.1 to h2c was abandoned (RFC 9113, section 3.1): such a request is an ordinary one. So is one
    // with a body, as nobody could say where the body ends and the other protocol begins.
    if !asks || has_token(protocol, "h2c") || !request.body().is_end_stream() {
        return Ok(None);
    }
    if matched.is_some_and(|matched| !matched.route.spec.spec.websocket) {
        return Err(ErrorKind::UpgradeNotAllowed.into());
    }
    Ok(Some(protocol.clone()))
}

/// The target without a part of its path or its query, where the route or service wants that.
fn rewritten(request: &Request<Body>, matched: &Matched, drop_query: bool) -> Option<Uri> {
    let spec = &matched.route.spec.spec;
    let uri = request.uri();
    let path = uri.path();
    // A module that has rewritten the path means what it wrote.
    let strip = spec.strip_path && path == matched.path.path();
    let query = uri.query().filter(|_| !drop_query);
    let drops_something = drop_query && uri.query().is_some();
    if !strip && !drops_something {
        return None;
    }
    let rest = if strip { &path[matched.pattern.strip_length(path)..] } else { path };
    let slash = if rest.starts_with('/') { "" } else { "/" };
    let target = match query {
        Some(query) => format!("{slash}{rest}?{query}"),
        None => format!("{slash}{rest}"),
    };
    PathAndQuery::try_from(target).map(Uri::from).ok()
}
