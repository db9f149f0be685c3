//! Who may come in at all.

use std::sync::Arc;
use std::task::{Context, Poll};

use dgate_core::body::Body;
use dgate_core::pattern::normalize_host;
use dgate_core::{ErrorKind, GatewayError};
use http::header::{HOST, LOCATION};
use http::{HeaderValue, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::context;
use crate::plan::ProxyPlan;
use crate::settings::{ProxySettings, holds};

/// Refuses clients that are not on the allow list and hosts that are not among the allowed domains, and sends plain
/// requests to `https` where that is wanted. Above matching: who may not come in learns nothing about routes.
#[derive(Debug, Clone, Default)]
pub struct AdmitLayer {
    own: Option<Arc<ProxySettings>>,
}

impl AdmitLayer {
    /// A layer with settings of its own. The default one asks the gateway's.
    pub fn new(settings: ProxySettings) -> Self {
        Self { own: Some(Arc::new(settings)) }
    }
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit { inner, own: self.own.clone() }
    }
}

/// See [`AdmitLayer`].
#[derive(Debug, Clone)]
pub struct Admit<S> {
    inner: S,
    own: Option<Arc<ProxySettings>>,
}

impl<S> Service<Request<Body>> for Admit<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>,
{
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = AdmitFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match admit(&request, self.own.as_deref()) {
            Ok(None) => AdmitFuture::Inner { future: self.inner.call(request) },
            Ok(Some(response)) => AdmitFuture::Done { result: Some(Ok(response)) },
            Err(error) => AdmitFuture::Done { result: Some(Err(error)) },
        }
    }
}

/// Nothing when the request may go on, a response when it has to go elsewhere.
fn admit(
    request: &Request<Body>,
    own: Option<&ProxySettings>,
) -> Result<Option<Response<Body>>, GatewayError> {
    let context = context(request)?;
    let configured = || context.live.plan::<ProxyPlan>().map(|plan| &*plan.settings);
    let Some(settings) = own.or_else(configured) else { return Ok(None) };
    let client = context.record.client;
    if !settings.allow_list.is_empty() && !holds(&settings.allow_list, client.ip) {
        return Err(ErrorKind::ClientNotAllowed.into());
    }
    // The usual gateway asks for neither.
    if settings.allowed_domains.is_empty() && (settings.redirect_https.is_empty() || client.tls) {
        return Ok(None);
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let host = normalize_host(host).unwrap_or_default();
    if !settings.allowed_domains.is_empty()
        && !settings.allowed_domains.iter().any(|domain| domain.is_match(&host))
    {
        return Err(ErrorKind::HostNotAllowed.into());
    }
    // Without a host nobody knows where to send it.
    if !client.tls && !host.is_empty() && settings.redirect_https.iter().any(|domain| domain.is_match(&host))
    {
        return Ok(Some(redirect_to_https(settings, &host, request)));
    }
    Ok(None)
}

fn redirect_to_https(settings: &ProxySettings, host: &str, request: &Request<Body>) -> Response<Body> {
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let location = match settings.https_port {
        None | Some(443) => format!("https://{host}{target}"),
        Some(port) => format!("https://{host}:{port}{target}"),
    };
    let mut response = Response::new(Body::empty());
    // 307 keeps method and body (RFC 9110, section 15.4.8).
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

pin_project! {
    /// The answer to come, or the one that is known.
    #[derive(Debug)]
    #[project = AdmitProjection]
    pub enum AdmitFuture<F> {
        /// The request goes on.
        Inner { #[pin] future: F },
        /// It does not; nothing once that was said.
        Done { result: Option<Result<Response<Body>, GatewayError>> },
    }
}

impl<F> std::future::Future for AdmitFuture<F>
where
    F: std::future::Future<Output = Result<Response<Body>, GatewayError>>,
{
    type Output = Result<Response<Body>, GatewayError>;

    fn poll(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AdmitProjection::Inner { future } => future.poll(cx),
            AdmitProjection::Done { result } => result.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}
