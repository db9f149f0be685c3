//! Sheds load.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use dgate_core::context::RequestContext;
use dgate_core::{ErrorKind, GatewayError};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::plan::ProxyPlan;

/// Answers 503 at once when too many requests are being answered, rather than letting all of them wait. A request
/// counts until its response body ends.
#[derive(Debug, Clone, Default)]
pub struct InFlightLimitLayer {
    in_flight: Arc<AtomicUsize>,
    most: Option<usize>,
}

impl InFlightLimitLayer {
    /// A layer with a limit of its own. The default one looks the limit up in the gateway's settings.
    pub fn new(most: usize) -> Self {
        Self { in_flight: Arc::default(), most: Some(most) }
    }
}

impl<S> Layer<S> for InFlightLimitLayer {
    type Service = InFlightLimit<S>;

    fn layer(&self, inner: S) -> InFlightLimit<S> {
        InFlightLimit { inner, layer: self.clone() }
    }
}

/// See [`InFlightLimitLayer`].
#[derive(Debug, Clone)]
pub struct InFlightLimit<S> {
    inner: S,
    layer: InFlightLimitLayer,
}

impl<S> Service<Request<Body>> for InFlightLimit<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>,
{
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = InFlightLimitFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let configured = || {
            let context = request.extensions().get::<RequestContext>()?;
            context.live.plan::<ProxyPlan>()?.settings.limits.in_flight
        };
        let Some(most) = self.layer.most.or_else(configured) else {
            return InFlightLimitFuture { inner: Some(self.inner.call(request)), permit: None };
        };
        match Permit::acquire(&self.layer.in_flight, most) {
            Some(permit) => {
                InFlightLimitFuture { inner: Some(self.inner.call(request)), permit: Some(permit) }
            }
            None => InFlightLimitFuture { inner: None, permit: None },
        }
    }
}

#[derive(Debug)]
struct Permit(Arc<AtomicUsize>);

impl Permit {
    fn acquire(in_flight: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let permit = Self(in_flight.clone());
        (in_flight.fetch_add(1, Ordering::AcqRel) < most).then_some(permit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

pin_project! {
    /// The answer to come, or the refusal.
    #[derive(Debug)]
    pub struct InFlightLimitFuture<F> {
        #[pin]
        inner: Option<F>,
        permit: Option<Permit>,
    }
}

impl<F> Future for InFlightLimitFuture<F>
where
    F: Future<Output = Result<Response<Body>, GatewayError>>,
{
    type Output = Result<Response<Body>, GatewayError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(ErrorKind::Overloaded.into()));
        };
        let result = ready!(inner.poll(cx));
        let permit = this.permit.take();
        Poll::Ready(result.map(|response| match permit {
            Some(permit) if response.body().is_stream() => {
                response.map(|body| Body::new(CountedBody { body, _permit: permit }))
            }
            _ => response,
        }))
    }
}

/// A body that counts as a request until it ends.
struct CountedBody {
    body: Body,
    _permit: Permit,
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
