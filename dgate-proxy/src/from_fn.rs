//! Layers that are functions.

use std::future::Future;
use std::task::{Context, Poll};

use dgate_core::GatewayError;
use dgate_core::body::Body;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::shared_service::SharedService;

/// A layer for one of a gateway's slots that is an asynchronous function: it gets the request and what stands below.
///
/// ```
/// use dgate_core::{Body, GatewayError};
/// use dgate_proxy::{Gateway, SharedService, from_fn};
/// use http::{HeaderValue, Request, Response};
///
/// async fn greet(request: Request<Body>, next: SharedService) -> Result<Response<Body>, GatewayError> {
///     let mut response = next.call(request).await?;
///     response.headers_mut().insert("x-greeting", HeaderValue::from_static("hello"));
///     Ok(response)
/// }
///
/// let builder = Gateway::builder().edge_layer(from_fn(greet));
/// # drop(builder);
/// ```
pub fn from_fn<F, R>(function: F) -> FromFnLayer<F>
where
    F: Fn(Request<Body>, SharedService) -> R,
    R: Future<Output = Result<Response<Body>, GatewayError>>,
{
    FromFnLayer { function }
}

/// See [`from_fn`].
#[derive(Clone, Copy)]
pub struct FromFnLayer<F> {
    function: F,
}

impl<F: Clone> Layer<SharedService> for FromFnLayer<F> {
    type Service = FromFn<F>;

    fn layer(&self, inner: SharedService) -> FromFn<F> {
        FromFn { function: self.function.clone(), inner }
    }
}

impl<F> std::fmt::Debug for FromFnLayer<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FromFnLayer")
    }
}

/// See [`from_fn`].
#[derive(Clone)]
pub struct FromFn<F> {
    function: F,
    inner: SharedService,
}

impl<F> std::fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FromFn")
    }
}

impl<F, R> Service<Request<Body>> for FromFn<F>
where
    F: Fn(Request<Body>, SharedService) -> R,
    R: Future<Output = Result<Response<Body>, GatewayError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = R;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> R {
        (self.function)(request, self.inner.clone())
    }
}
