//! Learns from every attempt how its endpoint is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use dgate_core::body::Body;
use dgate_core::context::{RequestContext, RequestRecord};
use dgate_core::endpoint::HealthChange;
use dgate_core::error::Blame;
use dgate_core::event::{EventSink, NoEvents};
use dgate_core::{ErrorKind, GatewayError};
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::Target;
use crate::health::report;

/// Notes how long each attempt took and whether it failed; endpoints that keep failing are ejected. Innermost but for
/// sending, so that it sees every attempt as it is. Below [`SelectEndpoint`](super::SelectEndpoint), which says whom an
/// attempt asks.
#[derive(Clone)]
pub struct TrackHealthLayer {
    events: Arc<dyn EventSink>,
}

impl TrackHealthLayer {
    /// A layer that tells of endpoints that go down.
    pub fn new(events: Arc<dyn EventSink>) -> Self {
        Self { events }
    }
}

impl Default for TrackHealthLayer {
    /// A layer that tells nobody.
    fn default() -> Self {
        Self::new(Arc::new(NoEvents))
    }
}

impl std::fmt::Debug for TrackHealthLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrackHealthLayer")
    }
}

impl<S> Layer<S> for TrackHealthLayer {
    type Service = TrackHealth<S>;

    fn layer(&self, inner: S) -> TrackHealth<S> {
        TrackHealth { inner, events: self.events.clone() }
    }
}

/// See [`TrackHealthLayer`].
#[derive(Clone)]
pub struct TrackHealth<S> {
    inner: S,
    events: Arc<dyn EventSink>,
}

impl<S> std::fmt::Debug for TrackHealth<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrackHealth")
    }
}

impl<S> Service<Request<Body>> for TrackHealth<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>,
{
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = TrackHealthFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let target = request.extensions().get::<Target>().cloned();
        let record = request.extensions().get::<RequestContext>().map(|context| context.record.clone());
        let events = self.events.clone();
        let tracked = target.map(|target| Tracked { target, record, events, is_noted: false });
        TrackHealthFuture { inner: self.inner.call(request), tracked }
    }
}

pin_project! {
    /// An attempt's answer to come.
    pub struct TrackHealthFuture<F> {
        #[pin]
        inner: F,
        tracked: Option<Tracked>,
    }
}

impl<F> std::fmt::Debug for TrackHealthFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrackHealthFuture")
    }
}

impl<F> Future for TrackHealthFuture<F>
where
    F: Future<Output = Result<Response<Body>, GatewayError>>,
{
    type Output = Result<Response<Body>, GatewayError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        if let Some(mut tracked) = this.tracked.take() {
            tracked.note(&result);
        }
        Poll::Ready(result)
    }
}

struct Tracked {
    target: Target,
    record: Option<Arc<RequestRecord>>,
    events: Arc<dyn EventSink>,
    is_noted: bool,
}

impl Tracked {
    fn note(&mut self, result: &Result<Response<Body>, GatewayError>) {
        let now = Instant::now();
        let took = self.end(now);
        let failed = match result {
            Ok(response) => {
                self.target.endpoint.endpoint.observe(took);
                is_bad(response.status())
            }
            // What a client did to its request, and connections that were closed while idle, say nothing about health.
            Err(error) => {
                error.blame() == Blame::Upstream
                    && !error.is_stale()
                    && error.kind() != ErrorKind::UpstreamOverloaded
            }
        };
        if failed { self.failed(now) } else { self.succeeded() }
    }

    fn succeeded(&self) {
        let endpoint = &self.target.endpoint.endpoint;
        if endpoint.health.succeeded() == HealthChange::Up {
            report::changed(endpoint, true, &*self.events);
        }
    }

    /// Notes that the attempt is over. Returns how long it took.
    fn end(&mut self, now: Instant) -> Duration {
        self.is_noted = true;
        let Target { service, endpoint, since } = &self.target;
        let took = now.saturating_duration_since(*since);
        if let Some(record) = &self.record {
            record.add_attempt(&endpoint.endpoint.id.url, took);
        }
        service.metrics.upstream_took(&service.namespace, &service.service.name, took, now);
        took
    }

    fn failed(&self, now: Instant) {
        let Target { service, endpoint, .. } = &self.target;
        let change = endpoint.endpoint.health.failed(&service.passive, now, || service.may_eject());
        if change == HealthChange::Down {
            report::ejected(service, endpoint, &*self.events);
        }
    }
}

/// An attempt that was cancelled: the client has gone, or the route's time is up. The second is the endpoint's doing.
impl Drop for Tracked {
    fn drop(&mut self) {
        if self.is_noted {
            return;
        }
        let now = Instant::now();
        self.end(now);
        if self.record.as_ref().and_then(|record| record.error()) == Some(ErrorKind::UpstreamTimeout) {
            self.failed(now);
        }
    }
}

/// Whether a status says that the endpoint, not the request, is the problem.
fn is_bad(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}
