//! Copies requests to another service.

mod tee;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use dgate_core::body::Body;
use dgate_core::units::Percent;
use dgate_core::{GatewayError, metric_names};
use http::header::UPGRADE;
use http::{Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_layer::Layer;
use tower_service::Service;

use self::tee::Tee;
use super::select::OtherService;
use crate::plan::ProxyPlan;
use crate::route::context;
use crate::shared_service::SharedService;

/// Most copies under way at a time.
const MOST: usize = 256;

/// How much of all bodies together may wait, in KiB.
const MOST_WAITING: usize = 64 * 1_024;

/// How long an answer may take to be read that no service says anything about.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of a mirror's answer is read, so that the connection can be used again.
const MOST_ANSWER: usize = 1 << 20;

/// Copies a share of a route's requests to another service and throws its answers away. The original never waits for a
/// copy: a mirror that cannot keep up loses copies.
#[derive(Debug, Clone)]
pub struct MirrorTrafficLayer {
    /// Who gets the copies.
    mirror: SharedService,
    /// Which share of the requests is copied; the route says so when there is none.
    share: Option<Percent>,
    under_way: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl MirrorTrafficLayer {
    /// A layer that copies this share of all requests to a service of its own.
    pub fn new(mirror: SharedService, share: Percent) -> Self {
        Self { share: Some(share), ..Self::of_route(mirror) }
    }

    /// A layer that asks the route, and sends copies by this attempt.
    pub(crate) fn of_route(mirror: SharedService) -> Self {
        let (under_way, waiting) = (Semaphore::new(MOST), Semaphore::new(MOST_WAITING));
        Self { mirror, share: None, under_way: Arc::new(under_way), waiting: Arc::new(waiting) }
    }
}

impl<S> Layer<S> for MirrorTrafficLayer {
    type Service = MirrorTraffic<S>;

    fn layer(&self, inner: S) -> MirrorTraffic<S> {
        MirrorTraffic { inner, layer: self.clone() }
    }
}

/// See [`MirrorTrafficLayer`].
#[derive(Debug, Clone)]
pub struct MirrorTraffic<S> {
    inner: S,
    layer: MirrorTrafficLayer,
}

impl<S> Service<Request<Body>> for MirrorTraffic<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>,
{
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mirror = match self.layer.share {
            Some(share) => is_drawn(share).then_some(Mirror(None)),
            None => mirror_of(&request).map(|other| Mirror(Some(other))),
        };
        match mirror {
            // There would be nobody to talk to on the other end of an upgraded connection.
            Some(mirror) if !request.headers().contains_key(UPGRADE) => {
                let request = self.layer.copy(request, mirror);
                self.inner.call(request)
            }
            _ => self.inner.call(request),
        }
    }
}

/// Who gets a copy: this service, or the layer's own.
struct Mirror(Option<OtherService>);

/// Whether a request is among the share that is copied.
fn is_drawn(share: Percent) -> bool {
    share.threshold().is_none_or(|threshold| fastrand::u64(..) < threshold)
}

/// The service that gets a copy of this request, if one does.
fn mirror_of(request: &Request<Body>) -> Option<OtherService> {
    let context = context(request).ok()?;
    let matched = context.matched.as_ref()?;
    let id = matched.route.mirror?;
    let share = matched.route.spec.spec.mirror.as_ref()?.percent;
    if !is_drawn(share) {
        return None;
    }
    let carried = context.carried();
    let service = context.live.plan::<ProxyPlan>()?.namespace(matched.namespace.id)?.service(id)?;
    service.applies_to(carried).then(|| OtherService { service: service.clone(), carried })
}

impl MirrorTrafficLayer {
    fn copy(&self, request: Request<Body>, mirror: Mirror) -> Request<Body> {
        let Ok(permit) = self.under_way.clone().try_acquire_owned() else {
            mirror.count("dropped");
            return request;
        };
        let (head, body) = request.into_parts();
        let mut copy = Request::new(Body::empty());
        *copy.method_mut() = head.method.clone();
        *copy.uri_mut() = head.uri.clone();
        *copy.headers_mut() = head.headers.clone();
        // Nothing of the original's context: a copy must not keep a configuration alive.
        if let Mirror(Some(other)) = &mirror {
            copy.extensions_mut().insert(other.clone());
        }
        let body = match body.bytes() {
            Some(bytes) => {
                *copy.body_mut() = Body::full(bytes);
                body
            }
            None => {
                let (body, received) = Tee::new(body, self.waiting.clone());
                *copy.body_mut() = Body::new(received);
                Body::new(body)
            }
        };
        self.send(copy, mirror, permit);
        Request::from_parts(head, body)
    }

    fn send(&self, copy: Request<Body>, mirror: Mirror, permit: OwnedSemaphorePermit) {
        let attempt = self.mirror.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let outcome = match attempt.call(copy).await {
                Ok(response) => {
                    // An answer without end would keep others from being copied.
                    let rest = response.into_body().collect_limited(MOST_ANSWER);
                    let _ = tokio::time::timeout(mirror.patience(), rest).await;
                    "sent"
                }
                Err(_) => "failed",
            };
            mirror.count(outcome);
        });
    }
}

impl Mirror {
    /// How long its answer may take to be read.
    fn patience(&self) -> Duration {
        self.0.as_ref().map_or(PATIENCE, |other| other.service.request_timeout)
    }

    fn count(&self, outcome: &'static str) {
        let nobody = || Arc::from("-");
        let service = self.0.as_ref().map(|other| &other.service);
        metrics::counter!(
            metric_names::PROXY_MIRRORED,
            "namespace" => service.map_or_else(nobody, |service| service.namespace.clone()),
            "service" => service.map_or_else(nobody, |service| service.service.name.clone()),
            "outcome" => outcome
        )
        .increment(1);
    }
}
