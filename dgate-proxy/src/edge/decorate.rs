//! What every response carries.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use dgate_core::body::Body;
use dgate_core::context::{RequestContext, RequestRecord};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::forwarding::X_REQUEST_ID;
use crate::plan::ProxyPlan;
use crate::settings::ProxySettings;

/// Adds to every response its request's identifier and the headers that are configured for all. Outside of
/// [`Rescue`](super::Rescue), as errors carry them, too.
#[derive(Debug, Clone, Copy, Default)]
pub struct DecorateLayer;

impl<S> Layer<S> for DecorateLayer {
    type Service = Decorate<S>;

    fn layer(&self, inner: S) -> Decorate<S> {
        Decorate { inner }
    }
}

/// See [`DecorateLayer`].
#[derive(Debug, Clone)]
pub struct Decorate<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for Decorate<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = DecorateFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let context = request.extensions().get::<RequestContext>();
        let record = context.map(|context| context.record.clone());
        let plan = context.and_then(|context| context.live.plan::<ProxyPlan>());
        let settings = plan.map(|plan| &plan.settings).filter(|settings| !settings.global_headers.is_empty());
        let settings = settings.cloned();
        DecorateFuture { inner: self.inner.call(request), record, settings }
    }
}

pin_project! {
    /// The answer to come, with what every answer carries.
    #[derive(Debug)]
    pub struct DecorateFuture<F> {
        #[pin]
        inner: F,
        record: Option<Arc<RequestRecord>>,
        settings: Option<Arc<ProxySettings>>,
    }
}

impl<F, E> Future for DecorateFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut result = ready!(this.inner.poll(cx));
        if let Ok(response) = &mut result {
            let headers = response.headers_mut();
            if let Some(record) = this.record {
                headers.insert(X_REQUEST_ID, record.id.as_header().clone());
            }
            for (name, value) in this.settings.iter().flat_map(|settings| &settings.global_headers) {
                headers.insert(name.clone(), value.clone());
            }
        }
        Poll::Ready(result)
    }
}
