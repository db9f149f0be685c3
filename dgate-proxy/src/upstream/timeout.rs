//! How long a route may take.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use dgate_core::body::Body;
use dgate_core::context::RequestRecord;
use dgate_core::{ErrorKind, GatewayError};
use http::Request;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_layer::Layer;
use tower_service::Service;

use crate::plan::ProxyPlan;
use crate::route::context;

/// Gives up when all attempts together take too long to come to a response head.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeoutLayer {
    limit: Option<Duration>,
}

impl TimeoutLayer {
    /// A layer with a limit of its own. The default one asks the request's route.
    pub fn new(limit: Duration) -> Self {
        Self { limit: Some(limit) }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Timeout<S> {
        Timeout { inner, limit: self.limit }
    }
}

/// See [`TimeoutLayer`].
#[derive(Debug, Clone)]
pub struct Timeout<S> {
    inner: S,
    limit: Option<Duration>,
}

impl<S> Service<Request<Body>> for Timeout<S>
where
    S: Service<Request<Body>, Error = GatewayError>,
    S::Future: Future<Output = Result<S::Response, GatewayError>>,
{
    type Response = S::Response;
    type Error = GatewayError;
    type Future = TimeoutFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let limit = self.limit.or_else(|| of_route(&request));
        let timer = limit.map(|limit| {
            let record = context(&request).ok().map(|context| context.record.clone());
            Timer { sleep: Box::pin(sleep(limit)), record }
        });
        TimeoutFuture { inner: Some(self.inner.call(request)), timer }
    }
}

#[derive(Debug)]
struct Timer {
    sleep: Pin<Box<Sleep>>,
    record: Option<Arc<RequestRecord>>,
}

fn of_route(request: &Request<Body>) -> Option<Duration> {
    let context = context(request).ok()?;
    let matched = context.matched.as_ref()?;
    context.live.plan::<ProxyPlan>()?.namespace(matched.namespace.id)?.route(matched.route.id)?.timeout
}

pin_project! {
    /// The answer to come, in time.
    #[derive(Debug)]
    pub struct TimeoutFuture<F> {
        #[pin]
        inner: Option<F>,
        timer: Option<Timer>,
    }
}

impl<F, T> Future for TimeoutFuture<F>
where
    F: Future<Output = Result<T, GatewayError>>,
{
    type Output = Result<T, GatewayError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(inner) = this.inner.as_mut().as_pin_mut()
            && let Poll::Ready(result) = inner.poll(cx)
        {
            return Poll::Ready(result);
        }
        let Some(timer) = this.timer else { return Poll::Pending };
        ready!(timer.sleep.as_mut().poll(cx));
        // What is below is about to be cancelled, and wants to know why.
        if let Some(record) = &timer.record {
            record.set_error(ErrorKind::UpstreamTimeout);
        }
        // At once, so that what it notes is there when the answer is logged.
        this.inner.set(None);
        Poll::Ready(Err(ErrorKind::UpstreamTimeout.into()))
    }
}
