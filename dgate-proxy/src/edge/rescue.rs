//! Turns errors and panics into responses. The only place that invents responses.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use dgate_core::body::Body;
use dgate_core::context::{RequestContext, RequestRecord};
use dgate_core::error::Blame;
use dgate_core::{ErrorKind, GatewayError};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{Wanted, error_response};
use crate::plan::ProxyPlan;

/// Turns errors and panics of everything below into responses.
#[derive(Debug, Clone, Copy, Default)]
pub struct RescueLayer;

impl<S> Layer<S> for RescueLayer {
    type Service = Rescue<S>;

    fn layer(&self, inner: S) -> Rescue<S> {
        Rescue { inner, failed: None }
    }
}

/// See [`RescueLayer`].
#[derive(Debug)]
pub struct Rescue<S> {
    inner: S,
    /// Why the service below is not ready and never will be; the next call says so.
    failed: Option<GatewayError>,
}

impl<S: Clone> Clone for Rescue<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), failed: None }
    }
}

impl<S> Service<Request<Body>> for Rescue<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>,
{
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = RescueFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.failed.is_none() {
            self.failed = ready!(self.inner.poll_ready(cx)).err();
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let wanted = Wanted::by(request.headers());
        let context = request.extensions().get::<RequestContext>();
        let record = context.map(|context| context.record.clone());
        let plan = context.and_then(|context| context.live.plan::<ProxyPlan>());
        let strict = plan.is_some_and(|plan| plan.settings.strict_mode);
        let (inner, failed) = match self.failed.take() {
            Some(error) => (None, Some(error)),
            // What panics before it is a future has to be caught as well.
            None => match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
                Ok(future) => (Some(future), None),
                Err(panic) => (None, Some(panicked(&*panic))),
            },
        };
        RescueFuture { inner, failed, wanted, record, strict }
    }
}

pin_project! {
    /// The answer to come, in any case.
    #[derive(Debug)]
    pub struct RescueFuture<F> {
        #[pin]
        inner: Option<F>,
        failed: Option<GatewayError>,
        wanted: Wanted,
        record: Option<Arc<RequestRecord>>,
        strict: bool,
    }
}

impl<F> Future for RescueFuture<F>
where
    F: Future<Output = Result<Response<Body>, GatewayError>>,
{
    type Output = Result<Response<Body>, std::convert::Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = match (this.inner.as_pin_mut(), this.failed.take()) {
            (_, Some(error)) => Err(error),
            (Some(inner), None) => match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
                Ok(polled) => ready!(polled),
                Err(panic) => Err(panicked(&*panic)),
            },
            (None, None) => Err(ErrorKind::Internal.into()),
        };
        Poll::Ready(Ok(result.unwrap_or_else(|error| {
            note(&error, this.record.as_deref());
            let id = this.record.as_deref().map(|record| &record.id);
            let mut response = error_response(&error, *this.wanted, id);
            if *this.strict && error.kind() == ErrorKind::NoNamespace {
                response.extensions_mut().insert(HangUp);
            }
            response
        })))
    }
}

/// On a response that is not to be sent: whoever asks for a host that is not here is told nothing at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

/// Notes an error where people look for it: ours and the operator's loudly, others on demand.
fn note(error: &GatewayError, record: Option<&RequestRecord>) {
    let id = record.map_or("-", |record| record.id.as_str());
    if let Some(record) = record {
        record.set_error(error.kind());
    }
    let route = record.and_then(RequestRecord::route);
    let (namespace, route) = route.map_or(("-", "-"), |names| (&*names.namespace, &*names.route));
    match error.blame() {
        Blame::Internal if error.kind() == ErrorKind::Internal => {
            tracing::error!(request_id = id, namespace, route, %error, "a request failed inside the gateway");
        }
        Blame::Client => tracing::debug!(request_id = id, namespace, route, %error, "a request was refused"),
        _ => tracing::warn!(request_id = id, namespace, route, %error, "a request failed"),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> GatewayError {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    GatewayError::new(ErrorKind::Internal).because(format!("panic: {}", text.as_deref().unwrap_or("unknown")))
}
